"""The header reader against the hostile corpus, changed fields, and random bytes."""

import mmap
import random
import struct
import tracemalloc
from array import array
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.errors import LlamaspecError
from llamaspec.weights import header
from llamaspec.weights.file import GGUFFile
from llamaspec.weights.metadata import Metadata
from llamaspec.weights.tensor import load
from tests import hostile_files
from tests.hostile_files import ARCH, CORPUS, F32, FORMATS, STRING, U32, Tensor, build, sound


def written(folder: Path, data: bytes) -> Path:
    path = folder / "x.gguf"
    path.write_bytes(data)
    return path


def refusal(act: Callable[[], object]) -> LlamaspecError | None:
    """What `act` complains of; None when it went well. Any other exception goes through."""
    try:
        act()
    except LlamaspecError as error:
        return error
    return None


def use_all(path: Path) -> None:
    """Opens a file and touches everything that it says; LlamaspecError is the only accepted failure."""
    with GGUFFile(path) as file:
        meta = file.metadata
        for key in meta:
            for read in (meta.int, meta.float, meta.str, meta.bool, meta.ints, meta.floats, meta.bools, meta.strings):
                refusal(partial(read, key))
        for name, info in file.tensors.items():
            if refused := refusal(partial(load, file, name)):
                assert info.type.startswith("type "), refused
            else:
                data = load(file, name).data
                assert data.size == info.n_bytes <= path.stat().st_size
                assert int(data.sum()) >= 0  # reads every byte


@pytest.mark.parametrize("name", CORPUS)
def test_every_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    path = written(tmp_path, CORPUS[name]())
    tracemalloc.start()
    try:
        with pytest.raises(LlamaspecError) as error:
            GGUFFile(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in error.value.message
    assert error.value.hint
    assert all(line.isprintable() for line in (error.value.message, error.value.hint))
    assert peak < 2**20, "memory follows a number claimed in the file"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("zeros", "not a GGUF file", ".gguf"),
        ("old_ggml", "older than GGUF", "convert"),
        ("lfs_pointer", "Git LFS pointer", "git lfs pull"),
        ("web_page", "a web page", "fetch the file again"),
        ("version_1", "version 1", "another conversion"),
        ("big_endian", "big-endian", "gguf-convert-endian"),
        ("array_of_arrays", "array of arrays", ""),
        ("array_length_2_60", "'k' takes 1,152,921,504,606,846,976 bytes", "damaged"),
        ("key_twice", "'general.architecture' appears twice", "damaged"),
        ("data_one_byte_short", "truncated: tensor 'a' ends at 384, but the file has 383 bytes", "fetch it again"),
        ("row_half_a_block", "'a' have 128 values, no multiple of 256", "damaged"),
        ("split_part_2", "part 2 of 3", "part 1"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_to_do(name: str, message: str, hint: str, tmp_path: Path) -> None:
    error = refusal(partial(GGUFFile, written(tmp_path, CORPUS[name]())))
    assert error
    assert message in error.message
    assert hint in error.hint


def test_the_corpus_has_no_two_equal_files() -> None:
    made = [make() for make in CORPUS.values()]
    assert len(set(made)) == len(made) >= 40


def test_the_sound_file_is_read(tmp_path: Path) -> None:
    """What the corpus damages is right to begin with."""
    path = written(tmp_path, bytes(sound().data))
    with GGUFFile(path) as file:
        assert {name: (info.type, info.shape, info.n_bytes) for name, info in file.tensors.items()} == {
            "f32": ("F32", (3, 8), 96),
            "q8_0": ("Q8_0", (2, 64), 136),
            "scale": ("F16", (1,), 2),
        }
        assert file.bytes("f32").tobytes() == bytes(range(96))
        assert file.bytes("q8_0").tobytes() == bytes(range(96, 232))
        for kind in FORMATS:
            assert file.metadata[f"k.{kind}"] == 1
            assert list(file.metadata[f"a.{kind}"]) == [0, 1, 1]  # type: ignore[arg-type]
        assert file.metadata.str("k.text") == "naïve 🦙"
        assert file.metadata.strings("a.text") == ("one", "", "three\n")


@pytest.mark.parametrize("version", [2, 3])
def test_versions_2_and_3_are_read(version: int, tmp_path: Path) -> None:
    data = bytes(build([ARCH], [Tensor("a")], bytes(256), version=version).data)
    assert GGUFFile(written(tmp_path, data)).metadata.architecture == "llama"


def test_changed_fields_never_get_through(tmp_path: Path) -> None:
    """Each number of a sound file takes interesting values, alone and in pairs: a clean refusal or a usable file."""
    good = sound()
    dice = random.Random(20240229)
    refused = accepted = 0
    cases = [[spot] for spot in good.fields] + [dice.sample(good.fields, 2) for _ in range(200)]
    for spots in cases:
        for _ in range(3 if len(spots) == 1 else 1):
            data = bytearray(good.data)
            for at, form, _meaning in spots:
                data[at : at + struct.calcsize(form)] = changed(dice, data, at, form)
            path = written(tmp_path, bytes(data))
            error = refusal(partial(use_all, path))
            assert error is None or error.hint
            refused, accepted = refused + (error is not None), accepted + (error is None)
    assert refused > 100
    assert accepted > 100


def changed(dice: random.Random, data: bytearray, at: int, form: str) -> bytes:
    size = struct.calcsize(form)
    limit = 2 ** (8 * size)
    old = int.from_bytes(data[at : at + size], "little")
    near = [old + 1, old - 1, old * 2, old ^ (1 << dice.randrange(8 * size))]
    edges = [0, 1, 2, 7, limit - 1, limit // 2, limit // 2 - 1, limit // 4, len(data), dice.randrange(limit)]
    return (dice.choice(near + edges) % limit).to_bytes(size, "little")


def mapped(data: bytes) -> mmap.mmap:
    """The bytes as a mapping without a file, for tests that read thousands of them."""
    out = mmap.mmap(-1, len(data))
    out.write(data)
    return out


def test_every_truncation_is_refused() -> None:
    data = bytes(sound().data)
    needed = 256 + 2  # the last tensor starts at 256 in the data section and has one half float
    end = len(data) - (256 + 32) + needed
    for size in range(1, end):
        with pytest.raises(LlamaspecError):
            header.read_header(mapped(data[:size]), Path("x"))
    assert len(header.read_header(mapped(data[:end]), Path("x")).tensors) == 3


@settings(max_examples=150, deadline=None)
@given(tail=st.binary(max_size=200), version=st.sampled_from([2, 3]), counts=st.tuples(*[st.integers(0, 3)] * 2))
def test_random_bytes_after_a_sound_start(tail: bytes, version: int, counts: tuple[int, int]) -> None:
    data = mapped(b"GGUF" + struct.pack("<IQQ", version, *counts) + tail)
    try:
        said = header.read_header(data, Path("x"))
    except LlamaspecError:
        return
    assert (len(said.tensors), len(said.values)) == counts


def test_a_header_longer_than_any_model_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, hostile_files.model())
    GGUFFile(path)
    monkeypatch.setattr(header, "MAX_HEADER", 2000)
    with pytest.raises(LlamaspecError, match="header is longer"):
        GGUFFile(path)


@pytest.mark.parametrize(("limit", "what"), [("MAX_KEYS", "metadata keys"), ("MAX_TENSORS", "tensors")])
def test_more_entries_than_any_model_has(
    limit: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, hostile_files.model())
    monkeypatch.setattr(header, limit, 11)
    with pytest.raises(LlamaspecError, match=what):
        GGUFFile(path)


@pytest.mark.parametrize("odd", [1, 2, 3, 4])
@pytest.mark.parametrize("alignment", [1, 2, 64, 4096])
def test_other_alignments(alignment: int, odd: int, tmp_path: Path) -> None:
    """Tensors start at multiples of general.alignment, counted from the aligned end of the header."""
    keys = [ARCH, ("general.alignment", U32, alignment), ("x" * odd, U32, 1)]
    later = -(-12 // alignment) * alignment
    tensors = [Tensor("a", (3,)), Tensor("b", (2,), offset=later)]
    payload = bytes(range(12)) + bytes(later - 12) + bytes(range(100, 108))
    path = written(tmp_path, bytes(build(keys, tensors, payload, align=alignment).data))
    with GGUFFile(path) as file:
        assert load(file, "a").data.flatten().tolist() == list(range(12))
        assert load(file, "b").data.flatten().tolist() == list(range(100, 108))
        # kernels may look at the bytes as floats, which wants them on a word boundary
        assert load(file, "b").data.ctypes.data % 4 == 0


def test_a_type_without_a_name_waits_until_it_is_asked_for(tmp_path: Path) -> None:
    tensors = [Tensor("mine"), Tensor("foreign", type=139, offset=256)]
    path = written(tmp_path, bytes(build([ARCH], tensors, bytes(512)).data))
    with GGUFFile(path) as file:
        assert file.tensors["foreign"].type == "type 139"
        assert load(file, "mine").shape == (2, 32)
        with pytest.raises(LlamaspecError, match="'foreign' has the unknown type 139") as error:
            load(file, "foreign")
    assert "ik_llama.cpp" in error.value.hint


def test_strings_that_are_no_utf8_are_read_with_replacements(tmp_path: Path) -> None:
    keys = [ARCH, ("general.name", STRING, b"a\xffb"), ("tokens", STRING, [b"\xe2\x96", b"ok"])]
    meta = GGUFFile(written(tmp_path, bytes(build(keys).data))).metadata
    assert meta.str("general.name") == "a�b"
    assert meta.strings("tokens") == ("�", "ok")


def test_names_with_control_characters_are_shown_escaped(tmp_path: Path) -> None:
    data = bytes(build([ARCH, ("\x1b[2J\nx", U32, 1), ("\x1b[2J\nx", U32, 1)]).data)
    with pytest.raises(LlamaspecError) as error:
        GGUFFile(written(tmp_path, data))
    assert error.value.message.isprintable()
    assert "x1b" in error.value.message


def test_a_file_may_end_with_an_empty_string(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(build([ARCH, ("t", STRING, ["a", ""])]).data))
    assert GGUFFile(path).metadata.strings("t") == ("a", "")


def test_string_arrays_are_sequences(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(build([ARCH, ("t", STRING, ["a", "b", "c"])]).data))
    array = GGUFFile(path).metadata["t"]
    assert isinstance(array, header.StringArray)
    assert len(array) == 3  # known before anything is decoded
    assert "values" not in vars(array)
    assert (array[1], array[-1], array[:2], list(array), "c" in array) == ("b", "c", ("a", "b"), ["a", "b", "c"], True)
    assert array == ["a", "b", "c"]
    assert array != ["a", "b"]
    assert array != "abc"


@pytest.mark.parametrize("lengths", [[], [0], [255, 0, 1], [256], [1, 300, 2], [1, 2, 70_000], [512, 3], [255] * 40])
def test_strings_of_any_length_are_read(tmp_path: Path, lengths: list[int]) -> None:
    texts = ["ab"[place % 2] * length for place, length in enumerate(lengths)]
    path = written(tmp_path, bytes(build([ARCH, ("t", STRING, texts), ("after", U32, 7)]).data))
    metadata = GGUFFile(path).metadata
    assert metadata.strings("t") == tuple(texts)
    assert metadata["after"] == 7


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=6) | st.binary(max_size=6), max_size=8))
def test_strings_read_together_are_those_read_one_by_one(entries: list[str | bytes]) -> None:
    raw = [entry.encode() if isinstance(entry, str) else entry for entry in entries]
    packed = b"".join(struct.pack("<Q", len(entry)) + entry for entry in raw)
    starts = array("q", accumulate((8 + len(entry) for entry in raw[:-1]), initial=0)) if raw else array("q")
    assert header.StringArray(packed, starts).values == tuple(entry.decode("utf-8", "replace") for entry in raw)
    together = header._together(packed, starts) if raw else ()
    sound = all(b"\0" not in entry and entry.decode("utf-8", "replace").encode() == entry for entry in raw)
    assert (together is not None) == sound


def test_numeric_arrays_are_read_only_and_outlive_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(build([ARCH, ("a", F32, [1.5, 2.5])]).data))
    with GGUFFile(path) as file:
        values = file.metadata["a"]
    assert values.tolist() == [1.5, 2.5]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 3  # type: ignore[index]


def test_read_header_needs_only_a_mapping(tmp_path: Path) -> None:
    path = written(tmp_path, bytes(sound().data))
    with open(path, "rb") as file:
        said = header.read_header(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), path, file=4)
    assert {info.file for info in said.tensors} == {4}
    assert Metadata(said.values).architecture == "llama"
