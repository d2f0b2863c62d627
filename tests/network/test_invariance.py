"""A row's logits have the same bits alone, in a chain, on a branch of a tree, beside other sequences, in any chunk."""

import functools
from dataclasses import MISSING, fields, is_dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec import shelf
from llamaspec.kernels import native
from llamaspec.kernels.kv_types import Q8_0
from llamaspec.network import stores
from llamaspec.network.hparams import Both, DeltaNet, Heads, Latent, Mamba, ShortConv
from llamaspec.network.runner import Branch
from tests import goldens
from tests.models.test_parity import supported
from tests.network import build

USABLE = {golden.name: golden for golden in goldens.models() if not supported(golden)}


def kind(golden: goldens.Golden) -> str:
    """The architecture, and whether it has experts."""
    experts = golden.file.metadata.int("expert_count", default=0)
    return golden.entry["arch"] + ("-moe" if experts else "")


BY_SIZE = sorted(USABLE.values(), key=lambda golden: golden.model.stat().st_size, reverse=True)
ONE_PER_ARCHITECTURE = {kind(golden): golden for golden in BY_SIZE}
"""The smallest of each kind."""


def traits(golden: goldens.Golden) -> set[str]:
    """What is not as usual in its records and in its family."""
    h = build.read(golden.model)
    family = shelf.take("models", h.architecture).Model
    records = [h, *(part for layer in h.layers for part in (layer.attention, layer.feed_forward))]
    found = {f"{name}={getattr(family, name)}" for name in ("norm", "activation", "parallel", "attn_norm", "ffn_norm")}
    for record in records:
        found.add(type(record).__name__)
        for field in fields(record) if is_dataclass(record) else ():
            value = getattr(record, field.name)
            if field.default is not MISSING and value != field.default and field.name not in ("eps", "layers"):
                found.add(f"{type(record).__name__}.{field.name}={value if isinstance(value, str) else 'set'}")
    return found


def covering(kinds: dict[str, goldens.Golden]) -> list[str]:
    """Few kinds that have every trait: llama, then always the one with most traits that no earlier one had."""
    chosen, seen, left = [], set(), {name: traits(golden) for name, golden in kinds.items()}
    while left:
        best = max(left, key=lambda name: (name == "llama", len(left[name] - seen)))
        if chosen and not left[best] - seen:
            break
        chosen.append(best)
        seen |= left.pop(best)
    return chosen


COVERING = covering(ONE_PER_ARCHITECTURE)


def each(kinds: dict[str, goldens.Golden], most: int | None = None) -> list:
    """All kinds; those whose traits others have too are left to the slow tier, as are all but the `most` covering."""
    return [name if name in COVERING[:most] else pytest.param(name, marks=pytest.mark.slow) for name in kinds]


VOCABULARY = 90
"""Tokens that every golden has."""
KERNELS = ["reference", "native", "native by parts"] if native.available() else ["reference"]
KV_TYPES = [None, Q8_0]


def runner(path, *arguments, backend, **keywords):
    """A model on a back end; "by parts": its operations one by one."""
    run = build.runner(path, *arguments, backend=backend.split()[0], **keywords)
    if backend.endswith("parts"):
        run.model.segments[0].tape = None
    return run


def over(kinds: dict[str, goldens.Golden], most: int | None = None) -> list:
    """(passes, name): each kind on each back end of this machine, with its usual cache and a packed one.

    The reference is slow: the fast tier gives it the usual cache, and the first `most` of the covering kinds. Its
    packed cache is among the examples of `test_a_tree_that_crosses_a_block`.
    """
    found = []
    for backend, kv_type in product(KERNELS, KV_TYPES):
        reference = backend == "reference"
        few = () if reference and kv_type else COVERING[: most if reference else None]
        for name in kinds:
            marks = [] if name in few else [pytest.mark.slow]
            passes = functools.partial(runner, backend=backend, kv_type=kv_type)
            found.append(
                pytest.param(passes, name, marks=marks, id=f"{backend}-{'packed' if kv_type else 'usual'}-{name}")
            )
    return found


def packs(golden):
    """Whether its heads are whole blocks of a packed cache."""
    widths = []
    for layer in build.read(golden.model).layers:
        attention = layer.attention.heads if isinstance(layer.attention, Both) else layer.attention
        if isinstance(attention, Heads):
            widths += [attention.key, attention.value]
        elif isinstance(attention, Latent):
            widths += [attention.c + attention.rope.width, attention.c]
    return all(width % 32 == 0 for width in widths)


PACKS = {name: golden for name, golden in USABLE.items() if packs(golden)}


def needs(passes, golden):
    """Skips a packed cache for heads that it does not hold."""
    if passes.keywords["kv_type"] is Q8_0 and golden.name not in PACKS:
        pytest.skip("heads that are no whole blocks")


def alone(run, slot, tokens):
    """Logits after each token, one row per pass, committed."""
    rows = []
    for token in tokens:
        rows.append(run.decode([Branch(slot, [token])])[0].logits[0])
        run.cache.commit(slot, [0])
    return rows


def same_bits(a, b):
    return np.array_equal(np.ascontiguousarray(a).view(np.int32), np.ascontiguousarray(b).view(np.int32))


@pytest.mark.parametrize(("passes", "name"), over(ONE_PER_ARCHITECTURE))
def test_a_chain_of_any_length(passes, name):
    needs(passes, ONE_PER_ARCHITECTURE[name])
    tokens = [(7 * i) % VOCABULARY for i in range(40)]
    expected = alone(passes(ONE_PER_ARCHITECTURE[name].model), 0, tokens)
    for width in (2, 7, 16, 40):
        run = passes(ONE_PER_ARCHITECTURE[name].model)
        width = min(width, run.cache.draft_rows)
        for start in range(0, len(tokens), width):
            chunk = tokens[start : start + width]
            logits = run.decode([Branch(0, chunk, range(-1, len(chunk) - 2))])[0].logits
            run.cache.commit(0, range(len(chunk)))
            for i, row in enumerate(logits):
                assert same_bits(row, expected[start + i]), (width, start + i)


@pytest.mark.parametrize(("passes", "name"), over(ONE_PER_ARCHITECTURE, most=3))
def test_a_long_prompt_read_in_chunks_or_one_by_one(passes, name):
    needs(passes, ONE_PER_ARCHITECTURE[name])
    tokens = [(5 * i + i * i) % VOCABULARY for i in range(300)]
    expected = alone(passes(ONE_PER_ARCHITECTURE[name].model, 512), 0, tokens)[-1]
    run = passes(ONE_PER_ARCHITECTURE[name].model, 512)
    assert sum(size for size, _ in run.read(0, tokens[:-1])) == 299
    assert same_bits(run.decode([Branch(0, tokens[-1:])])[0].logits[0], expected)


SLIDING = {
    name: golden
    for name, golden in ONE_PER_ARCHITECTURE.items()
    if any(
        isinstance(layer.attention, Heads) and layer.attention.window and stores.ring_for(layer.attention.window, 2048)
        for layer in build.read(golden.model).layers
    )
}


@pytest.mark.parametrize("name", each(SLIDING))
@pytest.mark.parametrize("backend", KERNELS)
def test_a_ring_has_the_bits_of_all_positions(name, backend, monkeypatch):
    """More tokens than a ring has cells, drafts with branches behind them: as if nothing had been overwritten."""
    tokens = [(5 * i + i * i) % VOCABULARY for i in range(1100)]
    tree = Branch(0, [3, 4, 5, 6], [-1, 0, 0])
    results = []
    for ring in (True, False):
        if not ring:
            monkeypatch.setattr(stores, "ring_for", lambda window, context: 0)
        run = runner(SLIDING[name].model, 2048, backend=backend)
        layers = zip(run.model.hparams.layers, run.cache.stores, strict=True)
        windows = [store for layer, store in layers if isinstance(layer.attention, Heads)]
        assert any(plane.ring for store in windows for plane in store.planes) == ring
        list(run.read(0, tokens))
        run.decode([tree])
        run.cache.commit(0, [0, 1, 3])
        results.append(run.decode([Branch(0, [9])])[0].logits)
    assert same_bits(*results)


@pytest.mark.timeout(600)
@given(data=st.data())
@settings(max_examples=20, deadline=None, report_multiple_bugs=False)
def test_a_tree_that_crosses_a_block(data):
    golden = data.draw(st.sampled_from(sorted(ONE_PER_ARCHITECTURE.values(), key=lambda g: g.name)))
    kv_type = data.draw(st.sampled_from(KV_TYPES if golden.name in PACKS else [None]))
    passes = functools.partial(runner, backend=data.draw(st.sampled_from(KERNELS)), kv_type=kv_type)
    n_prompt = data.draw(st.sampled_from([1, 3, 250, 255, 256]))
    run = passes(golden.model, 512)
    n_nodes = data.draw(st.integers(1, min(15, run.cache.draft_rows - 1)))
    nodes = [(data.draw(st.integers(-1, i - 1)), data.draw(st.integers(5, VOCABULARY))) for i in range(n_nodes)]
    prompt = [(3 * i) % VOCABULARY for i in range(n_prompt)]
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
    # what was committed is what plain decoding would have left behind, also for what follows a step back
    run.cache.commit(0, rows)
    follow = [[11, 12], [13]]
    for token, *_ in follow:
        assert same_bits(alone(run, 0, [token])[0], alone(plain, 0, [token])[0])
    back = data.draw(st.integers(0, run.cache.lengths[0]))
    history = [*prompt, *(tokens[row] for row in rows), 11, 13]
    for one in (run, plain):
        left = one.cache.truncate(0, back)
        assert left <= back
        list(one.read(0, history[left:back]))
    assert same_bits(alone(run, 0, [14])[0], alone(plain, 0, [14])[0])


@pytest.mark.parametrize(("passes", "name"), over(ONE_PER_ARCHITECTURE))
def test_sequences_side_by_side(passes, name):
    golden = ONE_PER_ARCHITECTURE[name]
    needs(passes, golden)
    histories = [[3, 5, 7], [11, 13, 17, 19, 23], [29]]
    run = passes(golden.model, slots=3)
    expected = []
    for slot, tokens in enumerate(histories):
        expected.append(alone(passes(golden.model), 0, [*tokens, 40 + slot])[-1])
        list(run.read(slot, tokens))
    outputs = run.decode([Branch(slot, [40 + slot]) for slot in range(3)])
    for output, row in zip(outputs, expected, strict=True):
        assert same_bits(output.logits[0], row)


def test_the_goldens_have_every_kind_of_memory():
    """Else the tests above prove less than they say."""
    kinds = {type(layer.attention) for golden in USABLE.values() for layer in build.read(golden.model).layers}
    assert kinds <= {Heads, Latent, DeltaNet, Mamba, Both, ShortConv, type(None)}
    assert Heads in kinds
