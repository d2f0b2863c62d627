"""Blocks in several places: rows pass from one back end to the next, and a row still has its bits in any company."""

import numpy as np
import pytest

from llamaspec import shelf
from llamaspec.errors import LlamaspecError
from llamaspec.kernels import native
from llamaspec.kernels.device import HOST
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.kernels.kv_types import F32
from llamaspec.network.decoder import NORMED
from llamaspec.network.hparams import Latent
from llamaspec.network.place import Place, Placement, PlacementRow
from llamaspec.network.runner import Branch, Runner
from llamaspec.network.weights import Weights
from llamaspec.weights.file import GGUFFile
from tests.network import build
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, USABLE, alone, each, same_bits

CPU = HOST
pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")
TABLES = {
    "first block elsewhere": (r"^blk\.0\.", "reference", "native"),
    "last blocks and output elsewhere": (r"^(blk\.[1-9]|output)", "native", "reference"),
    "embedding elsewhere": (r"^token_embd", "reference", "native"),
    "every other block elsewhere": (r"^blk\.\d*[13579]\.", "native", "reference"),
}


def runner(name: str, table: tuple[str, str, str]) -> Runner:
    """A model whose tensors that match go to the first back end, the rest to the second."""
    golden, (pattern, inside, outside) = USABLE[name], table
    places = [Place(CPU, kernels_for(CPU, kind)) for kind in (inside, outside)]
    file, hparams = GGUFFile(golden.model), build.read(golden.model)
    placement = Placement([PlacementRow(pattern, places[0]), PlacementRow("", places[1])])
    model = shelf.take("models", hparams.architecture).Model(hparams, Weights(file, placement, hparams.eps), 256)
    return Runner(model, model.new_cache(1, 256, F32))


def sharing(golden) -> bool:
    """Whether layers read other layers' caches."""
    layers = build.read(golden.model).layers
    for layer in layers:
        h = layer.attention.indexer if isinstance(layer.attention, Latent) else layer.attention
        if getattr(h, "source", None) is not None:
            return True
    return False


APART = {kind: golden for kind, golden in ONE_PER_ARCHITECTURE.items() if not sharing(golden)}


@pytest.mark.parametrize("name", [name for name, golden in USABLE.items() if sharing(golden)])
def test_layers_that_share_a_cache_stay_together(name):
    with pytest.raises(LlamaspecError, match="needs what layer"):
        runner(name, (rf"^blk\.{len(build.read(USABLE[name].model).layers) - 1}\.", "native", "reference"))
    runner(name, TABLES["embedding elsewhere"])


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("kind", each(APART))
def test_logits_and_features(kind, table):
    golden = ONE_PER_ARCHITECTURE[kind]
    run = runner(golden.name, TABLES[table])
    assert len(run.model.segments) > 1
    n_layer = run.model.hparams.n_layer
    ids = golden.entry["prompt_tokens"] + golden.entry["greedy_tokens"]
    expected = np.load(golden.logits)
    logits = run.logits(0, ids)[-len(expected) :]
    error = np.square(logits - expected).mean() / np.square(expected).mean()
    quantised = golden.entry.get("quant", "F32") != "F32"
    assert error < (3e-3 if quantised else golden.entry["suggested_tolerance"]["nmse"])
    features = (0, 1, n_layer, NORMED)
    ours = run.decode([Branch(0, [5])], features)[0].features
    whole = build.runner(golden.model, kv_type=F32)
    whole.logits(0, ids)
    theirs = whole.decode([Branch(0, [5])], features)[0].features
    for feature in features:
        scale = np.abs(theirs[feature]).max()
        assert np.abs(ours[feature] - theirs[feature]).max() < (0.2 if quantised else 1e-3) * scale, feature


@pytest.mark.parametrize("table", TABLES)
def test_a_tree_has_the_bits_of_its_branches(table):
    name = ONE_PER_ARCHITECTURE["llama"].name
    run, plain = runner(name, TABLES[table]), runner(name, TABLES[table])
    for one in (run, plain):
        list(one.read(0, [3, 4, 5]))
    logits = run.decode([Branch(0, [9, 8, 7, 6], [-1, 0, 0])])[0].logits
    for row, expected in zip((0, 1, 3), alone(plain, 0, [9, 8, 6]), strict=True):
        assert same_bits(logits[row], expected)


def test_the_first_pattern_that_fits_wins():
    here, there = (Place(CPU, kernels_for(CPU, "reference")) for _ in range(2))
    table = Placement([PlacementRow(r"blk\.3\.ffn", here), PlacementRow(r"blk\.3\.", there), PlacementRow("", here)])
    assert table.at("blk.3.ffn_up.weight") is here
    assert table.at("blk.3.attn_q.weight") is there
    assert table.at("blk.13.attn_q.weight") is here
