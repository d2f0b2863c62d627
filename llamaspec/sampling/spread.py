"""Values that belong to a few tokens, laid out over the columns of a logits matrix."""

from collections.abc import Sequence

import torch
from torch import Tensor


def spread(
    tokens: "Sequence[int] | Tensor", values: "Sequence[float] | Tensor", like: Tensor, ids: "Tensor | None"
) -> Tensor:
    """tokens [t] (all different), values [t], like [n, k], ids [n, k] or None -> [n or 1, k] float32, 0 elsewhere.

    A token that is no column (an id beyond the vocabulary, or cut off by top_k) is left out.
    """
    at = torch.as_tensor(tokens, dtype=torch.int64, device=like.device)
    given = torch.as_tensor(values, dtype=torch.float32, device=like.device)
    if ids is not None:
        return torch.where(ids.unsqueeze(-1) == at, given, 0.0).sum(-1)  # at most one of the terms is not 0
    width = like.shape[-1]
    out = torch.zeros(1, width + 1, dtype=torch.float32, device=like.device)  # the last column swallows strangers
    return out.index_copy(-1, at.clamp(max=width), given.unsqueeze(0))[:, :width]
