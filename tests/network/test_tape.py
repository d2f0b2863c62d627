"""A recorded pass gives the bits of the operations one by one, logits and features, for every architecture."""

import numpy as np
import pytest

from llamaspec import shelf
from llamaspec.errors import LlamaspecError
from llamaspec.kernels import native
from llamaspec.network.decoder import NORMED
from llamaspec.network.runner import Branch
from tests.network import build
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, VOCABULARY, same_bits

needs_native = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")


def pair(name):
    """The model as it is, and the same with its operations one by one."""
    ours, parts = (build.runner(ONE_PER_ARCHITECTURE[name].model, 512, 2, backend="native") for _ in range(2))
    assert ours.model.segments[0].tape is not None
    parts.model.segments[0].tape = None
    return ours, parts


@needs_native
@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
def test_logits_and_features(name):
    runs = pair(name)
    n_layer = runs[0].model.hparams.n_layer
    prompt = [(3 * i) % VOCABULARY for i in range(150)]
    branches = [Branch(0, [9, 8, 7, 6, 5], [-1, 0, 0, 2]), Branch(1, [4])]
    for features in ((), (0,), (n_layer, NORMED), (1, n_layer - 1), tuple(range(n_layer, -2, -1))):
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


@pytest.mark.parametrize("backend", ["reference", "native"] if native.available() else ["reference"])
@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
def test_features_are_what_they_are_called(name, backend):
    """Output of the last block -> norm -> output gives the logits; a feature that does not exist is an error."""
    run = build.runner(ONE_PER_ARCHITECTURE[name].model, backend=backend)
    n_layer = run.model.hparams.n_layer
    output = run.decode([Branch(0, [5, 6, 7], [-1, 0])], (0, n_layer, NORMED))[0]
    last, normed = output.features[n_layer], output.features[NORMED]
    size = (np.square(last).mean(-1) + run.model.hparams.eps) ** -0.5
    if run.model.norm == "rms" and run.model.output_norm.bias is None:
        ratio = normed / (last * size[:, None])
        assert np.allclose(ratio[0], ratio[1], rtol=1e-4)
    assert not np.array_equal(output.features[0], last)
    for wrong in (n_layer + 1, -2):
        with pytest.raises(LlamaspecError, match=f"no feature {wrong}"):
            run.decode([Branch(0, [5])], (wrong,))


@needs_native
def test_every_architecture_of_the_goldens_has_a_tape():
    """What falls off the one-call pass would be several times slower."""
    recorded = {golden.entry["arch"].replace("-", "_") for name, golden in ONE_PER_ARCHITECTURE.items() if pair(name)}
    assert recorded
    assert recorded <= set(shelf.names("models"))


@needs_native
@pytest.mark.parametrize("name", ONE_PER_ARCHITECTURE)
def test_registers_of_a_tape_never_overlap_while_they_live(name):
    tape = build.runner(ONE_PER_ARCHITECTURE[name].model, backend="native").model.segments[0].tape
    assert tape is not None
    lives: dict[int, list[int]] = {}
    from llamaspec.kernels.native.recorder import operands

    for number, (kind, arguments, _) in enumerate(tape.recorder.ops):
        for view, role in operands(kind, arguments):
            if view.at >= 0:
                lives.setdefault(view.at, []).append(number)
            assert view.at + view.column + view.width <= tape.floats or view.at < 0, role
    assert len(lives) > 3
