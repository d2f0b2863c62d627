"""A draft model of another vocabulary: its history and its guesses are translated. The target verifies as always."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..sampling.chain import Chain
from ..text.tokenizer import Tokenizer
from .draft import Draft
from .drafter import Drafter, Kept, Slot
from .translate_text import Pairs, TextBridge
from .translate_tokens import TokenBridge
from .wrapper import Wrapper

MOST = 0.7
"""Token by token from this share of the larger vocabulary on; below it the two would cut text too differently.

Llama 3 and Qwen 2 share 0.72 and cut English alike; Llama 2 and DeepSeek Coder, both of 32,000, share 0.60 and do not.
"""


class Shadow(Protocol):
    """A history in the draft's ids, and the target's tokens `read` so far."""

    read: list[int]
    tokens: list[int]

    def add(self, tokens: Sequence[int]) -> int:
        """Read on -> the place from which `tokens` changed."""
        ...


class Bridge(Protocol):
    """Between two vocabularies."""

    @property
    def note(self) -> str:
        """How it translates, for the user."""
        ...

    def shadow(self) -> Any:
        """An empty Shadow."""
        ...

    def chain(self, slot: Slot, shadow: Any) -> Chain | None:
        """What chooses draft ids as the target would; None = the highest logit."""
        ...

    def back(self, draft: Draft, shadow: Any) -> Draft:
        """A draft in the target's ids."""
        ...


def bridge(target: Tokenizer, draft: Tokenizer, rows: int, pairs: Pairs = ()) -> Bridge:
    """By token where the vocabularies share most of them and nobody wants texts replaced; else by text.

    rows: ids that the target's logits have.
    """
    if not pairs:
        by_token = TokenBridge(target, draft, rows)
        if by_token.share >= MOST:
            return by_token
    return TextBridge(target, draft, pairs)


class Shadows:
    """The histories of all slots in the draft's ids, one for all drafters of a draft model.

    edited: told (slot, place) when a shadow changed before its end.
    """

    def __init__(self, bridge: Bridge, edited: Callable[[int, int], None]) -> None:
        self.bridge, self._edited = bridge, edited
        self._shadows: dict[int, Shadow] = {}
        self._doubted: set[int] = set()

    def doubt(self, slot: int) -> None:
        """The slot's earlier tokens may have changed."""
        self._doubted.add(slot)

    def of(self, slot: Slot) -> Shadow:
        """The slot's history, as it is now. Costs what is new, and a comparison after `doubt`."""
        shadow = self._shadows.get(slot.id)
        known = len(shadow.read) if shadow else 0
        shrunk = known > len(slot.tokens)
        if shadow is None or shrunk or (slot.id in self._doubted and slot.tokens[:known] != shadow.read):
            shadow = self._shadows[slot.id] = self.bridge.shadow()
            self._edited(slot.id, 0)
        self._doubted.discard(slot.id)
        length = len(shadow.tokens)
        at = shadow.add(slot.tokens[len(shadow.read) :])
        if at < length:
            self._edited(slot.id, at)
        return shadow


class Translated(Wrapper):
    """A drafter of the draft's vocabulary as one of the target's."""

    def __init__(self, drafter: Drafter, shadows: Shadows) -> None:
        super().__init__(drafter)
        self.shadows = shadows

    def begin(self, slot: Slot) -> None:
        """Passed on."""
        self.shadows.doubt(slot.id)
        self.drafter.begin(slot)

    def forget(self, slot: Slot) -> None:
        """Passed on."""
        self.shadows.doubt(slot.id)
        self.drafter.forget(slot)

    def observe(self, slot: Slot, rows: Kept) -> None:
        """The history says it all."""

    def accept(self, slot: Slot, n: int, mine: bool) -> None:
        """The history says it all."""

    def on_device(self, rows: int | None, context: int) -> None:
        """Histories are translated on the host."""

    def propose(self, slots: Sequence[Slot]) -> list[Draft]:
        """The drafter's drafts for the translated histories, translated back."""
        shadows = [self.shadows.of(slot) for slot in slots]
        asked = [
            Slot(slot.id, shadow.tokens, slot.limit, slot.seed, self.shadows.bridge.chain(slot, shadow), slot.state)
            for slot, shadow in zip(slots, shadows, strict=True)
        ]
        drafts = self.drafter.propose(asked)
        back = [self.shadows.bridge.back(draft, shadow) for draft, shadow in zip(drafts, shadows, strict=True)]
        return [draft.cut(self.n_max) for draft in back]
