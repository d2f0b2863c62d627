"""The order of tokens: highest logit first, and the lowest id among equals, on every device and at every width."""

import torch
from torch import Tensor


def keys(values: Tensor, ids: "Tensor | None" = None) -> Tensor:
    """values [n, k] float32, ids [n, k] int64 (None: the column number) -> [n, k] int64, all different in a row.

    Descending keys are the order: the upper half grows with the value, the lower half falls with the id.
    """
    bits = (values + 0.0).view(torch.int32)  # -0.0 becomes 0.0: they are equal
    bits = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # negative floats count downwards in two's complement
    column = torch.arange(values.shape[-1], device=values.device) if ids is None else ids
    return (bits.long() << 32) | (0xFFFFFFFF - column)


def first(values: Tensor, ids: "Tensor | None" = None) -> Tensor:
    """values [n, k], ids [n, k] (None: the column number) -> [n] int64: id of the highest value, lowest id on ties."""
    if ids is None:
        if values.device.type == "cpu":  # numpy's is 10 times faster than torch's; both return the first
            return torch.from_numpy(values.numpy().argmax(-1))
        return values.argmax(-1)
    best = values.amax(-1, keepdim=True)
    return torch.where(values == best, ids, torch.iinfo(torch.int64).max).amin(-1)


def top(values: Tensor, ids: "Tensor | None", k: int) -> tuple[Tensor, Tensor]:
    """values [n, m], ids [n, m] (None: the column number) -> the k highest (values [n, k], ids [n, k]), best first."""
    if values.device.type == "cpu" and 2 * k < values.shape[-1]:
        at = values.topk(k, sorted=False)
        # The set is unique unless the last place is shared; only then the slower unique keys have to decide.
        if bool(((values >= at.values.amin(-1, keepdim=True)).sum(-1) == k).all()):
            values, ids = at.values, at.indices if ids is None else ids.gather(-1, at.indices)
    at = keys(values, ids).topk(k).indices
    return values.gather(-1, at), at if ids is None else ids.gather(-1, at)


def descending(values: Tensor, ids: "Tensor | None") -> Tensor:
    """values [n, k], ids [n, k] -> [n, k] int64: columns in order, best first."""
    return keys(values, ids).argsort(-1, descending=True)
