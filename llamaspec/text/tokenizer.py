"""Text <-> tokens, exactly as llama.cpp 0c1e570 does it (spec/models.md 5)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import repeat

from llamaspec.errors import LlamaspecError
from llamaspec.text import pre as pre_tokenizers
from llamaspec.text import special as specials
from llamaspec.text.bpe import BPE, BYTES
from llamaspec.text.pre import Pre
from llamaspec.text.special import Special
from llamaspec.text.spm import BLANK, SPM
from llamaspec.text.vocabulary import DAMAGED, HIDDEN, Type, Vocabulary, strings, to_bytes

LATER = ("t5", "gemma4", "bert", "rwkv", "plamo2", "hybriddna", "whitespace", "test")
C_BLANKS = tuple(" \t\n\v\f\r")


class Tokenizer:
    """The tokenizer of one model. Cheap to make; what encoding needs is built by the first `encode`.

    kind: "llama" (SPM) or "gpt2" (byte-level BPE). special: ids of bos, eos, eot, fim_* and `eog`, the set that ends a
    generation. add_bos, add_eos: what `encode(add_special=True)` adds. warnings: what is odd about the file.
    """

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self.kind = _kind(metadata)
        self.warnings: list[str] = []
        self.pre = self._pre(metadata)
        self.vocabulary = Vocabulary(metadata)
        size = len(self.vocabulary)
        self.special, warnings = specials.read(metadata, self._defaults(), size)
        self.warnings += warnings
        self.vocabulary.retype(specials.complete(self.special, self.vocabulary.ids))
        self.add_bos = _flag(metadata, "add_bos_token", self.pre.add_bos) or self.pre.force_bos
        self.add_eos = _flag(metadata, "add_eos_token", False)
        self.add_space_prefix = _flag(metadata, "add_space_prefix", self.kind == "llama")
        self.clean_spaces = self.pre.clean_spaces
        self._merges = _merges(metadata) if self.kind == "gpt2" else []
        self._strip_right = _strip_right(metadata, self.vocabulary)
        self._pieces: dict[int, bytes] = {}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, object]) -> "Tokenizer":
        """The tokenizer that a file's metadata describe.

        Raises LlamaspecError for a kind or pre-tokenizer that is unknown or not supported yet, and for tables that are
        damaged.
        """
        return cls(metadata)

    # -- what the model has -------------------------------------------------------------------------------------------

    @property
    def n_vocab(self) -> int:
        """How many tokens there are."""
        return len(self.vocabulary)

    @property
    def bos(self) -> int | None:
        """Begins a text."""
        return self.special.bos

    @property
    def eos(self) -> int | None:
        """Ends a text."""
        return self.special.eos

    @property
    def eot(self) -> int | None:
        """Ends a turn."""
        return self.special.eot

    @property
    def unk(self) -> int | None:
        """Stands for what cannot be written."""
        return self.special.unk

    @property
    def eog(self) -> frozenset[int]:
        """Every token that ends a generation."""
        return self.special.eog

    @cached_property
    def nl(self) -> int | None:
        """The token of a newline."""
        if self.kind == "llama":
            return self._spm.byte(0x0A)
        found = self.encode("\n", add_special=False)
        return found[0] if found else self.special.pad

    def token_text(self, token: int) -> str:
        """The text of `token` as the vocabulary spells it: byte letters, U+2581 for blanks."""
        return self.vocabulary.texts[self._checked(token)]

    def token_type(self, token: int) -> Type:
        """What kind of token `token` is."""
        return Type(int(self.vocabulary.types[self._checked(token)]))

    # -- text -> tokens -----------------------------------------------------------------------------------------------

    def encode(
        self, text: str, add_special: bool = True, parse_special: bool = True, continues: bool = False
    ) -> list[int]:
        """Ids of `text`.

        add_special: put BOS before and EOS behind where the model wants them. parse_special: read control tokens such
        as `<|im_end|>` in the text; user-defined tokens are always read. continues: the text goes on with one that has
        ids already, so no blank is put before its first word. Lone surrogates count as U+FFFD.
        """
        out: list[int] = []
        if add_special and self.add_bos and self.special.bos is not None:
            out.append(self.special.bos)
        for fragment in self._fragments(_whole(text), parse_special):
            if isinstance(fragment, int):
                out.append(fragment)
            elif self.kind == "llama":
                blank = " " if self.add_space_prefix and not continues else ""
                out.extend(self._spm.encode(blank + fragment))
            else:
                out.extend(self._bpe.encode(fragment))
            continues = False
        if add_special and self.add_eos and self.special.eos is not None:
            out.append(self.special.eos)
        return out

    def _fragments(self, text: str, parse_special: bool) -> list[str | int]:
        """Texts and special tokens in order. The longest special is cut out everywhere first, then the next one."""
        taken = bytearray(len(text))
        found: list[tuple[int, int, int]] = []
        for token, literal, hidden in self._specials:
            if not hidden or parse_special:
                for start in _free_places(text, literal, taken):
                    stop = start + len(literal)
                    while token in self._strip_right and text[stop : stop + 1] in C_BLANKS and not taken[stop]:
                        stop += 1
                    taken[start:stop] = b"\1" * (stop - start)
                    found.append((start, stop, token))
        out: list[str | int] = []
        at = 0
        for start, stop, token in sorted(found):
            out += [text[at:start], token] if start > at else [token]
            at = stop
        return [*out, text[at:]] if at < len(text) else out

    # -- tokens -> text -----------------------------------------------------------------------------------------------

    def piece(self, token: int, special: bool = False) -> bytes:
        """The bytes of one token, which may be a part of a character. Control tokens are empty unless `special`."""
        if not special and self.vocabulary.types[self._checked(token)] & HIDDEN:
            return b""
        found = self._pieces.get(token)
        if found is None:
            found = self.vocabulary.piece(self._checked(token), self._normal)
            self._pieces[token] = found
        return found

    def decode(self, ids: Sequence[int], special: bool = True, remove_special: bool = False) -> bytes:
        """The bytes of a whole text; unlike the sum of the pieces, blanks are tidied as llama.cpp's detokenize does.

        special: write control tokens. remove_special: leave out a BOS and EOS that `encode` would have added.
        """
        tokens, strip = list(ids), self.add_space_prefix
        if remove_special and self.add_bos and tokens and tokens[0] == self.special.bos:
            tokens, strip = tokens[1:], False
        if remove_special and self.add_eos and tokens and tokens[-1] == self.special.eos:
            tokens = tokens[:-1]
        pieces = [self.piece(token, special) for token in tokens]
        if strip and pieces:
            pieces[0] = pieces[0].removeprefix(b" ")
        text = b"".join(pieces)
        return _tidy(text) if self.clean_spaces else text

    def _normal(self, text: str) -> bytes:
        if self.pre.blank:
            return to_bytes(text.replace(BLANK, " "))
        try:
            return bytes(map(BYTES.__getitem__, text))
        except KeyError:
            return b"".join(_letter(letter, text) for letter in text)

    # -- parts --------------------------------------------------------------------------------------------------------

    def _pre(self, metadata: Mapping[str, object]) -> Pre:
        if self.kind == "llama":
            return pre_tokenizers.SPM
        name = metadata.get("tokenizer.ggml.pre") or ""
        if not isinstance(name, str):
            raise LlamaspecError("tokenizer.ggml.pre is not a string", DAMAGED)
        if not name:
            self.warnings.append("the file names no pre-tokenizer (tokenizer.ggml.pre); 'default' may tokenise badly")
        return pre_tokenizers.take(name or "default")

    def _defaults(self) -> Special:
        if self.kind == "llama":
            return Special(bos=1, eos=2, unk=0)
        return Special(bos=None if self.pre.no_bos else 11, eos=11)

    def _checked(self, token: int) -> int:
        if not 0 <= token < len(self.vocabulary):
            raise LlamaspecError(
                f"token {token} is outside of the vocabulary",
                f"ids go from 0 to {len(self.vocabulary) - 1}",
            )
        return token

    @cached_property
    def _specials(self) -> list[tuple[int, str, bool]]:
        vocabulary = self.vocabulary
        return [(t, vocabulary.texts[t], bool(vocabulary.types[t] & HIDDEN)) for t in vocabulary.specials()]

    @cached_property
    def _spm(self) -> SPM:
        return SPM(self.vocabulary.ids, self.vocabulary.scores, self.special.unk)

    @cached_property
    def _bpe(self) -> BPE:
        return BPE(self.vocabulary.ids, self._merges, self.pre)


def _kind(metadata: Mapping[str, object]) -> str:
    kind = metadata.get("tokenizer.ggml.model")
    if kind in ("llama", "gpt2"):
        return str(kind)
    if kind is None or kind in ("none", "no_vocab"):
        raise LlamaspecError("the file holds no tokenizer (tokenizer.ggml.model)", "take a file with a vocabulary")
    if kind in LATER:
        raise LlamaspecError(f"tokenizers of kind {kind!r} are not supported yet", "use another model")
    raise LlamaspecError(f"unknown kind of tokenizer {str(kind)[:80]!r} (tokenizer.ggml.model)", DAMAGED)


def _flag(metadata: Mapping[str, object], name: str, default: bool) -> bool:
    value = metadata.get(f"tokenizer.ggml.{name}", default)
    if not isinstance(value, bool):
        raise LlamaspecError(f"tokenizer.ggml.{name} is neither true nor false", DAMAGED)
    return value


def _merges(metadata: Mapping[str, object]) -> list[str]:
    merges = strings(metadata, "tokenizer.ggml.merges")
    if min(map(str.rfind, merges, repeat(" ")), default=1) < 1:
        bad = next(merge for merge in merges if " " not in merge[1:])
        raise LlamaspecError(f"tokenizer.ggml.merges holds {bad[:40]!r}, which is not a pair", DAMAGED)
    return merges


def _strip_right(metadata: Mapping[str, object], vocabulary: Vocabulary) -> frozenset[int]:
    """Special tokens that swallow the blanks behind them: all of Phi-3's but three, known by the model's name."""
    name = metadata.get("general.name")
    if not isinstance(name, str) or not re.search("phi-?3", name.lower()):
        return frozenset()
    keep = {vocabulary.ids.get(text) for text in ("<unk>", "<s>", "<|endoftext|>")}
    return frozenset(vocabulary.specials()) - keep


def _whole(text: str) -> str:
    """`text` without lone surrogates: pairs are joined, the rest becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _free_places(text: str, literal: str, taken: bytearray) -> Iterator[int]:
    """Where `literal` stands in `text`, left to right, clear of what is `taken`; the caller takes each at once."""
    at = text.find(literal)
    while at >= 0:
        blocked = taken.find(1, at, at + len(literal))
        if blocked < 0:
            yield at
        following = at + len(literal) if blocked < 0 else taken.find(0, blocked)
        at = text.find(literal, following) if following >= 0 else -1


def _letter(letter: str, text: str) -> bytes:
    """One letter of a byte-level token; a letter that stands for no byte is spelled out as llama.cpp spells it."""
    byte = BYTES.get(letter)
    return (
        bytes((byte,))
        if byte is not None
        else b"[UNK_BYTE_0x" + to_bytes(letter).hex().encode() + to_bytes(text) + b"]"
    )


def _tidy(text: bytes) -> bytes:
    """Blanks before punctuation and around apostrophes, removed in llama.cpp's three passes."""
    text = re.sub(rb" (?=[?!.,])", b"", text)
    text = re.sub(rb" ' ", b"'", text)
    return re.sub(rb" (?='(?:s|m|re|ve))", b"", text)
