"""Changing the logits of a few tokens, wherever their columns are."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def edit(
    logits: Tensor,
    ids: "Tensor | None",
    tokens: Tensor,
    values: Tensor,
    change: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """logits [n, k], ids [n, k] or None, tokens [t] (all different), values [t] -> [n, k].

    change(logit, value) is elementwise; tokens without a column are left out when there are ids.
    """
    if ids is None:
        return logits.index_copy(-1, tokens, change(logits.index_select(-1, tokens), values))
    hit = ids.unsqueeze(-1) == tokens
    value = torch.where(hit, values, 0.0).sum(-1)  # at most one of the terms is not 0
    return torch.where(hit.any(-1), change(logits, value), logits)


def columns_of(table: Mapping[int, float], logits: Tensor, ids: "Tensor | None") -> tuple[Tensor, Tensor]:
    """token -> value, logits [n, V] -> tokens [t] int64, values [t] float32, without ids beyond the vocabulary."""
    width = logits.shape[-1]
    known = {token: value for token, value in table.items() if ids is not None or token < width}
    tokens = torch.tensor(list(known), dtype=torch.int64, device=logits.device)
    return tokens, torch.tensor(list(known.values()), dtype=torch.float32, device=logits.device)
