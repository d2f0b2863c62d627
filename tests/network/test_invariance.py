"""A row's logits have the same bits alone, in a chain, on a branch of a tree, beside other sequences, in any chunk."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.kernels import native
from llamaspec.kernels.held import Q8_0
from llamaspec.network.hparams import HParams
from llamaspec.network.runner import Branch
from llamaspec.weights.file import GGUFFile
from tests import goldens
from tests.models.test_parity import supported
from tests.network import build

USABLE = {golden.name: golden for golden in goldens.models() if not supported(golden)}


def kind(golden: goldens.Golden) -> str:
    """The architecture, and whether it has experts."""
    experts = GGUFFile(golden.model).metadata.int("expert_count", default=0)
    return golden.entry["arch"] + ("-moe" if experts else "")


ONE_PER_ARCHITECTURE = {kind(golden): golden for golden in USABLE.values()}
VOCABULARY = 400
KERNELS = ["reference", "native"] if native.available() else ["reference"]


HELD = [None, Q8_0]


@pytest.fixture(params=[(backend, held) for backend in KERNELS for held in HELD], ids=str)
def passes(request):
    """A model on each back end of this machine, with its usual cache and a packed one."""
    backend, held = request.param
    return functools.partial(build.passes, backend=backend, held=held)


def packs(golden):
    """Whether its heads are whole blocks of a packed cache."""
    file = GGUFFile(golden.model)
    h = HParams.read(file.metadata, file.info("token_embd.weight").shape[0])
    return h.head_k % 32 == 0 and h.head_v % 32 == 0


PACKS = {name: golden for name, golden in USABLE.items() if packs(golden)}


def needs(passes, golden):
    """Skips a packed cache for heads that it does not hold."""
    if passes.keywords["held"] is Q8_0 and golden.name not in PACKS:
        pytest.skip("heads that are no whole blocks")


def alone(run, slot, tokens):
    """Logits after each token, one row per pass, committed."""
    rows = []
    for token in tokens:
        rows.append(run.decode([Branch(slot, [token])])[0].logits[0])
        run.cache.commit(slot, [0])
    return rows


def same_bits(a, b):
    return torch.equal(a.view(torch.int32), b.view(torch.int32))


@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
@torch.inference_mode()
def test_a_chain_of_any_length(passes, name):
    needs(passes, ONE_PER_ARCHITECTURE[name])
    tokens = [(7 * i) % VOCABULARY for i in range(40)]
    expected = alone(passes(ONE_PER_ARCHITECTURE[name].model), 0, tokens)
    for width in (2, 7, 16, 40):
        run = passes(ONE_PER_ARCHITECTURE[name].model)
        for start in range(0, len(tokens), width):
            chunk = tokens[start : start + width]
            logits = run.decode([Branch(0, chunk, range(-1, len(chunk) - 2))])[0].logits
            run.cache.commit(0, range(len(chunk)))
            for i, row in enumerate(logits):
                assert same_bits(row, expected[start + i]), (width, start + i)


@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
@torch.inference_mode()
def test_a_long_prompt_read_in_chunks_or_one_by_one(passes, name):
    needs(passes, ONE_PER_ARCHITECTURE[name])
    tokens = [(5 * i + i * i) % VOCABULARY for i in range(300)]
    expected = alone(passes(ONE_PER_ARCHITECTURE[name].model, 512), 0, tokens)[-1]
    run = passes(ONE_PER_ARCHITECTURE[name].model, 512)
    assert sum(size for size, _ in run.read(0, tokens[:-1])) == 299
    assert same_bits(run.decode([Branch(0, tokens[-1:])])[0].logits[0], expected)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
@torch.inference_mode()
def test_a_tree_that_crosses_a_block(data):
    golden = data.draw(st.sampled_from(sorted(ONE_PER_ARCHITECTURE.values(), key=lambda g: g.name)))
    held = data.draw(st.sampled_from(HELD if golden.name in PACKS else [None]))
    passes = functools.partial(build.passes, backend=data.draw(st.sampled_from(KERNELS)), held=held)
    n_prompt = data.draw(st.sampled_from([1, 3, 250, 255, 256]))
    n_nodes = data.draw(st.integers(1, 24))
    nodes = [(data.draw(st.integers(-1, i - 1)), data.draw(st.integers(5, VOCABULARY))) for i in range(n_nodes)]
    prompt = [(3 * i) % VOCABULARY for i in range(n_prompt)]
    run = passes(golden.model, 512)
    list(run.read(0, prompt))
    parents, tokens = [p for p, _ in nodes], [9, *(t for _, t in nodes)]
    logits = run.decode([Branch(0, tokens, parents)])[0].logits
    leaf = data.draw(st.integers(0, n_nodes - 1))
    path = [leaf]
    while parents[path[0]] >= 0:
        path.insert(0, parents[path[0]])
    rows = [0, *(node + 1 for node in path)]
    plain = passes(golden.model, 512)
    list(plain.read(0, prompt))
    for row, expected in zip(rows, alone(plain, 0, [tokens[row] for row in rows]), strict=True):
        assert same_bits(logits[row], expected)
    # what was committed is what plain decoding would have left in the cache
    run.cache.commit(0, rows)
    length = n_prompt + len(rows)
    for ours, theirs in zip(run.cache.stores, plain.cache.stores, strict=True):
        assert torch.equal(ours.k[0, :, :length], theirs.k[0, :, :length])
        assert torch.equal(ours.v[0, :, :length], theirs.v[0, :, :length])


@torch.inference_mode()
def test_sequences_side_by_side(passes):
    golden = next(iter((PACKS if passes.keywords["held"] is Q8_0 else USABLE).values()))
    histories = [[3, 5, 7], [11, 13, 17, 19, 23], [29]]
    run = passes(golden.model, slots=3)
    expected = []
    for slot, tokens in enumerate(histories):
        expected.append(alone(passes(golden.model), 0, [*tokens, 40 + slot])[-1])
        list(run.read(slot, tokens))
    outputs = run.decode([Branch(slot, [40 + slot]) for slot in range(3)])
    for output, row in zip(outputs, expected, strict=True):
        assert same_bits(output.logits[0], row)
