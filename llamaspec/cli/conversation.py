"""A conversation: its turns, files that wait for the next turn, and its file on disk."""

import json
import os
from pathlib import Path
from typing import Any

from ..errors import LlamaspecError

FORMAT = "llamaspec-chat-1"
LARGEST = 64 * 2**20

Message = dict[str, str]


class Conversation:
    """Turns as a chat template reads them. staged: texts of files that the next turn begins with."""

    def __init__(self, system: str | None = None) -> None:
        self.messages: list[Message] = []
        self.staged: list[str] = []
        self.system(system)

    def system(self, text: str | None) -> None:
        """Replaces the system message; "" or None takes it away."""
        turns = [message for message in self.messages if message["role"] != "system"]
        self.messages = [{"role": "system", "content": text}, *turns] if text else turns

    @property
    def turns(self) -> int:
        """Messages that are not the system's."""
        return sum(message["role"] != "system" for message in self.messages)

    def ask(self, text: str) -> None:
        """The person's turn, with the staged files before it."""
        self.messages.append({"role": "user", "content": "\n".join([*self.staged, text])})
        self.staged = []

    def answer(self, text: str, reasoning: str = "") -> None:
        """The model's turn."""
        extra = {"reasoning_content": reasoning} if reasoning else {}
        self.messages.append({"role": "assistant", "content": text, **extra})

    def take_answer(self) -> Message | None:
        """Removes the last answer and returns it; None if the last turn is not one."""
        if self.messages and self.messages[-1]["role"] == "assistant":
            return self.messages.pop()
        return None

    def take_turn(self) -> str | None:
        """Removes the person's last turn, and its answer, and returns what was asked; None if there is none."""
        self.take_answer()
        if self.messages and self.messages[-1]["role"] == "user":
            return self.messages.pop()["content"]
        return None

    def last_answer(self) -> str:
        """The text of the newest answer; "" = none."""
        found = (message["content"] for message in reversed(self.messages) if message["role"] == "assistant")
        return next(found, "")

    def clear(self) -> None:
        """Forgets everything but the system message."""
        self.messages = [message for message in self.messages if message["role"] == "system"]
        self.staged = []

    def stage(self, name: str, text: str) -> None:
        """A file for the next turn, as llama-cli writes it."""
        self.staged.append(f"--- File: {name} ---\n{text}\n")

    def save(self, path: str) -> None:
        """Writes the turns to a file, whole or not at all. Raises LlamaspecError."""
        found = {"format": FORMAT, "messages": self.messages}
        write_whole(path, json.dumps(found, ensure_ascii=False, indent=1) + "\n")

    def load(self, path: str) -> None:
        """Takes the turns of a file in place of its own. Raises LlamaspecError, and changes nothing then."""
        try:
            with open(path, "rb") as file:
                found: Any = json.loads(file.read(LARGEST))
        except OSError as error:
            raise LlamaspecError(f"cannot read '{path}': {error.strerror or error}") from None
        except (ValueError, RecursionError):
            found = None
        messages = found.get("messages") if isinstance(found, dict) and found.get("format") == FORMAT else None
        if not isinstance(messages, list) or not all(_sound(message) for message in messages):
            raise LlamaspecError(f"'{path}' is not a saved conversation", "give a file that /save has written")
        self.messages, self.staged = [dict(message) for message in messages], []


def _sound(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and all(isinstance(key, str) and isinstance(value, str) for key, value in message.items())
        and message.get("role") in ("system", "user", "assistant")
        and "content" in message
    )


def write_whole(path: str | Path, text: str) -> None:
    """A text file, whole or not at all. Raises LlamaspecError."""
    import tempfile

    target = Path(path).expanduser()
    try:
        with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=".", delete=False, encoding="utf-8") as file:
            try:
                file.write(text.encode("utf-8", "replace").decode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise LlamaspecError(f"cannot write '{target}': {error.strerror or error}") from None
