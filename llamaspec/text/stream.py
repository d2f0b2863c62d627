"""Tokens -> printable text as it comes: whole characters only, and never a part of a stop string."""

import codecs
from collections.abc import Iterable, Sequence
from typing import Protocol


class Pieces(Protocol):
    """What turns a token into bytes; a Tokenizer is one."""

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes of one token."""
        ...


class TextStream:
    """The text of one answer, piece by piece.

    All that `push` and `flush` return, joined, is the text of all tokens with bytes that are no UTF-8 replaced by
    U+FFFD, cut before the stop string that is completed first (of several at once the longest). It does not depend on
    how the text was cut into tokens. special: print control tokens. Empty stop strings are ignored.
    """

    def __init__(self, tokenizer: Pieces, stop: Sequence[str] = (), special: bool = False) -> None:
        self._tokenizer = tokenizer
        self._special = special
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._watches = [_Watch(text) for text in dict.fromkeys(stop) if text]
        self._held = ""
        self.stopped: str | None = None

    def push(self, token: int) -> str:
        """The text that `token` makes printable; "" while a character or a stop string may be incomplete."""
        if self.stopped is not None:
            return ""
        return self._release(self._decoder.decode(self._tokenizer.piece(token, self._special)))

    def flush(self) -> str:
        """What is held back still, at the end of the answer; an incomplete character becomes U+FFFD."""
        if self.stopped is not None:
            return ""
        text = self._release(self._decoder.decode(b"", final=True))
        self._decoder.reset()
        if self.stopped is None:
            text, self._held = text + self._held, ""
            for watch in self._watches:
                watch.matched = 0
        return text

    def _release(self, text: str) -> str:
        if not self._watches:
            return text
        start = len(self._held)
        self._held += text
        for at in range(start, len(self._held)):
            complete = [watch.text for watch in self._watches if watch.feed(self._held[at])]
            if complete:
                self.stopped = max(complete, key=len)
                kept, self._held = self._held[: at + 1 - len(self.stopped)], ""
                return kept
        keep = len(self._held) - max(watch.matched for watch in self._watches)
        kept, self._held = self._held[:keep], self._held[keep:]
        return kept


class _Watch:
    """Looks for one string in a stream of characters (Knuth, Morris, Pratt): `matched` of its first are in sight."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.matched = 0
        self._fall = _borders(text)

    def feed(self, character: str) -> bool:
        """Whether `character` completes the string."""
        while self.matched and self.text[self.matched] != character:
            self.matched = self._fall[self.matched - 1]
        if self.text[self.matched] == character:
            self.matched += 1
        return self.matched == len(self.text)


def _borders(text: str) -> list[int]:
    """Per position, the length of the longest proper prefix of `text` that ends there."""
    out, length = [0], 0
    for character in text[1:]:
        while length and text[length] != character:
            length = out[length - 1]
        length += text[length] == character
        out.append(length)
    return out


def printable(tokenizer: Pieces, tokens: Iterable[int], stop: Sequence[str] = (), special: bool = False) -> str:
    """The text of a finished answer, as a TextStream would print it."""
    stream = TextStream(tokenizer, stop, special)
    return "".join(stream.push(token) for token in tokens) + stream.flush()
