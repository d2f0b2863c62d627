"""The header of one GGUF part, every number in it proven against the file size before anything is allocated.

Source: ggml's docs/gguf.md. Limits that the format does not set are ours: as in safetensors' reader the header may have
100 MB, several times what the largest vocabularies need.
"""

import mmap
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import NoReturn, overload

import numpy as np

from ..errors import LlamaspecError
from .types import TYPES, type_name

MAX_HEADER = 100 * 2**20
MAX_KEYS = 2**16
MAX_TENSORS = 2**17
MAX_NAME = 2**16 - 1
DEFAULT_ALIGNMENT = 32

_U32 = struct.Struct("<I")
_U64 = struct.Struct("<Q")
# number of a metadata type -> numpy's spelling; 7 is bool, 8 string, 9 array
_NUMBERS = {0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 10: "<u8", 11: "<i8", 12: "<f8"}
_BOOL, _STRING, _ARRAY = 7, 8, 9
_MAGICS = (
    (b"lmgg", "a GGML file, older than GGUF", "convert the original model again, or download a GGUF of it"),
    (b"fmgg", "a GGML file, older than GGUF", "convert the original model again, or download a GGUF of it"),
    (b"tjgg", "a GGJT file, older than GGUF", "convert the original model again, or download a GGUF of it"),
    (b"PK\3\4", "a zip archive or PyTorch checkpoint", "convert it with llama.cpp's convert_hf_to_gguf.py"),
    (b"vers", "a Git LFS pointer", "fetch the real file: git lfs pull"),
    (b"<!do", "a web page", "the download went wrong; fetch the file again"),
    (b"<htm", "a web page", "the download went wrong; fetch the file again"),
)
_DAMAGED = "the file is damaged or its download was cut short; fetch it again"


def shown(name: object) -> str:
    """A name from a file, quoted, short, and free of control characters."""
    text = str(name)
    return repr(text if len(text) <= 80 else text[:77] + "...")


class StringArray(Sequence[str]):
    """The strings of one metadata array, decoded all together at the first access (vocabularies are large)."""

    def __init__(self, packed: bytes, starts: "array[int]") -> None:
        self._packed = packed
        self._starts = starts
        self._count = len(starts)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Every string; bytes that are no UTF-8 read as U+FFFD."""
        if not self._count:
            return ()
        found = _together(self._packed, self._starts) or _one_by_one(self._packed, self._starts)
        self._packed, self._starts = b"", array("q")
        return found

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return self.values[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and not isinstance(other, str) and self.values == tuple(other)

    def __hash__(self) -> int:
        return hash(self.values)

    def __repr__(self) -> str:
        return f"<{self._count} strings>"


def _together(packed: bytes, starts: "array[int]") -> tuple[str, ...] | None:
    """All strings by one decoding and one splitting; None if there is a NUL or a byte that is not UTF-8.

    starts: where the eight bytes of each length stand. The first of them becomes the separator, the others go.
    """
    data, at = np.frombuffer(packed, np.uint8).copy(), np.frombuffer(starts, np.int64)
    kept = np.ones(len(data), np.bool_)
    for byte in range(1, 8):
        kept[at + byte] = False
    data[at] = 0
    text = data[kept]
    if np.count_nonzero(text) != len(text) - len(starts):
        return None
    try:
        return tuple(text.tobytes().decode("utf-8").split("\0")[1:])
    except UnicodeDecodeError:
        return None


def _one_by_one(packed: bytes, starts: "array[int]") -> tuple[str, ...]:
    ends = (*starts[1:], len(packed))
    return tuple(packed[at + 8 : end].decode("utf-8", "replace") for at, end in zip(starts, ends, strict=True))


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """Where a tensor lies. `shape` is in numpy order, `offset` counts from the start of its file, `file` from 0.

    `type` is a name such as "Q4_K", or "type 139" where it is unknown; `n_bytes` is then 0.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    file: int
    offset: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """What one part says: metadata in file order, and its tensors."""

    values: dict[str, object]
    tensors: list[TensorInfo]


def read_header(data: mmap.mmap, path: Path, file: int = 0) -> Header:
    """Reads and checks the header of a mapped part; `file` is its place among the parts.

    Raises LlamaspecError for everything that is not a sound little-endian GGUF of version 2 or 3.
    """
    reader = _Reader(data, path)
    n_tensors, n_keys = reader.counts()
    values: dict[str, object] = {}
    for index in range(n_keys):
        key = reader.name(f"metadata key {index}")
        if key in values:
            reader.fail(f"metadata key {shown(key)} appears twice")
        values[key] = reader.value(key)
    alignment = values.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
        reader.fail(f"general.alignment is {shown(alignment)}, not a power of two")
    claims = [reader.tensor(index) for index in range(n_tensors)]
    start = -(-reader.at // alignment) * alignment
    return Header(values, _placed(claims, start, alignment, reader, file))


class _Reader:
    """A cursor over the mapped file that refuses to step beyond its end."""

    def __init__(self, data: mmap.mmap, path: Path) -> None:
        self.data = data
        self.path = path
        self.size = len(data)
        self.end = min(self.size, MAX_HEADER)
        self.at = 0

    def fail(self, what: str, hint: str = _DAMAGED) -> NoReturn:
        raise LlamaspecError(f"{self.path}: {what}", hint)

    def room(self, n_bytes: int, what: str) -> int:
        """Steps over `n_bytes` and returns where they start."""
        start = self.at
        if n_bytes > self.end - start:
            self.overrun(n_bytes, what)
        self.at = start + n_bytes
        return start

    def overrun(self, n_bytes: int, what: str) -> NoReturn:
        if n_bytes <= self.size - self.at:
            self.fail(f"its header is longer than {MAX_HEADER // 2**20} MiB, which no model needs")
        self.fail(f"truncated: {what} takes {n_bytes:,} bytes at {self.at:,}, but the file has {self.size:,}")

    def u32(self, what: str) -> int:
        return _U32.unpack_from(self.data, self.room(4, what))[0]

    def u64(self, what: str) -> int:
        return _U64.unpack_from(self.data, self.room(8, what))[0]

    def counts(self) -> tuple[int, int]:
        """Magic, version and the two counts -> (tensors, keys)."""
        magic = self.data[:4]
        if magic != b"GGUF":
            for start, kind, hint in _MAGICS:
                if magic.lower() == start.lower():
                    self.fail(f"not a GGUF file but {kind}", hint)
            self.fail("not a GGUF file", "give a .gguf model file")
        self.at = 4
        version = self.u32("the version")
        if version and version & 0xFFFF == 0:
            self.fail("written for a big-endian machine", "convert it with: gguf-convert-endian FILE little")
        if version not in (2, 3):
            known = "older than any supported" if version < 2 else "newer than this llamaspec"
            self.fail(f"GGUF version {version} is {known} (2 and 3 are)", "take another conversion of the model")
        n_tensors, n_keys = self.u64("the number of tensors"), self.u64("the number of metadata keys")
        for count, limit, least, what in (
            (n_keys, MAX_KEYS, 14, "metadata keys"),
            (n_tensors, MAX_TENSORS, 33, "tensors"),
        ):
            if count > limit or count * least > self.size - self.at:
                self.fail(f"claims {count:,} {what}, more than a file of {self.size:,} bytes can hold")
        return n_tensors, n_keys

    def name(self, what: str) -> str:
        """A key or a tensor name: 1 to 65535 bytes of UTF-8."""
        length = self.u64(f"the length of {what}")
        if not 1 <= length <= MAX_NAME:
            self.fail(f"{what} has a name of {length:,} bytes (1 to {MAX_NAME:,} are allowed)")
        start = self.room(length, what)
        try:
            return str(self.data[start : start + length], "utf-8")
        except UnicodeDecodeError:
            self.fail(f"{what} has a name that is not UTF-8: {self.data[start : start + min(length, 40)]!r}")

    def value(self, key: str) -> object:
        """A metadata value: int, float, bool, str, a read-only numpy array, or a StringArray."""
        kind = self.u32(f"the type of {shown(key)}")
        if kind == _STRING:
            length = self.u64(f"the length of {shown(key)}")
            start = self.room(length, f"the text of {shown(key)}")
            return str(self.data[start : start + length], "utf-8", "replace")
        if kind == _ARRAY:
            return self.array(key)
        return self.numbers(kind, 1, key)[0].item()

    def array(self, key: str) -> Sequence[str] | np.ndarray:
        kind = self.u32(f"the element type of {shown(key)}")
        count = self.u64(f"the length of {shown(key)}")
        if kind == _ARRAY:
            self.fail(f"metadata key {shown(key)} is an array of arrays, which llama.cpp does not read either")
        return self.strings(count, key) if kind == _STRING else self.numbers(kind, count, key)

    def numbers(self, kind: int, count: int, key: str) -> np.ndarray:
        """`count` numbers or bools, copied, so that they outlive the mapping."""
        if kind != _BOOL and kind not in _NUMBERS:
            self.fail(f"metadata key {shown(key)} has the unknown type {kind}")
        dtype = np.dtype(_NUMBERS.get(kind, "<u1"))
        start = self.room(count * dtype.itemsize, f"the value of {shown(key)}")
        out = np.frombuffer(self.data[start : self.at], dtype)
        if kind == _BOOL:
            if out.size and out.max() > 1:
                self.fail(f"metadata key {shown(key)} holds a bool that is neither 0 nor 1")
            out = out.view(np.bool_)
        return out

    def strings(self, count: int, key: str) -> StringArray:
        """Steps over `count` strings and notes where each begins; nothing is decoded."""
        start = at = self.at
        if count * 8 > self.end - start:
            self.overrun(count * 8, f"the array of {count:,} strings {shown(key)}")
        if (short := self.short_strings(count)) is not None:
            return short
        data, last, length_at, starts = self.data, self.end - 8, _U64.unpack_from, array("q")
        note = starts.append
        for index in range(count):
            if at > last:
                self.fail(f"truncated: string {index:,} of {shown(key)} lies beyond the end of the header")
            note(at - start)
            at += 8 + length_at(data, at)[0]
        if at > self.end:
            self.fail(f"truncated: the last strings of {shown(key)} lie beyond the end of the header")
        self.at = at
        return StringArray(data[start:at], starts)

    def short_strings(self, count: int) -> StringArray | None:
        """As `strings` in half the time: lengths are read as the one byte that they are in every vocabulary.

        None, and no step, where a string has 256 bytes or more, or lies beyond the end.
        """
        data, start, starts = self.data, self.at, array("q", bytes(8 * count))
        at = start
        try:
            for index in range(count):
                starts[index] = at - start
                at += 8 + data[at]
        except IndexError:
            return None
        if at > self.end:
            return None
        packed = data[start:at]
        octets, places = np.frombuffer(packed, np.uint8), np.frombuffer(starts, np.int64)
        if any(octets[places + byte].any() for byte in range(1, 8)):
            return None
        self.at = at
        return StringArray(packed, starts)

    def tensor(self, index: int) -> tuple[str, tuple[int, ...], int, int]:
        """-> (name, shape in numpy order, type number, offset in the data section)."""
        name = self.name(f"tensor {index}")
        n_dims = self.u32(f"the shape of {shown(name)}")
        if not 1 <= n_dims <= 4:
            self.fail(f"tensor {shown(name)} has {n_dims:,} dimensions (1 to 4 are allowed)")
        dims = tuple(self.u64(f"the shape of {shown(name)}") for _ in range(n_dims))
        if 0 in dims:
            self.fail(f"tensor {shown(name)} has a dimension of 0")
        number = self.u32(f"the type of {shown(name)}")
        return name, dims[::-1], number, self.u64(f"the offset of {shown(name)}")


def _placed(
    claims: list[tuple[str, tuple[int, ...], int, int]], start: int, alignment: int, reader: _Reader, file: int
) -> list[TensorInfo]:
    """Checks sizes and offsets: inside the file, aligned, not overlapping. `start` is where the data section begins."""
    out: dict[str, TensorInfo] = {}
    for name, shape, number, offset in claims:
        if name in out:
            reader.fail(f"tensor {shown(name)} appears twice")
        n_bytes = 0
        if number in TYPES:
            block = TYPES[number]
            if shape[-1] % block.elements:
                reader.fail(f"rows of tensor {shown(name)} have {shape[-1]:,} values, no multiple of {block.elements}")
            n_bytes = prod(shape) // block.elements * block.bytes
        if offset % alignment:
            reader.fail(f"tensor {shown(name)} starts at {offset:,}, no multiple of the alignment {alignment:,}")
        if start + offset + n_bytes > reader.size or (n_bytes == 0 and start + offset >= reader.size):
            need = start + offset + max(n_bytes, 1)
            reader.fail(f"truncated: tensor {shown(name)} ends at {need:,}, but the file has {reader.size:,} bytes")
        out[name] = TensorInfo(name, type_name(number), shape, file, start + offset, n_bytes)
    end, before = 0, ""
    for info in sorted(out.values(), key=lambda info: info.offset):
        if info.offset < end:
            reader.fail(f"tensors {shown(before)} and {shown(info.name)} overlap")
        end, before = info.offset + info.n_bytes, info.name
    return list(out.values())
