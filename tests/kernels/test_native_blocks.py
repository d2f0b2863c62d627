"""All blocks in one call have the bits of block by block, part by part; no call leaves anything for the next."""

from dataclasses import dataclass, replace

import pytest
import torch
from llamaspec.kernels.held import Q8_0, packed
from torch import Tensor

from llamaspec.errors import LlamaspecError
from llamaspec.kernels.dispatch import EndParts, KVIndex, PassInfo
from llamaspec.kernels.native.blocks import Blocks
from llamaspec.kernels.native.kernels import Native
from llamaspec.layers.attention import Attention
from llamaspec.layers.linear import Embedding, Linear
from llamaspec.layers.mlp import SwiGLU
from llamaspec.layers.norm import RMSNorm
from llamaspec.network.cache import Dense
from llamaspec.network.decoder import Block

from .native_data import ISAS, instructions, needs_library, weight

pytestmark = needs_library
LAYERS, CELLS, SLOTS, VOCABULARY = 3, 512, 3, 50
WIDTHS = (1, 2, 7, 16, 64)


@dataclass(frozen=True)
class Kind:
    """A family's block at a small size; kinds: of the matrices q, k, v, output, gate, up, down."""

    width: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    kinds: tuple[str, ...]
    biases: bool = False
    head_norms: bool = False
    interleaved: bool = False
    held: tuple[torch.dtype, torch.dtype] = (torch.float16, torch.float16)


KINDS = {
    "llama": Kind(256, 4, 2, 64, 512, ("Q4_K", "Q4_K", "Q6_K", "Q4_K", "Q4_K", "Q4_K", "Q6_K"), interleaved=True),
    "qwen2": Kind(96, 6, 2, 16, 160, ("Q5_0", "Q5_0", "Q8_0", "Q5_0", "Q4_0", "Q4_0", "Q8_0"), biases=True),
    "qwen3": Kind(128, 8, 1, 32, 96, ("Q8_0",) * 7, head_norms=True, held=(torch.float32, torch.float32)),
    "packed": Kind(128, 4, 2, 32, 96, ("Q8_0",) * 7, held=(Q8_0, Q8_0)),
    "mixed": Kind(128, 4, 2, 32, 96, ("Q8_0",) * 7, held=(Q8_0, torch.bfloat16)),
    "odd": Kind(60, 5, 5, 12, 44, ("F32", "F16", "BF16", "F16", "F32", "F16", "F32"), biases=True, head_norms=True),
}
CASES = [(name, isa) for name in KINDS for isa in ISAS]


def blocks(kind: Kind, threads: int | None = 1) -> list[Block]:
    """Random blocks on the native kernels."""
    draw, kernels = torch.Generator().manual_seed(7), Native(threads)

    def norm(width: int) -> RMSNorm:
        return RMSNorm(torch.rand(width, generator=draw) + 0.5, 1e-5, kernels)

    def linear(at: int, out: int, inner: int, layer: int) -> Linear:
        matrix = kernels.prepare(weight(kind.kinds[at], out, inner, 100 * layer + at))
        return Linear(matrix, torch.randn(out, generator=draw) * 0.1 if kind.biases else None, kernels)

    def one(layer: int) -> Block:
        wide, keys = kind.heads * kind.head, kind.kv_heads * kind.head
        sizes = ((wide, kind.width), (keys, kind.width), (keys, kind.width), (kind.width, wide))
        q, k, v, output = (linear(at, *size, layer) for at, size in enumerate(sizes))
        gate, up = linear(4, kind.inner, kind.width, layer), linear(5, kind.inner, kind.width, layer)
        heads = (norm(kind.head), norm(kind.head)) if kind.head_norms else (None, None)
        return Block(
            norm(kind.width),
            Attention(q, k, v, output, kind.heads, kind.kv_heads, kind.head**-0.5, kernels, *heads),
            norm(kind.width),
            SwiGLU(gate, up, linear(6, kind.width, kind.inner, layer), kernels),
        )

    return [one(layer) for layer in range(LAYERS)]


def ends(kind: Kind, threads: int | None = 1) -> tuple[Embedding, RMSNorm, Linear]:
    """A random embedding, norm and head; the head has a bias if the blocks have."""
    draw, kernels = torch.Generator().manual_seed(9), Native(threads)
    embedding = Embedding(kernels.prepare(weight(kind.kinds[0], VOCABULARY, kind.width, 8)))
    bias = torch.randn(VOCABULARY, generator=draw) if kind.biases else None
    head = Linear(kernels.prepare(weight(kind.kinds[2], VOCABULARY, kind.width, 9)), bias, kernels)
    return embedding, RMSNorm(torch.rand(kind.width, generator=draw) + 0.5, 1e-5, kernels), head


def stores(kind: Kind) -> list[Dense]:
    """A cache with something in it."""
    draw = torch.Generator().manual_seed(3)
    shape = (2, LAYERS, SLOTS, kind.kv_heads, CELLS, kind.head)
    keys, values = (packed(x, held) for x, held in zip(torch.randn(shape, generator=draw), kind.held, strict=True))
    return [Dense(keys[layer].clone(), values[layer].clone()) for layer in range(LAYERS)]


def turn(kind: Kind, n: int, shape: str) -> PassInfo:
    """n rows: a "chain" in one slot, a "tree" whose rows branch, or a row per "slots" in turn."""
    rows = torch.arange(n)
    slots, lengths = torch.ones(n, dtype=torch.int64), torch.full((n,), 120)
    positions, cells, paths = 120 + rows, 120 + rows, None
    if shape == "tree":  # row i hangs on row (i - 1) // 2
        ancestry = [[0]]
        for row in range(1, n):
            ancestry.append([*ancestry[(row - 1) // 2], row])
        positions = torch.tensor([119 + len(path) for path in ancestry])
        depth = max(map(len, ancestry))
        paths = torch.tensor([[120 + step for step in path] + [0] * (depth - len(path)) for path in ancestry])
    elif shape == "slots":
        slots, lengths = rows % SLOTS, 100 + 7 * (rows % SLOTS)
        positions = cells = lengths + rows // SLOTS
    angles = positions.unsqueeze(1) * torch.linspace(0.001, 1, kind.head // 2)
    index = KVIndex(positions, slots, lengths, paths, blocks=1)
    return PassInfo(index, slots, cells, angles.cos(), angles.sin(), kind.interleaved)


def one_by_one(parts: list[Block], x: Tensor, turn: PassInfo, held: list[Dense]) -> Tensor:
    """What the fused run must equal."""
    for block, store in zip(parts, held, strict=True):
        x = block(x, turn, store)
    return x


def end_parts(kind: Kind, threads: int | None = 1) -> EndParts:
    embedding, norm, head = ends(kind, threads)
    return EndParts(embedding.matrix, norm.weight, norm.eps, head.matrix, head.bias)


def fused(kind: Kind, parts: list[Block] | None = None, threads: int | None = 1) -> Blocks:
    parts = blocks(kind, threads) if parts is None else parts
    run = Blocks([part for block in parts if (part := block.parts()) is not None], end_parts(kind, threads), threads)
    assert len(run.weights) == len(parts)
    return run


def same(a: Tensor, b: Tensor) -> bool:
    return torch.equal(a.contiguous().view(torch.uint8), b.contiguous().view(torch.uint8))


def inputs(kind: Kind, n: int) -> Tensor:
    return torch.randn(n, kind.width, generator=torch.Generator().manual_seed(n))


@pytest.mark.parametrize(("name", "isa"), CASES)
def test_the_bits_of_one_by_one(name: str, isa: str) -> None:
    kind = KINDS[name]
    with instructions(isa):
        parts = blocks(kind)
        run = fused(kind, parts)
        for shape in ("chain", "tree", "slots"):
            for n in WIDTHS if isa != "generic" else (1, 7):
                x, own, theirs = inputs(kind, n), stores(kind), stores(kind)
                before = x.clone()
                expected = one_by_one(parts, x, turn(kind, n, shape), theirs)
                assert expected.isfinite().all()
                assert same(run(x, turn(kind, n, shape), own, 0, LAYERS), expected), (shape, n)
                assert same(x, before), "the input may be a feature that a drafter keeps"
                for a, b in zip(own, theirs, strict=True):
                    assert same(a.k, b.k)
                    assert same(a.v, b.v)


@pytest.mark.parametrize("name", KINDS)
def test_any_number_of_threads(name: str) -> None:
    kind = KINDS[name]
    expected = fused(kind)(inputs(kind, 64), turn(kind, 64, "tree"), stores(kind), 0, LAYERS)
    for threads in (2, 3, 8, None):
        run = fused(kind, threads=threads)
        assert same(run(inputs(kind, 64), turn(kind, 64, "tree"), stores(kind), 0, LAYERS), expected), threads


@pytest.mark.parametrize("name", KINDS)
def test_a_row_does_not_know_its_company(name: str) -> None:
    kind, x = KINDS[name], inputs(KINDS[name], 16)
    run = fused(kind)
    held, whole = stores(kind), turn(kind, 16, "chain")
    together = run(x, whole, held, 0, LAYERS)
    alone = stores(kind)
    for row in range(16):
        at = slice(row, row + 1)
        index = KVIndex(whole.index.positions[at], whole.slots[at], whole.index.lengths[at], None, blocks=1)
        one = PassInfo(index, whole.slots[at], whole.cells[at], whole.cos[at], whole.sin[at], whole.interleaved)
        assert same(run(x[at], one, alone, 0, LAYERS), together[at]), row


@pytest.mark.parametrize("name", KINDS)
def test_what_lies_in_the_scratch_memory_does_not_matter(name: str) -> None:
    kind, run = KINDS[name], fused(KINDS[name])
    for n in (64, 1, 7):
        expected = run(inputs(kind, n), turn(kind, n, "tree"), stores(kind), 0, LAYERS)
        run.scratch.fill_(float("nan"))
        assert same(run(inputs(kind, n), turn(kind, n, "tree"), stores(kind), 0, LAYERS), expected), n


def test_the_scratch_memory_is_as_large_as_it_must_be() -> None:
    for kind in KINDS.values():
        for n in WIDTHS:
            run = fused(kind)
            run(inputs(kind, n), turn(kind, n, "chain"), stores(kind), 0, LAYERS)
            size = len(run.scratch)
            guarded = torch.full((size + 4096,), 7.0)
            run.scratch = guarded[:size]
            run(inputs(kind, n), turn(kind, n, "chain"), stores(kind), 0, LAYERS)
            assert (guarded[size:] == 7).all()
            assert (guarded[:size] != 7).any()


def tokens(n: int) -> Tensor:
    return torch.arange(n) * 7 % VOCABULARY


def by_position(kind: Kind, now: PassInfo) -> PassInfo:
    """The same turn with the angles of all positions."""
    angles = torch.arange(CELLS).unsqueeze(1) * torch.linspace(0.001, 1, kind.head // 2)
    return replace(now, cos=angles.cos(), sin=angles.sin())


@pytest.mark.parametrize("name", KINDS)
def test_a_whole_model(name: str) -> None:
    kind = KINDS[name]
    parts, run, (embedding, norm, head) = blocks(kind), fused(kind, threads=2), ends(kind)
    for shape in ("chain", "tree", "slots"):
        for n in (64, 1, 7):
            now, own, theirs = turn(kind, n, shape), stores(kind), stores(kind)
            expected = head(norm(one_by_one(parts, embedding(tokens(n)), now, theirs)))
            for poisoned in (False, True):
                if poisoned:
                    run.scratch.fill_(float("nan"))
                got = run.evaluate(tokens(n), by_position(kind, now), own, True)
                assert same(got, expected), (shape, n, poisoned)
            unread = stores(kind)
            assert run.evaluate(tokens(n), by_position(kind, now), unread, False).shape == (0, VOCABULARY)
            for a, b, c in zip(own, theirs, unread, strict=True):
                assert same(a.k, b.k)
                assert same(c.v, b.v)


def test_a_whole_model_stays_in_its_scratch_memory() -> None:
    for kind in KINDS.values():
        for n in WIDTHS:
            run, now = fused(kind), by_position(kind, turn(kind, n, "chain"))
            run.evaluate(tokens(n), now, stores(kind), True)
            size = len(run.scratch)
            guarded = torch.full((size + 4096,), 7.0)
            run.scratch = guarded[:size]
            run.evaluate(tokens(n), now, stores(kind), True)
            assert (guarded[size:] == 7).all()


@pytest.mark.parametrize("bad", [-1, VOCABULARY])
def test_tokens_outside_the_vocabulary(bad: int) -> None:
    kind = KINDS["odd"]
    with pytest.raises(IndexError, match="vocabulary"):
        fused(kind).evaluate(torch.tensor([bad]), by_position(kind, turn(kind, 1, "chain")), stores(kind), True)


def test_positions_without_angles() -> None:
    kind, now = KINDS["odd"], turn(KINDS["odd"], 2, "chain")
    with pytest.raises(IndexError, match="positions"):
        fused(kind).evaluate(tokens(2), now, stores(kind), True)


def test_a_part_of_the_layers() -> None:
    kind, held = KINDS["qwen2"], stores(KINDS["qwen2"])
    parts, x, now = blocks(kind), inputs(KINDS["qwen2"], 7), turn(KINDS["qwen2"], 7, "chain")
    run = fused(kind, parts)
    whole = run(x, now, stores(kind), 0, LAYERS)
    middle = run(x, now, held, 0, 2)
    assert same(middle, one_by_one(parts[:2], x, now, stores(kind)[:2]))
    assert same(run(middle, now, held, 2, LAYERS), whole)
    assert run(middle, now, held, 2, 2) is middle


def test_another_cache_is_noticed() -> None:
    kind, run = KINDS["llama"], fused(KINDS["llama"])
    first, second = stores(kind), [Dense(held.k * 2, held.v * 2) for held in stores(kind)]
    now, x = turn(kind, 2, "chain"), inputs(kind, 2)
    expected = run(x, now, first, 0, LAYERS)
    assert not same(run(x, now, second, 0, LAYERS), expected)
    assert same(run(x, now, first, 0, LAYERS), expected)


@pytest.mark.parametrize(
    "bad",
    [
        {"cells": torch.tensor([120, CELLS])},
        {"cells": torch.tensor([-1, 121])},
        {"slots": torch.tensor([0, SLOTS])},
        {"index": {"positions": torch.tensor([0, CELLS])}},
        {"index": {"slots": torch.tensor([0, -1])}},
    ],
)
def test_rows_outside_the_cache(bad: dict) -> None:
    kind, run, held = KINDS["odd"], fused(KINDS["odd"]), stores(KINDS["odd"])
    good = turn(kind, 2, "chain")
    changes = {name: replace(good.index, **value) if name == "index" else value for name, value in bad.items()}
    with pytest.raises(IndexError, match="outside a cache"):
        run(inputs(kind, 2), replace(good, **changes), held, 0, LAYERS)
    for now, before in zip(held, stores(kind), strict=True):
        assert same(now.k, before.k)


def test_parts_that_do_not_fit() -> None:
    kind, good = KINDS["odd"], blocks(KINDS["odd"])[0].parts()
    assert good is not None
    with pytest.raises(ValueError, match="shapes"):
        Blocks([replace(good, matrices=[*good.matrices[:6], good.matrices[0]])], end_parts(kind))
    with pytest.raises(ValueError, match="norms or biases"):
        Blocks([replace(good, attn_norm=torch.ones(kind.width - 1))], end_parts(kind))
    with pytest.raises(ValueError, match="embedding"):
        Blocks([good], replace(end_parts(kind), norm=torch.ones(kind.width + 1)))
    run = fused(kind)
    with pytest.raises(ValueError, match="store"):
        run(inputs(kind, 1), turn(kind, 1, "chain"), stores(kind)[:2], 0, LAYERS)
    with pytest.raises(ValueError, match="store"):
        run(inputs(kind, 1), turn(kind, 1, "chain"), stores(KINDS["llama"]), 0, LAYERS)


def test_no_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, run = KINDS["odd"], fused(KINDS["odd"])
    monkeypatch.setattr(run.native, "blocks", lambda *_: 1)
    with pytest.raises(LlamaspecError, match="out of memory"):
        run(inputs(kind, 1), turn(kind, 1, "chain"), stores(kind), 0, LAYERS)
