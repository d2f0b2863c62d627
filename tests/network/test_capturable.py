"""Model.forward never looks at data: fake tensors have none, and a CUDA graph could not replay a look."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from llamaspec.kernels.protocol import Batch, KVIndex
from tests.network.build import runner as passes
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, each


def batch(rows: int, tree: bool) -> Batch:
    """A decode pass of one sequence, as a chain or with branches."""
    numbers = torch.arange(rows)
    zeros = torch.zeros_like(numbers)
    paths = torch.zeros(rows, 8, dtype=torch.int64) if tree else None
    return Batch(numbers, numbers, zeros, numbers, KVIndex(numbers, zeros, zeros, paths, blocks=2), numbers)


def run_without_data(model, cache, rows: int, tree: bool) -> torch.Size:
    """The shape of the logits; raises if the forward pass needs a value on the host."""
    with torch.inference_mode(), FakeTensorMode(allow_non_fake_inputs=True):
        return model.forward(batch(rows, tree), cache).logits.shape


@pytest.mark.parametrize("rows", [16, pytest.param(64, marks=pytest.mark.slow)])
@pytest.mark.parametrize("tree", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", each(ONE_PER_ARCHITECTURE, most=8))
def test_forward_needs_no_data(name, tree, rows):
    """Chains go without data through whole steps in tests/engine/test_device_step.py, too."""
    run = passes(ONE_PER_ARCHITECTURE[name].model, 512)
    assert run_without_data(run.model, run.cache, rows, tree) == (rows, run.model.hparams.n_vocab)


def test_a_look_at_data_would_be_seen():
    run = passes(next(iter(ONE_PER_ARCHITECTURE.values())).model, 512)
    embed = run.model.token_embd

    class Peeking:
        def __call__(self, ops):
            return embed(ops) * int(ops.batch.tokens.max().item())

    run.model.token_embd = Peeking()
    with pytest.raises(Exception, match=r"_local_scalar_dense|item"):
        run_without_data(run.model, run.cache, 16, False)
