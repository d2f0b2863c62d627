"""Two tokenizers that cut text differently: the history is spelled anew for the draft, its guesses for the target."""

import codecs
import re
from collections.abc import Sequence
from functools import cached_property

from ..text.tokenizer import Tokenizer
from .draft import Draft
from .drafter import Slot
from .translate_specials import byte_tokens, counterparts, piece

KEPT = 32
"""Characters at the end of the history that may still be cut into other tokens."""
LONGEST = 128
"""Above so many, all but the last of them are settled: the cost of a step does not grow with the history."""
FORCED = 192
"""A tail without blanks is cut anywhere when it gets this long."""

Pairs = Sequence[tuple[str, str]]


class Replacer:
    """Texts for other texts, in one pass from left to right: at each place the longest text that stands there.

    A later pair for the same text counts. What was put in is not looked at again. Empty texts are never looked for.
    """

    def __init__(self, pairs: Pairs) -> None:
        self.table = {old: new for old, new in pairs if old}
        found = sorted(self.table, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, found))) if found else None
        self.longest = len(found[0]) if found else 0

    def __call__(self, text: str) -> str:
        """Every text replaced."""
        return self._pattern.sub(lambda match: self.table[match[0]], text) if self._pattern else text

    def splits(self, text: str, at: int) -> bool:
        """Whether a cut of `text` at `at` would go through a text that is replaced."""
        found = self._pattern.finditer(text) if self._pattern else ()
        return any(match.start() < at < match.end() for match in found)


class Speller:
    """A tokenizer for pieces of a text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    @cached_property
    def bytes(self) -> dict[int, int]:
        """Byte -> its own token."""
        return byte_tokens(self.tokenizer)

    def encode(self, text: str, fresh: bool) -> list[int]:
        """Ids of `text`. fresh: it begins a text; else it continues one, and no blank is put in front."""
        plain = self.tokenizer.encode
        if not text:
            return []
        if fresh or not self.tokenizer.add_space_prefix:
            return plain(text, add_special=False, parse_special=False)
        if text.startswith(" ") and len(text) > 1:
            return plain(text[1:], add_special=False, parse_special=False)
        anchor = plain("\n", add_special=False, parse_special=False)
        ids = plain("\n" + text, add_special=False, parse_special=False)
        return ids[len(anchor) :] if ids[: len(anchor)] == anchor else plain(text, False, False)


class TextBridge:
    """Target ids -> text -> draft ids, and back.

    pairs: texts of the target that the draft writes differently (--spec-replace), applied to the text both ways.
    Special tokens become the draft's own where it has one of the same text or role; a pair whose text is a special
    token's comes first; the rest is spelled out.
    """

    def __init__(self, target: Tokenizer, draft: Tokenizer, pairs: Pairs = ()) -> None:
        self.target, self.draft = Speller(target), Speller(draft)
        self.forward = Replacer(pairs)
        self.backward = Replacer([(new, old) for old, new in pairs])
        self.back_ids = counterparts(draft, target)
        self.specials: dict[int, tuple[int, ...]] = {
            token: (other,) for token, other in counterparts(target, draft).items()
        }
        for token in target.vocabulary.specials():
            new = self.forward.table.get(target.token_text(token))
            if new is not None:
                ids = tuple(draft.encode(new, add_special=False, parse_special=True))
                self.specials[token] = ids
                if len(ids) == 1 and ids[0] in draft.vocabulary.specials():
                    self.back_ids[ids[0]] = token

    @property
    def note(self) -> str:
        """For the user."""
        return "its drafts are converted through text, which is slower and less accurate"

    def shadow(self) -> "TextShadow":
        """An empty history."""
        return TextShadow(self)

    def chain(self, slot: Slot, shadow: "TextShadow") -> None:
        """Drafts are greedy: the noise of the target's tokens says nothing about the draft's."""

    def back(self, draft: Draft, shadow: "TextShadow") -> Draft:
        """Every path of the draft -> target ids; paths that begin alike share their nodes."""
        inner = set(draft.parents)
        nodes: dict[tuple[int, int], int] = {}
        for leaf in range(len(draft)):
            if leaf not in inner:
                parent = -1
                for token in self.path(_path(draft, leaf), shadow):
                    parent = nodes.setdefault((parent, token), len(nodes))
        return Draft(tuple(token for _, token in nodes), tuple(parent for parent, _ in nodes), draft.by)

    def path(self, tokens: Sequence[int], shadow: "TextShadow") -> list[int]:
        """Draft ids that continue the shadow -> target ids that continue the history."""
        out: list[int] = []
        data, ours, theirs, pending = b"", not shadow.written, shadow.fresh, shadow.pending
        for token in tokens:
            special = self.back_ids.get(token)
            if special is None:
                written = piece(self.draft.tokenizer, token)
                if not written:
                    break  # a special token that the target lacks
                data += written
                continue
            if pending:
                break
            out += [*self._spelled(data, ours, theirs), special]
            data, ours, theirs = b"", True, True
        if pending:
            data, theirs = self._unblanked(data, theirs), False
            if not data.startswith(pending):
                return []
            missing, data = _rest_of_character(data, len(pending))
            if any(byte not in self.target.bytes for byte in missing):
                return []
            out = [self.target.bytes[byte] for byte in missing]
        return out + self._spelled(data, ours, theirs)

    def _unblanked(self, data: bytes, begins: bool) -> bytes:
        """Without the blank that the draft's tokenizer puts in front of a text."""
        return data.removeprefix(b" ") if begins and self.draft.tokenizer.add_space_prefix else data

    def _spelled(self, data: bytes, ours: bool, theirs: bool) -> list[int]:
        """Text of the draft -> target ids, up to the first thing that is no UTF-8.

        ours, theirs: to the target, to the draft, a text begins here.
        """
        data = self._unblanked(data, theirs)
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            text = data[: error.start].decode()
        return self.target.encode(self.backward(text), ours)


class TextShadow:
    """A history in draft ids. read: the target's tokens that it stands for.

    tokens: settled ones, then those of `tail`, the text that may still be cut differently. written: the target wrote
    something since the start or the last special token. fresh: there is no token of that here, perhaps not yet.
    pending: bytes of a character that is not complete, which `tokens` lack.
    """

    def __init__(self, bridge: TextBridge) -> None:
        self.bridge = bridge
        self.read: list[int] = []
        self.tokens: list[int] = []
        self.settled = 0
        self.tail = ""
        self.written = False
        self._begins = True  # the tail begins a text
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def pending(self) -> bytes:
        """See above."""
        return self._decoder.getstate()[0]

    @property
    def fresh(self) -> bool:
        """See above."""
        return self._begins and not self.tail

    def add(self, tokens: Sequence[int]) -> int:
        """Read on -> the place from which `self.tokens` changed."""
        before, first = self.tokens[self.settled :], self.settled
        draft, target = self.bridge.draft.tokenizer, self.bridge.target.tokenizer
        del self.tokens[first:]
        rest = list(tokens)
        if not self.read and rest:
            if draft.add_bos and draft.bos is not None:
                self.tokens.append(draft.bos)
                self.settled += 1
            if rest[0] == target.bos:
                rest = rest[1:]
        self.read += tokens
        for token in rest:
            special = self.bridge.specials.get(token)
            if special is None:
                self._write(piece(target, token, special=True))
            else:
                self._end(special)
        self._settle()
        self.tokens += self._encoded(self.tail)
        return first + _common(before, self.tokens[first:])

    def _write(self, data: bytes) -> None:
        start = not self.written
        self.written = self.written or bool(data)
        self.tail += self._decoder.decode(data)
        if start and self.bridge.target.tokenizer.add_space_prefix:
            self.tail = self.tail.removeprefix(" ")  # the tokenizer's own

    def _end(self, special: Sequence[int]) -> None:
        """A special token closes the text before it."""
        self.tail += self._decoder.decode(b"", final=True)
        self._decoder.reset()
        self.tokens += [*self._encoded(self.tail), *special]
        self.settled, self.tail, self._begins, self.written = len(self.tokens), "", True, False

    def _settle(self) -> None:
        """Fix the tokens of a long tail's beginning."""
        if len(self.tail) <= max(LONGEST, 4 * self.bridge.forward.longest):
            return
        keep = max(KEPT, self.bridge.forward.longest)
        cut = self._cut(len(self.tail) - keep)
        if cut <= 0:
            return
        self.tokens += self._encoded(self.tail[:cut])
        self.settled, self.tail, self._begins = len(self.tokens), self.tail[cut:], False

    def _cut(self, limit: int) -> int:
        """The last place up to `limit` before a blank, where every tokenizer cuts; 0 = there is none."""
        tail, splits = self.tail, self.bridge.forward.splits
        at = tail.rfind(" ", 0, limit + 1)
        while at > 0 and (tail[at - 1].isspace() or splits(tail, at)):
            at = tail.rfind(" ", 0, at)
        if at <= 0 and len(tail) > FORCED:
            at = next((place for place in range(limit, 0, -1) if not splits(tail, place)), 0)
        return max(at, 0)

    def _encoded(self, text: str) -> list[int]:
        return self.bridge.draft.encode(self.bridge.forward(text), self._begins)


def _path(draft: Draft, leaf: int) -> list[int]:
    """The tokens from the root to a node."""
    found = []
    while leaf >= 0:
        found.append(draft.tokens[leaf])
        leaf = draft.parents[leaf]
    return found[::-1]


def _rest_of_character(data: bytes, begun: int) -> tuple[bytes, bytes]:
    """The bytes that complete the character whose first `begun` bytes are known, and what follows it."""
    end = begun
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    return data[begun:end], data[end:]


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    for place, (left, right) in enumerate(zip(a, b, strict=False)):
        if left != right:
            return place
    return min(len(a), len(b))
