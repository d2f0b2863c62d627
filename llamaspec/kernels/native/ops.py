"""Norm, rotary positions, attention and element-wise functions over torch tensors on the CPU, all float32.

Each keeps its order of reduction whatever the number of rows and threads.
"""

from ctypes import byref
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .. import held
from .library import Attention, library
from .packed import as_float32
from .threads import how_many

if TYPE_CHECKING:
    from ..dispatch import KVIndex


KV_TYPES = {torch.float32: 0, torch.float16: 1, held.Q8_0: 2, torch.bfloat16: 3}
"""What a cache can hold, as numbered in table.h."""


def rms_norm(x: Tensor, weight: Tensor | None, eps: float, threads: int | None = 1) -> Tensor:
    """x [..., D], weight [D] or None -> [..., D]: x / sqrt(mean(x^2) + eps) * weight."""
    width = x.shape[-1]
    x = as_float32(x, width)
    y = torch.empty(x.shape)
    scale = None if weight is None else as_float32(weight, width).data_ptr()
    library().rms_norm(
        x.data_ptr(), scale, y.data_ptr(), x.numel() // width if width else 0, width, eps, how_many(threads)
    )
    return y


def rotate(x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool, threads: int | None = 1) -> Tensor:
    """x [N, H, head], cos and sin [N, n_rot / 2] -> [N, H, head]; pairs (2j, 2j + 1) if interleaved, else halves."""
    n, heads, width = x.shape
    half = cos.shape[-1]
    if cos.shape != (n, half) or sin.shape != (n, half) or 2 * half > width:
        raise ValueError(f"cos {list(cos.shape)} and sin {list(sin.shape)} do not fit x {list(x.shape)}")
    x, cos, sin = as_float32(x, width), as_float32(cos, half), as_float32(sin, half)
    y = torch.empty(x.shape)
    library().rotate(
        x.data_ptr(),
        y.data_ptr(),
        n,
        heads,
        width,
        cos.data_ptr(),
        sin.data_ptr(),
        half,
        interleaved,
        how_many(threads),
    )
    return y


def silu_mul(gate: Tensor, up: Tensor, threads: int | None = 1) -> Tensor:
    """gate, up [N, F] -> silu(gate) * up."""
    if gate.shape != up.shape:
        raise ValueError(f"gate {list(gate.shape)} and up {list(up.shape)} differ")
    gate, up = as_float32(gate, gate.shape[-1]), as_float32(up, up.shape[-1])
    y = torch.empty(gate.shape)
    library().silu_mul(gate.data_ptr(), up.data_ptr(), y.data_ptr(), gate.numel(), how_many(threads))
    return y


def add(a: Tensor, b: Tensor, threads: int | None = 1) -> Tensor:
    """a, b of one shape -> a + b."""
    if a.shape != b.shape:
        raise ValueError(f"{list(a.shape)} and {list(b.shape)} differ")
    a, b = as_float32(a, a.shape[-1]), as_float32(b, b.shape[-1])
    y = torch.empty(a.shape)
    library().add(a.data_ptr(), b.data_ptr(), y.data_ptr(), a.numel(), how_many(threads))
    return y


def store(x: Tensor, cache: Tensor, slots: Tensor, cells: Tensor) -> None:
    """x [N, K, head] goes to cache [S, K, C, head] (a type of KV_TYPES), row n to cell cells[n] of slot slots[n]."""
    n, heads, width = x.shape
    sizes, steps = cache.shape, cache.stride()
    if sizes[1] != heads or held.row_values(cache) != width or steps[3] != 1 or cache.dtype not in KV_TYPES:
        raise ValueError(f"x {list(x.shape)} does not fit a cache {list(sizes)} of {cache.dtype}")
    x, slots, cells = as_float32(x, width), as_index(slots, n), as_index(cells, n)
    if n and not (
        0 <= int(slots.min()) <= int(slots.max()) < sizes[0] and 0 <= int(cells.min()) <= int(cells.max()) < sizes[2]
    ):
        raise IndexError(f"slots or cells outside a cache {list(sizes)}")
    library().store(
        x.data_ptr(), cache.data_ptr(), slots.data_ptr(), cells.data_ptr(), n, heads, width, *steps[:3],
        KV_TYPES[cache.dtype],
    )  # fmt: skip


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    index: "KVIndex",
    scale: float,
    *,
    window: int = 0,
    softcap: float = 0.0,
    sinks: Tensor | None = None,
    threads: int | None = None,
) -> Tensor:
    """q [N, H, head], k and v [S, K, C, head] (types of KV_TYPES) -> [N, H, head_v].

    Which cells a row sees: `dispatch.KVIndex`. window: only the last so many positions (0: all). softcap: scores become
    softcap * tanh(score / softcap) (0: off). sinks [H]: a logit per head that is part of the softmax but has no value.
    """
    n, heads, width = q.shape
    _, kv_heads, cells, _ = k.shape
    value_width = held.row_values(v)
    if held.row_values(k) != width or v.shape[:3] != k.shape[:3] or heads % kv_heads:
        raise ValueError(f"q {list(q.shape)}, k {list(k.shape)} and v {list(v.shape)} do not fit")
    if k.dtype not in KV_TYPES or v.dtype not in KV_TYPES or k.stride(3) != 1 or v.stride(3) != 1:
        raise ValueError(f"a cache of {k.dtype} and {v.dtype}: KV_TYPES with dense heads are needed")
    q, positions, of_slot = as_float32(q, width), as_index(index.positions, n), as_index(index.slots, n)
    lengths = as_index(index.lengths, n)
    out = torch.empty((n, heads, value_width))
    paths, path_width = None, 0
    if index.paths is not None:
        rows_of_paths = index.paths.to(torch.int64).contiguous()
        paths, path_width = rows_of_paths.data_ptr(), rows_of_paths.shape[1]
    logits = None if sinks is None else as_float32(sinks, heads)
    call = Attention(
        q.data_ptr(), k.data_ptr(), v.data_ptr(), out.data_ptr(), None if logits is None else logits.data_ptr(),
        positions.data_ptr(), of_slot.data_ptr(), lengths.data_ptr(), paths,
        path_width, n, heads, kv_heads, width, value_width, cells,
        *k.stride()[:3], *v.stride()[:3], heads * width, heads * value_width, window,
        scale, softcap, KV_TYPES[k.dtype], KV_TYPES[v.dtype],
    )  # fmt: skip
    if library().attend(byref(call), how_many(threads)):
        raise MemoryError("attention")
    return out


def as_index(x: Tensor, n: int) -> Tensor:
    """x [n] as contiguous int64 on the CPU."""
    if x.shape != (n,):
        raise ValueError(f"{list(x.shape)} values for {n} rows")
    return x if x.dtype is torch.int64 and x.is_contiguous() else x.to(torch.int64).contiguous()
