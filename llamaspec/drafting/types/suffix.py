"""suffix: continue the longest suffix of the text that occurred before, in this text or in a corpus."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike

from ..corpus import read_corpus
from ..drafter import Base, Slot
from ._automaton import Automaton
from ._knobs import in_range

TRIES = 2
"""Suffixes of the history that are tried, longest first: a shorter one occurred more often."""
SLACK = 8
"""A draft may be longer than its match by this many tokens."""


@dataclass(frozen=True)
class Params:
    """n_max: the longest draft. min_match: tokens that must match. p_min: a draft ends where it is less likely.

    corpus: a file of int32 tokens, or the tokens themselves, to draft from besides the history.
    """

    n_max: int = 16
    min_match: int = 3
    p_min: float = 0.1
    corpus: str | bytes | PathLike[str] | Sequence[int] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        in_range("suffix", "n_max", self.n_max, 1, 1024)
        in_range("suffix", "min_match", self.min_match, 1, 1024)
        in_range("suffix", "p_min", self.p_min, 0.0, 1.0)


@dataclass
class _Text:
    """A slot's history, and how much of it stands in the corpus: a state and the length of the match."""

    automaton: Automaton = field(default_factory=Automaton)
    state: int = 0
    matched: int = 0


class Drafter(Base):
    """Suffix decoding (Oliaro et al. 2024; Hu et al. 2024 for the automaton).

    From the state of a suffix that occurred before, the draft follows the token that came most often, as long as the
    product of the shares stays at p_min or above. The suffix whose draft promises the most accepted tokens (the sum of
    those products) wins. A share is occurrences of the longer string / (occurrences of the shorter one + 1), so that a
    single earlier occurrence is no certainty.
    """

    name = "suffix"

    def __init__(self, params: Params | None = None, compat: bool = False) -> None:
        self.params = params or Params()
        self.n_max = self.params.n_max
        self._texts: dict[int, _Text] = {}
        self._corpus: Automaton | None = None
        if self.params.corpus is not None and self.params.corpus != "":
            self._corpus = Automaton()
            self._corpus.extend(read_corpus(self.params.corpus))

    def begin(self, slot: Slot) -> None:
        """Keeps what a prompt that continues the last history shares with it."""
        text = self._texts.get(slot.id)
        if text is not None and text.automaton.text.tolist() != slot.tokens[: len(text.automaton.text)]:
            self.forget(slot)
        self._learn(slot)

    def forget(self, slot: Slot) -> None:
        """The next call learns the history anew."""
        self._texts.pop(slot.id, None)

    def guess(self, slot: Slot) -> Sequence[int]:
        """The most promising continuation."""
        return self._best(self._learn(slot))

    def after(self, slot: Slot, ahead: Sequence[int]) -> Sequence[int]:
        """What may follow slot.tokens + ahead; nothing is learnt."""
        text = self._texts.get(slot.id)
        if text is None or not ahead:
            return [] if text is None else self._best(text)
        state, matched = text.automaton.last, len(text.automaton.text)
        for token in ahead:
            state, matched = text.automaton.step(state, matched, token)
        return self._follow(text.automaton, state, matched)[0]

    def _learn(self, slot: Slot) -> _Text:
        text = self._texts.get(slot.id)
        if text is None or len(text.automaton.text) > len(slot.tokens):
            text = self._texts[slot.id] = _Text()
        fresh = slot.tokens[len(text.automaton.text) :]
        text.automaton.extend(fresh)
        if self._corpus is not None:
            for token in fresh:
                text.state, text.matched = self._corpus.step(text.state, text.matched, token)
        return text

    def _best(self, text: _Text) -> Sequence[int]:
        best, promise = [], 0.0
        for tries, state in enumerate(text.automaton.suffixes()):
            if tries == TRIES:
                break
            draft, score = self._follow(text.automaton, state, text.automaton.length[state])
            if score > promise:
                best, promise = draft, score
        if self._corpus is not None and text.state:
            draft, score = self._follow(self._corpus, text.state, text.matched)
            if score > promise:
                best = draft
        return best

    def _follow(self, automaton: Automaton, state: int, matched: int) -> tuple[list[int], float]:
        """A draft from a state whose string of `matched` tokens stands at the end of the history, and its promise."""
        draft: list[int] = []
        if matched < self.params.min_match:
            return draft, 0.0
        after, count, heavy = automaton.after, automaton.count, automaton.heavy
        share, promise, floor = 1.0, 0.0, self.params.p_min
        for _ in range(min(self.params.n_max, matched + SLACK)):
            token = heavy[state]
            if token < 0:
                break
            following = after[state][token]
            share *= min(count[following] / (count[state] + 1), 1.0)
            if share < floor or not share:
                break
            draft.append(token)
            promise += share
            state = following
        return draft, promise
