"""What an answer cost and what speculation was worth: the lines on stderr, and the object of --json."""

import json
from typing import Any, cast

from ..drafting.stats import Report, Style
from ..engine.events import Stop, Timings
from ..options.groups import Groups


def lines(stop: Stop, groups: Groups, chat: bool) -> list[str]:
    """Acceptance, a line per drafter, advice, and with --show-timings (on in a chat) the bracketed speeds."""
    log, found = groups.log, []
    if isinstance(stop.drafting, Report) and log.verbosity > 0:
        found += _drafting(stop.drafting, groups.speculation.stats, log.verbosity)
    if log.show_timings or (log.show_timings is None and chat and log.verbosity > 0):
        found.append(speeds(stop.timings))
    return found


def _drafting(report: Report, style: str, verbosity: int) -> list[str]:
    if style == "json":
        return [json.dumps(report.json(), ensure_ascii=False)]
    statistics = report.lines(cast(Style, style), per_position=verbosity >= 4)
    return [report.header(), *statistics, *report.advice()]


def speeds(timings: Timings) -> str:
    """llama-cli's bracketed line."""
    return f"[ Prompt: {timings.prompt_per_second:.1f} t/s | Generation: {timings.predicted_per_second:.1f} t/s ]"


def as_json(text: str, tokens: list[int], stop: Stop) -> dict[str, Any]:
    """A whole answer as one object; names and units as in llama-server's timings."""
    timings = stop.timings
    times: dict[str, Any] = {
        "cache_n": timings.cache_n,
        "prompt_n": timings.prompt_n,
        "prompt_ms": timings.prompt_s * 1000,
        "prompt_per_second": timings.prompt_per_second,
        "predicted_n": timings.predicted_n,
        "predicted_ms": timings.predicted_s * 1000,
        "predicted_per_second": timings.predicted_per_second,
    }
    if timings.draft_n:
        times |= {"draft_n": timings.draft_n, "draft_n_accepted": timings.draft_n_accepted}
    drafting = stop.drafting.json() if isinstance(stop.drafting, Report) else None
    return {"text": text, "tokens": tokens, "stop": stop.reason, "timings": times, "drafting": drafting}
