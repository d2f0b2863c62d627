"""A model whose blocks run in one call gives the bits of one that runs them part by part, features included."""

import pytest
import torch

from llamaspec.kernels import native
from llamaspec.layers.mlp import SwiGLU
from llamaspec.network.runner import Branch
from tests.network import build
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, VOCABULARY, same_bits

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")


def pair(name):
    """The model as it is, and the same with nothing fused."""
    ours, parts = (build.passes(ONE_PER_ARCHITECTURE[name].model, 512, 2, backend="native") for _ in range(2))
    parts.model.fused = None
    return ours, parts


@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
@torch.inference_mode()
def test_logits_and_features(name):
    runs = pair(name)
    n_layer = runs[0].model.hparams.n_layer
    prompt = [(3 * i) % VOCABULARY for i in range(150)]
    branches = [Branch(0, [9, 8, 7, 6, 5], [-1, 0, 0, 2]), Branch(1, [4])]
    for features in ((), (0,), (n_layer,), (1, n_layer - 1), tuple(range(n_layer, -1, -1))):
        results = []
        for run in runs:
            for slot in range(2):
                run.cache.truncate(slot, 0)
                list(run.read(slot, prompt[slot:], features))
            results.append(run.decode(branches, features))
        for ours, theirs in zip(*results, strict=True):
            assert same_bits(ours.logits, theirs.logits)
            assert set(ours.features) == set(theirs.features) == set(features)
            for layer in features:
                assert same_bits(ours.features[layer], theirs.features[layer]), (features, layer)


def test_some_models_are_fused():
    assert any(pair(name)[0].model.fused is not None for name in ONE_PER_ARCHITECTURE)


@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
def test_only_standard_blocks_are_fused(name):
    model = pair(name)[0].model
    block = model.blk[0]
    dense = type(block.feed_forward) is SwiGLU
    assert (block.parts() is not None) == dense

    class Other(type(block)):
        pass

    block.__class__ = Other
    assert block.parts() is None


def test_only_standard_ends_are_fused():
    model = next(run.model for name in ONE_PER_ARCHITECTURE if (run := pair(name)[0]).model.fused is not None)
    for part in ("token_embd", "output_norm", "output"):
        standard = getattr(model, part)
        other = type("Other", (type(standard),), {})
        setattr(model, part, other.__new__(other))
        assert model.fusion() is None
        setattr(model, part, standard)
    assert model.fusion() is not None
