"""Attention in torch: over fixed blocks of positions, merged in order with a running maximum and sum."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..planes import Plane
from ..protocol import KV_BLOCK, KVIndex
from ..records import Attend, Index

LOWEST = torch.finfo(torch.float32).min
"""Where the running maximum starts: below every score, and finite, since a block may be out of sight of a row."""


def cells_of(index: KVIndex, where: Tensor) -> Tensor:
    """where [N, T], positions -> [N, T], the cells that hold them on each row's own path."""
    if index.paths is None:
        return where
    tail = where - index.lengths.unsqueeze(1)
    on_path = index.paths.gather(1, tail.clamp(0, index.paths.shape[1] - 1))
    return torch.where(tail >= 0, on_path, where)


def in_ring(cells: Tensor, plane: Plane) -> Tensor:
    """Cells [...] -> places in a plane; -1, a padding row's, stays the plane's last one."""
    return torch.where(cells < 0, cells, cells % plane.ring) if plane.ring else cells


def choose(q: Tensor, weights: Tensor, keys: Plane, index: KVIndex, how: Index) -> Tensor:
    """q [N, heads * size], weights [N, heads] -> [N, positions] bool: the best of those that a row sees."""
    n, device = q.shape[0], q.device
    queries = q.reshape(1, n * how.heads, how.size)
    shape = Attend(how.heads, 1, how.size, how.size, 1.0)
    shared = index.paths is None and keys.data.shape[0] == 1
    own = _SharedBlocks(keys, keys, shape) if shared else _GatheredBlocks(keys, keys, index, shape)
    scores = []
    for block in range(index.blocks):
        where = torch.arange(block * KV_BLOCK, (block + 1) * KV_BLOCK, device=device)
        similar = own.multiply(queries, own.block(block, where)[0].transpose(-1, -2)).relu()
        total = (similar.view(n, how.heads, KV_BLOCK) * weights.unsqueeze(-1)).sum(1)
        scores.append(total.masked_fill(where.unsqueeze(0) > index.positions.unsqueeze(1), float("-inf")))
    ranked = torch.cat(scores, 1).sort(dim=-1, descending=True, stable=True)[1]
    seen = torch.zeros_like(ranked, dtype=torch.bool)
    return seen.scatter(1, ranked[:, : how.used], True)


def attend(q: Tensor, keys: Plane, values: Plane, index: KVIndex, how: Attend, chosen: Tensor | None = None) -> Tensor:
    """q [N, H * key] -> [N, H * value], block by block in the order of positions. chosen: as `choose` gives it."""
    n, group = q.shape[0], how.heads // how.kv_heads
    rows_per_kv = n * group
    # [N, K, G, key] -> [K, N * G, key]: one product per kv head serves all rows and all heads of its group
    queries = (q * how.scale).view(n, how.kv_heads, group, how.key).transpose(0, 1)
    queries = queries.reshape(how.kv_heads, rows_per_kv, how.key)
    softmax = _OnlineSoftmax(how, n, q)
    shared = index.paths is None and keys.data.shape[0] == 1
    own = _SharedBlocks(keys, values, how) if shared else _GatheredBlocks(keys, values, index, how)
    for block in range(index.blocks):
        where = torch.arange(block * KV_BLOCK, (block + 1) * KV_BLOCK, device=q.device)
        hidden = where.unsqueeze(0) > index.positions.unsqueeze(1)  # [N, 256]
        if how.window:
            hidden = hidden | (where.unsqueeze(0) < _first_seen(index.positions, how).unsqueeze(1))
        if chosen is not None:
            hidden = hidden | ~chosen[:, block * KV_BLOCK : (block + 1) * KV_BLOCK]
        hidden = hidden.unsqueeze(1).expand(n, group, KV_BLOCK).reshape(rows_per_kv, KV_BLOCK)
        key, value = own.block(block, where)
        scores = own.multiply(queries, key.transpose(-1, -2))
        if how.softcap:
            scores = how.softcap * torch.tanh(scores / how.softcap)
        accumulate = _accumulator(own.multiply, value, hidden)
        softmax.merge(scores.masked_fill(hidden, float("-inf")), accumulate)
    out = softmax.result()  # [K, N * G, value]
    return out.view(how.kv_heads, n, group, how.value).transpose(0, 1).reshape(n, how.heads * how.value)


def _first_seen(positions: Tensor, how: Attend) -> Tensor:
    """positions [N] -> [N]: where each row's window begins."""
    return positions // how.window * how.window if how.chunked else positions - how.window + 1


def _accumulator(
    multiply: Callable[[Tensor, Tensor], Tensor], values: Tensor, hidden: Tensor
) -> Callable[[Tensor], Tensor]:
    """weights [K, N * G, 256] -> weighted values, where a hidden cell that is not finite reaches no row.

    0 * NaN is NaN, so such values are left out of the product, and rows that do see one become NaN.
    """
    finite = values.isfinite()
    clean = torch.where(finite, values, 0.0)
    broken = (~finite).any(-1, keepdim=True).to(values.dtype)  # [.., 256, 1]

    def accumulate(weights: Tensor) -> Tensor:
        seen = multiply((~hidden).to(values.dtype).expand_as(weights), broken)  # [K, N * G, 1]
        return torch.where(seen > 0, float("nan"), multiply(weights, clean))

    return accumulate


class _OnlineSoftmax:
    """Softmax over blocks that arrive one by one: the maximum, the sum and the weighted values so far."""

    def __init__(self, how: Attend, n: int, like: Tensor) -> None:
        rows = n * (how.heads // how.kv_heads)
        self.peak = torch.full((how.kv_heads, rows, 1), LOWEST, device=like.device, dtype=like.dtype)
        self.total = torch.zeros_like(self.peak)
        self.values = torch.zeros((how.kv_heads, rows, how.value), device=like.device, dtype=like.dtype)
        if how.sinks is not None:
            sinks = how.sinks.view(how.kv_heads, 1, -1).expand(how.kv_heads, n, -1)
            self.peak = sinks.reshape(how.kv_heads, rows, 1)
            self.total = torch.ones_like(self.peak)

    def merge(self, scores: Tensor, accumulate: Callable[[Tensor], Tensor]) -> None:
        """scores [K, N * G, 256]. A block that a row cannot see leaves the row's bits as they are."""
        peak = torch.maximum(self.peak, scores.amax(-1, keepdim=True))
        weights = torch.exp(scores - peak)
        keep = torch.exp(self.peak - peak)
        self.total = self.total * keep + weights.sum(-1, keepdim=True)
        self.values = self.values * keep + accumulate(weights)
        self.peak = peak

    def result(self) -> Tensor:
        """[K, N * G, value]."""
        return self.values / self.total


class _SharedBlocks:
    """One sequence without branches: every row reads the same cells."""

    def __init__(self, keys: Plane, values: Plane, how: Attend) -> None:
        self.keys, self.values, self.width = keys, values, how.value

    def block(self, number: int, where: Tensor) -> tuple[Tensor, Tensor]:
        """Positions `where` [256], which are cells too -> keys and values, each [K, 256, head] float32."""
        keys, values = (self._read(plane, number) for plane in (self.keys, self.values))
        return keys, values[..., : self.width]

    def _read(self, plane: Plane, number: int) -> Tensor:
        at = number % (plane.ring // KV_BLOCK) if plane.ring else number
        return plane.type.decode(plane.data[0, :, at * KV_BLOCK : (at + 1) * KV_BLOCK])

    def multiply(self, left: Tensor, other: Tensor) -> Tensor:
        """left [K, N * G, a], other [K, a, b] -> [K, N * G, b]."""
        return left @ other


class _GatheredBlocks:
    """Branches, or rows of several sequences: every row reads its own cells, put in the order of positions.

    Each row is multiplied in a product of the same shape as a shared block's and picks its own part, so that it gets
    the same bits; that costs N times the work and is the price of a reference.
    """

    def __init__(self, keys: Plane, values: Plane, index: KVIndex, how: Attend) -> None:
        self.keys, self.values, self.index, self.width = keys, values, index, how.value

    def block(self, number: int, where: Tensor) -> tuple[Tensor, Tensor]:
        """Positions `where` [256] -> keys and values, each [N, K, 256, head] float32."""
        cells = cells_of(self.index, where.unsqueeze(0).expand(len(self.index.positions), -1))
        keys, values = (self._read(plane, cells) for plane in (self.keys, self.values))
        return keys, values[..., : self.width]

    def _read(self, plane: Plane, cells: Tensor) -> Tensor:
        rows = plane.data.transpose(1, 2)  # [S, C, K, bytes]
        cells = in_ring(cells, plane).clamp(max=rows.shape[1] - 1)
        return plane.type.decode(rows[self.index.slots.unsqueeze(1), cells]).transpose(1, 2).contiguous()

    def multiply(self, left: Tensor, other: Tensor) -> Tensor:
        """left [K, N * G, a], other [N, K, a, b] -> [K, N * G, b], row n from product n."""
        kv_heads, rows_per_kv, _ = left.shape
        n = other.shape[0]
        products = (left.unsqueeze(0) @ other).view(n, kv_heads, n, rows_per_kv // n, -1)
        own = products.diagonal(dim1=0, dim2=2)  # [K, G, b, N]
        return own.permute(0, 3, 1, 2).reshape(kv_heads, rows_per_kv, -1)
