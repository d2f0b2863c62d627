"""Bad GGUF files, built byte by byte: `CORPUS` maps a name to a function that returns the bytes of one file.

Every file in CORPUS is wrong in a way that the header shows, so `GGUFFile` must refuse it. `model()` builds a small
sound llama whose metadata and tensors can be changed one by one, for what only later floors can see. `Builder`
remembers where every number stands, for tests that change fields instead of bytes.
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "?", U64: "Q", I64: "q", F64: "d"}
HUGE = 2**64 - 1
Value = int | float | bool | str | bytes | list
Key = tuple[str | bytes, int, Value]  # name, type, value; a list is an array whose elements have that type


@dataclass(frozen=True)
class Tensor:
    """One tensor as the header claims it; dims in the file's order (the row length first)."""

    name: str | bytes
    dims: tuple[int, ...] = (32, 2)
    type: int = 0
    offset: int = 0
    n_dims: int | None = None


@dataclass
class Builder:
    """Bytes written so far, and (offset, struct format, meaning) of every number among them."""

    data: bytearray = field(default_factory=bytearray)
    fields: list[tuple[int, str, str]] = field(default_factory=list)

    def number(self, form: str, value: float, meaning: str) -> None:
        self.fields.append((len(self.data), form, meaning))
        self.data += struct.pack("<" + form, value)

    def text(self, text: str | bytes, meaning: str, length: int | None = None) -> None:
        raw = text.encode() if isinstance(text, str) else text
        self.number("Q", len(raw) if length is None else length, f"length of {meaning}")
        self.data += raw

    def value(self, kind: int, value: Value, meaning: str) -> None:
        if isinstance(value, str | bytes):
            self.text(value, meaning)
        else:
            assert not isinstance(value, list)
            self.number(FORMATS[kind].replace("?", "B"), value, meaning)

    def key(self, name: str | bytes, kind: int, value: Value) -> None:
        self.text(name, "key")
        if isinstance(value, list):
            self.number("I", ARRAY, "type")
            self.number("I", kind, "element type")
            self.number("Q", len(value), "array length")
            for item in value:
                self.value(kind, item, "element")
        else:
            self.number("I", kind, "type")
            self.value(kind, value, "value")

    def tensor(self, tensor: Tensor) -> None:
        self.text(tensor.name, "tensor name")
        self.number("I", len(tensor.dims) if tensor.n_dims is None else tensor.n_dims, "n_dims")
        for size in tensor.dims:
            self.number("Q", size, "dim")
        self.number("I", tensor.type, "tensor type")
        self.number("Q", tensor.offset, "offset")


ARCH: Key = ("general.architecture", STRING, "llama")


def build(
    keys: Iterable[Key] = (ARCH,),
    tensors: Iterable[Tensor] = (),
    data: bytes = b"",
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    n_keys: int | None = None,
    n_tensors: int | None = None,
    align: int = 32,
) -> Builder:
    """A file of these parts; the counts are true unless others are given."""
    keys, tensors, out = list(keys), list(tensors), Builder()
    out.data += magic
    out.number("I", version, "version")
    out.number("Q", len(tensors) if n_tensors is None else n_tensors, "tensor count")
    out.number("Q", len(keys) if n_keys is None else n_keys, "key count")
    for key in keys:
        out.key(*key)
    for tensor in tensors:
        out.tensor(tensor)
    if tensors:
        out.data += bytes(-len(out.data) % align)
    out.data += data
    return out


def raw(head: Builder, *tail: tuple[str, float] | bytes) -> bytes:
    """The bytes of `head` followed by numbers (format, value) and plain bytes."""
    parts = [part if isinstance(part, bytes) else struct.pack("<" + part[0], part[1]) for part in tail]
    return bytes(head.data) + b"".join(parts)


def keys_then(*tail: tuple[str, float] | bytes, n_keys: int = 2) -> bytes:
    """A header that promises one more key than it has, and what follows instead of it."""
    return raw(build(n_keys=n_keys), *tail)


def with_key(name: str | bytes, kind: int, value: Value, data: bytes = bytes(256)) -> bytes:
    """A sound tensor beside one more key."""
    return bytes(build([ARCH, (name, kind, value)], [Tensor("a")], data).data)


def with_tensors(*tensors: Tensor, data: bytes = bytes(512)) -> bytes:
    return bytes(build([ARCH], tensors, data).data)


_OPEN_KEY = (("Q", 1), b"k")  # the start of a key called "k"; its type comes next

CORPUS: dict[str, Callable[[], bytes]] = {
    # what is no GGUF at all
    "empty": lambda: b"",
    "one_byte": lambda: b"G",
    "magic_only": lambda: b"GGUF",
    "zeros": lambda: bytes(4096),
    "other_magic": lambda: b"GGUX" + bytes(64),
    "old_ggml": lambda: b"lmgg" + bytes(64),
    "old_ggjt": lambda: b"tjgg" + bytes(64),
    "pytorch_zip": lambda: b"PK\3\4" + bytes(64),
    "lfs_pointer": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "web_page": lambda: b"<!DOCTYPE html><title>404</title>",
    # version and counts
    "version_0": lambda: bytes(build(version=0).data),
    "version_1": lambda: bytes(build(version=1).data),
    "version_4": lambda: bytes(build(version=4).data),
    "version_max": lambda: bytes(build(version=2**32 - 1).data),
    "big_endian": lambda: b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "counts_cut": lambda: b"GGUF" + struct.pack("<IQ", 3, 0),
    "key_count_max": lambda: bytes(build(n_keys=HUGE).data),
    "key_count_sign": lambda: bytes(build(n_keys=2**63).data),
    "key_count_one_more": lambda: bytes(build(n_keys=2).data),
    "tensor_count_max": lambda: bytes(build(n_tensors=HUGE).data),
    "tensor_count_one_more": lambda: bytes(build([ARCH], [Tensor("a")], b"", n_tensors=2).data),
    # keys
    "key_length_max": lambda: keys_then(("Q", HUGE), bytes(64)),
    "key_length_beyond": lambda: keys_then(("Q", 65), bytes(64)),
    "key_length_0": lambda: with_key("", U32, 1),
    "key_length_cut": lambda: keys_then(b"\1\0\0\0", bytes(10), n_keys=1)[:30],
    "key_not_utf8": lambda: with_key(b"\xff\xfe", U32, 1),
    "key_twice": lambda: with_key("general.architecture", STRING, "llama"),
    "key_without_value": lambda: keys_then(*_OPEN_KEY, ("I", U32), n_keys=2),
    # values
    "value_type_13": lambda: keys_then(*_OPEN_KEY, ("I", 13), bytes(64)),
    "value_type_max": lambda: keys_then(*_OPEN_KEY, ("I", 2**32 - 1), bytes(64)),
    "value_cut": lambda: keys_then(*_OPEN_KEY, ("I", U64), bytes(7)),
    "bool_2": lambda: keys_then(*_OPEN_KEY, ("I", BOOL), b"\2", bytes(64)),
    "bool_array_7": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", BOOL), ("Q", 3), b"\0\1\7", bytes(64)),
    "string_length_max": lambda: keys_then(*_OPEN_KEY, ("I", STRING), ("Q", HUGE), bytes(64)),
    "string_length_sign": lambda: keys_then(*_OPEN_KEY, ("I", STRING), ("Q", 2**63 + 8), bytes(64)),
    "string_length_beyond": lambda: keys_then(*_OPEN_KEY, ("I", STRING), ("Q", 65), bytes(64)),
    # arrays
    "array_of_arrays": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", ARRAY), ("Q", 1), bytes(64)),
    "array_type_13": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", 13), ("Q", 1), bytes(64)),
    "array_length_2_60": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", U8), ("Q", 2**60), bytes(64)),
    "array_bytes_wrap": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", U64), ("Q", 2**61), bytes(64)),
    "array_length_max": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", F32), ("Q", HUGE), bytes(64)),
    "array_beyond": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", U16), ("Q", 33), bytes(64)),
    "strings_2_60": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", STRING), ("Q", 2**60), bytes(64)),
    "strings_beyond": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", STRING), ("Q", 9), bytes(64)),
    "strings_item_max": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", STRING), ("Q", 2), ("Q", HUGE), bytes(64)),
    "strings_last_max": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", STRING), ("Q", 1), ("Q", HUGE), bytes(9)),
    "strings_last_cut": lambda: keys_then(*_OPEN_KEY, ("I", ARRAY), ("I", STRING), ("Q", 1), ("Q", 9), bytes(8)),
    # alignment
    "alignment_0": lambda: with_key("general.alignment", U32, 0),
    "alignment_3": lambda: with_key("general.alignment", U32, 3),
    "alignment_negative": lambda: with_key("general.alignment", I32, -32),
    "alignment_text": lambda: with_key("general.alignment", STRING, "32"),
    "alignment_float": lambda: with_key("general.alignment", F32, 32.0),
    "alignment_bool": lambda: with_key("general.alignment", BOOL, True),
    "alignment_array": lambda: with_key("general.alignment", U32, [32]),
    "alignment_2_63": lambda: with_key("general.alignment", U64, 2**63),
    # tensors
    "tensor_name_empty": lambda: with_tensors(Tensor("")),
    "tensor_name_not_utf8": lambda: with_tensors(Tensor(b"\xc3\x28")),
    "tensor_name_length_max": lambda: raw(build(n_tensors=1), ("Q", HUGE), bytes(256)),
    "tensor_info_cut": lambda: bytes(build([ARCH], [Tensor("a")]).data)[:-40],
    "tensor_twice": lambda: with_tensors(Tensor("a"), Tensor("a", offset=256)),
    "dims_none": lambda: with_tensors(Tensor("a", dims=())),
    "dims_5": lambda: with_tensors(Tensor("a", dims=(1, 1, 1, 1, 1))),
    "dims_max": lambda: with_tensors(Tensor("a", n_dims=2**32 - 1)),
    "dim_0": lambda: with_tensors(Tensor("a", dims=(32, 0))),
    "dim_max": lambda: with_tensors(Tensor("a", dims=(HUGE,))),
    "dims_wrap_to_0": lambda: with_tensors(Tensor("a", dims=(2**32, 2**32))),
    "dims_wrap_to_32": lambda: with_tensors(Tensor("a", dims=(2**32 + 1, 2**32, 1, 1))),
    "bytes_wrap": lambda: with_tensors(Tensor("a", dims=(2**62,))),
    "row_not_whole_blocks": lambda: with_tensors(Tensor("a", dims=(33, 2), type=8)),
    "row_half_a_block": lambda: with_tensors(Tensor("a", dims=(128, 2), type=12)),
    "offset_odd": lambda: with_tensors(Tensor("a", offset=8)),
    "offset_beyond": lambda: with_tensors(Tensor("a", offset=4096)),
    "offset_wrap": lambda: with_tensors(Tensor("a", offset=2**64 - 32)),
    "offset_of_unknown_type_beyond": lambda: with_tensors(Tensor("a", type=139, offset=2**40)),
    "data_missing": lambda: with_tensors(Tensor("a"), data=b""),
    "data_one_byte_short": lambda: with_tensors(Tensor("a"), data=bytes(255)),
    "data_overlaps": lambda: with_tensors(Tensor("a"), Tensor("b", offset=224)),
    "data_shared": lambda: with_tensors(Tensor("a"), Tensor("b")),
    # split files given alone
    "split_part_2": lambda: with_split(no=1, count=3),
    "split_other_name": lambda: with_split(no=0, count=3),
    "split_count_text": lambda: with_key("split.count", STRING, "3"),
    "split_count_negative": lambda: with_key("split.count", I32, -2),
    "split_count_max": lambda: with_key("split.count", U64, HUGE),
}


def with_split(no: int, count: int) -> bytes:
    return bytes(build([ARCH, ("split.no", U16, no), ("split.count", U16, count)], [Tensor("a")], bytes(256)).data)


def sound() -> Builder:
    """A small file that is right: every metadata type, two types of tensor, 3 tensors."""
    keys: list[Key] = [
        ARCH,
        ("general.alignment", U32, 32),
        *[(f"k.{kind}", kind, 1) for kind in FORMATS],
        *[(f"a.{kind}", kind, [0, 1, 1]) for kind in FORMATS],
        ("k.text", STRING, "naïve 🦙"),
        ("a.text", STRING, ["one", "", "three\n"]),
    ]
    tensors = [Tensor("f32", (8, 3)), Tensor("q8_0", (64, 2), 8, 96), Tensor("scale", (1,), 1, 256)]
    return build(keys, tensors, bytes(range(256)) + bytes(32))


def model(
    changes: Mapping[str, tuple[int, Value]] | None = None,
    drop: Iterable[str] = (),
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    fill: float = 0.0,
) -> bytes:
    """A sound one-layer llama (D 32, 2 heads, 260 tokens, SPM, all weights `fill`), except for what is asked.

    changes: key -> (type, value), replaced or added. drop: names of keys and tensors to leave out. shapes: tensor ->
    dims in the file's order, replaced or added.
    """
    gone = set(drop)
    pieces = ["<unk>", "<s>", "</s>", *[f"<0x{byte:02X}>" for byte in range(256)], "▁"]
    keys: dict[str, tuple[int, Value]] = {
        "general.architecture": (STRING, "llama"),
        "llama.context_length": (U32, 64),
        "llama.embedding_length": (U32, 32),
        "llama.block_count": (U32, 1),
        "llama.feed_forward_length": (U32, 64),
        "llama.attention.head_count": (U32, 2),
        "llama.attention.head_count_kv": (U32, 2),
        "llama.attention.layer_norm_rms_epsilon": (F32, 1e-5),
        "llama.rope.dimension_count": (U32, 16),
        "tokenizer.ggml.model": (STRING, "llama"),
        "tokenizer.ggml.tokens": (STRING, list(pieces)),
        "tokenizer.ggml.scores": (F32, [0.0] * len(pieces)),
        "tokenizer.ggml.token_type": (I32, [2, 3, 3, *[6] * 256, 1]),
        "tokenizer.ggml.bos_token_id": (U32, 1),
        "tokenizer.ggml.eos_token_id": (U32, 2),
        "tokenizer.ggml.unknown_token_id": (U32, 0),
        **(changes or {}),
    }
    tensors: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (32, len(pieces)),
        "output_norm.weight": (32,),
        "output.weight": (32, len(pieces)),
        **{f"blk.0.{name}.weight": (32,) for name in ("attn_norm", "ffn_norm")},
        **{f"blk.0.attn_{name}.weight": (32, 32) for name in ("q", "k", "v", "output")},
        **{f"blk.0.ffn_{name}.weight": (32, 64) for name in ("gate", "up")},
        "blk.0.ffn_down.weight": (64, 32),
        **(shapes or {}),
    }
    placed, data = [], bytearray()
    for name, dims in tensors.items():
        if name not in gone:
            placed.append(Tensor(name, dims, 0, len(data)))
            count = 1
            for size in dims:
                count *= size
            data += struct.pack("<f", fill) * count
            data += bytes(-len(data) % 32)
    return bytes(build([(k, *v) for k, v in keys.items() if k not in gone], placed, bytes(data)).data)
