"""Several sequences in one loop, coming and going, get the tokens and the logits bits that each has alone."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.drafter import Base
from llamaspec.drafting.first_of import FirstOf
from llamaspec.drafting.types import draft_simple, draft_tree, ngram_simple, suffix
from llamaspec.engine.slots import Running
from llamaspec.engine.step import Loop
from llamaspec.network.decoder import NORMED
from llamaspec.network.runner import Runner
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams
from tests.network.test_invariance import KERNELS, ONE_PER_ARCHITECTURE, runner, same_bits

SLOTS = 3


@dataclass
class Request:
    """One answer: when it comes, into which slot, and how its tokens are chosen."""

    prompt: list[int]
    comes: int
    slot: int
    n_predict: int
    seed: int
    params: SamplerParams
    tokens: list[int] = field(default_factory=list)
    rows: list[np.ndarray] = field(default_factory=list)


def requests() -> list[Request]:
    """Six answers over three slots; some begin where another has just ended."""
    repeated = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] * 3
    plain, warm = SamplerParams(temp=0.0), SamplerParams(temp=0.9)
    stateful = SamplerParams(temp=1.0, repeat_penalty=1.3, repeat_last_n=16)
    return [
        Request([5, 6, 7], 0, 0, 9, 1, plain),
        Request(repeated, 0, 1, 14, 2, warm),
        Request([3] * 40, 2, 2, 6, 3, stateful),
        Request([30, 31, 32, 33], 7, 0, 12, 4, warm),
        Request(repeated[3:], 9, 2, 8, 5, plain),
        Request([40, 41], 15, 1, 5, 6, SamplerParams(temp=1.0, mirostat=2)),
    ]


def drafters(kind: str, name: str, backend: str, slots: int) -> FirstOf | None:
    """By kind; a draft model is the target itself, so that some of its guesses are right."""
    if kind == "none":
        return None
    if kind == "n-grams":
        return FirstOf([suffix.Drafter(), ngram_simple.Drafter(ngram_simple.Params(size_n=3))])
    run = runner(ONE_PER_ARCHITECTURE[name].model, 256, slots, backend=backend, exact=False)
    model = DraftModel(run, run.model.hparams.n_vocab, 6)
    made = (
        draft_simple.Drafter(model, draft_simple.Params(n_max=4))
        if kind == "chains"
        else draft_tree.Drafter(model, draft_tree.Params(n_max=3, nodes=6, p_split=0.01))
    )
    return FirstOf([made])


class Watched(Loop):
    """Keeps the rows of logits that every slot's tokens were chosen from."""

    def __init__(self, target: Runner, drafter: FirstOf | None) -> None:
        super().__init__(target, drafter)
        self.rows: dict[int, list[np.ndarray]] = {}

    def settle(self, slot, draft, output, judged):
        kept = judged[0].kept
        self.rows.setdefault(slot.id, []).extend([output.logits[0], *(output.logits[1 + node] for node in kept)])
        return super().settle(slot, draft, output, judged)


def serve(loop: Watched, wanted: list[Request]) -> None:
    """Answer requests as they come, all that are there in one step."""
    running: dict[int, tuple[Running, Request]] = {}
    slots = [Running(number) for number in range(SLOTS)]
    waiting = sorted(wanted, key=lambda request: request.comes)
    clock = 0
    while waiting or running:
        while waiting and waiting[0].comes <= clock and waiting[0].slot not in running:
            request = waiting.pop(0)
            slot = slots[request.slot]
            loop.adopt(slot, request.prompt)
            list(loop.read(slot))
            slot.start(Chain.build(request.params), request.seed, request.n_predict, frozenset())
            loop.begin(slot)
            loop.rows[slot.id] = []
            running[slot.id] = (slot, request)
        if running:
            loop.step([slot for slot, _ in running.values()])
        for slot, request in list(running.values()):
            if slot.n_generated >= request.n_predict:
                request.tokens = slot.tokens[slot.n_prompt :][: request.n_predict]
                request.rows = loop.rows[slot.id][: request.n_predict]
                loop.cut(slot, slot.n_prompt + request.n_predict)
                del running[slot.id]
        clock += 1


@pytest.mark.parametrize("kind", ["none", "n-grams", "chains", "trees"])
@pytest.mark.parametrize("backend", [name for name in KERNELS if "parts" not in name])
@pytest.mark.parametrize("name", [name for name in ("llama", "qwen35", "gemma3") if name in ONE_PER_ARCHITECTURE])
def test_company_changes_nothing(name, backend, kind):
    together, alone = requests(), requests()
    if backend == "reference":
        together, alone = together[:4], alone[:4]
    serve(
        Watched(
            runner(ONE_PER_ARCHITECTURE[name].model, 256, SLOTS, backend=backend), drafters(kind, name, backend, SLOTS)
        ),
        together,
    )
    for request in alone:
        request.comes = request.slot = 0
        serve(Watched(runner(ONE_PER_ARCHITECTURE[name].model, backend=backend), None), [request])
    for one, other in zip(together, alone, strict=True):
        assert one.tokens == other.tokens
        assert len(one.tokens) == one.n_predict
        assert all(same_bits(a, b) for a, b in zip(one.rows, other.rows, strict=True))


class Listener(Base):
    """Guesses a tree of which the first branch is a continuation it was given, and keeps what it hears."""

    name = "listener"
    n_max = 6
    features = (0, 1, NORMED)

    def __init__(self, answer: list[int]) -> None:
        self.answer = answer
        self.tokens: list[int] = []
        self.heard: dict[int, list[np.ndarray]] = {feature: [] for feature in self.features}

    def observe(self, slot, rows):
        self.tokens += rows.tokens
        for feature in self.features:
            self.heard[feature] += list(rows.features[feature])

    def propose(self, slots):
        from llamaspec.drafting.draft import Draft

        drafts = []
        for slot in slots:
            right = self.answer[len(slot.tokens) - slot.n_prompt :][:2]
            wrong = [5, 6]  # a branch before the right one: kept rows are no prefix of the pass
            tokens = (*wrong, *right)
            drafts.append(Draft(tokens, (-1, 0, -1, 2)[: len(tokens)], self.name))
        return drafts


@pytest.mark.parametrize("name", [name for name in ("llama", "qwen35") if name in ONE_PER_ARCHITECTURE])
@pytest.mark.parametrize("backend", [name for name in KERNELS if "parts" not in name])
def test_features_are_those_of_the_kept_rows_in_order(name, backend):
    prompt, n = [(3 * i) % 96 for i in range(40)], 10
    path = ONE_PER_ARCHITECTURE[name].model

    def answer(drafter):
        loop, slot = Loop(runner(path, backend=backend), None if drafter is None else FirstOf([drafter])), Running(0)
        loop.adopt(slot, prompt)
        list(loop.read(slot))
        slot.start(Chain.build(SamplerParams(temp=0.0)), 1, n, frozenset())
        loop.begin(slot)
        while slot.n_generated < n:
            loop.step([slot])
        return slot.tokens

    tokens = answer(None)
    listener = Listener(tokens[len(prompt) :])
    assert answer(listener)[: len(prompt) + n] == tokens[: len(prompt) + n]
    assert listener.tokens == tokens[: len(listener.tokens)]
    assert len(listener.tokens) >= len(prompt) + n - 1
    plain = runner(path, backend=backend)
    outputs = [output for _, output in plain.read(0, listener.tokens, listener.features)]
    for feature in listener.features:
        expected = np.concatenate([output.features[feature] for output in outputs])
        assert same_bits(np.stack(listener.heard[feature]), expected), feature


def test_two_models_in_one_process():
    """Each has its own weights, rotations, arena and cache: passes of one in between change nothing for the other."""
    names = [name for name in ("llama", "deepseek2-moe", "qwen35") if name in ONE_PER_ARCHITECTURE]
    for backend in KERNELS:
        runs = [runner(ONE_PER_ARCHITECTURE[name].model, backend=backend) for name in names]
        mixed: list[list[np.ndarray]] = [[] for _ in runs]
        for token in range(5, 12):
            for run, rows in zip(runs, mixed, strict=True):
                rows.append(run.logits(0, [token, token + 1]))
        for name, rows in zip(names, mixed, strict=True):
            alone = runner(ONE_PER_ARCHITECTURE[name].model, backend=backend)
            assert all(same_bits(row, alone.logits(0, [t, t + 1])) for t, row in zip(range(5, 12), rows, strict=True))
