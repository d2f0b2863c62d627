"""The reference back end: weights unpacked once or at every use give the same bits."""

import numpy as np
import pytest

from llamaspec.kernels.reference import Reference
from llamaspec.network.runner import Branch
from tests.network import build
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, each


@pytest.mark.parametrize("name", each(ONE_PER_ARCHITECTURE))
def test_unpacking_at_every_use_changes_no_bit(name, monkeypatch):
    tokens = [5, 6, 7, 8]
    logits = []
    for resident in (True, False):
        monkeypatch.setattr(build, "kernels_for", lambda device, backend, threads, r=resident: Reference(device, r))
        run = build.runner(ONE_PER_ARCHITECTURE[name].model)
        assert type(run.model.token_embd.matrix).__name__ == ("DenseMatrix" if resident else "PackedMatrix")
        logits.append(run.decode([Branch(0, tokens, range(-1, len(tokens) - 2))])[0].logits)
    assert np.array_equal(*logits)
