"""What is decided before anything is allocated: whether it fits, where layers go, how a prompt is read."""

import pytest

from llamaspec import demo
from llamaspec.engine import devices
from llamaspec.engine import plan as planning
from llamaspec.engine.llm import LLM
from llamaspec.engine.load import architecture
from llamaspec.engine.plan import ModelRequest, plan
from llamaspec.errors import LlamaspecError
from llamaspec.kernels import native
from llamaspec.kernels.device import HOST, Device
from llamaspec.options import from_keywords
from llamaspec.weights.file import GGUFFile

needs_native = pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")


def decided(**wish) -> planning.ModelPlan:
    """The plan for the demo's target."""
    file = GGUFFile(demo.target())
    return plan(file, file.metadata, architecture(file), ModelRequest(str(demo.target()), **wish))


@needs_native
def test_native_weights_that_do_not_fit_are_refused_before_they_are_loaded(monkeypatch):
    size = sum(info.n_bytes for info in GGUFFile(demo.target()).tensors.values())
    for free, fits in ((2 * size, True), (size, False)):
        monkeypatch.setattr(planning, "free_bytes", lambda device, free=free: free)
        if fits:
            assert decided(devices=("none",), n_ctx=64, backend="native").n_ctx == 64
            continue
        with pytest.raises(LlamaspecError, match="the weights need") as error:
            decided(devices=("none",), n_ctx=64, backend="native")
        assert error.value.hint


def test_the_reference_unpacks_what_does_not_fit_at_every_use(monkeypatch):
    size = sum(info.n_bytes for info in GGUFFile(demo.target()).tensors.values())
    monkeypatch.setattr(planning, "free_bytes", lambda device: size)
    made = decided(devices=("none",), n_ctx=64, backend="reference")
    assert not made.resident
    assert any("at every use" in line for line in made.why)


@pytest.mark.parametrize("layers", [1, 3, "all", "auto", 99])
def test_some_of_the_layers_on_a_gpu_are_refused_not_taken_for_all(monkeypatch, layers):
    gpu = Device("cuda", 0)
    monkeypatch.setattr(planning, "resolve", lambda names, asked: gpu)
    monkeypatch.setattr(planning, "free_bytes", lambda device: 0)
    n_layer = decided_layers()
    if isinstance(layers, int) and layers < n_layer:
        with pytest.raises(LlamaspecError, match=f"-ngl {layers}.*{n_layer} layers") as error:
            decided(gpu_layers=layers, backend="reference")
        assert "-ngl all" in (error.value.hint or "")
    else:
        assert decided(gpu_layers=layers, backend="reference").device == gpu


def decided_layers() -> int:
    """Of the demo's target."""
    return int(GGUFFile(demo.target()).metadata.int("block_count"))


def test_no_layers_means_the_cpu(monkeypatch):
    monkeypatch.setattr(devices, "count", lambda: 1)
    assert decided(gpu_layers=0).device == HOST


@pytest.mark.parametrize("kernels", ["reference", "native"] if native.available() else ["reference"])
def test_ubatch_size_is_the_most_rows_of_a_prompt_pass(kernels):
    widths, texts = {}, []
    for size in (3, 512):
        llm = LLM(from_keywords(demo.target(), device="cpu", ctx_size=128, ubatch_size=size, kernels=kernels))
        seen, forward = [], llm.target.forward

        def watched(batch, cache, features, seen=seen, forward=forward):
            seen.append(int((batch.cells >= 0).sum()))
            return forward(batch, cache, features)

        llm.target.forward = watched
        prompt = llm.tokenize("def main(arguments):\n    return [argument for argument in arguments]")
        texts.append(llm.complete(prompt, n_predict=8, temp=0, stop_at_eog=False).tokens)
        widths[size] = max(seen)
    assert widths[3] == 3
    assert widths[512] > 3
    assert texts[0] == texts[1]
