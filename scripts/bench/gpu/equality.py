"""The promise on this device: the same tokens with and without speculation, and no look at the device but one."""

import random
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch
from gpu.results import Place, Sink
from synthetic import SHAPES, Source, write

import llamaspec
from llamaspec.engine.device.loop import DeviceLoop
from llamaspec.engine.llm import LLM
from llamaspec.shelf import names

STAGE = "equality"
CHAINS: tuple[dict[str, Any], ...] = (
    {"temp": 0},
    {"temp": 0.8},
    {"temp": 1.5, "top_k": 0, "top_p": 1.0, "min_p": 0.0},
    {"temp": 1.0, "repeat_penalty": 1.2},
)


def run(place: Place, sink: Sink) -> None:
    """200 answers, drafters and chains in turn, each against the plain one."""
    shape, layers = place.pick(("qwen2.5-0.5b", 12), ("toy", 2))
    source = Source(SHAPES[shape], "Q4_K_M", twin=layers, epsilon=0.1)
    target, draft = place.work / "equal.gguf", place.work / "equal-draft.gguf"
    write(target, source)
    write(draft, source.draft())
    plain, drafters = _load(place, target), _drafters(place, target, draft)
    _rows(plain, sink)
    runs, length = place.pick(200, 2 * len(drafters)), place.pick(96, 10)
    differing: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    looks: list[str] = []
    for number in range(runs):
        label, llm = drafters[number % len(drafters)]
        chain = CHAINS[number // len(drafters) % len(CHAINS)]
        draw = random.Random(number)
        prompt = [draw.randrange(5, 500) for _ in range(draw.randrange(1, 60))] * draw.choice((1, 2))
        options = {"n_predict": length, "seed": number, "stop_at_eog": False, **chain}
        expected = plain.complete(prompt, **options).tokens
        with _no_syncs(llm, looks):
            found = llm.complete(prompt, **options).tokens
        counted[label] += len(expected)
        differing[label] += sum(a != b for a, b in zip(expected, found, strict=True))
    for label, _ in drafters:
        sink.add(STAGE, f"differing tokens, {label}", differing[label], "tokens", of=counted[label])
    sink.add(STAGE, "differing tokens in all", differing.total(), "tokens", of=counted.total(), runs=runs)
    seen = len(looks) if place.cuda else None
    why = {} if place.cuda else {"why": "only CUDA reports synchronisations"}
    sink.add(STAGE, "host syncs while a step is launched", seen, "syncs", **why, first=looks[:1])


def _load(place: Place, target: Any, **keywords: Any) -> LLM:
    where = {"device": "cuda0"} if place.cuda else {"device": "cpu", "kernels": "reference"}
    llm = llamaspec.load(target, ctx_size=1024, **where, **keywords)
    if not place.cuda:
        llm.session.loop = DeviceLoop(llm.target, llm.drafter)
    return llm


def _drafters(place: Place, target: Any, draft: Any) -> list[tuple[str, LLM]]:
    """Every drafter on the shelf, the device's own with several lengths."""
    found = []
    for name in (name.replace("_", "-") for name in names("drafting.types")):
        for n_max in (1, 3, 7) if name == "draft-simple" else (3,):
            keywords: dict[str, Any] = {"spec_type": name}
            if name.startswith("draft-"):
                keywords |= {"model_draft": str(draft), "spec_draft_n_max": n_max}
            found.append((f"{name} {n_max}" if name == "draft-simple" else name, _load(place, target, **keywords)))
    return found


def _rows(plain: LLM, sink: Sink) -> None:
    """A row's logits at every place of a pass, and alone: the same bits."""
    target, tokens = plain.target, [11, 12, 13, 14, 15, 16, 17, 18]
    from llamaspec.network.runner import Branch

    with target.model.kernels.computing():
        target.cache.truncate(0, 0)
        plain.session.slot.tokens = []
        together = target.decode([Branch(0, tokens, range(-1, len(tokens) - 2))])[0].logits
        alone = []
        for token in tokens:
            alone.append(target.decode([Branch(0, [token])])[0].logits[0])
            target.cache.commit(0, [0])
        different = sum(not bool((a == b).all()) for a, b in zip(together, alone, strict=True))
        target.cache.truncate(0, 0)
    sink.add(STAGE, "rows whose bits depend on their company", different, "rows", of=len(tokens))


@contextmanager
def _no_syncs(llm: LLM, looks: list[str]):  # noqa: ANN202
    """Note every synchronisation while a step that was captured before is launched."""
    step = llm.session.loop.device_step if isinstance(llm.session.loop, DeviceLoop) else None
    if step is None or step.result.device.type != "cuda":
        yield
        return
    launch: Callable[..., None] = type(step).launch

    def captured() -> int:
        return len(step.replays.recorded) + len(step.drafts.recorded)

    def watched(*args: Any) -> None:
        known = captured()
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                launch(step, *args)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        if captured() == known:  # capturing waits, once per shape
            looks.extend(text for text in (str(w.message) for w in heard) if "synchroniz" in text)

    step.launch = watched
    try:
        yield
    finally:
        del step.launch
