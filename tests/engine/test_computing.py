"""torch is quiet beside the native kernels, and nobody else notices."""

import pytest
import torch

import llamaspec
from llamaspec.engine.computing import computing
from llamaspec.kernels import native
from tests.engine.conftest import usable


@pytest.mark.skipif(not native.available(), reason=native.why_not())
def test_one_thread_inside_and_the_caller_s_outside():
    llm = llamaspec.load(next(iter(usable().values())), device="cpu", ctx_size=64)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with computing(llm.target.model):
            assert torch.get_num_threads() == 1
            assert torch.is_inference_mode_enabled()
        for _ in llm.stream(list(range(5, 40)), n_predict=4, temp=0, stop_at_eog=False):
            assert torch.get_num_threads() == 2
            assert not torch.is_inference_mode_enabled()
    finally:
        torch.set_num_threads(before)
