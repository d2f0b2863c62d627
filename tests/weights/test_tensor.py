"""Packed tensors: views of the file, shapes that are checked."""

import warnings
from pathlib import Path

import gguf
import numpy as np
import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.weights.file import GGUFFile
from llamaspec.weights.tensor import load


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    values = np.arange(2 * 3 * 64, dtype=np.float32).reshape(2, 3, 64)
    writer.add_tensor("cube", values)
    writer.add_tensor("row", values[0, 0])
    packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("q8", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("ids", np.arange(5, dtype=np.int64))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_rows_of_packed_bytes(path: Path) -> None:
    with GGUFFile(path) as file:
        cube, row, q8, ids = (load(file, name) for name in ("cube", "row", "q8", "ids"))
    assert (cube.type, cube.shape, cube.rows, tuple(cube.data.shape)) == ("F32", (2, 3, 64), 6, (6, 256))
    assert (row.type, row.shape, row.rows, tuple(row.data.shape)) == ("F32", (64,), 1, (1, 256))
    assert (q8.type, q8.shape, q8.rows, tuple(q8.data.shape)) == ("Q8_0", (2, 3, 64), 6, (6, 68))
    assert (ids.type, ids.shape, tuple(ids.data.shape)) == ("I64", (5,), (1, 40))
    assert cube.data.view(np.float32).flatten().tolist() == list(range(384))
    assert ids.data.view(np.int64).flatten().tolist() == list(range(5))
    assert cube.n_bytes == 384 * 4
    assert cube.name == "cube"


def test_loading_copies_nothing_and_warns_of_nothing(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = GGUFFile(path)
        first, second = load(file, "cube"), load(file, "cube")
    assert first.data.ctypes.data == second.data.ctypes.data == file.bytes("cube").ctypes.data


def test_a_tensor_outlives_its_file_object(path: Path) -> None:
    file = GGUFFile(path)
    tensor = load(file, "row")
    file.close()
    del file
    assert tensor.data.view(np.float32).flatten().tolist() == list(range(64))


def test_a_missing_tensor(path: Path) -> None:
    with pytest.raises(LlamaspecError) as error:
        load(GGUFFile(path), "blk.3.attn_q.weight")
    assert "tensor 'blk.3.attn_q.weight' is missing" in error.value.message
    assert error.value.hint


def test_expected_shapes(path: Path) -> None:
    tensor = load(GGUFFile(path), "cube")
    assert tensor.expect((2, 3, 64)) is tensor
    assert tensor.expect([None, 3, 64]) is tensor
    for shape in [(2, 3), (2, 3, 32), (64, 3, 2), (2, 3, 64, 1), (None, None)]:
        with pytest.raises(LlamaspecError, match=r"tensor 'cube' has shape \[2, 3, 64\], expected \["):
            tensor.expect(shape)
