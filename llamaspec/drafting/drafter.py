"""What every drafter is: the calls it answers, and what it may know about a sequence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..arrays import Array
from .draft import Draft

if TYPE_CHECKING:
    from ..sampling.chain import Chain
    from .knobs import Knobs
    from .on_device import DeviceDrafter


@dataclass
class Slot:
    """One sequence, as drafters see it. They read it and keep nothing of it but by `id`.

    tokens: prompt and answer so far; the last one is not in the target's cache yet. The list only grows between
    two calls of `begin`, unless a context shift cuts it.
    limit: the most draft tokens that make sense now (context room, tokens still wanted); <= 0 = no limit.
    chain, state, seed: the target's sampler chain, its state after `tokens`, and the seed of the noise, so that a
    model can draft with the very noise the target will use.
    """

    id: int
    tokens: list[int] = field(default_factory=list)
    limit: int = -1
    seed: int = 0
    chain: "Chain | None" = None
    state: Any = None


@dataclass(frozen=True)
class Kept:
    """Rows that the target has evaluated and kept, in order.

    tokens: the rows' tokens. features: target layer -> [n, D], for the layers a drafter asked for.
    top: [n, k] ids of the target's best tokens after each row, if a drafter asked for them.
    """

    tokens: Sequence[int]
    features: Mapping[int, Array] | None = None
    top: Array | None = None


class Drafter(Protocol):
    """llama.cpp's begin / process / draft / accept, with two of them renamed for what they mean.

    name: as printed and as typed after --spec-type: "ngram-mod". order: drafters are asked by rising numbers.
    needs_model: it draws on a draft model. n_max: the most tokens that a draft of it ever has. features: target layers
    whose inputs it wants to see in `observe`. top: how many of the target's best tokens per row it wants to see there.
    params: its knobs, None = it has none.
    """

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def needs_model(self) -> bool: ...
    @property
    def n_max(self) -> int: ...
    @property
    def features(self) -> Sequence[int]: ...
    @property
    def top(self) -> int: ...
    @property
    def params(self) -> "Knobs | None": ...

    def begin(self, slot: Slot) -> None:
        """A new prompt stands in slot.tokens."""

    def forget(self, slot: Slot) -> None:
        """Earlier tokens of the slot changed without a `begin` (a context shift, an edited history)."""

    def observe(self, slot: Slot, rows: Kept) -> None:
        """The target kept these rows (prompt chunks and accepted paths, never rejected ones)."""

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """One draft per slot, in order; an empty one means that it has none."""
        ...

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """n tokens of the last non-empty draft survived. mine: it was this drafter's draft."""

    def save(self, slots: Sequence[Slot]) -> None:
        """Write what shall outlive the run. slots: sequences whose newest tokens no step has shown to it yet."""

    def on_device(self, rows: int | None, context: int) -> "DeviceDrafter | None":
        """Its drafts of one sequence as a function that a device repeats by itself; None = the host is needed.

        rows: of a pass of the target, None = any number. context: of the target.
        """
        ...

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        """The device drafted n tokens, of which the target kept `kept`; slot.tokens has grown by what it gained."""


class Base:
    """A drafter that reads nothing but tokens and guesses slot by slot: override `guess`."""

    name = ""
    order = 1000
    needs_model = False
    n_max = 0
    features: Sequence[int] = ()
    top = 0
    params: Any = None

    def begin(self, slot: Slot) -> None:
        """Nothing to prepare."""

    def forget(self, slot: Slot) -> None:
        """Nothing was derived from the history."""

    def observe(self, slot: Slot, rows: Kept) -> None:
        """Nothing to learn."""

    def guess(self, slot: Slot) -> Sequence[int]:
        """Tokens that may follow slot.tokens; [] = no draft."""
        raise NotImplementedError

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """A chain per slot."""
        return [Draft.chain(self.guess(slot), self.name) for slot in slots]

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """Nothing to learn."""

    def save(self, slots: Sequence[Slot]) -> None:
        """Nothing outlives the run."""

    def on_device(self, rows: int | None, context: int) -> "DeviceDrafter | None":
        """It is asked on the host."""
        return None

    def drafted_on_device(self, slot: Slot, n: int, kept: int) -> None:
        """Never happens."""


class Follower(Base):
    """A drafter that can look past a draft, and so extend another drafter's."""

    def guess(self, slot: Slot) -> Sequence[int]:
        """What may follow the history."""
        return self.after(slot, ())

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead. Nothing is learnt from `ahead`."""
        raise NotImplementedError
