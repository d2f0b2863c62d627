"""`llamaspec demo`: the embedded pair of models, and what speculation does for them."""

from typing import TYPE_CHECKING, Any

from .. import demo as embedded
from ..options.groups import Groups
from ..options.keywords import override
from . import report, terminal
from .reasoning import Reasoning
from .run import as_data, load, one_answer, run, saving

if TYPE_CHECKING:
    from ..engine.llm import LLM

PROMPT = "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        self.y = y\n\n    def __"
LENGTH = 160
WARM_UP = 8


def demo(groups: Groups) -> int:
    """run with the embedded models; without a prompt also a comparison with plain decoding."""
    groups = paired(groups)
    if any(key in groups.said for key in ("prompt", "file", "binary_file", "conversation")):
        return run(groups)
    words: dict[str, Any] = {"prompt": PROMPT, "conversation": False, "escape": False}
    unsaid = {"n_predict": LENGTH, "temp": 0, "spec_draft_n_max": 8, "show_timings": True}
    same = {"spec_draft_n_max": {"draft_max", "spec_compat"}}
    words |= {key: value for key, value in unsaid.items() if not {key, *same.get(key, ())} & groups.said.keys()}
    return compared(override(groups, **words))


def paired(groups: Groups) -> Groups:
    """The embedded models, where the command line names none."""
    words: dict[str, Any] = {}
    if not groups.model.wanted:
        words["model"] = embedded.target()
    modelless = "spec_type" in groups.said and not any(
        name == "auto" or name.startswith("draft-") for name in groups.speculation.types
    )
    if not groups.model.draft_wanted and not groups.model.wanted and not modelless:
        words["model_draft"] = embedded.draft()
    return override(groups, **words) if words else groups


def compared(groups: Groups) -> int:
    """Answers the prompt with and without speculation. 1 if the tokens differ, which would be a bug."""
    prompt = groups.chat.prompt or ""
    seed = groups.sampling.seed if groups.sampling.seed >= 0 else 1
    groups = override(groups, seed=seed)
    with saving(load(groups)) as llm:
        _warm(llm)
        if not as_data(groups):
            terminal.say(prompt)
        fast = one_answer(groups, llm.stream(prompt), Reasoning(plain=True))
    if groups.speculation.synth_len is not None or groups.speculation.synth_rates:
        return 0  # the tokens are nobody's: there is nothing to compare
    plain = load(override(groups, spec_type="none"), quiet=True)
    _warm(plain)
    alone = plain.complete(prompt)
    same = alone.tokens == list(fast.tokens)
    with_, without = fast.timings.predicted_per_second, alone.timings.predicted_per_second
    ratio = f", {with_ / without:.2f} times as fast" if without > 0 else ""
    terminal.say(f"without speculation: {report.speeds(alone.timings)}")
    terminal.say(f"with speculation: {with_:.1f} t/s{ratio}; the tokens are {'identical' if same else 'NOT identical'}")
    return 0 if same else 1


def _warm(llm: "LLM") -> None:
    """The first steps of a process are slow; they belong to neither side of a comparison."""
    llm.complete("def f(x):\n", n_predict=WARM_UP)
