"""Consecutive blocks of one place: each segment is one tape, or runs operation by operation, on its own device."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from ..kernels.protocol import Batch, Operations, Output, Store, Tape
from .place import Place

if TYPE_CHECKING:
    from .decoder import Model

LEAVING = -2
"""The feature in which a segment's rows leave for the next one."""


@dataclass
class Segment:
    """Blocks [first, last) of a model. entry: the embedding stands before them; exit: the logits behind."""

    model: "Model"
    place: Place
    first: int
    last: int
    entry: bool
    exit: bool
    tape: Tape | None = None

    def record(self, ops: Operations) -> None:
        """The operations of the segment."""
        model = self.model
        x = model.enter(ops) if self.entry else model.resume(ops)
        x = model.run_blocks(ops, x, self.first, self.last)
        if self.exit:
            model.finish(ops, x)
        else:
            ops.mark(LEAVING, model.leave(ops, x))

    def run(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> Output:
        """One pass over the segment."""
        if self.tape is not None:
            return self.tape.run(batch, stores, features)
        ops = self.place.kernels.operations(batch, stores, features)
        self.record(ops)
        return ops.output()

    def has(self, feature: int) -> bool:
        """Whether the feature arises here: inputs of its blocks, and what stands behind the last one."""
        return self.first <= feature < self.last or (self.exit and (feature < 0 or feature == self.last))


def segments(model: "Model") -> list[Segment]:
    """The model cut where its places change. places: of the embedding, of every block, of the output."""
    cuts = list(_cuts(model.places))
    made = []
    for number, (place, first, last) in enumerate(cuts):
        segment = Segment(model, place, first, last, number == 0, number == len(cuts) - 1)
        segment.tape = place.kernels.record(segment.record)
        made.append(segment)
    return made


def _cuts(places: Sequence[Place]) -> Iterator[tuple[Place, int, int]]:
    """(place, first block, last block + 1) of each run of equal places, embedding and output counted in."""
    n, start = len(places) - 2, 0
    for place, run in groupby(places):
        end = start + len(list(run))
        yield place, min(max(start - 1, 0), n), min(max(end - 1, 0), n)
        start = end


def run(cut: Sequence[Segment], batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> Output:
    """A pass over all segments; rows go from each to the place of the next, results to the first one's."""
    if len(cut) == 1:
        return cut[0].run(batch, stores, features)
    found, output = {}, None
    for segment in cut:
        asked = [feature for feature in features if segment.has(feature)]
        output = segment.run(batch, stores, asked if segment.exit else [*asked, LEAVING])
        found |= {feature: output.features[feature] for feature in asked}
        if not segment.exit:
            batch = replace(batch, hidden=output.features[LEAVING])
    assert output is not None
    first = cut[0].place.kernels
    return Output(first.here(output.logits), {feature: first.here(rows) for feature, rows in found.items()})
