"""GGUF files against gguf's own writer, real models, split models, and paths that are no files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llamaspec.errors import LlamaspecError
from llamaspec.weights.file import TYPES, GGUFFile
from tests.goldens import folders
from tests.hostile_files import ARCH, BOOL, I32, STRING, U16, Tensor, build

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
ARRAYS = {
    gguf.GGUFValueType.INT32: st.integers(-(2**31), 2**31 - 1),
    gguf.GGUFValueType.FLOAT32: st.floats(width=32, allow_nan=False),
    gguf.GGUFValueType.BOOL: st.booleans(),
    gguf.GGUFValueType.STRING: st.text(st.characters(codec="utf-8"), max_size=20),
}
SCALARS = {
    gguf.GGUFValueType.UINT8: st.integers(0, 2**8 - 1),
    gguf.GGUFValueType.INT8: st.integers(-(2**7), 2**7 - 1),
    gguf.GGUFValueType.UINT16: st.integers(0, 2**16 - 1),
    gguf.GGUFValueType.INT16: st.integers(-(2**15), 2**15 - 1),
    gguf.GGUFValueType.UINT32: st.integers(0, 2**32 - 1),
    gguf.GGUFValueType.UINT64: st.integers(0, 2**64 - 1),
    gguf.GGUFValueType.INT64: st.integers(-(2**63), 2**63 - 1),
    gguf.GGUFValueType.FLOAT64: st.floats(allow_nan=False),
    **ARRAYS,
}


@st.composite
def entries(draw) -> dict[str, tuple]:
    """key -> (type, element type or None, value)."""
    out = {}
    for key in draw(st.sets(NAMES, max_size=8)) - {"general.architecture", "general.alignment"}:
        if draw(st.booleans()):
            kind = draw(st.sampled_from(list(SCALARS)))
            out[key] = (kind, None, draw(SCALARS[kind]))
        else:
            kind = draw(st.sampled_from(list(ARRAYS)))
            values = draw(st.lists(ARRAYS[kind], min_size=1, max_size=5))
            out[key] = (gguf.GGUFValueType.ARRAY, kind, values)
    return out


@st.composite
def packed_tensors(draw) -> dict[str, tuple[gguf.GGMLQuantizationType, np.ndarray]]:
    """name -> (type, [..., row_bytes] uint8)."""
    out = {}
    for name in draw(st.sets(NAMES, max_size=4)):
        kind = gguf.GGMLQuantizationType[draw(st.sampled_from(["F32", "F16", "BF16", "Q4_0", "Q8_0", "Q6_K", "I32"]))]
        rows = draw(st.lists(st.integers(1, 3), max_size=3))
        row_bytes = gguf.GGML_QUANT_SIZES[kind][1] * draw(st.integers(1, 3))
        out[name] = (kind, np.random.default_rng(len(out)).integers(0, 256, (*rows, row_bytes), dtype=np.uint8))
    return out


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=entries(), tensors=packed_tensors(), alignment=st.sampled_from([8, 32, 64]))
def test_what_gguf_writes_is_read_back(said: dict, tensors: dict, alignment: int, tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_custom_alignment(alignment)
    for key, (kind, element, value) in said.items():
        writer.add_key_value(key, value, kind, element)
    for name, (kind, packed) in tensors.items():
        writer.add_tensor(name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with GGUFFile(path) as file:
        assert set(file.metadata) == {*said, "general.architecture", "general.alignment"}
        for key, (_kind, element, value) in said.items():
            got = file.metadata[key]
            assert type(got) is type(value) if element is None else list(got) == value
            assert element is not None or got == value
        assert list(file.tensors) == list(tensors)
        for name, (kind, packed) in tensors.items():
            info = file.tensors[name]
            assert info.type == kind.name
            assert info.shape == gguf.quant_shape_from_byte_shape(packed.shape, kind)
            assert file.bytes(name).tobytes() == packed.tobytes()
        assert file.size == path.stat().st_size


def test_sizes_of_all_types_are_gguf_s() -> None:
    known = {kind.value: sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    ours = {number: (block.elements, block.bytes) for number, block in TYPES.items()}
    shared = known.keys() & ours.keys() - {9}  # Q8_1, never in files: ggml's is 36 bytes, gguf says 40
    assert len(shared) >= 30
    assert {number: ours[number] for number in shared} == {number: known[number] for number in shared}
    assert {TYPES[number].name for number in shared} == {gguf.GGMLQuantizationType(number).name for number in shared}
    assert known.keys() - ours.keys() == set()


def every_file() -> list[Path]:
    found = {path.name: path for folder in folders() for path in sorted(folder.glob("**/*.gguf"))}
    return [path for name, path in found.items() if "-of-" not in name or "-00001-of-" in name]


def test_every_file_of_the_reference_data_opens() -> None:
    paths = every_file()
    assert paths
    for path in paths:
        with GGUFFile(path) as file:
            assert file.metadata.architecture
            assert sum(info.n_bytes for info in file.tensors.values()) <= file.size


def test_reference_files_read_as_gguf_reads_them() -> None:
    compared = 0
    for path in every_file():
        if path.stat().st_size > 2**20 or compared == 8:
            continue  # gguf takes seconds for large vocabularies
        theirs = gguf.GGUFReader(path)
        with GGUFFile(path) as file:
            assert {name for name in theirs.fields if not name.startswith("GGUF.")} == set(file.metadata)
            for name, field in theirs.fields.items():
                if not name.startswith("GGUF."):
                    value = field.contents()
                    got = file.metadata[name]
                    assert list(got) == value if isinstance(value, list) else got == value, name
            for tensor in theirs.tensors if len(file.files) == 1 else ():
                info = file.tensors[tensor.name]
                assert (info.type, info.n_bytes) == (tensor.tensor_type.name, tensor.n_bytes)
                assert info.shape == tuple(int(size) for size in reversed(tensor.shape))
                assert file.bytes(tensor.name).tobytes() == tensor.data.tobytes()
        compared += 1
    assert compared


def test_reading_needs_no_torch() -> None:
    code = "import sys, llamaspec.weights.file; print(sorted({'torch', 'gguf'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=os.getcwd())
    assert told.stdout.strip() == "[]"


# --- split models ---------------------------------------------------------------------------------------------


def part(no: int, count: int, names: str, total: int | None = None) -> bytes:
    """One part with a tensor of 64 values for each letter of `names`; later parts hold the split keys only."""
    keys = [
        ("split.no", U16, no),
        ("split.count", U16, count),
        ("split.tensors.count", I32, 3 if total is None else total),
    ]
    if no == 0:
        keys = [ARCH, ("general.name", STRING, "split"), *keys]
    tensors = [Tensor(name, (64,), offset=256 * at) for at, name in enumerate(names)]
    return bytes(build(keys, tensors, b"".join(name.encode() * 256 for name in names)).data)  # type: ignore[arg-type]


def split(folder: Path, *names: str, stem: str = "m", total: int | None = None) -> list[Path]:
    out = []
    for no, letters in enumerate(names):
        path = folder / f"{stem}-{no + 1:05d}-of-{len(names):05d}.gguf"
        path.write_bytes(part(no, len(names), letters, total))
        out.append(path)
    return out


@pytest.mark.parametrize("names", [("a", "b", "c"), ("", "ab", "c"), ("ab", "", "c"), ("", "", "", "abc"), ("abc", "")])
def test_all_parts_of_a_split_model_are_one(names: tuple[str, ...], tmp_path: Path) -> None:
    parts = split(tmp_path, *names, stem="odd-00002-of-00003.name")
    file = GGUFFile(parts[0])
    assert file.files == tuple(parts)
    assert list(file.tensors) == ["a", "b", "c"]
    assert file.metadata.str("general.name") == "split"
    assert file.size == sum(path.stat().st_size for path in parts)
    for name in "abc":
        assert file.bytes(name).tobytes() == name.encode() * 256
        assert name in names[file.tensors[name].file]


def test_parts_may_be_links(tmp_path: Path) -> None:
    """The cache of Hugging Face holds links whose targets are called by their hash."""
    (tmp_path / "blobs").mkdir()
    for path in split(tmp_path, "a", "b", "c"):
        target = tmp_path / "blobs" / path.name[::-1]
        path.rename(target)
        path.symlink_to(target)
    assert list(GGUFFile(tmp_path / "m-00001-of-00003.gguf").tensors) == ["a", "b", "c"]


def test_a_split_reference_model_equals_the_whole_one() -> None:
    """Wherever the data names a split file and the file it was split from, their tensors are the same."""
    compared = 0
    for folder in folders():
        for index in (path for path in (folder / "goldens/index.json", folder / "index.json") if path.is_file()):
            listed = json.loads(index.read_text())
            for entry in listed.values():
                if "parts" not in entry or not (index.parent / entry["model"]).exists():
                    continue
                parts = GGUFFile(index.parent / entry["model"])
                assert len(parts.files) == entry["parts"]
                base = listed.get(entry.get("same_golden_as"), {})
                types = {info.type for info in parts.tensors.values()}
                assert types == set(base.get("tensor_types", types))
                whole = base.get("model")
                if whole and (index.parent / whole).exists():
                    one = GGUFFile(index.parent / whole)
                    assert set(one.tensors) == set(parts.tensors)
                    assert all(one.bytes(name).tobytes() == parts.bytes(name).tobytes() for name in one.tensors)
                compared += 1
    assert compared


def refused(path: Path) -> LlamaspecError:
    with pytest.raises(LlamaspecError) as error:
        GGUFFile(path)
    assert error.value.hint
    assert "\n" not in error.value.message
    return error.value


def test_part_2_points_to_part_1(tmp_path: Path) -> None:
    error = refused(split(tmp_path, "a", "b", "c")[1])
    assert "part 2 of 3" in error.message
    assert "m-00001-of-00003.gguf" in error.hint


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    parts = split(tmp_path, "a", "b", "c")
    parts[1].unlink()
    error = refused(parts[0])
    assert str(parts[1]) in error.message
    assert "part 2 of 3 is missing" in error.message


@pytest.mark.parametrize("name", ["model.gguf", "m-00001-of-00002.gguf", "m-00002-of-00003.gguf", "m-1-of-3.gguf"])
def test_a_renamed_first_part_is_told_its_name(name: str, tmp_path: Path) -> None:
    parts = split(tmp_path, "a", "b", "c")
    shutil.copyfile(parts[0], tmp_path / name)
    assert "-00001-of-00003.gguf" in refused(tmp_path / name).message


def test_parts_that_are_not_what_their_names_say(tmp_path: Path) -> None:
    parts = split(tmp_path, "a", "b", "c")
    second, third = parts[1].read_bytes(), parts[2].read_bytes()
    parts[1].write_bytes(third)
    parts[2].write_bytes(second)
    assert "holds part 3 of 3, not part 2 of 3" in refused(parts[0]).message
    parts[1].write_bytes(part(1, 4, "b"))
    assert "holds part 2 of 4, not part 2 of 3" in refused(parts[0]).message
    parts[1].write_bytes(bytes(build([ARCH], [Tensor("b", (64,))], bytes(256)).data))
    assert "'split.no' is missing" in refused(parts[0]).message


def test_a_tensor_in_two_parts(tmp_path: Path) -> None:
    assert "'a' is in an earlier part too" in refused(split(tmp_path, "a", "ab", "c", total=4)[0]).message


def test_a_wrong_total(tmp_path: Path) -> None:
    assert "4 tensors announced, 3 in 3 parts" in refused(split(tmp_path, "a", "b", "c", total=4)[0]).message


def test_a_damaged_later_part_is_named(tmp_path: Path) -> None:
    parts = split(tmp_path, "a", "b", "c")
    parts[2].write_bytes(parts[2].read_bytes()[:-1])
    error = refused(parts[0])
    assert str(parts[2]) in error.message
    assert "truncated" in error.message


def test_a_split_of_one_is_an_ordinary_file(tmp_path: Path) -> None:
    path = tmp_path / "any name.gguf"
    path.write_bytes(part(0, 1, "abc"))
    assert list(GGUFFile(path).tensors) == ["a", "b", "c"]


# --- paths -----------------------------------------------------------------------------------------------------


def test_a_vocabulary_without_tensors_opens_and_says_so_when_asked_for_one(tmp_path: Path) -> None:
    path = tmp_path / "vocab.gguf"
    path.write_bytes(bytes(build([ARCH, ("tokenizer.ggml.add_bos_token", BOOL, True)]).data))
    file = GGUFFile(str(path))
    assert file.tensors == {}
    assert file.metadata.bool("tokenizer.ggml.add_bos_token") is True
    with pytest.raises(LlamaspecError, match=r"tensor 'output\.weight' is missing") as error:
        file.bytes("output.weight")
    assert "vocabulary only" in error.value.hint


def test_no_such_file(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none.gguf").message


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path).message


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no devices here")
def test_a_device_without_end() -> None:
    assert "no regular file" in refused(Path("/dev/zero")).message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "no regular file" in refused(tmp_path / "pipe.gguf").message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = split(tmp_path, "abc")[0]
    path.chmod(0)
    assert "permission denied" in refused(path).message


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_a_disk_that_fails(error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = split(tmp_path, "abc")[0]

    def fail(*_args, **_kwargs):
        raise error

    monkeypatch.setattr("llamaspec.weights.file.open", fail, raising=False)
    assert str(error.strerror).lower() in refused(path).message.lower()


@pytest.mark.parametrize("name", ["a\0b.gguf", "x" * 5000, "file.gguf/inside.gguf"])
def test_names_that_no_file_can_have(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.gguf").write_bytes(b"GGUF")
    assert refused(tmp_path / name).message.isprintable()


def test_odd_names_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "ü 🦙 [b]x[b].gguf"
    path.write_bytes(part(0, 1, "abc"))
    with GGUFFile(path) as file:
        assert file.path == path


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").symlink_to(tmp_path / "gone.gguf")
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    assert "no such file" in refused(tmp_path / "x.gguf").message
    assert "cannot be read" in refused(tmp_path / "loop.gguf").message


def test_refusing_and_closing_leave_no_file_open(tmp_path: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc here")
    parts = split(tmp_path, "a", "b", "c")
    parts[2].write_bytes(b"GGUF")
    before = len(os.listdir("/proc/self/fd"))
    refused(parts[0])
    with GGUFFile(split(tmp_path, "a", "b", "c")[0]):
        pass
    assert len(os.listdir("/proc/self/fd")) == before
    maps = Path("/proc/self/maps").read_text()
    assert str(tmp_path) not in maps
