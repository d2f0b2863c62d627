"""Losses over the vocabulary in slices of rows, so that logits never lie in memory as a whole."""

from typing import Any

import torch
from torch import Tensor

_ROWS = 1024


class NextToken(torch.autograd.Function):
    """Mean cross-entropy of tied logits: features [N, width], embedding [vocab, width], next ids [N] -> scalar.

    The gradient is made on the way forward, slice by slice, in bfloat16 products.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, ids: Tensor) -> Tensor:
        table = weight.to(torch.bfloat16)
        total = features.new_zeros((), dtype=torch.float32)
        d_features, d_weight = [], torch.zeros_like(weight)
        for x, y in zip(features.to(torch.bfloat16).split(_ROWS), ids.split(_ROWS), strict=True):
            p = (x @ table.T).float()
            p -= p.amax(1, keepdim=True)
            picked = p.gather(1, y[:, None])
            p.exp_()
            mass = p.sum(1, keepdim=True)
            total += (mass.log() - picked).sum()
            p.div_(mass).scatter_add_(1, y[:, None], torch.full_like(picked, -1.0))
            d = p.to(torch.bfloat16)
            d_features.append(d @ table)
            d_weight += d.T @ x
        ctx.save_for_backward(torch.cat(d_features), d_weight)
        return total / len(ids)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        d_features, d_weight = ctx.saved_tensors
        scale = grads[0] / len(d_features)
        return d_features * scale, d_weight * scale, None


class Imitation(torch.autograd.Function):
    """Mean KL(teacher || student) + `hard` * cross-entropy with the teacher's best token.

    Student features [N, w], its embedding [vocab, w], teacher features [N, v], its embedding [vocab, v] -> scalar,
    and (not differentiated) the share of rows whose best tokens agree.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, teacher: Tensor, teacher_weight: Tensor, hard: float
    ) -> tuple[Tensor, Tensor]:
        table, wise = weight.to(torch.bfloat16), teacher_weight.to(torch.bfloat16)
        total = features.new_zeros((), dtype=torch.float32)
        agree = torch.zeros_like(total)
        d_features, d_weight = [], torch.zeros_like(weight)
        for x, t in zip(features.to(torch.bfloat16).split(_ROWS), teacher.to(torch.bfloat16).split(_ROWS), strict=True):
            q = (t @ wise.T).float()
            best = q.argmax(1, keepdim=True)
            log_q = q.log_softmax(1)
            log_p = (x @ table.T).float()
            agree += (log_p.argmax(1, keepdim=True) == best).sum()
            log_p = log_p.log_softmax(1)
            q = log_q.exp()
            total += (q * (log_q - log_p)).sum() - hard * log_p.gather(1, best).sum()
            q.scatter_add_(1, best, torch.full_like(best, hard, dtype=q.dtype))
            d = log_p.exp_().mul_(1 + hard).sub_(q).to(torch.bfloat16)
            d_features.append(d @ table)
            d_weight += d.T @ x
        ctx.save_for_backward(torch.cat(d_features), d_weight)
        ctx.mark_non_differentiable(agree)
        return total / len(features), agree / len(features)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        d_features, d_weight = ctx.saved_tensors
        scale = grads[0] / len(d_features)
        return d_features * scale, d_weight * scale, None, None, None
