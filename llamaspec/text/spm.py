"""Score-driven BPE with byte fallback: `tokenizer.ggml.model = llama` (SentencePiece's BPE models)."""

from collections.abc import Mapping, Sequence

import numpy as np

from llamaspec.text.merge import merge

BLANK = "\u2581"


class SPM:
    """Text without special tokens -> ids: characters are joined while a token of higher score covers the pair."""

    def __init__(self, ids: Mapping[str, int], scores: Sequence[float] | np.ndarray, unknown: int | None) -> None:
        self._ids = ids
        self._costs = np.negative(scores).tolist()
        self._unknown = unknown

    def encode(self, text: str) -> list[int]:
        """Ids of `text`; blanks are written U+2581 first. A character that no token covers becomes byte tokens."""
        out: list[int] = []
        for symbol in merge(text.replace(" ", BLANK), self._cost):
            token = self._ids.get(symbol)
            if token is not None:
                out.append(token)
            else:
                out.extend(self._bytes(symbol))
        return out

    def byte(self, value: int) -> int | None:
        """The token of one byte: `<0xXX>`, else the bare character, else the unknown token."""
        return self._ids.get(f"<0x{value:02X}>", self._ids.get(chr(value) if value < 128 else "", self._unknown))

    def _cost(self, left: str, right: str) -> float | None:
        token = self._ids.get(left + right)
        return None if token is None else self._costs[token]

    def _bytes(self, symbol: str) -> list[int]:
        found = (self.byte(value) for value in symbol.encode())
        return [token for token in found if token is not None]
