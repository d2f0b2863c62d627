"""Randomness as a function of (seed, position, token): nothing draws from a stream, so nothing gets out of step."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Array, namespace

CHOICE, XTC, DRAFTER = 0, 1, 2
"""Streams: the choice of a token, the coin of XTC, what drafters draw for themselves (decisions.md, Noise)."""

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_LOW = 0xFFFFFFFF
_CHUNK = 8192
"""Columns times rows per piece on the CPU, so that every intermediate stays in the processor's cache."""


def noise(seed: int | Array, positions: Array, tokens: Array, stream: int = CHOICE, attempt: int | Array = 0) -> Array:
    """positions [n] int64, tokens [n or 1, k] int64 -> [n, k] float32: standard Gumbel noise.

    seed and attempt: one for all rows, or [n] int64. On CUDA: no host sync and no branch on data.
    """
    # 1 - u = (2^32 - r - 0.5) / 2^32 is exact in float64, so log(1 - u) is log1p(-u); torch's log1p itself gives
    # other bits at other offsets in a vector, log does not.
    words = _words(seed, positions, tokens, stream, attempt)
    xp = namespace(words)
    rest = (4294967295.5 - xp.astype(words, xp.float64)) * 2.0**-32
    return xp.astype(-xp.log(-xp.log(rest)), xp.float32)


def uniform(
    seed: int | Array, positions: Array, tokens: Array, stream: int = CHOICE, attempt: int | Array = 0
) -> Array:
    """positions [n] int64, tokens [n or 1, k] int64 -> [n, k] float64 strictly between 0 and 1; see `noise`."""
    words = _words(seed, positions, tokens, stream, attempt)
    xp = namespace(words)
    return (xp.astype(words, xp.float64) + 0.5) * 2.0**-32


def _words(seed: int | Array, positions: Array, tokens: Array, stream: int, attempt: int | Array) -> Array:
    """-> [n, k] int64: first output word of Philox4x32-10, key (seed), counter (token, position, stream)."""
    column = [_column(x) for x in (seed, positions, attempt)]
    n, k = max(len(positions), len(tokens)), tokens.shape[1]
    step = max(1, _CHUNK // max(1, n))
    if k <= step or not isinstance(tokens, np.ndarray):
        return _philox(*_spread(column, tokens, stream))
    out = np.empty((n, k), np.int64)
    for at in range(0, k, step):
        out[:, at : at + step] = _philox(*_spread(column, tokens[:, at : at + step], stream))
    return out


def _column(x: int | Array) -> int | Array:
    return x if isinstance(x, int) or not x.ndim else x[..., None]


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
