"""The table of tokens in a GGUF file: texts, types, scores, and the bytes that each token stands for."""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import IntFlag

import numpy as np

from llamaspec.errors import LlamaspecError
from llamaspec.text.special import Retyped

DAMAGED = "the file is damaged or was written by a faulty converter"
BYTE_TEXT = re.compile(r"<0x[0-9A-Fa-f]{2}>")


class Type(IntFlag):
    """What a token is; a token found special by its text is control besides what the file says."""

    UNDEFINED = 0
    UNKNOWN = 1
    UNUSED = 2
    NORMAL = 4
    CONTROL = 8
    USER_DEFINED = 16
    BYTE = 32


# GGUF's token_type 0..6 (spec/models.md 5.1).
FROM_FILE = (
    Type.UNDEFINED, Type.NORMAL, Type.UNKNOWN, Type.CONTROL, Type.USER_DEFINED, Type.UNUSED, Type.BYTE,
)  # fmt: skip
# Numbers, not flags: & of a numpy number and a flag costs 3 us, and this is asked for every token of an answer.
HIDDEN = int(Type.UNKNOWN | Type.CONTROL)
LITERAL = HIDDEN | int(Type.USER_DEFINED)


def to_bytes(text: str) -> bytes:
    """UTF-8 of a token's text; bytes that were no UTF-8 in the file come back as they were."""
    return text.encode("utf-8", "surrogateescape")


class Vocabulary:
    """Checked tokens of one model.

    texts: str per id (an empty one is called `[EMPTY_id]`). ids: text -> id. types: uint8 array of `Type`.
    scores: float32 array, zeros where the file has none. Raises LlamaspecError for tables that do not fit together.
    """

    def __init__(self, metadata: Mapping[str, object]) -> None:
        self.texts = _texts(metadata)
        self.ids = dict(zip(self.texts, range(len(self.texts)), strict=True))
        if "" in self.ids:
            self.texts = [text or f"[EMPTY_{token}]" for token, text in enumerate(self.texts)]
            self.ids = dict(zip(self.texts, range(len(self.texts)), strict=True))
        if len(self.ids) != len(self.texts):
            raise LlamaspecError(f"tokenizer.ggml.tokens names {_duplicate(self.texts)!r} twice", DAMAGED)
        self.scores = _scores(metadata, len(self.texts))
        self.types = _types(metadata, len(self.texts))
        for token in np.flatnonzero(self.types & Type.BYTE).tolist():
            if not BYTE_TEXT.fullmatch(self.texts[token]):
                raise LlamaspecError(
                    f"token {token} {self.texts[token][:40]!r} has the type of a byte token but is not written <0xNN>",
                    DAMAGED,
                )

    def __len__(self) -> int:
        return len(self.texts)

    def retype(self, changes: Retyped) -> None:
        """Apply what the texts say about types (special.complete)."""
        for token in changes.control:
            self.types[token] |= Type.CONTROL
        for tokens, kind in ((changes.user_defined, Type.USER_DEFINED), (changes.normal, Type.NORMAL)):
            for token in tokens:
                self.types[token] = kind

    def specials(self) -> list[int]:
        """Tokens that are cut out of a text before it is tokenised: control, unknown, user-defined; longest first."""
        found = np.flatnonzero(self.types & LITERAL).tolist()
        return sorted(found, key=lambda token: -len(to_bytes(self.texts[token])))

    def piece(self, token: int, normal: Callable[[str], bytes]) -> bytes:
        """The bytes that `token` stands for; `normal` turns the text of a normal token into bytes."""
        kind, text = int(self.types[token]), self.texts[token]
        if kind & LITERAL:
            return to_bytes(text)
        if kind & Type.NORMAL:
            return normal(text)
        return bytes((int(text[3:5], 16),)) if kind & Type.BYTE else b""


def strings(metadata: Mapping[str, object], key: str) -> list[str]:
    """The array of strings `key`. Raises LlamaspecError where it is absent or something else."""
    value = metadata.get(key)
    if value is None:
        raise LlamaspecError(f"the file has no {key}", "it holds no usable vocabulary; take another file")
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise LlamaspecError(f"{key} is not an array of strings", DAMAGED)
    found = list(value)
    if not set(map(type, found)) <= {str}:
        raise LlamaspecError(f"{key} is not an array of strings", DAMAGED)
    return found


def _texts(metadata: Mapping[str, object]) -> list[str]:
    texts = strings(metadata, "tokenizer.ggml.tokens")
    if not texts:
        raise LlamaspecError("tokenizer.ggml.tokens is empty", "the file holds no usable vocabulary; take another file")
    return texts


def _duplicate(texts: Sequence[str]) -> str:
    seen: set[str] = set()
    return next(text for text in texts if text in seen or seen.add(text))[:40]


def _numbers(metadata: Mapping[str, object], key: str, size: int, kinds: str) -> np.ndarray | None:
    """The first `size` numbers of `key`, None where absent; `kinds` are numpy's letters of allowed types."""
    value = metadata.get(key)
    if value is None:
        return None
    if not isinstance(value, np.ndarray | Sequence) or isinstance(value, str | bytes):
        raise LlamaspecError(f"{key} is not an array of numbers", DAMAGED)
    if isinstance(value, Sequence) and not all(type(entry) in (int, float) for entry in value):
        raise LlamaspecError(f"{key} is not an array of numbers", DAMAGED)
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError) as error:
        raise LlamaspecError(f"{key} is not an array of numbers", DAMAGED) from error
    if array.ndim != 1 or array.dtype.kind not in kinds:
        raise LlamaspecError(f"{key} is not an array of numbers of the right type", DAMAGED)
    if len(array) < size:
        raise LlamaspecError(f"{key} has {len(array)} entries for {size} tokens", DAMAGED)
    return array[:size]


def _scores(metadata: Mapping[str, object], size: int) -> np.ndarray:
    array = _numbers(metadata, "tokenizer.ggml.scores", size, "fiu")
    if array is None:
        return np.zeros(size, np.float32)
    scores = array.astype(np.float32)
    if np.isnan(scores).any():
        raise LlamaspecError("tokenizer.ggml.scores holds a value that is no number (NaN)", DAMAGED)
    return scores


def _types(metadata: Mapping[str, object], size: int) -> np.ndarray:
    array = _numbers(metadata, "tokenizer.ggml.token_type", size, "iu")
    if array is None:
        return np.full(size, Type.NORMAL, np.uint8)
    known = (array >= 0) & (array < len(FROM_FILE))
    return np.array(FROM_FILE, np.uint8)[np.where(known, array, 0).astype(np.int64)]
