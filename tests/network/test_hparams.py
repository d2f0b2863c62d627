"""Hyper-parameters that do not fit each other are refused by the record that owns them, with the key's name."""

from dataclasses import replace

import pytest

from llamaspec import shelf
from llamaspec.errors import LlamaspecError
from llamaspec.kernels.records import Routing, Temper
from llamaspec.layers.rope import Rope
from llamaspec.network.hparams import DeltaNet, Dense, Heads, HParams, Indexer, Latent, Layer, Mamba, Mixture, ShortConv
from llamaspec.weights.file import GGUFFile
from tests.network import build
from tests.network.test_invariance import ONE_PER_ARCHITECTURE

HEADS = Heads(4, 2, 32, 32, 0.1, Rope(32, 1e4))
LATENT = Latent(4, 0, 64, 32, 32, 0.1, Rope(16, 1e4))
DELTA = DeltaNet(4, 2, 16, 4, True)
MAMBA = Mamba(32, 4, 16, 2, 4)
MIXTURE = Mixture(8, 64, Routing(2))
HPARAMS = HParams("llama", 100, 64, 128, 1e-5, (Layer(HEADS, Dense(64)),))
WRONG = [
    ("attention.head_count 0", HEADS, {"heads": 0}),
    ("attention.head_count_kv 3", HEADS, {"kv_heads": 3}),
    ("attention.head_count_kv 0", HEADS, {"kv_heads": 0}),
    ("attention.key_length 0", HEADS, {"key": 0}),
    ("attention.value_length 0", HEADS, {"value": 0}),
    ("attention.sliding_window -1", HEADS, {"window": -1}),
    ("attention.scale 0", HEADS, {"scale": 0.0}),
    ("rope.dimension_count 64", HEADS, {"rope": Rope(64, 1e4)}),
    ("attention.kv_lora_rank 0", LATENT, {"c": 0}),
    ("attention.key_length_mla 0", LATENT, {"nope": 0}),
    ("ssm.group_count 3", DELTA, {"key_heads": 3}),
    ("ssm.conv_kernel 1", DELTA, {"kernel": 1}),
    ("ssm.state_size 0", DELTA, {"size": 0}),
    ("ssm.group_count 3", MAMBA, {"groups": 3}),
    ("ssm.inner_size 33", MAMBA, {"inner": 33}),
    ("ssm.time_step_rank 0", MAMBA, {"heads": 0}),
    ("ssm.conv_kernel 1", MAMBA, {"kernel": 1}),
    ("shortconv.l_cache 1", ShortConv(8, 3), {"kernel": 1}),
    ("rope.scaling.original_context_length 0", HEADS, {"temper": Temper(0.1, 0)}),
    ("attention.temperature_length 0", LATENT, {"temper": Temper(0.1, 0)}),
    ("attention.shared_kv_layers", HEADS, {"source": -1}),
    ("attention.indexer.top_k 0", Indexer(2, 8, 4), {"used": 0}),
    ("attention.indexer.head_count 0", Indexer(2, 8, 4), {"heads": 0}),
    ("attention.indexer.key_length 8", LATENT, {"q_rank": 8, "indexer": Indexer(2, 8, 4)}),
    ("attention.q_lora_rank 0", LATENT, {"indexer": Indexer(2, 16, 4)}),
    ("feed_forward_length 0", Dense(4), {"width": 0}),
    ("expert_count 0", MIXTURE, {"count": 0}),
    ("expert_used_count 9", MIXTURE, {"routing": Routing(9)}),
    ("expert_used_count 0", MIXTURE, {"routing": Routing(0)}),
    ("expert_group_count 3", MIXTURE, {"routing": Routing(2, groups=3)}),
    ("expert_group_used_count 5", MIXTURE, {"routing": Routing(2, groups=4, groups_used=5)}),
    ("expert_group_used_count 1", MIXTURE, {"routing": Routing(3, groups=4, groups_used=1)}),
    ("embedding_length 0", HPARAMS, {"n_embd": 0}),
    ("context_length 0", HPARAMS, {"n_ctx_train": 0}),
    ("block_count 0", HPARAMS, {"layers": ()}),
    ("attention.layer_norm_rms_epsilon 1.5", HPARAMS, {"eps": 1.5}),
]


@pytest.mark.parametrize(("key", "record", "change"), WRONG, ids=[key for key, *_ in WRONG])
def test_refused_with_its_key(key, record, change):
    with pytest.raises(LlamaspecError) as error:
        replace(record, **change)
    assert key in error.value.message
    assert "\n" not in error.value.message
    assert error.value.hint


def golden_has_heads(golden):
    return any(isinstance(layer.attention, Heads | Latent) for layer in build.read(golden.model).layers)


REQUIRED = ("block_count", "embedding_length", "attention.head_count", "context_length")


@pytest.mark.parametrize("key", REQUIRED)
@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
def test_a_missing_key_is_named(name, key):
    golden = ONE_PER_ARCHITECTURE[name]
    if key == "attention.head_count" and not golden_has_heads(golden):
        pytest.skip("a model without attention")
    meta = GGUFFile(golden.model).metadata
    full = meta.full(key)
    without = type(meta)({k: v for k, v in meta.items() if k != full}, "model.gguf")
    with pytest.raises(LlamaspecError, match=key.replace(".", r"\.")):
        shelf.take("models", meta.architecture).Model.read(without, 416)


@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
def test_counts_may_be_one_value_or_one_per_layer(name):
    meta = GGUFFile(ONE_PER_ARCHITECTURE[name].model).metadata
    kind = shelf.take("models", meta.architecture).Model
    blocks = meta.int("block_count")
    changes = []
    for key in ("attention.head_count", "attention.head_count_kv", "feed_forward_length"):
        value = meta.get(key)
        if isinstance(value, int):
            changes.append((meta.full(key), [value] * blocks))
    assert kind.read(meta.with_overrides(changes), 416) == kind.read(meta, 416)


def test_overrides_reach_the_architecture():
    meta = GGUFFile(ONE_PER_ARCHITECTURE["llama"].model).metadata
    kind = shelf.take("models", "llama").Model
    changed = kind.read(meta.with_overrides([("llama.rope.freq_base", 5e5)]), 416)
    assert {layer.attention.rope.base for layer in changed.layers} == {5e5}
