"""Logit bias: adds to the logits of chosen tokens, before everything else; -inf forbids a token."""

import math
from collections.abc import Sequence
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Array, like
from ...errors import UsageError
from ..edit import edit
from ..sampler import Rows, Stateless

if TYPE_CHECKING:
    from ..params import SamplerParams
    from ..sampler import Vocab


class Sampler(Stateless):
    """Biases of the same token add up. Raises UsageError for a bias of inf or NaN, or an id outside the vocabulary."""

    name, letter = "logit_bias", ""

    def __init__(self, biases: Sequence[tuple[int, float]], n_vocab: "int | None" = None) -> None:
        total: dict[int, float] = {}
        for token, bias in biases:
            if math.isnan(bias) or bias == math.inf:
                raise UsageError(f"logit bias of token {token} is {bias}", hint="a number, or -inf to forbid the token")
            if token < 0 or (n_vocab is not None and token >= n_vocab):
                of = "" if n_vocab is None else f" of {n_vocab} tokens"
                raise UsageError(f"logit bias for token {token}, which is not in the vocabulary{of}")
            total[token] = total.get(token, 0.0) + bias
        self.tokens: Array = np.array(list(total), np.int64)
        self.values: Array = np.array(list(total.values()), np.float32)

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None without biases."""
        return cls(params.logit_bias, vocab.n_vocab if vocab else None) if params.logit_bias else None

    def apply(self, logits: Array, rows: Rows, state: Any = None) -> Array:
        """logits [n, V] -> [n, V]."""
        if self.tokens.device != logits.device:  # moved once, before a CUDA graph is captured
            self.tokens, self.values = like(self.tokens, logits), like(self.values, logits, "float32")
        return edit(logits, rows.ids, self.tokens, self.values, add)
