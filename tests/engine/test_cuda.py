"""On a GPU: captured steps give the tokens of plain decoding bit for bit, and a launched step waits for nothing."""

import warnings

import pytest
import torch

import llamaspec
from llamaspec.engine.device.graphs import Graphs
from llamaspec.engine.device.loop import DeviceLoop
from llamaspec.network.runner import Branch
from llamaspec.sampling.noise import noise, noise_of
from llamaspec.shelf import names
from tests.engine.conftest import usable

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
CHAINS = [{"temp": 0}, {"temp": 0.8}, {"temp": 2.0, "top_k": 0, "top_p": 1.0}, {"temp": 1.0, "repeat_penalty": 1.3}]
DRAFTERS = [name.replace("_", "-") for name in names("drafting.types")]


def load(**keywords):
    """The first golden on the first GPU."""
    return llamaspec.load(next(iter(usable().values())), device="cuda0", ctx_size=512, **keywords)


@pytest.mark.parametrize("drafter", DRAFTERS)
def test_tokens_are_those_of_plain_decoding(pair, drafter):
    extra = {"model_draft": str(pair[1])} if drafter.startswith("draft-") else {}
    plain, speculative = load(), load(spec_type=drafter, **extra)
    assert isinstance(plain.session.loop, DeviceLoop)
    for number, chain in enumerate(CHAINS * 3):
        prompt = [(7 * i + number) % 400 for i in range(5 + 9 * number)] * 2
        options = {"n_predict": 40, "seed": number, "stop_at_eog": False, **chain}
        assert speculative.complete(prompt, **options).tokens == plain.complete(prompt, **options).tokens


def test_rows_have_the_same_bits_alone_and_in_company():
    llm = load()
    assert isinstance(llm.target.forward, Graphs)
    tokens = list(range(5, 21))
    with torch.inference_mode():
        together = llm.target.decode([Branch(0, tokens, range(-1, 14))])[0].logits
        for row, token in zip(together, tokens, strict=True):
            alone = llm.target.decode([Branch(0, [token])])[0].logits[0]
            assert torch.equal(alone.view(torch.int32), row.view(torch.int32))
            llm.target.cache.commit(0, [0])


def test_noise_is_the_cpus():
    positions, ids = torch.tensor([0, 7, 2**33]), torch.arange(1000).unsqueeze(0)
    device = noise(0x1234567890, positions.cuda(), ids.cuda()).cpu()
    assert torch.equal(device, noise(0x1234567890, positions, ids))
    assert float(device[1, 5]) == pytest.approx(noise_of(0x1234567890, 7, 5), rel=1e-6)


def test_a_launched_step_waits_for_nothing(pair):
    llm = load(model_draft=str(pair[0]), spec_draft_n_max=3)
    llm.complete([5, 6, 7], n_predict=40, temp=0.8, seed=1, stop_at_eog=False)
    step, chain = llm.session.loop.device_step, llm.session.slot.chain
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as heard, torch.inference_mode():
            warnings.simplefilter("always")
            step.load([5, 6, 7], 1)
            heard.clear()
            for _ in range(2):
                step.launch(chain, 20)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert not [str(warning.message) for warning in heard]
