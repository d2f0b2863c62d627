"""A start that can already copy: an induction circuit laid into the first two blocks of a fresh draft.

A target this small repeats itself, so its draft must be able to continue what it has seen. Two blocks learn that only
after many more tokens than a CPU has time for; laid in as a start, it is there at once and training fits it in.
(Olsson et al. 2022, "In-context learning and induction heads".)

Block 0, head 0 looks one token back and writes that token's code into quiet directions of the residual.
Block 1, head 0 compares its own token's code with the codes so written, finds the place where its token stood before,
and copies the code of the token that followed.
"""

import torch
from torch import Tensor

from train_demo.network import ROPE_BASE, Network

_SHARP, _ALIKE = 9.0, 0.8
_FINE, _SLOW = 14, 20  # rotary pairs below turn fast enough to tell neighbours apart; pairs from here hardly turn


@torch.no_grad()
def lay(network: Network, ids: Tensor) -> None:
    """Write the circuit, fitted by least squares on ids [N, T] of the corpus. Needs two blocks."""
    if network.shape.layers < 2:
        return
    head, (first, second) = network.shape.head, network.blk[:2]
    table = network.token_embd.weight
    x = first.attn_norm(network.token_embd(ids))
    seen = x.flatten(0, 1)
    mean, spread = seen.mean(0), torch.cov(seen.T)
    values, directions = torch.linalg.eigh(spread)
    values, directions = values.flip(0), directions.flip(1)
    code_of = (directions[:, :head] / values[:head].clamp_min(1e-6).sqrt()).T
    code = (x - mean) @ code_of.T

    first.attn_q.weight[:head], first.attn_k.weight[:head] = _one_back(mean, spread, head)
    first.attn_v.weight[:head] = code_of
    first.attn_output.weight[:, :head] = directions[:, -head:] * table.square().mean().sqrt() * 2

    after = second.attn_norm(first(network.token_embd(ids), None)[0])[:, 1:].flatten(0, 1)
    own, before = code[:, 1:].flatten(0, 1), code[:, :-1].flatten(0, 1)
    half = head // 2  # the slow half of the rotary pairs, where content survives distance
    scale = (_ALIKE * head**0.5) ** 0.5
    for weight, wanted in ((second.attn_q.weight, own), (second.attn_k.weight, before)):
        weight[:half] = 0
        weight[half:head] = scale * _fit(after, wanted[:, :half])
    second.attn_v.weight[:head] = _fit(after, own)
    rows = table[ids[:, 1:]].flatten(0, 1)
    second.attn_output.weight[:, :head] = 2 * _fit(own, rows - rows.mean(0))


def _one_back(mean: Tensor, spread: Tensor, head: int) -> tuple[Tensor, Tensor]:
    """Query and key [head, width] whose score is highest one position back, whatever the tokens."""
    steady = torch.linalg.solve(spread + 1e-3 * torch.eye(len(mean), device=mean.device), mean)
    steady = steady / (steady @ mean)  # steady @ x is about 1 for every token
    turn = ROPE_BASE ** (-torch.arange(0, head, 2, device=mean.device, dtype=torch.float32) / head)
    query, key = torch.zeros(head, len(mean), device=mean.device), torch.zeros(head, len(mean), device=mean.device)
    for pair in range(head // 2):
        even, odd = 2 * pair, 2 * pair + 1
        if pair < _FINE:
            query[even] = _SHARP * steady
            key[even], key[odd] = _SHARP * turn[pair].cos() * steady, _SHARP * turn[pair].sin() * steady
        elif pair >= _SLOW:
            # Takes off what is common to all distances: else a key's size outweighs its distance.
            query[even] = _SHARP * steady
            key[even] = -_SHARP * turn[:_FINE].cos().sum() / (head // 2 - _SLOW) * steady
    return query, key


def _fit(x: Tensor, y: Tensor) -> Tensor:
    """Least squares x [N, a], y [N, b] -> weight [b, a], a little ridged."""
    return torch.linalg.solve(x.T @ x + torch.eye(x.shape[1], device=x.device), x.T @ y).T
