"""Logit bias: adds to the logits of chosen tokens, before everything else; -inf forbids a token."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

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
        self.tokens = torch.tensor(list(total), dtype=torch.int64)
        self.values = torch.tensor(list(total.values()), dtype=torch.float32)

    @classmethod
    def build(cls, params: "SamplerParams", vocab: "Vocab | None") -> "Sampler | None":
        """None without biases."""
        return cls(params.logit_bias, vocab.n_vocab if vocab else None) if params.logit_bias else None

    def apply(self, logits: Tensor, rows: Rows, state: Any = None) -> Tensor:
        """logits [n, V] -> [n, V]."""
        if self.tokens.device != logits.device:  # moved once, before a CUDA graph is captured
            self.tokens, self.values = self.tokens.to(logits.device), self.values.to(logits.device)
        return edit(logits, rows.ids, self.tokens, self.values, torch.add)
