"""A whole step (draft, forward, sampling, verdict, commit) never looks at data, on any model of the shelf.

Tensors on the device "meta", which hold nothing, go through the very functions that are captured on CUDA: the CPU's
short cuts are not taken, and a value that is asked for does not exist.
"""

from typing import Any

import pytest
import torch
from torch import Tensor

from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.types.draft_simple import Drafter, Params
from llamaspec.engine.device.step import DeviceStep
from llamaspec.kernels.device import Device
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams
from tests.network.build import runner
from tests.network.test_invariance import ONE_PER_ARCHITECTURE, each

NAMES = sorted(ONE_PER_ARCHITECTURE)
CHAINS = [
    SamplerParams(),
    SamplerParams(temp=0.0),
    SamplerParams(top_k=0, top_p=0.9, xtc_probability=0.5, typical_p=0.9, dynatemp_range=0.3),
]
NOWHERE = torch.device("meta")


def emptied(thing: Any, seen: dict[int, Any]) -> Any:
    """An object of ours, changed in place, or a fresh tensor or tuple: shapes stay, data and devices go."""
    if isinstance(thing, Tensor):
        return thing.to(NOWHERE)
    if isinstance(thing, torch.device):
        return NOWHERE
    if isinstance(thing, Device):
        return Device("meta")
    if isinstance(thing, tuple) and not hasattr(thing, "_fields"):
        return tuple(emptied(part, seen) for part in thing)
    ours = type(thing).__module__.startswith("llamaspec.") and hasattr(thing, "__dict__")
    items = vars(thing) if ours else thing if isinstance(thing, dict) else None
    if id(thing) in seen:
        return thing
    seen[id(thing)] = thing
    if isinstance(thing, list):
        thing[:] = [emptied(part, seen) for part in thing]
    for name, value in list((items or {}).items()):
        items[name] = emptied(value, seen)
    return thing


class Silent:
    """A ring that nobody reads."""

    waiting = 0

    def enqueue(self, result: Tensor) -> None:
        """Lost."""


def build(name: str, k: int) -> DeviceStep:
    """A step whose draft is the model itself."""
    target = runner(ONE_PER_ARCHITECTURE[name].model, 512)
    draft = runner(ONE_PER_ARCHITECTURE[name].model, 512, exact=False) if k else None
    emptied([target, draft], {})
    assert str(target.model.device) == str(NOWHERE)
    drafter = None
    if draft is not None:
        model = DraftModel(draft, target.model.hparams.n_vocab, k)
        drafter = Drafter(model, Params(n_max=k)).on_device(target.width, 512)
        if drafter is None and draft.cache.draft_rows < draft.cache.context:
            pytest.skip("the host drafts: this model has states")
        assert drafter is not None
    return DeviceStep(target, drafter, None)


@pytest.fixture(autouse=True)
def _silence(monkeypatch):
    """Results are not read back: copying one to the host would need its data."""
    monkeypatch.setattr("llamaspec.engine.device.step.ReadbackRing", lambda size, device: Silent())
    with torch.inference_mode():
        yield


def assert_needs_no_data(step: DeviceStep, chains: list[SamplerParams]) -> None:
    """Launch it with each chain."""
    for params in chains:
        step.launch(Chain.build(params), 300)
    assert step.result.device == NOWHERE
    assert step.result.shape == (step.k + 3,)


@pytest.mark.parametrize("k", [1, pytest.param(0, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", each(ONE_PER_ARCHITECTURE))
def test_a_step_of_any_model_needs_no_data(name, k):
    assert_needs_no_data(build(name, k), CHAINS[:1])


@pytest.mark.parametrize("k", [0, 3])
def test_a_step_with_any_chain_needs_no_data(k):
    assert_needs_no_data(build(NAMES[0], k), CHAINS)


@pytest.mark.parametrize("place", ["target", "draft", "sampler"])
def test_a_look_at_data_would_be_seen(place):
    step = build(NAMES[0], 2)
    chain = Chain.build(SamplerParams())

    def peeking(holder: Any, name: str) -> None:
        inner = getattr(holder, name)

        def peek(*args: Any, **keywords: Any) -> Any:
            result = inner(*args, **keywords)
            value = result.logits if hasattr(result, "logits") else result
            value.sum().item()
            return result

        setattr(holder, name, peek)

    holder = {"target": step.target.model, "draft": step.drafter.runner.model, "sampler": chain}[place]
    peeking(holder, "pick" if place == "sampler" else "forward")
    with pytest.raises(Exception, match=r"meta"):
        step.launch(chain, 300)


def shapes_of(step: DeviceStep, longest: int) -> list[tuple[Any, ...]]:
    """Every operation of a step with the shapes of its inputs and results."""
    from torch.utils._python_dispatch import TorchDispatchMode

    calls = []

    class Log(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            shapes = [tuple(x.shape) for x in (*args, result) if isinstance(x, Tensor)]
            calls.append((str(func), *shapes))
            return result

    with Log():
        step.launch(Chain.build(SamplerParams()), longest)
    return calls


def test_shapes_depend_on_the_kv_bucket_only():
    step = build(NAMES[0], 3)
    within = [shapes_of(step, longest) for longest in (300, 301, 400, 505)]
    assert len(within[0]) > 100
    assert all(calls == within[0] for calls in within)
    assert shapes_of(step, 200) != within[0]
