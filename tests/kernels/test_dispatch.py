"""Which back end is taken, and what is said where none can be."""

import numpy as np
import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.kernels import dispatch, native
from llamaspec.kernels.device import HOST
from llamaspec.kernels.native.packed import unpacked
from llamaspec.weights.tensor import QuantizedTensor


@pytest.mark.parametrize(("backend", "what"), [("reference", "--kernels reference"), ("auto", "no compiler")])
def test_without_torch_and_native_kernels(monkeypatch, backend, what):
    monkeypatch.setattr(dispatch, "has_torch", lambda: False)
    monkeypatch.setattr(native, "available", lambda: False)
    monkeypatch.setattr(native, "why_not", lambda: "no compiler")
    with pytest.raises(LlamaspecError, match="needs PyTorch") as refused:
        dispatch.kernels_for(HOST, backend)
    assert what in refused.value.message
    assert refused.value.hint == "pip install torch"


@pytest.mark.skipif(not native.available(), reason=native.why_not())
def test_a_type_that_nobody_can_unpack_is_refused_with_and_without_torch(monkeypatch):
    for installed in (True, False):
        monkeypatch.setattr(dispatch, "has_torch", lambda installed=installed: installed)
        with pytest.raises(LlamaspecError, match="Q8_K, which llamaspec cannot unpack"):
            unpacked(QuantizedTensor(np.zeros((1, 292), np.uint8), "Q8_K", (1, 256), "odd one"))
