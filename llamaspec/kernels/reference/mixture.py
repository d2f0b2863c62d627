"""Mixtures of experts in torch: every expert sees every row, and the unchosen ones count for nothing."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..protocol import Experts
from ..records import Routing
from .activations import gated

SMALLEST_SUM = 6.1035e-5
"""The least that normalised weights are divided by (spec/models.md 1.4)."""


def route(logits: Tensor, bias: Tensor | None, how: Routing) -> tuple[Tensor, Tensor]:
    """logits [N, E] -> experts [N, used] int64, rising in each row, and their weights. Of equal ones the first wins."""
    scores = _scores(logits, how)
    choice = scores if bias is None else scores + bias
    if how.groups > 1:
        choice = _best_groups(choice, how)
    ranked = choice.sort(dim=-1, descending=True, stable=True)[1]  # topk breaks ties at will
    by_rank = ranked[:, : how.used]
    weights = scores.gather(1, by_rank)
    if how.gating == "chosen_softmax":
        weights = torch.softmax(weights, dim=-1)
    if how.normalize:
        weights = weights / weights.sum(-1, keepdim=True).clamp(min=SMALLEST_SUM)
    if how.scale not in (0.0, 1.0):
        weights = weights * how.scale
    chosen, places = by_rank.sort(dim=-1)
    return chosen, weights.gather(1, places)


def _scores(logits: Tensor, how: Routing) -> Tensor:
    if how.gating == "softmax":
        return torch.softmax(logits, dim=-1)
    if how.gating == "sigmoid":
        return torch.sigmoid(logits)
    return F.softplus(logits).sqrt() if how.gating == "sqrt_softplus" else logits


def _best_groups(choice: Tensor, how: Routing) -> Tensor:
    """choice [N, E] -> same, -inf outside the best groups; a group is worth its two best experts."""
    each = choice.view(len(choice), how.groups, -1)
    worth = each.sort(dim=-1, descending=True, stable=True)[0][..., :2].sum(-1)
    out = worth.sort(dim=-1, descending=True, stable=True)[1][:, how.groups_used :]
    hidden = out.unsqueeze(-1).expand(-1, -1, each.shape[-1])
    return each.scatter(1, hidden, float("-inf")).flatten(1)


def evaluate(experts: Experts, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
    """x [N, D], chosen and weights [N, used] -> [N, D], added up in the order of the experts' numbers.

    No branch depends on data: which experts are chosen is data.
    """
    count = experts.up.shape[0]
    spread = torch.zeros((x.shape[0], count), device=x.device).scatter(1, chosen, weights)
    total = torch.zeros((x.shape[0], experts.down.shape[1]), device=x.device)
    for number in range(count):
        weight = spread[:, number : number + 1]
        y = _one(experts, number, x * weight if experts.weigh_input else x)
        # an unchosen expert may overflow, and 0 * inf is NaN
        total = total + torch.where(weight != 0, y if experts.weigh_input else weight * y, 0.0)
    return total


def _one(experts: Experts, number: int, x: Tensor) -> Tensor:
    gate_bias, up_bias, down_bias = (None if bias is None else bias[number] for bias in experts.biases)
    gate_scale, up_scale, down_scale = (None if scale is None else scale[number] for scale in experts.scales)
    up = _product(experts.up, number, x, up_bias, up_scale)
    gate = up if experts.gate is None else _product(experts.gate, number, x, gate_bias, gate_scale)
    inner = gated(experts.activation, gate, None if experts.gate is None else up, experts.limit)
    return _product(experts.down, number, inner, down_bias, down_scale)


def _product(stack: object, number: int, x: Tensor, bias: Tensor | None, scale: Tensor | None) -> Tensor:
    y = stack.part(number).matmul(x)  # type: ignore[attr-defined]
    y = y if bias is None else y + bias
    return y if scale is None else y * scale
