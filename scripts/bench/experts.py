"""A mixture of experts on the native kernels: each expert for its own rows against every expert for all rows.

    python scripts/bench/experts.py --experts 8 --used 2 --width 512 --inner 1024 --threads 2

Both alternate in one process, on the same weights; the median of the runs and (10th, 90th percentile) are shown, in
microseconds per layer, router included.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from llamaspec.kernels.native.kernels import Native
from llamaspec.layers.linear import Linear
from llamaspec.layers.mlp import SwiGLU
from llamaspec.layers.moe import Experts
from llamaspec.weights.tensor import QuantizedTensor
from llamaspec.weights.types import BY_NAME


def linear(kernels: Native, kind: str, out: int, inner: int, draw: torch.Generator) -> Linear:
    """Random weights: floats are normal, of the others every bit pattern is a valid block."""
    if kind == "F32":
        data = torch.randn(out, inner, generator=draw).mul_(inner**-0.5).view(torch.uint8)
    else:
        block = BY_NAME[kind]
        size = (out, inner // block.elements * block.bytes)
        data = torch.randint(0, 32, size, dtype=torch.uint8, generator=draw)  # small bytes are small half floats
    return Linear(kernels.prepare(QuantizedTensor(data.view(out, -1), kind, (out, inner), kind)), None, kernels)


def layer(options: argparse.Namespace, kernels: Native, draw: torch.Generator) -> Experts:
    """A router and its experts."""
    d, f, kind = options.width, options.inner, options.type
    experts = []
    for _ in range(options.experts):
        gate, up = (linear(kernels, kind, f, d, draw) for _ in range(2))
        experts.append(SwiGLU(gate, up, linear(kernels, kind, d, f, draw), kernels))
    return Experts(linear(kernels, "F32", options.experts, d, draw), experts, options.used)


def seconds(layers: Sequence[Experts], x: torch.Tensor) -> float:
    """Per layer."""
    start = time.perf_counter()
    for part in layers:
        part(x, x)
    return (time.perf_counter() - start) / len(layers)


def show(values: Sequence[float], factor: float = 1.0, digits: int = 0) -> str:
    """Median (10th, 90th percentile)."""
    low, high = np.percentile(values, (10, 90)) * factor
    return f"{statistics.median(values) * factor:.{digits}f} ({low:.{digits}f}, {high:.{digits}f})"


def main() -> None:
    """Print one line per number of rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"experts": 8, "used": 2, "width": 512, "inner": 1024, "layers": 8, "threads": 2, "runs": 31}
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--type", default="Q4_K")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 4, 8, 16, 64])
    options = parser.parse_args()
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(1)
    layers = [layer(options, Native(options.threads), draw) for _ in range(options.layers)]
    gathered = [part.gathered for part in layers]
    print("| rows | every expert, us | own rows, us | ratio run by run |\n|---|---|---|---|")
    with torch.inference_mode():
        for rows in options.rows:
            x = torch.randn(rows, options.width, generator=draw)
            dense, own = [], []
            for _ in range(options.runs + 2):
                for part in layers:
                    part.gathered = None
                dense.append(seconds(layers, x))
                for part, mixture in zip(layers, gathered, strict=True):
                    part.gathered = mixture
                own.append(seconds(layers, x))
            dense, own = dense[2:], own[2:]
            ratios = [a / b for a, b in zip(dense, own, strict=True)]
            print(f"| {rows} | {show(dense, 1e6)} | {show(own, 1e6)} | {show(ratios, digits=2)} |", flush=True)


if __name__ == "__main__":
    main()
