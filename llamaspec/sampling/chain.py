"""The chain: samplers in the user's order, then the token with the highest processed logit plus noise."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np

from .. import shelf
from ..arrays import Array, ascending, like, namespace, put, quiet
from ..errors import LlamaspecError
from . import rank
from .noise import noise
from .params import DEFAULT_ORDER, SamplerParams
from .sampler import Narrowing, Rows, Sampler, Vocab
from .samplers.temperature import Sampler as Temperature
from .sequence import canonical

__all__ = ["DEFAULT_ORDER", "Chain", "Rows", "SamplerParams", "State"]

State = tuple[Any, ...]
"""One immutable state per sampler; None for those without memory."""

_WIDE = 4096
_REACH = 26.5
"""No noise is above 22.88 or below -3.14: a logit lower than the best by more than this cannot win."""


class Chain:
    """`choose` is argmax(processed logits + noise): a function of logits, seed, position and state alone.

    A row's token never depends on how many rows there are, nor on whether truncation was done early.
    """

    def __init__(self, samplers: Sequence[Sampler]) -> None:
        self.samplers = tuple(_simplified(samplers))
        self._narrows = [sampler.narrow if isinstance(sampler, Narrowing) else None for sampler in self.samplers]
        last = self.samplers[-1] if self.samplers else None
        self.greedy = isinstance(last, Temperature) and last.greedy
        """One token is left for certain: no noise is needed."""
        self.stateless = all(sampler.stateless for sampler in self.samplers)
        self.needs_logits = any(sampler.needs_logits for sampler in self.samplers)
        """`advance` wants the raw logits of the row and its Rows."""

    @classmethod
    def build(
        cls,
        params: SamplerParams,
        vocab: "Vocab | None" = None,
        banned: Sequence[int] = (),
        first: Sequence[Sampler] = (),
    ) -> Self:
        """The chain that `params` describe, neutral samplers left out.

        vocab: needed by DRY's sequence breakers. banned: ids that are never chosen (end of generation under
        --ignore-eos, the model's suppressed tokens). first: samplers before all others (grammar).
        Raises UsageError for unknown names and values out of range.
        """
        biased = replace(params, logit_bias=params.logit_bias + tuple((token, -math.inf) for token in banned))
        order = [canonical(name) for name in params.samplers]
        # adaptive_p stands for the final draw in llama.cpp, so it is last wherever it was named.
        order = [name for name in order if name != "adaptive_p"] + ["adaptive_p"] * ("adaptive_p" in order)
        if params.mirostat:
            order = ["temperature", "mirostat"]
        built = [shelf.take("sampling.samplers", name).Sampler.build(biased, vocab) for name in ["logit_bias", *order]]
        return cls([*first, *(sampler for sampler in built if sampler is not None)])

    def start(self, prompt: Sequence[int]) -> State:
        """The state after the prompt's tokens."""
        return tuple(sampler.start(prompt) for sampler in self.samplers)

    def advance(self, state: State, token: int, logits: Array | None = None, rows: "Rows | None" = None) -> State:
        """The state after `token` was chosen. logits [V] and rows (of one row): only where `needs_logits`."""
        if self.stateless:
            return state
        if not self.needs_logits:
            return tuple(s.advance(own, token) for s, own in zip(self.samplers, state, strict=True))
        assert logits is not None, "this chain's memory depends on the logits"
        assert rows is not None, "this chain's memory depends on the logits, and they on the rows"
        values, after = _float(logits).reshape(1, -1), []
        with quiet():
            for sampler, own in zip(self.samplers, state, strict=True):
                after.append(sampler.advance(own, token, values[0]))
                values = sampler.apply(values, rows, own)
        return tuple(after)

    def process(self, logits: Array, rows: Rows, state: "State | None" = None) -> Array:
        """logits [n, V] -> [n, V] float32: scaled, and -inf where ruled out. Raises LlamaspecError like `choose`."""
        with quiet():
            values, narrowed = self._columns(logits, rows, state, self.samplers)
            self.check(self._sound(logits, values))
        if narrowed.ids is None:
            return values
        xp = namespace(logits)
        nothing = xp.full(logits.shape, -xp.inf, dtype=xp.float32, device=logits.device)
        return put(nothing, narrowed.ids, values)

    def choose(self, logits: Array, rows: Rows, state: "State | None" = None) -> Array:
        """logits [n, V] -> [n] int64: the token of each row; the lowest id on ties.

        `state` holds for all rows. Raises LlamaspecError when logits are NaN or inf, or every token is ruled out.
        """
        return self.check(self.pick(logits, rows, state))

    def pick(self, logits: Array, rows: Rows, state: "State | None" = None) -> Array:
        """logits [n, V] -> [n] int64: `choose` without looking at the result, for CUDA graphs: -1 or -2 for an error
        that `check` raises later."""
        with quiet():
            values, narrowed = self._columns(logits, rows, state, self._drawn)
            on_host = isinstance(values, np.ndarray)
            if self.greedy and on_host and narrowed.ids is None:
                return _highest(values, None if len(self.samplers) == 1 else logits)
            if self.greedy:
                chosen = rank.first(values, narrowed.ids)
            elif values.shape[-1] >= _WIDE and on_host and narrowed.ids is None:
                chosen = _pruned(values, narrowed)
            else:
                chosen = rank.first(self._noisy(values, narrowed), narrowed.ids)
            sound = self._sound(logits, values)
            return namespace(sound).where(sound < 0, sound, chosen)

    def order(self, logits: Array, rows: Rows, state: "State | None" = None, k: int = 1) -> Array:
        """logits [n, V] -> [n, k] int64: the tokens with the highest processed + noise, best first; -1 where fewer are
        left. At temperature 0 the highest logits: the limit of a falling temperature, of use to draft trees."""
        with quiet():
            values, narrowed = self._columns(logits, rows, state, self._drawn)
            self.check(self._sound(logits, values))
            scores = values if self.greedy else self._noisy(values, narrowed)
        xp = namespace(scores)
        best, ids = rank.top(scores, narrowed.ids, min(k, scores.shape[-1]))
        missing = like([[-1] * (k - ids.shape[-1])] * ids.shape[0], ids)
        return xp.concat([xp.where(best == -xp.inf, -1, ids), missing], axis=-1)

    def check(self, chosen: Array) -> Array:
        """chosen [n] of `pick` -> chosen. Raises LlamaspecError for a row without a token."""
        found = chosen.tolist()
        worst = min(found, default=0)
        if worst == _BROKEN:
            row = found.index(_BROKEN)
            raise LlamaspecError(
                f"the model's logits in row {row} hold NaN or infinity",
                hint="the file may be damaged, or its activations overflow; nothing was guessed instead",
            )
        if worst == _EMPTY:
            row = found.index(_EMPTY)
            raise LlamaspecError(
                f"no token is left to choose from in row {row}",
                hint="logit biases, the grammar or the samplers exclude every token",
            )
        return chosen

    @property
    def _drawn(self) -> tuple[Sampler, ...]:
        """The samplers before the draw: --temp 0 takes the highest logit itself."""
        return self.samplers[:-1] if self.greedy else self.samplers

    def _columns(
        self, logits: Array, rows: Rows, state: "State | None", samplers: Sequence[Sampler]
    ) -> tuple[Array, Rows]:
        """logits [n, V] -> processed [n, k] and rows with their ids: top_k drops the columns it rules out."""
        values = _float(logits)
        for at, sampler in enumerate(samplers):
            narrow = self._narrows[at]
            if narrow is not None:
                values, rows = narrow(values, rows)
            else:
                values = sampler.apply(values, rows, state[at] if state else None)
        return values, rows

    @staticmethod
    def _sound(logits: Array, values: Array) -> Array:
        """-> [n] int64: 0, _BROKEN (NaN or inf came in, or came of a scale) or _EMPTY (only -inf is left)."""
        xp = namespace(values)
        highest = xp.max(values, axis=-1)
        whole = (xp.max(logits, axis=-1) < xp.inf) & (highest < xp.inf)  # NaN, which max passes on, is not less
        empty = xp.astype(highest == -xp.inf, xp.int64) * _EMPTY
        return xp.where(whole, empty, _BROKEN)

    @staticmethod
    def _noisy(values: Array, rows: Rows) -> Array:
        """values [n, k] -> [n, k]: plus the noise of each token."""
        ids = ascending(values.shape[-1], values)[None] if rows.ids is None else rows.ids
        return values + noise(rows.seed, rows.positions, ids, attempt=rows.attempt)


_BROKEN, _EMPTY = -2, -1


def _float(logits: Array) -> Array:
    """As float32, row behind row."""
    if isinstance(logits, np.ndarray):
        return np.ascontiguousarray(logits, np.float32)
    return logits.float().contiguous()


def _highest(values: np.ndarray, logits: Array | None) -> np.ndarray:
    """values [n, V] -> [n] int64 as `Chain.pick` at --temp 0. logits: if they are not the values.

    The best value of a row tells whether the row is sound, too: one look at a vocabulary instead of four.
    """
    chosen = values.argmax(-1)  # the first of equals; NaN counts as the highest
    best = values[np.arange(len(values)), chosen]
    highest = best if logits is None else logits.max(-1)
    if not (np.isfinite(best).all() and np.isfinite(highest).all()):
        chosen[best == -np.inf] = _EMPTY
        chosen[~((best < np.inf) & (highest < np.inf))] = _BROKEN
    return chosen


def _pruned(values: np.ndarray, rows: Rows) -> np.ndarray:
    """values [n, V] -> [n] int64: the argmax with noise, computed only for tokens within reach of the best.

    Most of a vocabulary is not, and 150,000 tokens of noise cost 6 ms.
    """
    best = values.max(-1)
    floors = best - np.maximum(abs(best) * 1e-5, _REACH)  # beyond 2^21, roundings of the sum count too
    chosen = np.zeros(len(values), np.int64)
    for at, (row, floor) in enumerate(zip(values, floors.tolist(), strict=True)):
        near = np.flatnonzero(row >= floor)[None]
        if near.shape[-1]:
            seed, attempt = (x if isinstance(x, int) or not x.ndim else x[at] for x in (rows.seed, rows.attempt))
            scores = row[near] + noise(seed, rows.positions[at : at + 1], near, attempt=attempt)
            chosen[at] = near[0, rank.first(scores)[0]]
    return chosen


def _simplified(samplers: Sequence[Sampler]) -> list[Sampler]:
    """Without what cannot matter under --temp 0: everything behind, and truncation just before that keeps the best."""
    kept = list(samplers)
    for at, sampler in enumerate(kept):
        if isinstance(sampler, Temperature) and sampler.greedy:
            before = kept[:at]
            while before and before[-1].keeps_best:
                before.pop()
            return [*before, sampler]
    return kept
