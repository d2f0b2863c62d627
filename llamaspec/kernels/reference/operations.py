"""The operations of one pass in torch, computed one by one. No host synchronisation, no branch on data."""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..protocol import Batch, Experts, Output, Store
from ..records import Activation, Attend, Delta, Index, NormKind, Routing, Temper
from . import attention, mixture, recurrence
from .activations import gated
from .matrices import SeparateProjections, TorchMatrix


class Rotation:
    """cos and sin of every rotated pair at given positions, computed in float64."""

    def __init__(self, frequencies: Tensor, amplitude: float, interleaved: bool) -> None:
        self.frequencies, self.amplitude, self.interleaved = frequencies, amplitude, interleaved

    def angles(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """positions [N] -> cos, sin, each [N, width / 2] float32."""
        angles = positions.to(torch.float64).unsqueeze(1) * self.frequencies
        return (angles.cos() * self.amplitude).float(), (angles.sin() * self.amplitude).float()


class TorchOperations:
    """Values are tensors [N, width]."""

    def __init__(self, batch: Batch, stores: Sequence[Store], features: Sequence[int]) -> None:
        self.batch, self.stores, self.asked = batch, stores, frozenset(features)
        self.features: dict[int, Tensor] = {}
        self.logits: Tensor | None = None
        self.turned: dict[int, tuple[Tensor, Tensor]] = {}

    def output(self) -> Output:
        """Logits and features of the pass."""
        logits = torch.empty(0) if self.logits is None else self.logits  # a pass may end in the middle of a network
        return Output(logits, self.features)

    def embed(self, table: TorchMatrix, scale: float) -> Tensor:
        """-> [N, D]."""
        if self.batch.hidden is not None:
            return self.batch.hidden
        rows = table.rows(self.batch.tokens)
        return rows if scale == 1.0 else rows * scale

    def lookup(self, table: TorchMatrix, by: Literal["token", "position"], scale: float = 1.0) -> Tensor:
        """-> [N, width]."""
        rows = table.rows(self.batch.tokens if by == "token" else self.batch.positions)
        return rows if scale == 1.0 else rows * scale

    def resume(self, width: int) -> Tensor:
        """-> [N, width]."""
        assert self.batch.hidden is not None
        return self.batch.hidden

    def select(self, x: Tensor) -> Tensor:
        """x [N, D] -> all rows, unless no row is wanted: a row keeps its bits at the pass's width only."""
        return x if self.batch.wanted is None or len(self.batch.wanted) else x[:0]

    def mark(self, feature: int, x: Tensor) -> None:
        """x [N, D] is kept if somebody asked for it."""
        if feature in self.asked:
            self.features[feature] = x

    def finish(self, logits: Tensor) -> None:
        """logits [N, V]: the pass gives the wanted rows."""
        wanted = self.batch.wanted
        self.logits = logits if wanted is None or not len(logits) else logits.index_select(0, wanted)

    def norm(
        self, x: Tensor, kind: NormKind, weight: Tensor | None, bias: Tensor | None, eps: float, groups: int = 1
    ) -> Tensor:
        """x [N, D] -> same, every one of the groups by itself."""
        parts = x.reshape(x.shape[0], groups, -1)
        if kind == "layer":
            parts = parts - parts.mean(-1, keepdim=True)
        squares = parts.pow(2)
        size = squares.sum(-1, keepdim=True) if kind == "l2" else squares.mean(-1, keepdim=True)
        y = parts * torch.rsqrt(size + eps)
        for change, vector in ((torch.mul, weight), (torch.add, bias)):
            if vector is not None:
                y = change(y, vector.view(-1, parts.shape[-1]))
        return y.reshape(x.shape)

    def products(self, projections: SeparateProjections, x: Tensor, residual: Tensor | None = None) -> list[Tensor]:
        """x [N, in] -> [N, out_i]."""
        return projections(x, residual)

    def heads(self, stack: TorchMatrix, x: Tensor) -> Tensor:
        """x [N, H * in] -> [N, H * out]."""
        parts = x.chunk(stack.shape[0], dim=-1)
        return torch.cat([stack.part(head).matmul(part) for head, part in enumerate(parts)], dim=-1)

    def columns(self, x: Tensor, start: int, stop: int) -> Tensor:
        """x [N, D] -> [N, stop - start]."""
        return x[:, start:stop]

    def split(self, x: Tensor, heads: int, widths: Sequence[int]) -> list[Tensor]:
        """x [N, H * sum(widths)] -> [N, H * width] of each."""
        parts = x.view(x.shape[0], heads, -1).split(list(widths), dim=-1)
        return [part.reshape(x.shape[0], -1) for part in parts]

    def join(self, parts: Sequence[Tensor], heads: int) -> Tensor:
        """[N, H * width] of each -> [N, H * sum of widths]."""
        n = parts[0].shape[0]
        return torch.cat([part.reshape(n, heads, -1) for part in parts], dim=-1).reshape(n, -1)

    def rotate(self, x: Tensor, rotation: Rotation, heads: int, offset: int = 0) -> Tensor:
        """x [N, H * head] -> same (spec/models.md 1.2)."""
        n = x.shape[0]
        cos, sin = (part.unsqueeze(1) for part in self._angles(rotation))  # [N, 1, width / 2]
        whole = x.reshape(n, heads, -1)
        before, turned, rest = whole.split(
            [offset, 2 * cos.shape[-1], whole.shape[-1] - offset - 2 * cos.shape[-1]], -1
        )
        if rotation.interleaved:
            a, b = turned[..., 0::2], turned[..., 1::2]
            turned = torch.stack((a * cos - b * sin, a * sin + b * cos), dim=-1).flatten(-2)
        else:
            a, b = turned.chunk(2, dim=-1)
            turned = torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)
        return torch.cat((before, turned, rest), dim=-1).reshape(n, -1)

    def _angles(self, rotation: Rotation) -> tuple[Tensor, Tensor]:
        """Computed once per pass and rotation."""
        if id(rotation) not in self.turned:
            self.turned[id(rotation)] = rotation.angles(self.batch.positions)
        return self.turned[id(rotation)]

    def append(self, store: int, plane: int, x: Tensor, heads: int) -> None:
        """x [N, K * head] goes to the rows' cells."""
        to = self.stores[store].planes[plane]
        cells = attention.in_ring(self.batch.cells, to)
        rows = to.type.encode(x.reshape(x.shape[0], heads, -1))
        to.data.transpose(1, 2).index_put_((self.batch.slots, cells), rows)

    def attend(self, store: int, q: Tensor, how: Attend, values: int = 1, chosen: Tensor | None = None) -> Tensor:
        """q [N, H * key] -> [N, H * value]."""
        planes = self.stores[store].planes
        return attention.attend(q, planes[0], planes[values], self.batch.index, how, chosen)

    def index(self, store: int, plane: int, q: Tensor, weights: Tensor, how: Index) -> Tensor:
        """-> [N, positions] bool: whether each is seen."""
        return attention.choose(q, weights, self.stores[store].planes[plane], self.batch.index, how)

    def gate(self, activation: Activation, gate: Tensor, up: Tensor | None = None, limit: float = 0.0) -> Tensor:
        """gate, up [N, F] -> activation(gate) * up."""
        return gated(activation, gate, up, limit)

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        """a + b."""
        return a + b

    def scale(self, x: Tensor, factor: float) -> Tensor:
        """factor * x."""
        return x * factor

    def temper(self, x: Tensor, how: Temper) -> Tensor:
        """x [N, D] -> same."""
        steps = torch.div(self.batch.positions + how.offset, how.length, rounding_mode="floor").double()
        return x * (1.0 + how.scale * torch.log1p(steps)).float().unsqueeze(1)

    def softcap(self, x: Tensor, cap: float) -> Tensor:
        """cap * tanh(x / cap)."""
        return cap * torch.tanh(x / cap)

    def route(self, logits: Tensor, bias: Tensor | None, how: Routing) -> tuple[Tensor, Tensor]:
        """logits [N, E] -> numbers and weights [N, used]."""
        return mixture.route(logits, bias, how)

    def experts(self, experts: Experts, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """x [N, D] -> [N, D]."""
        return mixture.evaluate(experts, x, chosen, weights)

    def conv(self, store: int, x: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
        """x [N, C] -> [N, C], causal and per channel."""
        self.append(store, 0, x, 1)
        plane = self.stores[store].planes[0]
        return gated(activation, recurrence.conv(plane, self.batch.index, weight, bias), None, 0.0)

    def delta(
        self,
        store: int,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        beta: Tensor,
        decay: Tensor,
        how: Delta,
        skip: Tensor | None = None,
    ) -> Tensor:
        """-> [N, heads * value]."""
        states = self.stores[store].planes[1].data
        y = recurrence.delta(states, self.batch, q, k, v, beta, decay, how)
        return y if skip is None else y + v * skip.repeat_interleave(how.value)

    def decay(self, x: Tensor, bias: Tensor, rate: Tensor) -> Tensor:
        """x [N, H] -> exp(rate * softplus(x + bias))."""
        return torch.exp(rate * F.softplus(x + bias))
