"""What is written beside an answer: the transcript of -o, and prompts for --log-prompts-dir and --verbose-prompt."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LlamaspecError
from ..options.groups import Groups
from . import terminal
from .conversation import Message, write_whole

if TYPE_CHECKING:
    from ..engine.llm import LLM

NAMES = {"user": "User", "assistant": "Assistant", "system": "System"}


def transcript(messages: Sequence[Message]) -> str:
    """A conversation as text, as llama-cli writes it with -o."""
    blocks: list[str] = []
    for message in messages:
        thought = message.get("reasoning_content", "")
        thinking = f"[Start thinking]\n{thought}\n[End thinking]\n\n" if thought else ""
        blocks.append(f"{NAMES[message['role']]}:\n{thinking}{message['content']}\n")
    return "\n".join(blocks)


def check(groups: Groups) -> None:
    """Refuses a transcript that cannot be written, before an answer is made for it. Raises LlamaspecError."""
    name = groups.chat.output_file
    folder = Path(name).expanduser().parent
    if name and not folder.is_dir():
        raise LlamaspecError(f"cannot write '{name}': there is no folder '{folder}'", "create the folder first")


def keep(groups: Groups, messages: Sequence[Message]) -> None:
    """Writes the transcript so far, if -o asks for it. Raises LlamaspecError."""
    if groups.chat.output_file:
        write_whole(groups.chat.output_file, transcript(messages))


def prompt(llm: "LLM", groups: Groups, text: str) -> None:
    """What the flags want to see of a prompt before it is read. Raises LlamaspecError."""
    if groups.log.verbosity >= 4:
        terminal.say(f"prompt: {text}")
    if groups.log.verbose_prompt:
        for line in tokens(llm, text):
            terminal.say(line)
    if groups.log.log_prompts_dir:
        _save(Path(groups.log.log_prompts_dir), text)


def tokens(llm: "LLM", text: str) -> Iterator[str]:
    """The ids of a prompt and the bytes each stands for."""
    ids = llm.tokenize(text)
    yield f"number of tokens in prompt = {len(ids)}"
    for token in ids:
        piece = llm.detokenize([token]).decode("utf-8", "replace")
        yield f"{token:6d} -> {json.dumps(piece, ensure_ascii=False)}"


def _save(folder: Path, text: str) -> None:
    """A file per prompt, numbered."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(path.stem) for path in folder.glob("*.txt") if path.stem.isdecimal()), default=0)
    except OSError as error:
        raise LlamaspecError(f"cannot write in '{folder}': {error.strerror or error}") from None
    write_whole(folder / f"{number:06d}.txt", text)
