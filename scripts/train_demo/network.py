"""The Llama network of the demo models, rotated and normalised exactly as llama.cpp's `llama` architecture does it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-5
ROPE_BASE = 10000.0


@dataclass(frozen=True)
class Shape:
    """Sizes of one model. Row lengths are multiples of 256, so that K-quants would fit as well."""

    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int

    @property
    def head(self) -> int:
        return self.width // self.heads


Cache = list[tuple[Tensor, Tensor]]


def rotate(x: Tensor, first: int) -> Tensor:
    """x [B, H, T, head] -> the same: pairs (2j, 2j+1) turned by (first + t) * base^(-2j/head)."""
    steps, head = x.shape[-2], x.shape[-1]
    frequency = ROPE_BASE ** (-torch.arange(0, head, 2, device=x.device, dtype=torch.float32) / head)
    angle = torch.arange(first, first + steps, device=x.device, dtype=torch.float32)[:, None] * frequency
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """q [B, H, T, head] at the last T positions of k, v [B, KV, S, head] -> [B, H, T, head]; KV divides H.

    Written out: at a few hundred positions torch's fused attention takes three times as long backwards on a CPU.
    """
    batch, heads, steps, head = q.shape
    kv_heads, seen = k.shape[1], k.shape[2]
    scores = q.reshape(batch, kv_heads, -1, head) @ k.transpose(-1, -2) * head**-0.5
    hidden = torch.ones(steps, seen, dtype=torch.bool, device=q.device).triu(seen - steps + 1)
    scores = scores.view(batch, kv_heads, -1, steps, seen).masked_fill(hidden, float("-inf"))
    mixed = scores.softmax(-1).to(v.dtype).flatten(2, 3) @ v
    return mixed.view(batch, heads, steps, head)


class Norm(nn.Module):
    """RMS norm with a learned scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * self.weight


class Block(nn.Module):
    """Attention and SwiGLU, each behind a norm and added to the residual."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        narrow = shape.head * shape.kv_heads
        self.attn_norm = Norm(shape.width)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, narrow, bias=False)
        self.attn_v = nn.Linear(shape.width, narrow, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = Norm(shape.width)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x [B, T, width], keys and values so far -> the next residual, keys and values with this part."""
        batch, steps, _ = x.shape
        first = past[0].shape[2] if past else 0
        h = self.attn_norm(x)
        q, k, v = (
            w(h).view(batch, steps, -1, self.shape.head).transpose(1, 2)
            for w in (self.attn_q, self.attn_k, self.attn_v)
        )
        q, k = rotate(q, first), rotate(k, first)
        if past:
            k, v = torch.cat((past[0], k), 2), torch.cat((past[1], v), 2)
        mixed = attend(q, k, v)
        x = x + self.attn_output(mixed.transpose(1, 2).reshape(batch, steps, -1))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h)), (k, v)


class Network(nn.Module):
    """A decoder with tied embeddings."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocab, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape.width)
        self.apply(self._start)
        for block in self.blk:
            nn.init.zeros_(block.attn_output.weight)
            nn.init.zeros_(block.ffn_down.weight)

    @staticmethod
    def _start(module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=module.in_features**-0.5)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def features(self, ids: Tensor) -> Tensor:
        """ids [B, T] -> normed final residual [B, T, width], without a cache."""
        x = self.token_embd(ids)
        for block in self.blk:
            x, _ = block(x, None)
        return self.output_norm(x)

    def forward(self, ids: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        """ids [B, T] after the cached tokens (T is 1 then) -> logits [B, T, vocab], cache."""
        x = self.token_embd(ids)
        after: Cache = []
        for i, block in enumerate(self.blk):
            x, kept = block(x, cache[i] if cache else None)
            after.append(kept)
        return F.linear(self.output_norm(x), self.token_embd.weight), after

    @torch.no_grad()
    def borrow(self, teacher: "Network") -> None:
        """Start from the teacher's embedding, projected onto its principal directions."""
        table = teacher.token_embd.weight.float()
        self.token_embd.weight.copy_(table @ torch.linalg.svd(table, full_matrices=False)[2][: self.shape.width].T)
