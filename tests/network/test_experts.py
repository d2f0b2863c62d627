"""A model with experts on the native kernels: gathering rows by expert changes no bit, in any company."""

import pytest
import torch

from llamaspec.kernels import native
from llamaspec.layers.moe import Experts
from llamaspec.network.runner import Branch
from llamaspec.weights.file import GGUFFile
from tests.network import build
from tests.network.test_invariance import USABLE, VOCABULARY, alone, same_bits

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")
MIXTURES = [name for name, golden in USABLE.items() if GGUFFile(golden.model).metadata.int("expert_count", default=0)]
TOKENS = [(7 * i + i * i) % VOCABULARY for i in range(64)]
WIDTHS = (1, 2, 7, 16, 64)


def model(name: str, threads: int | None = 1, gathered: bool = True):
    """A golden on the native kernels; its experts each for its own rows, or each for all rows."""
    run = build.passes(USABLE[name].model, backend="native", threads=threads)
    mixtures = [block.feed_forward for block in run.model.blk if isinstance(block.feed_forward, Experts)]
    assert mixtures
    for mixture in mixtures:
        assert mixture.gathered is not None
        if not gathered:
            mixture.gathered = None
    return run


def test_there_is_something_to_check():
    assert MIXTURES


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("name", MIXTURES)
@torch.inference_mode()
def test_a_chain_of_any_length(name, threads):
    expected = alone(model(name, gathered=False), 0, TOKENS)
    for width in WIDTHS:
        run, rows = model(name, threads), []
        for start in range(0, len(TOKENS), width):
            chunk = TOKENS[start : start + width]
            rows += run.decode([Branch(0, chunk, range(-1, len(chunk) - 2))])[0].logits
            run.cache.commit(0, range(len(chunk)))
        assert all(same_bits(row, plain) for row, plain in zip(rows, expected, strict=True)), width


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("name", MIXTURES)
@torch.inference_mode()
def test_branches_of_a_tree(name, threads):
    parents = [-1, -1, 0, 0, 1, 3, 3, 5, 2, 8, 9, 9, 4, 12, 6]
    tokens = TOKENS[20 : 21 + len(parents)]
    run = model(name, threads)
    list(run.read(0, TOKENS[:20]))
    logits = run.decode([Branch(0, tokens, parents)])[0].logits
    leaves = set(range(len(parents))) - set(parents)
    for leaf in leaves:
        path = [leaf]
        while parents[path[0]] >= 0:
            path.insert(0, parents[path[0]])
        rows = [0, *(node + 1 for node in path)]
        plain = model(name, gathered=False)
        list(plain.read(0, TOKENS[:20]))
        for row, expected in zip(rows, alone(plain, 0, [tokens[row] for row in rows]), strict=True):
            assert same_bits(logits[row], expected), (leaf, row)


@pytest.mark.parametrize("name", MIXTURES)
@torch.inference_mode()
def test_rows_are_routed_to_different_experts(name):
    """Else the tests above would see one expert only."""
    seen = set()
    run = model(name)
    mixture = run.model.blk[0].feed_forward
    assert isinstance(mixture, Experts)
    route = mixture.route

    def watched(x):
        chosen, weights = route(x)
        seen.update(chosen.flatten().tolist())
        return chosen, weights

    mixture.route = watched
    list(run.read(0, TOKENS))
    assert len(seen) > mixture.used
