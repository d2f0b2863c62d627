"""Speculation with an acceptance that is set: a truncated twin drafts, epsilon by bisection (spec/gpu.md 4)."""

from dataclasses import replace

import torch
from gpu.decode import plain_speed
from gpu.results import Place, Sink, wall_ms
from synthetic import SHAPES, Source, model, set_epsilon

from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.types.draft_simple import Drafter, Params
from llamaspec.engine.device.graphs import capture, recorder_for
from llamaspec.engine.device.step import ACCEPTED, DRAFTED, STEPS, DeviceStep
from llamaspec.kernels.protocol import KV_BLOCK
from llamaspec.network.runner import Runner
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams

STAGE = "speculation"
ALPHAS = (0.6, 0.7, 0.8, 0.9)
LENGTHS = (1, 2, 3, 4, 5, 6, 8)
CONTEXT = 512


def run(place: Place, sink: Sink) -> None:
    """Plain speed, then for every acceptance the best draft length."""
    name, layers = place.pick(("llama-3.1-8b", 2), ("toy", 2))
    source = Source(SHAPES[name], "Q4_K_M", twin=layers)
    context = place.pick(CONTEXT, 32)
    room = context + place.pick(2048, KV_BLOCK)
    target, draft = (
        Runner(network, network.new_cache(1, room), exact)
        for network, exact in (
            (model(source, place.named, room, backend="reference"), True),
            (model(source.draft(), place.named, room, backend="reference"), False),
        )
    )
    for passes in (target, draft):
        capture(passes)
    with torch.inference_mode():
        greedy = SamplerParams(temp=0.0)
        prompt = torch.randint(5, SHAPES[name].n_vocab, (context,), generator=torch.Generator().manual_seed(3)).tolist()
        plain = plain_speed(place, target, context, greedy)
        sink.add(STAGE, f"{name} plain", plain, "t/s", context=context)
        for alpha in place.pick(ALPHAS, (0.8,)):
            epsilon, found = bisect(place, source, target, draft, prompt, alpha)
            sink.add(STAGE, f"{name} epsilon", epsilon, "", alpha=alpha, measured=round(found, 3), layers=layers)
            for label, params in (("greedy", greedy), ("default chain", SamplerParams())):
                for k in place.pick(LENGTHS, (1, 3)):
                    _speed(place, sink, f"{name} {label}", (target, draft), prompt, params, k, alpha, plain)


def bisect(
    place: Place, source: Source, target: Runner, draft: Runner, prompt: list[int], alpha: float
) -> tuple[float, float]:
    """-> epsilon, and the acceptance it gives: a share of greedy drafts of one token."""
    low, high, found = 0.0, 2.0, 0.0
    epsilon = 0.3
    for _ in range(place.pick(10, 4)):
        set_epsilon(target.model, replace(source, epsilon=epsilon))
        found = _acceptance(place, target, draft, prompt)
        if abs(found - alpha) < 0.01:
            break
        low, high = (epsilon, high) if found > alpha else (low, epsilon)
        epsilon = (low + high) / 2
    return epsilon, found


def _acceptance(place: Place, target: Runner, draft: Runner, prompt: list[int]) -> float:
    step = _ready(place, target, draft, prompt, 1)
    chain = Chain.build(SamplerParams(temp=0.0))
    for _ in range(place.pick(300, 24)):
        step.launch(chain, step.target.cache.context - 4)
        step.readback.read()
    counters = step.counters.tolist()
    return counters[ACCEPTED] / counters[DRAFTED]


def _ready(place: Place, target: Runner, draft: Runner, prompt: list[int], k: int) -> DeviceStep:
    """A step with the prompt in both caches."""
    for passes in (target, draft):
        passes.cache.truncate(0, 0)
        for _ in passes.read(0, prompt[:-1]):
            pass
    recorder = recorder_for(place.device)
    model = DraftModel(draft, target.model.hparams.n_vocab, k)
    drafter = Drafter(model, Params(n_max=k)).on_device(target.width, target.cache.context)
    assert drafter is not None
    step = DeviceStep(target, drafter, recorder)
    step.load(prompt, 1)
    return step


def _speed(
    place: Place, sink: Sink, name: str, pair: tuple[Runner, Runner], prompt: list[int], params: SamplerParams,
    k: int, alpha: float, plain: float,
) -> None:  # fmt: skip
    step = _ready(place, *pair, prompt, k)
    chain = Chain.build(params)

    def one() -> None:
        step.launch(chain, step.target.cache.context - k - 4)
        if step.readback.waiting > 1:
            step.readback.read()

    ms = wall_ms(place, one, place.pick(100, 4))
    counters = step.counters.tolist()
    per_step = 1 + counters[ACCEPTED] / counters[STEPS]
    speed = 1e3 * per_step / ms
    share = counters[ACCEPTED] / counters[DRAFTED]
    more = {"ms_per_step": round(ms, 3), "speed_up": round(speed / plain, 3), "tokens_per_step": round(per_step, 2)}
    sink.add(STAGE, f"{name}, n-max {k}", speed, "t/s", alpha=alpha, accepted=round(share, 3), **more)
