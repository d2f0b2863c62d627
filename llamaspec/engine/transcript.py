"""The ids of a conversation: what the model generated is not tokenised again."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..text.template import ChatTemplate
from ..text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Turn:
    """A prompt that was answered: its length in characters and in ids, and the ids that answered it."""

    characters: int
    ids: int
    answer: tuple[int, ...]


class Transcript:
    """Turns rendered prompts into ids, and keeps those of the answers.

    A prompt that begins with an earlier one goes on where that one was answered. As far as the answer stands there
    word for word its own ids are taken, and the cache still holds their keys and values; the rest is tokenised. Text
    that a model generated need not be cut as the tokenizer would cut it, so ids found anew might differ.
    """

    def __init__(self, template: ChatTemplate, tokenizer: Tokenizer) -> None:
        self.template, self.tokenizer = template, tokenizer
        self.prompt = ""
        self.ids: list[int] = []
        self.turns: list[Turn] = []

    def encode(self, prompt: str) -> list[int]:
        """The ids of a rendered prompt."""
        self.turns = [turn for turn in self.turns if prompt.startswith(self.prompt[: turn.characters])]
        if not self.turns or self.tokenizer.add_eos:
            ids = self.template.encode(prompt, self.tokenizer)
        else:
            turn = self.turns[-1]
            rest = prompt[turn.characters :].encode("utf-8", "surrogatepass")
            kept, length = self._kept(turn.answer, rest)
            text = rest[length:].decode("utf-8", "surrogatepass")
            ids = [*self.ids[: turn.ids], *kept, *self.tokenizer.encode(text, add_special=False, continues=True)]
        self.prompt, self.ids = prompt, ids
        return ids

    def answered(self, tokens: Sequence[int]) -> None:
        """The newest prompt was answered with these ids, perhaps once more."""
        turns = [turn for turn in self.turns if turn.characters < len(self.prompt)]
        self.turns = [*turns, Turn(len(self.prompt), len(self.ids), tuple(tokens))]

    def _kept(self, answer: Sequence[int], rest: bytes) -> tuple[Sequence[int], int]:
        """The ids of the answer that `rest` begins with, and how many bytes they are.

        These are its first ones; or its last ones, for a template that leaves out the reasoning of earlier answers.
        """
        spoken = [token for token in answer if token not in self.tokenizer.eog]  # the template writes the end itself
        pieces = [self.tokenizer.piece(token, special=True) for token in spoken]
        n, length = _same(pieces, rest)
        kept = spoken[:n]
        for start in range(1, len(pieces)):
            if n < len(pieces) and rest.startswith(pieces[start]):
                count, more = _same(pieces[start:], rest)
                if start + count == len(pieces) and more > length:
                    kept, length = spoken[start:], more
        return kept, length


def _same(pieces: Sequence[bytes], text: bytes) -> tuple[int, int]:
    """How many pieces the text begins with, and their bytes; never a part of a character."""
    found = at = 0
    whole = (0, 0)
    for piece in pieces:
        if not text.startswith(piece, at):
            break
        found, at = found + 1, at + len(piece)
        if at == len(text) or text[at] & 0xC0 != 0x80:
            whole = found, at
    return whole
