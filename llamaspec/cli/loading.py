"""From option groups to an engine: remarks, and a sign of life."""

import os
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from ..errors import LlamaspecError
from ..options.groups import Groups
from ..options.idle import threads
from . import terminal

if TYPE_CHECKING:
    from ..engine.llm import LLM

BAR_FROM, BAR_EVERY, BAR_WIDTH = 0.5, 0.1, 20
"""Seconds until a bar is shown and between two states of it, and its columns."""
GIB = 2**30
DETAILS = 3
"""The verbosity from which the model and the machine are described."""


class Loading:
    """A line on stderr while a model is loaded: at first its name, from half a second on how far it is and how fast."""

    def __init__(self, name: str, shown: bool, clock: Callable[[], float] = perf_counter) -> None:
        self.name, self.shown, self.clock = name, shown, clock
        self.started = self.said = clock()
        if shown:
            terminal.status(f"loading {name} …")

    def __call__(self, done: int, total: int) -> None:
        """done of total bytes."""
        now = self.clock()
        if not self.shown or now - self.started < BAR_FROM or now - self.said < BAR_EVERY:
            return
        self.said = now
        rate = done / (now - self.started)
        filled = round(BAR_WIDTH * done / max(total, 1))
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        size = f"{done / total:.0%} of {total / GIB:.1f} GiB, {rate / GIB:.1f} GiB/s"
        terminal.status(f"loading {self.name} {bar} {size}")


def load(groups: Groups, quiet: bool = False) -> "LLM":
    """The engine for the groups; its remarks go to stderr, from --verbosity 2, unless quiet.

    A draft model's file that cannot be a model is refused before the model is loaded, which may take long.
    """
    _check_draft(groups.model.model_draft)
    loading = Loading(os.path.basename(groups.model.model), shown=groups.log.verbosity >= 1 and not quiet)
    if groups.chat.conversation is not False and os.path.isfile(groups.model.model):
        from ..text.renderer import shared_renderer

        shared_renderer().begin()
    try:
        from ..engine.judge import INVALID
        from ..engine.llm import LLM

        def tell_note(line: str) -> None:
            if line == INVALID:
                terminal.say(f"warning: {line}")
            elif groups.log.verbosity >= 2 and not quiet:
                terminal.say(f"note: {line}")

        llm = LLM(groups, tell_note, loading)
    finally:
        terminal.status("")
    for line in (*_odd(groups, llm.metadata.get("context_length")), *_without_effect(groups)):
        tell_note(line)
    if groups.log.verbosity >= DETAILS and not quiet:
        for line in details(llm):
            terminal.say(line)
    return llm


def details(llm: "LLM") -> Iterator[str]:
    """What was loaded, and what computes it."""
    metadata, target = llm.metadata, llm.target.model
    name = metadata.get("general.name") or os.path.basename(str(llm.file.path))
    types = " ".join(sorted({info.type for info in llm.file.tensors.values()}))
    trained = metadata.get("context_length")
    yield f"model: {name} ({metadata.architecture}), {llm.file.size / GIB:.2f} GiB, {types}"
    yield f"context: {llm.n_ctx} tokens; the model was trained with {trained}"
    count = llm.groups.placement.threads
    used = f"{count} threads" if count > 0 else f"one thread per core ({os.cpu_count() or 1})"
    yield f"device: {str(target.device).upper()}, {type(target.kernels).__name__.lower()} kernels, {used}"
    yield f"samplers: {', '.join(llm.groups.sampling.samplers) or 'none'}; temperature {llm.groups.sampling.temp:g}"
    yield f"speculation: {', '.join(llm.groups.drafters) or 'none'}"


def _odd(groups: Groups, trained: object) -> Iterator[str]:
    """What is odd about the numbers of the command line. trained: the context length that the file names."""
    wanted = groups.context.ctx_size
    if isinstance(trained, int) and 0 < trained < wanted:
        yield f"-c {wanted} is more than the {trained} tokens that the model was trained with: answers may get worse"
    if line := threads(groups.placement.threads, os.cpu_count() or 1):
        yield line


def _without_effect(groups: Groups) -> Iterator[str]:
    """Flags that this machine makes idle."""
    said = groups.said.get("gpu_layers")
    if said is None or not said.name.startswith("-") or said.value in (0, "auto"):
        return
    from ..engine.devices import count, why_no_gpu

    if not count():
        yield f"{said.name} {said.value} has no effect, no GPU can be used: {why_no_gpu()}"


def _check_draft(path: str) -> None:
    """Raises LlamaspecError for a file that is not a sound model file."""
    if not path:
        return
    from ..weights.file import GGUFFile

    try:
        GGUFFile(path).close()
    except LlamaspecError as error:
        raise LlamaspecError(error.message, error.hint.replace("with -m", "with -md")) from None
