"""Randomness as a function of (seed, position, token): nothing draws from a stream, so nothing gets out of step."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

CHOICE, XTC, DRAFTER = 0, 1, 2
"""Streams: the choice of a token, the coin of XTC, what drafters draw for themselves (decisions.md, Noise)."""

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_LOW = 0xFFFFFFFF
_CHUNK = 8192
"""Columns times rows per piece on the CPU, so that every intermediate stays in the cache."""


def noise(
    seed: "int | Tensor", positions: Tensor, tokens: Tensor, stream: int = CHOICE, attempt: "int | Tensor" = 0
) -> Tensor:
    """positions [n] int64, tokens [n or 1, k] int64 -> [n, k] float32: standard Gumbel noise.

    seed and attempt: one for all rows, or [n] int64. On CUDA: no host sync and no branch on data.
    """
    # 1 - u = (2^32 - r - 0.5) / 2^32 is exact in float64, so log(1 - u) is log1p(-u); torch.log1p itself gives
    # other bits at other offsets in a vector, torch.log does not.
    rest = (4294967295.5 - _words(seed, positions, tokens, stream, attempt).double()) * 2.0**-32
    return rest.log_().neg_().log_().neg_().float()


def uniform(
    seed: "int | Tensor", positions: Tensor, tokens: Tensor, stream: int = CHOICE, attempt: "int | Tensor" = 0
) -> Tensor:
    """positions [n] int64, tokens [n or 1, k] int64 -> [n, k] float64 strictly between 0 and 1; see `noise`."""
    return (_words(seed, positions, tokens, stream, attempt).double() + 0.5) * 2.0**-32


def _words(seed: "int | Tensor", positions: Tensor, tokens: Tensor, stream: int, attempt: "int | Tensor") -> Tensor:
    """-> [n, k] int64: first output word of Philox4x32-10, key (seed), counter (token, position, stream)."""
    column = [_column(x) for x in (seed, positions, attempt)]
    if tokens.device.type != "cpu":
        return _philox(*_spread(column, tokens, stream))
    # numpy: half the cost of torch for each of the 85 small integer operations, the same words.
    column = [x if isinstance(x, int) else x.numpy() for x in column]
    host = tokens.numpy()
    n, k = max(len(positions), len(host)), host.shape[1]
    step = max(1, _CHUNK // max(1, n))
    if k <= step:
        return torch.from_numpy(_philox(*_spread(column, host, stream)))
    out = torch.empty(n, k, dtype=torch.int64)
    for at in range(0, k, step):
        out.numpy()[:, at : at + step] = _philox(*_spread(column, host[:, at : at + step], stream))
    return out


def _column(x: "int | Tensor") -> "int | Tensor":
    return x if isinstance(x, int) or not x.dim() else x.unsqueeze(-1)


def _spread(column: Sequence[Any], tokens: Any, stream: int) -> tuple[tuple[Any, ...], tuple[Any, Any]]:
    seed, position, attempt = column
    counter = tokens & _LOW, position & _LOW, (position >> 32) & _LOW, stream + 16 * attempt
    return counter, (seed & _LOW, (seed >> 32) & _LOW)


def _philox(counter: Sequence[Any], key: tuple[Any, Any]) -> Any:
    """Ten rounds on int64 arrays that hold 32-bit words (numpy or torch); the last two compute only what is read.

    Products wrap modulo 2^64 and the shift is arithmetic, so the upper half needs its mask; the lower half gets one
    from the next round's.
    """
    (a, b, c, d), (m, w) = counter, _MULTIPLIERS
    keys = [tuple((k + i * step) & _LOW for k, step in zip(key, _KEY_STEPS, strict=True)) for i in range(10)]
    for x, y in keys[:8]:
        p, q = a * m, c * w
        a, b, c, d = ((q >> 32) ^ (b ^ x)) & _LOW, q, ((p >> 32) ^ (d ^ y)) & _LOW, p
    b, c = c * w, ((a * m >> 32) ^ (d ^ keys[8][1])) & _LOW
    return ((c * w >> 32) ^ (b ^ keys[9][0])) & _LOW


def philox(counter: Sequence[int], key: Sequence[int]) -> tuple[int, int, int, int]:
    """Philox4x32-10 of four counter words and two key words, in plain integers (Salmon et al. 2011): the oracle."""
    a, b, c, d = counter
    x, y = key
    for _ in range(10):
        p, q = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (q >> 32) ^ b ^ x, q & _LOW, (p >> 32) ^ d ^ y, p & _LOW
        x, y = (x + _KEY_STEPS[0]) & _LOW, (y + _KEY_STEPS[1]) & _LOW
    return a, b, c, d


def noise_of(seed: int, position: int, token: int, stream: int = CHOICE, attempt: int = 0) -> float:
    """The same as `noise` for one token, in plain Python, in float64: the oracle."""
    counter = token & _LOW, position & _LOW, (position >> 32) & _LOW, stream + 16 * attempt
    u = (philox(counter, (seed & _LOW, (seed >> 32) & _LOW))[0] + 0.5) * 2.0**-32
    return -math.log(-math.log1p(-u))
