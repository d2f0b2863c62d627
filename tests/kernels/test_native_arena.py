"""Where packed matrices lie: one behind the other, for as long as somebody needs them."""

import ctypes
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.kernels.native.library import library
from llamaspec.kernels.native.packed import Arena, Packed
from llamaspec.weights.tensor import QuantizedTensor

from .native_data import needs_library, values, weight

pytestmark = needs_library
PAGES = Path("/proc/self/smaps_rollup")
linux = pytest.mark.skipif(not PAGES.exists(), reason="no /proc")


def resident(field: str = "Rss") -> int:
    """Bytes of this process in memory."""
    line = next(line for line in PAGES.read_text().splitlines() if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024


def address(packed: Packed) -> int:
    return library().packed_data(packed.handle)


def test_matrices_lie_one_behind_the_other() -> None:
    arena = Arena()
    kinds = [("Q4_K", 40, 256), ("F16", 7, 33), ("Q8_0", 16, 64), ("Q6_K", 33, 512)]
    packed = [Packed(weight(*kind), arena=arena) for kind in kinds]
    for matrix, follower in pairwise(packed):
        assert address(matrix) % 64 == 0
        assert 0 <= address(follower) - address(matrix) - matrix.bytes < 64
    for matrix, kind in zip(packed, kinds, strict=True):
        x = values(3, kind[2])
        assert np.array_equal(matrix.matmul(x), Packed(weight(*kind)).matmul(x))


def test_a_matrix_outlives_its_arena() -> None:
    arena = Arena()
    first, second = (Packed(weight("Q4_K", 40, 256, seed), arena=arena) for seed in (1, 2))
    expected = [matrix.matmul(values(3, 256)) for matrix in (first, second)]
    del arena, first
    assert np.array_equal(second.matmul(values(3, 256)), expected[1])


@linux
def test_an_arena_takes_what_its_matrices_take() -> None:
    """Forty matrices of 3.3 MB beside small ones: at most a huge page more than they are. All is given back."""
    source, arena = weight("Q4_0", 600, 8192), Arena()
    small = weight("Q8_0", 16, 64)
    before = resident()
    packed = [Packed(which, arena=arena) for _ in range(40) for which in (source, small)]
    size = sum(matrix.bytes for matrix in packed)
    assert size > 100 << 20
    taken = resident() - before
    assert taken < size + (5 << 20)
    assert size <= library().arena_reserved(arena.handle) < size + (300 << 20)
    del arena, packed
    assert resident() - before < 5 << 20


@linux
def test_a_matrix_larger_than_a_chunk_has_a_chunk_of_its_own_size() -> None:
    arena, chunk = Arena(), 256 << 20
    large = QuantizedTensor(np.zeros((9000, 4096 * 8), dtype=np.uint8), "F32", (9000, 8192), "large")
    packed = Packed(large, arena=arena)
    assert packed.bytes > chunk
    assert packed.bytes <= library().arena_reserved(arena.handle) < packed.bytes + (3 << 20)
    Packed(weight("Q8_0", 16, 64), arena=arena)
    assert library().arena_reserved(arena.handle) < packed.bytes + chunk + (3 << 20)


def mapped(path: Path, source: QuantizedTensor) -> QuantizedTensor:
    """A tensor whose bytes are pages of a file."""
    path.write_bytes(source.data.tobytes())
    data = np.memmap(path, np.uint8, "r+")
    return QuantizedTensor(data.reshape(source.rows, -1), source.type, source.shape, source.name, mapped=True)


@linux
def test_a_matrix_is_never_in_memory_twice(tmp_path: Path) -> None:
    """Its file's pages go while it is packed, and are read again for rows that are looked up."""
    size = 48 << 20
    zeros = np.zeros((size // 4096, 4096), dtype=np.uint8)
    source = mapped(tmp_path / "weights", QuantizedTensor(zeros, "F32", (size // 4096, 1024)))
    assert int(source.data.sum()) == 0  # every page of the file is resident now
    before = resident()
    packed = Packed(source)
    assert resident() - before < size // 2
    assert np.array_equal(packed.rows(np.arange(0, source.shape[0], 999)), np.zeros((13, 1024), np.float32))


@linux
@pytest.mark.parametrize("shape", [(64, 512), (3, 40, 512)])
def test_slices_change_nothing(tmp_path: Path, shape: tuple[int, ...]) -> None:
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    flat = weight("Q4_K", rows, columns)
    source = QuantizedTensor(flat.data, "Q4_K", shape)
    packed = Packed(mapped(tmp_path / "weights", source))
    expected = Packed(source)
    ids = np.arange(rows)
    assert np.array_equal(packed.rows(ids), Packed(flat).rows(ids))
    one, other = (ctypes.string_at(library().packed_data(p.handle), expected.bytes) for p in (packed, expected))
    assert one == other


def test_what_does_not_fit_is_refused() -> None:
    tensor = weight("Q4_K", 40, 256)
    with pytest.raises(LlamaspecError, match="are needed"):
        Packed(QuantizedTensor(tensor.data, "Q4_K", (2, 40, 256), "stack"), arena=Arena())
