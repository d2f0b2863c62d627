"""What an answer cost and what speculation was worth: the lines on stderr, and the object of --json."""

import json
from dataclasses import replace
from typing import Any

from ..drafting.stats import Report, Spelled
from ..engine.events import Stop, Text, Timings
from ..options.groups import Groups

FULL = 3
"""The verbosity from which every answer of a chat is followed by all statistics."""


def lines(stop: Stop, groups: Groups, chat: bool) -> list[str]:
    """After an answer: one line in a chat; else statistics if there was speculation, speeds if they are asked for."""
    log = groups.log
    if log.verbosity < 2:
        return [speeds(stop.timings)] if log.show_timings and log.verbosity else []
    wanted = not chat or log.verbosity >= FULL or "spec_stats" in groups.said
    found = _drafting(stop.drafting, stop.timings, groups, chat) if wanted and isinstance(stop.drafting, Report) else []
    if chat and log.show_timings is not False and not found:
        return [summary(stop)]
    usual = chat or (log.verbosity >= FULL and groups.speculation.stats != "old")
    return [*found, speeds(stop.timings)] if log.show_timings or (log.show_timings is None and usual) else found


def summary(stop: Stop) -> str:
    """One line: llama-cli's bracketed speeds, then what speculation was worth."""
    timings = stop.timings
    parts = [speeds(timings)]
    if timings.draft_n:
        parts.append(f"{timings.draft_n_accepted / timings.draft_n:.0%} of {timings.draft_n} drafted tokens accepted")
    if timings.plain_s:
        parts.append(f"speed-up {timings.speed_up:.2f}{'' if timings.speed_up >= 1 else ' (slower)'}")
    return parts[0] + (f" {', '.join(parts[1:])}" if parts[1:] else "")


def everything(stop: Stop, groups: Groups) -> list[str]:
    """All statistics of the last answer and of the drafters since the start, with a heading each (/stats)."""
    timings, report = stop.timings, stop.drafting
    cached = f", {timings.cache_n} more were in the cache" if timings.cache_n else ""
    found = ["the last answer:", f"  {speeds(timings)}", f"  prompt: {timings.prompt_n} tokens evaluated{cached}"]
    found.append(f"  answer: {timings.predicted_n} tokens in {timings.predicted_s:.2f} s, {timings.steps} passes")
    if not isinstance(report, Report):
        return found
    found += [f"  {line}" for line in (report.acceptance(), *speed_up(timings)) if line]
    found += ["since the start:", f"  {report.header()}"]
    found += [f"  {line}" for line in (*_drafters(report), *report.advice(spelling(groups)))]
    return found


def _drafting(report: Report, timings: Timings, groups: Groups, chat: bool) -> list[str]:
    style, spelled = groups.speculation.stats, spelling(groups)
    if style == "json":
        return [json.dumps(report.json(spelled) | worth(timings), ensure_ascii=False)]
    if style == "old":
        return report.lines("old")
    request = replace(report, drafters=()).lines("new", per_position=groups.log.verbosity >= 4)
    spent = [] if chat else cost(report, timings)  # in a chat the drafters' times are those of all answers
    return [report.header(), *request, *_drafters(report), *spent, *speed_up(timings), *report.advice(spelled)]


def cost(report: Report, timings: Timings) -> list[str]:
    """A line about what drafting itself took, and what it gained; none if nothing was drafted."""
    if not report.request.draft_n or not timings.steps or timings.predicted_s <= 0:
        return []
    seconds = sum(drafter.ms_begin + drafter.ms_draft + drafter.ms_accept for drafter in report.drafters) / 1000
    share = seconds / timings.predicted_s
    return [
        f"drafting took {1000 * seconds:.0f} ms of {timings.predicted_s:.2f} s ({share:.0%}); "
        f"{timings.predicted_n / timings.steps:.2f} tokens per pass of the target"
    ]


def _drafters(report: Report) -> list[str]:
    """A line per drafter; one that never drafted has no numbers to show."""
    return [
        drafter.line() if drafter.gen_drafts else f"{drafter.name}: found nothing to draft"
        for drafter in report.drafters
    ]


def speed_up(timings: Timings) -> list[str]:
    """The line that compares with plain decoding, if that was measured."""
    if not timings.plain_s:
        return []
    if timings.speed_up < 1:
        return [slower(timings)]
    with_, plain = timings.predicted_per_second, timings.plain_per_second
    return [f"speed-up = {timings.speed_up:.2f} ({with_:.1f} t/s, plain {plain:.1f} t/s)"]


def slower(timings: Timings) -> str:
    """What to say when speculation did not pay."""
    with_, plain = timings.predicted_per_second, timings.plain_per_second
    return f"{timings.speed_up:.2f}x: slower than without speculation ({with_:.1f} against about {plain:.1f} t/s)"


def worth(timings: Timings) -> dict[str, float]:
    """The same for JSON."""
    if not timings.plain_s:
        return {}
    return {"plain_per_second": timings.plain_per_second, "speed_up": timings.speed_up}


OLDER = {
    "--spec-draft-n-max": ("draft_max", "--draft-max"),
    "--spec-ngram-mod-n-max": ("draft_max", "--draft-max"),
    "--spec-draft-p-min": ("", "--draft-p-min"),
    "--spec-ngram-simple-size-n": ("spec_ngram_size_n", "--spec-ngram-size-n"),
    "--spec-ngram-map-k-size-n": ("spec_ngram_size_n", "--spec-ngram-size-n"),
    "--spec-ngram-map-k4v-size-n": ("spec_ngram_size_n", "--spec-ngram-size-n"),
    "--spec-ngram-mod-n-match": ("spec_ngram_size_n", "--spec-ngram-size-n"),
    "--spec-ngram-simple-size-m": ("spec_ngram_size_m", "--spec-ngram-size-m"),
    "--spec-ngram-map-k-size-m": ("spec_ngram_size_m", "--spec-ngram-size-m"),
    "--spec-ngram-map-k4v-size-m": ("spec_ngram_size_m", "--spec-ngram-size-m"),
}
"""Today's flag -> the keyword and the spelling of the older one that sets the same value ("" = the same keyword)."""


def spelling(groups: Groups) -> Spelled:
    """Flags as the user spelled them: advice is for the command line that was typed.

    A flag that was not said goes by today's name, or by its older one with --spec-compat old or if the user writes
    --draft-max.
    """
    said = groups.said
    older = groups.speculation.compat == "old" or "draft_max" in said

    def spelled(flag: str) -> str:
        key, old = OLDER.get(flag, ("", flag))
        typed = [name for name in said if name in (flag[2:].replace("-", "_"), key)]
        if typed and said[typed[-1]].name.startswith("--"):
            return said[typed[-1]].name
        if typed:
            return old if typed[-1] == key else flag
        return old if older and flag.startswith("--spec-draft-") else flag

    return spelled


def speeds(timings: Timings) -> str:
    """llama-cli's bracketed line. A prompt whose tokens were all in the cache has no speed."""
    cached = timings.cache_n and timings.prompt_n <= 1
    prompt = "cached" if cached else f"{timings.prompt_per_second:.1f} t/s"
    return f"[ Prompt: {prompt} | Generation: {timings.predicted_per_second:.1f} t/s ]"


def piece(text: str, tokens: list[int], event: Text, thought: bool = False) -> dict[str, Any]:
    """A piece of an answer as one object: its text and tokens; of a drafted one who drafted it, and its place."""
    found: dict[str, Any] = {"type": "reasoning" if thought else "text", "text": text, "tokens": tokens}
    return found | ({"drafter": event.by, "depth": event.depth} if event.by else {})


def as_json(text: str, tokens: list[int], stop: Stop, spelled: Spelled = str, reasoning: str = "") -> dict[str, Any]:
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
    times |= worth(timings)
    drafting = stop.drafting.json(spelled) if isinstance(stop.drafting, Report) else None
    thought = {"reasoning_content": reasoning} if reasoning else {}
    found = {"text": text, **thought, "tokens": tokens, "stop": stop.reason}
    return {**found, "timings": times, "drafting": drafting}
