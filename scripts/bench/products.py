"""The packed products of two builds of the native library on the same weights, in turns, in one process.

    python scripts/bench/products.py CHECKOUT [CHECKOUT ...] [--types Q4_K,Q6_K,Q8_0] [--rows 1,2,4,8,16]
                                     [--shape 2048x2048] [--megabytes 0] [--threads 1] [--isa NAME] [--rounds 15]

A checkout has its native library built; the first one is what the others are compared with. With --megabytes there are
as many matrices as fill them in the file's layout, so that weights come from memory; without, one matrix, which stays
in a cache. Rounding x is part of a product.

A round is 5 ms of each library, or one pass over all matrices, the libraries one after the other, the first of them
another one each round. What the machine does besides meets all of them alike, so ratios are taken round by round.
Printed per type and width and library: 10^9 multiply-adds per second, of the median round and of the best, and the
ratio of speeds to the first library, median (10th, 90th percentile); from memory also the bytes read per second as a
part of what a plain read takes. Results must have the bits of the first library's, else a line says so.
"""

import argparse
import ctypes
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from numpy.typing import NDArray

from llamaspec.weights.types import BY_NAME

NUMBERS = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10, "Q3_K": 11, "Q4_K": 12,
    "Q5_K": 13, "Q6_K": 14, "IQ2_XXS": 16, "IQ2_XS": 17, "IQ3_XXS": 18, "IQ1_S": 19, "IQ4_NL": 20, "IQ3_S": 21,
    "IQ2_S": 22, "IQ4_XS": 23, "IQ1_M": 29, "BF16": 30, "TQ1_0": 34, "TQ2_0": 35, "MXFP4": 39, "NVFP4": 40,
    "Q1_0": 41, "Q2_0": 42,
}  # fmt: skip
"""Of types in GGUF: those that some library here may know."""
ROUND_SECONDS = 5e-3
Floats = NDArray[np.float32]


class Library:
    """The native library of a checkout, called without the Python above it."""

    def __init__(self, checkout: Path, isa: str | None) -> None:
        found = sorted((checkout / "llamaspec" / "kernels" / "native").glob("_native*.so"))
        if not found:
            raise SystemExit(f"error: {checkout} has no native library\nhint: build it with scripts/build_native")
        self.name, self.call = checkout.name, ctypes.CDLL(str(found[0]))
        self.call.llamaspec_pack.restype = ctypes.c_void_p
        self.call.llamaspec_isa.restype = ctypes.c_char_p
        self.call.llamaspec_packed_bytes.restype = self.call.llamaspec_row_bytes.restype = ctypes.c_int64
        self.call.llamaspec_packed_data.restype = ctypes.c_void_p
        if isa and self.call.llamaspec_use(isa.encode()):
            raise SystemExit(f"error: {isa} does not run here")
        self.isa = self.call.llamaspec_isa().decode()

    def pack(self, number: int, rows: int, columns: int, data: NDArray[np.uint8]) -> ctypes.c_void_p | None:
        """A matrix in the library's layout; None if it does not know the type."""
        if not self.call.llamaspec_row_bytes(number, ctypes.c_int64(columns)):
            return None
        sizes, at = (ctypes.c_int64(rows), ctypes.c_int64(columns)), data.ctypes.data_as(ctypes.c_void_p)
        if self.call.llamaspec_version() <= 4:  # before there were arenas
            return ctypes.c_void_p(self.call.llamaspec_pack(number, at, *sizes, 1))
        return ctypes.c_void_p(self.call.llamaspec_pack(None, number, at, ctypes.c_int64(1), *sizes, 1, 0))

    def multiply(self, packed: Sequence[ctypes.c_void_p], x: Floats, y: Floats, threads: int) -> None:
        """y [matrices, rows, n] = x [rows, k] times each matrix."""
        from_x, rows = ctypes.c_void_p(x.ctypes.data), ctypes.c_int64(len(x))
        at, step = y.ctypes.data, y.strides[0]
        for i, matrix in enumerate(packed):
            self.call.llamaspec_matmul(matrix, from_x, rows, ctypes.c_void_p(at + i * step), threads)

    def read(self, packed: Sequence[ctypes.c_void_p], threads: int) -> None:
        """Every byte of the matrices once."""
        for matrix in packed:
            n = ctypes.c_int64(self.call.llamaspec_packed_bytes(matrix))
            self.call.llamaspec_read(ctypes.c_void_p(self.call.llamaspec_packed_data(matrix)), n, threads)

    def release(self, packed: Sequence[ctypes.c_void_p]) -> None:
        """The memory of matrices."""
        for matrix in packed:
            self.call.llamaspec_release(matrix)


def weights(kind: str, rows: int, columns: int) -> NDArray[np.uint8]:
    """Of any quants; scales are positive and below 2."""
    block = BY_NAME[kind]
    return np.random.default_rng(1).integers(0, 64, (rows, columns // block.elements * block.bytes), np.uint8)


def seconds(call: Callable[[], None], times: int) -> float:
    """Of one call, on average."""
    start = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - start) / times


def rounds(calls: Sequence[Callable[[], None]], n: int) -> list[list[float]]:
    """Per call one time per round."""
    times = max(1, round(ROUND_SECONDS / seconds(calls[0], 1)))
    found: list[list[float]] = [[] for _ in calls]
    for turn in range(n):
        for i in range(len(calls)):
            which = (i + turn) % len(calls)
            found[which].append(seconds(calls[which], times))
    return found


def spread(values: Sequence[float]) -> str:
    """Median (10th, 90th percentile)."""
    tenths = quantiles(values, n=10, method="inclusive")
    return f"{median(values):.3f} ({tenths[0]:.2f}, {tenths[-1]:.2f})"


def measure(kind: str, libraries: Sequence[Library], chosen: argparse.Namespace) -> None:
    """Lines of one type."""
    n, k = (int(size) for size in chosen.shape.split("x"))
    data = weights(kind, n, k)
    count = max(1, round(chosen.megabytes * 1e6 / data.nbytes))
    packed = []
    for library in libraries:
        made = [library.pack(NUMBERS[kind], n, k, data) for _ in range(count)]
        packed.append([matrix for matrix in made if matrix])
    able = [(library, own) for library, own in zip(libraries, packed, strict=True) if own]
    for rows in chosen.rows:
        x = np.random.default_rng(rows).standard_normal((rows, k), np.float32)
        ys = [np.zeros((count, rows, n), np.float32) for _ in able]
        calls: list[Callable[[], None]] = [
            lambda library=library, own=own, x=x, y=y: library.multiply(own, x, y, chosen.threads)
            for (library, own), y in zip(able, ys, strict=True)
        ]
        if chosen.megabytes:
            calls.append(lambda: able[0][0].read(able[0][1], chosen.threads))
        times = rounds(calls, chosen.rounds)
        for i, (library, _) in enumerate(able):
            speeds, best = [count * rows * n * k / t * 1e-9 for t in times[i]], min(times[i])
            ratio = spread([a / b for a, b in zip(times[0], times[i], strict=True)])
            line = f"{kind:8} {rows:3} {library.name:10} {median(speeds):7.1f} G/s, best {max(speeds):7.1f}  x {ratio}"
            if chosen.megabytes:
                line += f"  {median(b / a for a, b in zip(times[i], times[-1], strict=True)):.2f} of a read"
                line += f", best {min(times[-1]) / best:.2f}"
            print(line + ("" if np.array_equal(ys[i], ys[0]) else "  OTHER BITS"), flush=True)
    for library, own in able:
        library.release(own)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--types", default="Q4_K,Q4_0,Q5_0,Q6_K,Q8_0", type=lambda text: text.split(","))
    parser.add_argument("--rows", default=[1, 2, 4, 8, 16], type=lambda text: [int(m) for m in text.split(",")])
    parser.add_argument("--shape", default="2048x2048")
    parser.add_argument("--megabytes", type=float, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--isa")
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    libraries = [Library(checkout.resolve(), chosen.isa) for checkout in chosen.checkouts]
    print(", ".join(f"{library.name}: {library.isa}" for library in libraries))
    for kind in chosen.types:
        measure(kind, libraries, chosen)


if __name__ == "__main__":
    main()
