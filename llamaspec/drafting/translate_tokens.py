"""Two vocabularies that share most tokens: ids are matched by text, and the draft keeps to the shared ones."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from ..arrays import Array, like, namespace
from ..sampling.chain import Chain, State
from ..sampling.sampler import Rows
from ..text.tokenizer import Tokenizer
from .draft import Draft
from .drafter import Slot
from .translate_specials import by_piece, byte_tokens, counterparts, piece


class TokenBridge:
    """Target id <-> draft id. Tokens that only the target has are spelled with the draft's own.

    rows: how many ids the target's logits have. Every draft token is one target token, so the draft can be chosen with
    the target's chain, state and noise, as if the vocabularies were the same.
    """

    def __init__(self, target: Tokenizer, draft: Tokenizer, rows: int) -> None:
        self.target, self.draft, self.rows = target, draft, rows
        ours, theirs = by_piece(target), by_piece(draft)
        special = counterparts(target, draft)
        pairs = {**{token: theirs[data] for data, token in ours.items() if data in theirs}, **special}
        back: dict[int, int] = {}
        for token, other in sorted(pairs.items()):
            if target.token_text(token) == draft.token_text(other):
                back[other] = token
            else:
                back.setdefault(other, token)
        self.shared = {token: other for other, token in back.items()}
        self.back_ids = back
        self._spelled: dict[int, tuple[int, ...]] = {token: (other,) for token, other in pairs.items()}
        self._ours: Array = np.array(list(self.shared), np.int64)
        self._theirs: Array = np.array(list(self.shared.values()), np.int64)

    @property
    def share(self) -> float:
        """Shared tokens as a part of the larger vocabulary."""
        return len(self.shared) / max(self.target.n_vocab, self.draft.n_vocab)

    @property
    def note(self) -> str:
        """For the user."""
        return f"tokens are matched by their text, {len(self.shared):,} of {self.target.n_vocab:,} are shared"

    def shadow(self) -> "TokenShadow":
        """An empty history."""
        return TokenShadow(self)

    @cached_property
    def _bytes(self) -> dict[int, int]:
        return byte_tokens(self.draft)

    def spelled(self, token: int) -> tuple[int, ...]:
        """A target token in draft ids."""
        found = self._spelled.get(token)
        if found is None:
            found = self._spelled[token] = tuple(self._spell(piece(self.target, token, special=True)))
        return found

    def _spell(self, data: bytes) -> list[int]:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return [self._bytes[byte] for byte in data if byte in self._bytes]
        return self.draft.encode(text, add_special=False, parse_special=False)

    def chain(self, slot: Slot, shadow: "TokenShadow") -> Chain | None:
        """The target's chain, to be asked in draft ids."""
        if slot.chain is None:
            return None
        return MappedChain(slot.chain, self, len(slot.tokens) - len(shadow.tokens))

    def back(self, draft: Draft, shadow: "TokenShadow") -> Draft:
        """Draft ids -> target ids; a token that the target lacks goes, with all behind it."""
        kept: dict[int, int] = {-1: -1}
        tokens: list[int] = []
        parents: list[int] = []
        for node, (token, parent) in enumerate(zip(draft.tokens, draft.parents, strict=True)):
            ours = self.back_ids.get(token)
            if ours is not None and parent in kept:
                kept[node] = len(tokens)
                tokens.append(ours)
                parents.append(kept[parent])
        return Draft(tuple(tokens), tuple(parents), draft.by)

    def lift(self, logits: Array) -> Array:
        """logits [..., V_draft] -> [..., rows]: -inf for tokens that are not shared."""
        if self._ours.device != logits.device:
            self._ours, self._theirs = like(self._ours, logits), like(self._theirs, logits)
        xp = namespace(logits)
        out = xp.full((*logits.shape[:-1], self.rows), -xp.inf, dtype=logits.dtype, device=logits.device)
        out[..., self._ours] = logits[..., self._theirs]
        return out


class TokenShadow:
    """A history in draft ids. read: the target's tokens that it stands for."""

    def __init__(self, bridge: TokenBridge) -> None:
        self.bridge = bridge
        self.read: list[int] = []
        self.tokens: list[int] = []

    def add(self, tokens: Sequence[int]) -> int:
        """Read on -> the place from which `self.tokens` changed."""
        at, bridge = len(self.tokens), self.bridge
        if not self.read and tokens:
            if bridge.draft.add_bos and bridge.draft.bos is not None:
                self.tokens.append(bridge.draft.bos)
            if tokens[0] == bridge.target.bos:
                self.read.append(tokens[0])
                tokens = tokens[1:]
        for token in tokens:
            self.tokens += bridge.spelled(token)
        self.read += tokens
        return at


class MappedChain(Chain):
    """A target's chain over a draft's ids. ahead: how many more tokens the target's history has than the draft's."""

    def __init__(self, chain: Chain, bridge: TokenBridge, ahead: int) -> None:
        super().__init__(chain.samplers)
        self.bridge, self.ahead = bridge, ahead

    def pick(self, logits: Array, rows: Rows, state: State | None = None) -> Array:
        """logits [n, V_draft] -> [n] draft ids."""
        return self._down(super().pick(self.bridge.lift(logits), self._moved(rows), state))

    def order(self, logits: Array, rows: Rows, state: State | None = None, k: int = 1) -> Array:
        """logits [n, V_draft] -> [n, k] draft ids."""
        return self._down(super().order(self.bridge.lift(logits), self._moved(rows), state, k))

    def advance(self, state: State, token: int, logits: Array | None = None, rows: Rows | None = None) -> State:
        """token: a draft id."""
        lifted = None if logits is None else self.bridge.lift(logits)
        moved = None if rows is None else self._moved(rows)
        return super().advance(state, self.bridge.back_ids[token], lifted, moved)

    def _moved(self, rows: Rows) -> Rows:
        return Rows(rows.positions + self.ahead, rows.seed, rows.attempt)

    def _down(self, chosen: Array) -> Array:
        shared = self.bridge.shared
        flat = [shared.get(token, -1) for token in chosen.reshape(-1).tolist()]
        return like(flat, chosen).reshape(chosen.shape)
