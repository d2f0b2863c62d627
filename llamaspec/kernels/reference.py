"""The back end that defines what is right: plain torch, any device, float32 wherever sums are made."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ..weights.tensor import QuantizedTensor
from . import held as store
from .dispatch import BlockParts, EndParts, ExpertParts, KVIndex, Matrix, dequantize, rows

PASS_ROWS = 16
"""Torch's matrix products give a row the same bits at any place of a fixed width, but not at any width."""
KV_BLOCK = 256
"""Positions per attention block: merged in order with a running maximum, whatever the extent of the cache."""


class DenseMatrix:
    """A weight unpacked once."""

    def __init__(self, values: Tensor) -> None:
        self.values = values
        self.shape = tuple(values.shape)

    def matmul(self, x: Tensor) -> Tensor:
        """x [N, in] -> [N, out] float32."""
        return F.linear(x.to(self.values.dtype), self.values).float()

    def rows(self, ids: Tensor) -> Tensor:
        """ids [N] -> [N, in] float32."""
        return self.values.index_select(0, ids).float()


class PackedMatrix:
    """A weight unpacked at every use: slow, for models that do not fit unpacked.

    What it is unpacked into lives for one product; in a CUDA graph all layers share that piece of the graph's memory.
    The values, and so the bits, are those of a DenseMatrix.
    """

    def __init__(self, weight: QuantizedTensor, dtype: torch.dtype) -> None:
        self.weight, self.dtype = weight, dtype
        self.shape = weight.shape

    def matmul(self, x: Tensor) -> Tensor:
        """x [N, in] -> [N, out] float32."""
        return F.linear(x.to(self.dtype), dequantize(self.weight).to(self.dtype)).float()

    def rows(self, ids: Tensor) -> Tensor:
        """ids [N] -> [N, in] float32."""
        return rows(self.weight, ids)


class Separately:
    """Matrices of one input, one product each."""

    def __init__(self, matrices: Sequence[Matrix], biases: Sequence[Tensor | None]) -> None:
        self.parts = list(zip(matrices, biases, strict=True))

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> list[Tensor]:
        """x [N, in] -> [N, out_i] of each matrix; residual [N, out_0] is added to the first."""
        products = [matrix.matmul(x) if b is None else matrix.matmul(x) + b for matrix, b in self.parts]
        if residual is not None:
            products[0] = residual + products[0]
        return products


class Reference:
    """Torch kernels. On CUDA, weights live in bfloat16 (float16 for F16 files, float32 for F32 ones)."""

    name = "reference"
    pass_rows = PASS_ROWS

    def __init__(self, device: torch.device, resident: bool = True) -> None:
        self.device = device
        self.resident = resident
        cpu = device.type == "cpu"
        self.prompt_rows = PASS_ROWS if cpu else 512
        self.cache_type = torch.float32 if cpu else torch.float16

    def prepare(self, weight: QuantizedTensor) -> DenseMatrix | PackedMatrix:
        """Unpack once if weights are to be resident."""
        weight = weight.to(self.device)
        dtype = torch.float32
        if self.device.type != "cpu" and weight.type != "F32":
            dtype = torch.float16 if weight.type == "F16" else torch.bfloat16
        return DenseMatrix(dequantize(weight).to(dtype)) if self.resident else PackedMatrix(weight, dtype)

    def together(self, matrices: Sequence[Matrix], biases: Sequence[Tensor | None]) -> Separately:
        """One product per matrix."""
        return Separately(matrices, biases)

    def gather(self, experts: Sequence[ExpertParts]) -> None:
        """Which experts are chosen is data, and no branch may depend on it."""

    def fuse(self, blocks: Sequence[BlockParts], ends: EndParts) -> None:
        """Torch evaluates part by part."""

    def append(self, held: Tensor, x: Tensor, slots: Tensor, cells: Tensor) -> None:
        """x [N, K, head] into cells [N] of slots [N] of held [S, K, C, head]."""
        held.transpose(1, 2).index_put_((slots, cells), store.packed(x, held.dtype))

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """x [..., D] -> x / sqrt(mean(x^2) + eps) * weight."""
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weight

    def rotate(self, x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool) -> Tensor:
        """x [N, H, head] -> same (spec/models.md 1.2)."""
        n_rot = 2 * cos.shape[-1]
        cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)  # [N, 1, n_rot / 2]
        turned, rest = x[..., :n_rot], x[..., n_rot:]
        if interleaved:
            a, b = turned[..., 0::2], turned[..., 1::2]
            turned = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)
        else:
            a, b = turned.chunk(2, dim=-1)
            turned = torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
        return turned if rest.shape[-1] == 0 else torch.cat((turned, rest), dim=-1)

    def silu_mul(self, gate: Tensor, up: Tensor) -> Tensor:
        """gate, up [N, F] -> silu(gate) * up."""
        return F.silu(gate) * up

    def attend(self, q: Tensor, k: Tensor, v: Tensor, index: KVIndex, scale: float) -> Tensor:
        """q [N, H, head], k and v [S, K, C, head] -> [N, H, head_v], block by block in the order of positions."""
        n, heads, width = q.shape
        kv_heads = k.shape[1]
        rows_per_kv = n * (heads // kv_heads)
        # [N, K, G, head] -> [K, N * G, head]: one product per kv head serves all rows and all heads of its group
        queries = (q * scale).view(n, kv_heads, -1, width).transpose(0, 1).reshape(kv_heads, rows_per_kv, width)
        running = _Running(kv_heads, rows_per_kv, store.row_values(v), q)
        own = _GatheredBlocks(k, v, index) if index.paths is not None or k.shape[0] > 1 else _SharedBlocks(k, v)
        for block in range(index.blocks):
            where = torch.arange(block * KV_BLOCK, (block + 1) * KV_BLOCK, device=q.device)  # positions
            hidden = where.unsqueeze(0) > index.positions.unsqueeze(1)  # [N, 256]
            hidden = hidden.unsqueeze(1).expand(n, heads // kv_heads, KV_BLOCK).reshape(rows_per_kv, KV_BLOCK)
            keys, values = own.block(block, where)
            scores = own.multiply(queries, keys.transpose(-1, -2)).masked_fill(hidden, float("-inf"))
            running.merge(scores, partial(own.multiply, other=values))
        out = running.result()  # [K, N * G, head]
        return out.view(kv_heads, n, -1, width).transpose(0, 1).reshape(n, heads, -1)


class _Running:
    """Softmax over blocks that arrive one by one: the maximum, the sum and the weighted values so far."""

    def __init__(self, kv_heads: int, rows: int, width: int, like: Tensor) -> None:
        self.peak = torch.full((kv_heads, rows, 1), float("-inf"), device=like.device, dtype=like.dtype)
        self.total = torch.zeros_like(self.peak)
        self.values = torch.zeros((kv_heads, rows, width), device=like.device, dtype=like.dtype)

    def merge(self, scores: Tensor, weigh: Callable[[Tensor], Tensor]) -> None:
        """scores [K, N * G, 256]. A block that a row cannot see leaves the row's bits as they are."""
        peak = torch.maximum(self.peak, scores.amax(-1, keepdim=True))
        weights = torch.exp(scores - peak)
        keep = torch.exp(self.peak - peak)
        self.total = self.total * keep + weights.sum(-1, keepdim=True)
        self.values = self.values * keep + weigh(weights)
        self.peak = peak

    def result(self) -> Tensor:
        """[K, N * G, head]."""
        return self.values / self.total


class _SharedBlocks:
    """One sequence without branches: every row reads the same cells."""

    def __init__(self, k: Tensor, v: Tensor) -> None:
        self.k, self.v = k[0], v[0]

    def block(self, number: int, where: Tensor) -> tuple[Tensor, Tensor]:
        """Positions `where` [256], which are cells too -> keys and values, each [K, 256, head] float32."""
        cells = slice(number * KV_BLOCK, (number + 1) * KV_BLOCK)
        return store.loaded(self.k[:, cells]), store.loaded(self.v[:, cells])

    def multiply(self, left: Tensor, other: Tensor) -> Tensor:
        """left [K, N * G, a], other [K, a, b] -> [K, N * G, b]."""
        return left @ other


class _GatheredBlocks:
    """Branches, or rows of several sequences: every row reads its own cells, put in the order of positions.

    Each row is multiplied in a product of the same shape as a shared block's and picks its own part, so that it gets
    the same bits; that costs N times the work and is the price of a reference.
    """

    def __init__(self, k: Tensor, v: Tensor, index: KVIndex) -> None:
        self.k, self.v, self.index = k.transpose(1, 2), v.transpose(1, 2), index  # [S, C, K, head]

    def block(self, number: int, where: Tensor) -> tuple[Tensor, Tensor]:
        """Positions `where` [256] -> keys and values, each [N, K, 256, head] float32."""
        index, cells = self.index, where.unsqueeze(0).expand(len(self.index.positions), -1)
        if index.paths is not None:
            tail = cells - index.lengths.unsqueeze(1)
            on_path = index.paths.gather(1, tail.clamp(0, index.paths.shape[1] - 1))
            cells = torch.where(tail >= 0, on_path, cells)
        cells = cells.clamp(max=self.k.shape[1] - 1)
        slots = index.slots.unsqueeze(1)
        keys, values = store.loaded(self.k[slots, cells]), store.loaded(self.v[slots, cells])  # [N, 256, K, head]
        return keys.transpose(1, 2).contiguous(), values.transpose(1, 2).contiguous()

    def multiply(self, left: Tensor, other: Tensor) -> Tensor:
        """left [K, N * G, a], other [N, K, a, b] -> [K, N * G, b], row n from product n."""
        kv_heads, rows_per_kv, _ = left.shape
        n = other.shape[0]
        products = (left.unsqueeze(0) @ other).view(n, kv_heads, n, rows_per_kv // n, -1)
        own = products.diagonal(dim1=0, dim2=2)  # [K, G, b, N]
        return own.permute(0, 3, 1, 2).reshape(kv_heads, rows_per_kv, -1)
