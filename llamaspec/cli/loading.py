"""From option groups to an engine: refusals before torch is imported, remarks, and a sign of life."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..errors import LlamaspecError
from ..options.groups import Groups
from ..options.idle import threads
from . import terminal

if TYPE_CHECKING:
    from ..engine.llm import LLM

DETAILS = 3
"""The verbosity from which the model and the machine are described."""


def load(groups: Groups, quiet: bool = False) -> "LLM":
    """The engine for the groups; its remarks go to stderr, from --verbosity 2, unless quiet.

    Files that cannot be models are refused before torch is imported, which takes seconds.
    """
    remarks = list(_checked(groups))
    if groups.log.verbosity >= 1 and not quiet:
        terminal.status(f"loading {os.path.basename(groups.model.model)} …")
    if groups.chat.conversation is not False:
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

        llm = LLM(groups, tell_note)
    finally:
        terminal.status("")
    for line in (*remarks, *_without_effect(groups)):
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
    yield f"model: {name} ({metadata.architecture}), {llm.file.size / 2**30:.2f} GiB, {types}"
    yield f"context: {llm.n_ctx} tokens; the model was trained with {trained}"
    count = llm.groups.placement.threads
    used = f"{count} threads" if count > 0 else f"one thread per core ({os.cpu_count() or 1})"
    yield f"device: {str(target.device).upper()}, {type(target.kernels).__name__.lower()} kernels, {used}"
    yield f"samplers: {', '.join(llm.groups.sampling.samplers) or 'none'}; temperature {llm.groups.sampling.temp:g}"
    yield f"speculation: {', '.join(llm.groups.drafters) or 'none'}"


def _checked(groups: Groups) -> Iterator[str]:
    """Refuses files that are no models; yields what is odd about the numbers of the command line."""
    trained = None
    for path, flag in ((groups.model.model, "-m"), (groups.model.model_draft, "-md")):
        if path:
            found = _trained_context(path, flag)
            trained = found if flag == "-m" else trained
    wanted = groups.context.ctx_size
    if trained is not None and wanted > trained:
        yield f"-c {wanted} is more than the {trained} tokens that the model was trained with: answers may get worse"
    if line := threads(groups.placement.threads, os.cpu_count() or 1):
        yield line


def _without_effect(groups: Groups) -> Iterator[str]:
    """Flags that this machine makes idle."""
    from ..engine.devices import count, why_no_gpu

    said = groups.said.get("gpu_layers")
    if said is not None and said.name.startswith("-") and said.value not in (0, "auto") and not count():
        yield f"{said.name} {said.value} has no effect, no GPU can be used: {why_no_gpu()}"


def _trained_context(path: str, flag: str) -> int | None:
    """The context length of a sound file. Raises LlamaspecError for another one."""
    from ..weights.file import GGUFFile

    try:
        with GGUFFile(path) as file:
            found = file.metadata.get("context_length")
            return found if isinstance(found, int) and found > 0 else None
    except LlamaspecError as error:
        raise LlamaspecError(error.message, error.hint.replace("with -m", f"with {flag}")) from None
