"""Byte-level BPE: `tokenizer.ggml.model = gpt2`.

Hugging Face's `tokenizers` cuts the text into words and writes bytes as letters; the merges are our own. Merging in
Python with a memory of words costs as much as building the compiled merger for one prompt does (0.3 to 0.6 s for a
vocabulary of 128k), and it treats merges and bytes that the vocabulary lacks exactly as llama.cpp does.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from llamaspec.text.merge import merge
from llamaspec.text.pre import Pre
from llamaspec.text.spm import BLANK

if TYPE_CHECKING:
    from tokenizers.pre_tokenizers import PreTokenizer

REMEMBERED_WORDS = 65536
REMEMBERED_LENGTH = 48


def _byte_letters() -> str:
    """The letter of every byte: itself where it prints in Latin-1, else the next letter from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = iter(range(0x100, 0x200))
    return "".join(chr(byte) if byte in printable else chr(next(others)) for byte in range(256))


LETTERS = _byte_letters()
BYTES = {letter: byte for byte, letter in enumerate(LETTERS)}


def _chain(pre: Pre) -> "PreTokenizer":
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, PreTokenizer, Split
    from tokenizers.pre_tokenizers import Sequence as Chain

    splits: list[PreTokenizer] = [Split(Regex(pattern), "isolated") for pattern in pre.patterns]
    return Chain([*splits] if pre.raw else [*splits, ByteLevel(add_prefix_space=False, use_regex=False)])


class BPE:
    """Text without special tokens -> ids: cut into words, then join the pair of lowest rank while there is one."""

    def __init__(self, ids: Mapping[str, int], merges: Sequence[str], pre: Pre) -> None:
        self._ids = ids
        # "left right" is the key itself: a symbol never holds a space. Of a pair named twice the first rank counts.
        self._ranks: dict[str, int] = dict(zip(reversed(merges), range(len(merges) - 1, -1, -1), strict=True))
        self._pre = pre
        self._words: dict[str, list[int]] = {}

    @cached_property
    def _chain(self) -> "PreTokenizer":
        return _chain(self._pre)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`. A symbol that is no token is written byte by byte; a byte without a token is dropped."""
        if self._pre.blank:
            text = text.replace(" ", BLANK)
        out: list[int] = []
        for word, _ in self._chain.pre_tokenize_str(text):
            known = self._words.get(word)
            out.extend(self._remember(word) if known is None else known)
        return out

    def _remember(self, word: str) -> list[int]:
        found = self._word(word)
        if len(word) <= REMEMBERED_LENGTH:
            if len(self._words) >= REMEMBERED_WORDS:
                self._words.clear()
            self._words[word] = found
        return found

    def _word(self, word: str) -> list[int]:
        whole = self._pre.ignore_merges or (self._pre.whole_newlines and not word.strip("\n"))
        token = self._ids.get(word) if whole else None
        if token is not None:
            return [token]
        out: list[int] = []
        for symbol in merge(word, self._rank):
            token = self._ids.get(symbol)
            if token is not None:
                out.append(token)
            elif self._pre.raw:
                out.extend(self._known(f"<0x{byte:02X}>" for byte in symbol.encode()))
            else:
                # As llama.cpp does it: only the letters of printable ASCII are found again one by one.
                out.extend(self._known(letter for letter in symbol if letter < "\x80"))
        return out

    def _rank(self, left: str, right: str) -> int | None:
        return self._ranks.get(f"{left} {right}")

    def _known(self, texts: Iterable[str]) -> list[int]:
        found = (self._ids.get(text) for text in texts)
        return [token for token in found if token is not None]
