"""What was typed in earlier chats: a file that is replaced whole, readable by its owner only."""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import History

from ..errors import LlamaspecError
from .conversation import write_whole

LONGEST = 1000
"""Entries that are kept."""


def history_file(env: Mapping[str, str]) -> Path:
    """Where the history lies: $XDG_STATE_HOME/llamaspec/history."""
    home = env.get("XDG_STATE_HOME") or Path(env.get("HOME") or "~").expanduser() / ".local" / "state"
    return Path(home) / "llamaspec" / "history"


class KeptHistory(History):
    """prompt_toolkit's history over a file with a JSON string per line, the oldest first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__()

    def load_history_strings(self) -> Iterable[str]:
        """The newest first, as prompt_toolkit wants them."""
        return reversed(self._read())

    def store_string(self, string: str) -> None:
        """Adds an entry to whatever other chats have written meanwhile; a history that cannot be kept is no problem."""
        entries = [*self._read(), string][-LONGEST:]
        with suppress(OSError, LlamaspecError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, "".join(f"{json.dumps(entry)}\n" for entry in entries))
            os.chmod(self.path, 0o600)

    def _read(self) -> list[str]:
        found: list[str] = []
        with suppress(OSError):
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                with suppress(ValueError):
                    entry = json.loads(line)
                    found += [entry] if isinstance(entry, str) else []
        return found
