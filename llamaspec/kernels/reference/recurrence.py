"""Recurrent layers in torch: short convolutions, and the gated delta rule with a state per row of the pass."""

import torch
from torch import Tensor

from ..kv_types import F32
from ..planes import Plane
from ..protocol import Batch, KVIndex
from ..records import Delta
from .attention import cells_of, in_ring

ROWS = 16
"""Most rows of a branch: every one of them has a state of its own until some are committed."""
SPARE = ROWS + 1
"""Where padding rows leave theirs. Place 0 is the state behind the committed tokens."""


def conv(plane: Plane, index: KVIndex, weight: Tensor, bias: Tensor | None) -> Tensor:
    """weight [C, kernel] -> [N, C]: the last inputs of each row's own path, zeros before the first."""
    kernel = weight.shape[1]
    where = index.positions.unsqueeze(1) + torch.arange(1 - kernel, 1, device=weight.device)  # [N, kernel]
    cells = in_ring(cells_of(index, where.clamp(min=0)), plane)
    inputs = plane.type.decode(plane.data[index.slots.unsqueeze(1), 0, cells])  # [N, kernel, C]
    inputs = torch.where((where >= 0).unsqueeze(-1), inputs, 0.0)
    total = torch.zeros_like(inputs[:, 0])
    for step in range(kernel):
        total = total + inputs[:, step] * weight[:, step]
    return total if bias is None else total + bias


def delta(
    states: Tensor, batch: Batch, q: Tensor, k: Tensor, v: Tensor, beta: Tensor, decay: Tensor, how: Delta
) -> Tensor:
    """states [S, heads, SPARE + 1, bytes] -> [N, heads * value]: every row from the state of the one before it."""
    n, index = q.shape[0], batch.index
    keys, queries = (_for_values(x.reshape(n, how.key_heads, how.size), how) for x in (k, q * how.scale))
    values = v.reshape(n, how.heads, how.value)
    before = cells_of(index, (index.positions - 1).unsqueeze(1)).squeeze(1) - index.lengths + 1
    real = batch.cells >= 0
    before = torch.where(real & (index.positions > index.lengths), before, 0)
    places = torch.where(real, batch.cells - index.lengths + 1, SPARE)
    by_row = F32.decode(states)  # [S, heads, places, size * value]: a view
    outputs = []
    for row in range(n):
        slot, here = index.slots[row : row + 1], slice(row, row + 1)
        state = by_row[slot, :, before[here]].view(how.heads, how.size, how.value)
        state = state * decay[row].view(how.heads, -1, 1)
        value = values[row]
        if how.corrected:
            value = value - torch.einsum("hkv,hk->hv", state, keys[row])
        value = value * beta[row].unsqueeze(-1)
        state = state + keys[row].unsqueeze(-1) * value.unsqueeze(1)
        by_row[slot, :, places[here]] = state.view(1, how.heads, -1)
        outputs.append(torch.einsum("hkv,hk->hv", state, queries[row]).reshape(1, -1))
    return torch.cat(outputs)


def _for_values(x: Tensor, how: Delta) -> Tensor:
    """x [N, key heads, size] -> [N, heads, size]: the key head of each value head."""
    share = how.heads // how.key_heads
    return x.repeat(1, share, 1) if how.tiled else x.repeat_interleave(share, dim=1)
