"""One face for the arithmetic: what a back end must offer, and which one serves a device."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..errors import LlamaspecError, UsageError
from ..weights.tensor import QuantizedTensor
from . import quants

BACKENDS = ("auto", "reference", "native")


class Matrix(Protocol):
    """A weight, prepared by a back end."""

    @property
    def shape(self) -> tuple[int, ...]:
        """[out, in]."""
        ...

    def matmul(self, x: Tensor) -> Tensor:
        """x [N, in] float32 -> [N, out] float32."""
        ...

    def rows(self, ids: Tensor) -> Tensor:
        """ids [N] int64 -> [N, in] float32."""
        ...


@dataclass(frozen=True)
class KVIndex:
    """Which cache cells each row attends to: those of positions 0..positions[n] of its sequence.

    positions [N] int64. slots [N] int64. lengths [N] int64: committed cells of the row's slot, where cell = position.
    paths [N, T] int64 or None: the cell that holds position lengths[n] + t on the row's own branch of a draft tree;
    None = a chain, where every cell is its position. blocks: how many KV blocks cover the longest row.
    Keys are always visited in the order of positions, so a branch of a tree gets the bits of plain decoding.
    """

    positions: Tensor
    slots: Tensor
    lengths: Tensor
    paths: Tensor | None
    blocks: int


@dataclass(frozen=True)
class PassInfo:
    """What all layers of one pass share. cos, sin [N, width / 2]; slots, cells [N]: where the rows' keys go."""

    index: KVIndex
    slots: Tensor
    cells: Tensor
    cos: Tensor
    sin: Tensor
    interleaved: bool


class Held(Protocol):
    """Keys and values of one layer: k [S, K, C, head_k], v [S, K, C, head_v], or packed rows of bytes (held.py)."""

    @property
    def k(self) -> Tensor: ...

    @property
    def v(self) -> Tensor: ...


@dataclass(frozen=True)
class BlockParts:
    """What a pre-norm decoder block with a dense feed-forward part is made of.

    matrices: query, key, value, output, gate, up, down; biases in the same order. head_norms: of queries and keys.
    """

    attn_norm: Tensor
    ffn_norm: Tensor
    head_norms: tuple[Tensor, Tensor] | None
    matrices: Sequence["Matrix"]
    biases: Sequence[Tensor | None]
    heads: int
    kv_heads: int
    scale: float
    eps: float


@dataclass(frozen=True)
class EndParts:
    """What stands before and behind the blocks of a model."""

    embedding: "Matrix"
    norm: Tensor
    eps: float
    head: "Matrix"
    head_bias: Tensor | None


@dataclass(frozen=True)
class ExpertParts:
    """One expert of a mixture: down(silu(gate x) * up x). biases: of gate, up and down."""

    gate: "Matrix"
    up: "Matrix"
    down: "Matrix"
    biases: Sequence[Tensor | None]


class Mixture(Protocol):
    """Experts of which each row uses a few."""

    def __call__(self, x: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """x [N, D], chosen [N, used] int64 rising in each row, weights [N, used] -> [N, D]."""
        ...


class Run(Protocol):
    """The blocks of a model, evaluated in one go with the bits of one by one."""

    def evaluate(self, tokens: Tensor, turn: PassInfo, stores: Sequence[Held], logits: bool) -> Tensor:
        """tokens [N] -> logits [N, V], or [0, V] without. turn.cos, turn.sin: of positions 0, 1, ..., not of rows."""
        ...

    def __call__(self, x: Tensor, turn: PassInfo, stores: Sequence[Held], first: int, last: int) -> Tensor:
        """x [N, D], the input of block `first` -> [N, D], the input of block `last`. stores: of all blocks."""
        ...


class Projection(Protocol):
    """Matrices that multiply the same rows, with their biases."""

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> list[Tensor]:
        """x [N, in] -> [N, out_i] of each matrix; residual [N, out_0] is added to the first."""
        ...


class Kernels(Protocol):
    """A back end. Every function keeps its order of reduction whatever the number of rows."""

    @property
    def name(self) -> str:
        """As after --kernels."""
        ...

    @property
    def pass_rows(self) -> int | None:
        """Decode passes have exactly this many rows (padded or split); None = any width up to 64 has the same bits."""
        ...

    @property
    def prompt_rows(self) -> int:
        """Rows per pass when reading a prompt."""
        ...

    @property
    def cache_type(self) -> torch.dtype:
        """What the KV cache holds unless the user says otherwise."""
        ...

    def prepare(self, weight: QuantizedTensor) -> Matrix:
        """Take a packed weight over, in whatever form is fastest."""
        ...

    def together(self, matrices: Sequence[Matrix], biases: Sequence[Tensor | None]) -> Projection:
        """Matrices of this back end that share an input."""
        ...

    def append(self, held: Tensor, x: Tensor, slots: Tensor, cells: Tensor) -> None:
        """x [N, K, head] is written to cells [N] of slots [N] of held [S, K, C, head], packed if that is (held.py)."""
        ...

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        """x [N, D] or [N, H, head] -> same; normalised over the last dimension, times weight."""
        ...

    def rotate(self, x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool) -> Tensor:
        """x [N, H, head] -> same, its first 2 * cos.shape[1] values rotated; pairs (2j, 2j+1) if interleaved."""
        ...

    def silu_mul(self, gate: Tensor, up: Tensor) -> Tensor:
        """gate, up [N, F] -> silu(gate) * up."""
        ...

    def attend(self, q: Tensor, k: Tensor, v: Tensor, index: KVIndex, scale: float) -> Tensor:
        """q [N, H, head], k and v [S, K, C, head], perhaps packed (held.py) -> [N, H, head]."""
        ...

    def gather(self, experts: Sequence[ExpertParts]) -> Mixture | None:
        """Experts that work on the rows they are chosen for; None = every expert is to see every row."""
        ...

    def fuse(self, blocks: Sequence[BlockParts], ends: EndParts) -> Run | None:
        """A model in one call per pass; None = this back end evaluates it part by part."""
        ...


def dequantize(weight: QuantizedTensor) -> Tensor:
    """The weight as float32 [*shape], on its own device (decisions.md 4: the oracle of every fast path)."""
    kind = quants.of(weight)
    blocks = weight.data.reshape(-1, kind.BYTES)
    return kind.decode_torch(blocks).reshape(weight.shape)


def rows(weight: QuantizedTensor, ids: Sequence[int] | Tensor) -> Tensor:
    """ids [N] -> [N, in] float32: some rows of a packed matrix."""
    index = torch.as_tensor(ids, dtype=torch.int64, device=weight.data.device)
    picked = weight.data.index_select(0, index)
    return dequantize(QuantizedTensor(picked, weight.type, (len(index), weight.shape[-1]), weight.name))


def kernels_for(
    device: torch.device, backend: str = "auto", resident: bool = True, threads: int | None = None
) -> Kernels:
    """The back end for a device: native on a CPU where it was built, else the reference.

    resident: keep unpacked weights, if the back end unpacks them at all. threads: of the native back end, None = one
    per core. Raises UsageError for an unknown name and LlamaspecError if the one asked for cannot run here.
    """
    if backend not in BACKENDS:
        raise UsageError(f"no back end '{backend}'", hint=f"one of {', '.join(BACKENDS)}")
    why = "they run on the CPU only"
    if device.type == "cpu" and backend != "reference":
        from . import native

        if native.available():
            from .native.kernels import Native

            return Native(threads)
        why = native.why_not()
    if backend == "native":
        raise LlamaspecError(f"the native kernels cannot be used: {why}", hint="use --kernels reference")
    from .reference import Reference

    return Reference(device, resident)
