"""All decoder blocks of a model in one call into the library: what a pass costs in Python does not grow with them."""

from collections.abc import Sequence
from ctypes import byref

import torch
from torch import Tensor

from ...errors import LlamaspecError
from ..dispatch import BlockParts, EndParts, Held, Matrix, PassInfo
from ..held import row_width
from .library import BlockCache, BlockPass, BlockWeights, ModelEnds, library
from .ops import KV_TYPES, as_index
from .packed import Packed, as_float32
from .threads import how_many

NAMES = ("q", "k", "v", "output", "gate", "up", "down")
OUT_OF_RANGE = 2
"""Of `BlockResult` in block.h."""


class Blocks:
    """Pointers to the weights of every block, prepared once, and the memory between the parts of a block.

    The functions are those that evaluate a block part by part, in the same order, so the bits are the same. One call at
    a time: `scratch` is kept from call to call, and nothing is read from it that the call did not write.
    """

    def __init__(self, blocks: Sequence[BlockParts], ends: EndParts, threads: int | None = None) -> None:
        """Raises ValueError if the parts of a block do not fit each other."""
        self.native = library()
        self.width = blocks[0].matrices[0].shape[1]
        self.kept: list[Tensor | Matrix] = []  # what the pointers point to
        self.sizes = [_sizes(block, self.width) for block in blocks]
        parts = zip(blocks, self.sizes, strict=True)
        self.weights = (BlockWeights * len(blocks))(*(self._weights(*part) for part in parts))
        self.ends = self._ends(ends)
        self.vocabulary = ends.head.shape[0]
        self.caches = (BlockCache * len(blocks))()
        self.stores: Sequence[Held] | None = None
        self.scratch, self.rows = torch.empty(0), 0
        self.call = BlockPass(width=self.width, threads=how_many(threads))

    def __call__(self, x: Tensor, turn: PassInfo, stores: Sequence[Held], first: int, last: int) -> Tensor:
        """x [N, D], the input of block `first` -> [N, D], the input of block `last`.

        Raises IndexError for a slot, cell or position outside the stores.
        """
        if first == last:
            return x
        x, y = as_float32(x, self.width), torch.empty_like(x)
        n, half = x.shape[0], turn.cos.shape[-1]
        if turn.cos.shape != (n, half):
            raise ValueError(f"cos {list(turn.cos.shape)} for {n} rows")
        kept = self._prepare(turn, stores, n, half)
        self.call.x, self.call.y = x.data_ptr(), y.data_ptr()
        part = byref(self.weights[first]), byref(self.caches[first]), last - first
        self._check(self.native.blocks(*part, byref(self.call)), n)
        del kept
        return y

    def evaluate(self, tokens: Tensor, turn: PassInfo, stores: Sequence[Held], logits: bool) -> Tensor:
        """tokens [N] -> logits [N, V], or [0, V] without. turn.cos, turn.sin: of positions 0, 1, ..., not of rows.

        Raises IndexError for a token, slot, cell or position that does not exist.
        """
        n, half = tokens.shape[0], turn.cos.shape[-1]
        tokens = as_index(tokens, n)
        out = torch.empty((n if logits else 0, self.vocabulary))
        kept = self._prepare(turn, stores, n, half)
        failed = self.native.model(
            self.ends, self.weights, self.caches, len(self.weights), self.call,
            tokens.data_ptr(), out.data_ptr() if logits else None,
        )  # fmt: skip
        self._check(failed, n)
        del kept
        return out

    def _prepare(self, turn: PassInfo, stores: Sequence[Held], n: int, half: int) -> list[Tensor]:
        """Fill in the call; returns what its pointers point to."""
        if stores is not self.stores:
            self._open(stores)
        call, index = self.call, turn.index
        if turn.sin.shape != turn.cos.shape:
            raise ValueError(f"cos {list(turn.cos.shape)} and sin {list(turn.sin.shape)}")
        if n > self.rows:
            size = self.native.blocks_scratch(self.weights, len(self.weights), self.width, n)
            self.scratch, self.rows = torch.empty(size + n * (self.width + 2 * half) + 64), n
        kept = [as_float32(turn.cos, half), as_float32(turn.sin, half)]
        kept += [as_index(part, n) for part in (turn.slots, turn.cells, index.positions, index.slots, index.lengths)]
        call.scratch, call.rows, call.half, call.angles = self.scratch.data_ptr(), n, half, turn.cos.shape[0]
        call.cos, call.sin, call.write_slots, call.write_cells, call.positions, call.slots, call.lengths = [
            part.data_ptr() for part in kept
        ]
        call.interleaved, call.paths, call.path_width = turn.interleaved, None, 0
        if index.paths is not None:
            paths = index.paths.to(torch.int64).contiguous()
            if paths.ndim != 2 or paths.shape[0] != n or not paths.shape[1]:
                raise ValueError(f"paths {list(paths.shape)} for {n} rows")
            call.paths, call.path_width = paths.data_ptr(), paths.shape[1]
            kept.append(paths)
        return kept

    def _weights(self, block: BlockParts, sizes: tuple[int, int]) -> BlockWeights:
        """The block's pointers; what they point to is kept."""
        vectors = [block.attn_norm, block.ffn_norm, *(block.head_norms or ())]
        pointers = [self._vector(vector) for vector in vectors] + [None] * (4 - len(vectors))
        matrices = [matrix.handle for matrix in block.matrices if isinstance(matrix, Packed)]
        biases = [None if bias is None else self._vector(bias) for bias in block.biases]
        self.kept += block.matrices
        return BlockWeights(*pointers, *matrices, *biases, block.heads, block.kv_heads, *sizes, block.eps, block.scale)

    def _ends(self, ends: EndParts) -> ModelEnds:
        embedding, head = ends.embedding, ends.head
        assert isinstance(embedding, Packed)
        assert isinstance(head, Packed)
        if embedding.shape[1] != self.width or head.shape[1] != self.width or ends.norm.shape != (self.width,):
            raise ValueError(f"embedding {embedding.shape}, norm {list(ends.norm.shape)} and head {head.shape}")
        self.kept += [embedding, head]
        bias = None if ends.head_bias is None else self._vector(ends.head_bias)
        return ModelEnds(
            embedding.source.data_ptr(), embedding.shape[0], self._vector(ends.norm), head.handle, bias,
            embedding.type, ends.eps,
        )  # fmt: skip

    def _vector(self, vector: Tensor) -> int:
        """Where its values lie as float32, as long as this object lives."""
        self.kept.append(vector := as_float32(vector, vector.shape[-1]))
        return vector.data_ptr()

    def _open(self, stores: Sequence[Held]) -> None:
        """Pointers to the keys and values of every block. All stores have the same slots, cells and types."""
        shape, types = stores[0].k.shape, (stores[0].k.dtype, stores[0].v.dtype)
        if any(dtype not in KV_TYPES for dtype in types) or len(stores) != len(self.sizes):
            raise ValueError(f"{len(stores)} stores of {types} for {len(self.sizes)} blocks")
        for at, (store, (key, value), weights) in enumerate(zip(stores, self.sizes, self.weights, strict=True)):
            wanted = (shape[0], weights.kv_heads, shape[2])
            for held, values, dtype in ((store.k, key, types[0]), (store.v, value, types[1])):
                width = row_width(values, dtype)
                if held.shape != (*wanted, width) or held.dtype is not dtype or held.stride(3) != 1:
                    raise ValueError(f"a store {list(held.shape)} of {held.dtype}, not {[*wanted, width]} of {dtype}")
            self.caches[at] = BlockCache(
                store.k.data_ptr(), store.v.data_ptr(), *store.k.stride()[:3], *store.v.stride()[:3]
            )
        self.call.cache_slots, self.call.cache_cells = shape[0], shape[2]
        self.call.k_type, self.call.v_type = KV_TYPES[types[0]], KV_TYPES[types[1]]
        self.stores = stores

    def _check(self, failed: int, rows: int) -> None:
        if failed == OUT_OF_RANGE:
            cells = self.call.cache_cells
            raise IndexError(
                f"tokens outside the vocabulary, or slots, cells or positions outside a cache of {cells} cells"
            )
        if failed:
            raise LlamaspecError(f"out of memory while evaluating {rows} rows", hint="use a smaller --ubatch-size")


def fusible(blocks: Sequence[BlockParts], ends: EndParts) -> bool:
    """Whether every matrix has a native layout."""
    matrices = [ends.embedding, ends.head, *(matrix for block in blocks for matrix in block.matrices)]
    return bool(blocks) and all(isinstance(matrix, Packed) for matrix in matrices)


def _sizes(block: BlockParts, width: int) -> tuple[int, int]:
    """Widths of a head's keys and values, if all matrices fit."""
    q, k, v, output, gate, up, down = (matrix.shape for matrix in block.matrices)
    key, value = k[0] // block.kv_heads, v[0] // block.kv_heads
    wanted = (
        (block.heads * key, width), (block.kv_heads * key, width), (block.kv_heads * value, width),
        (width, block.heads * value), (gate[0], width), (gate[0], width), (width, gate[0]),
    )  # fmt: skip
    if (q, k, v, output, gate, up, down) != wanted or block.heads % block.kv_heads:
        raise ValueError(f"the matrices of a block have shapes {[q, k, v, output, gate, up, down]}")
    outs = [shape[0] for shape in wanted]
    vectors = [(width, block.attn_norm), (width, block.ffn_norm), *((key, norm) for norm in block.head_norms or ())]
    vectors += [(out, bias) for out, bias in zip(outs, block.biases, strict=True) if bias is not None]
    if any(vector.shape != (size,) for size, vector in vectors):
        raise ValueError(f"the norms or biases of a block have shapes {[list(vector.shape) for _, vector in vectors]}")
    return key, value
