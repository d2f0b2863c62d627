"""--log-file, --log-jsonl, --log-prefix and --log-timestamps: how messages are written besides their text."""

import contextlib
import json
import time
from typing import TextIO

from ..errors import LlamaspecError
from ..options.log import Log

LETTERS = {"error": "E", "warning": "W", "debug": "D"}


class Journal:
    """The form of messages on stderr, and a copy in a file. Raises LlamaspecError for a file that cannot be made.

    A line of llama.cpp's log is `M.SS.mmm.uuu L text`: the time since the start, a letter for the level, the text.
    """

    def __init__(self, log: Log) -> None:
        self.started = time.monotonic()
        self.log = log
        self.file: TextIO | None = None
        if log.log_file:
            try:
                self.file = open(log.log_file, "w", encoding="utf-8", errors="replace")  # noqa: SIM115
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise LlamaspecError(f"cannot write the log '{log.log_file}': {reason}") from None

    def shown(self, text: str) -> str:
        """A message as stderr gets it."""
        if self.log.log_jsonl:
            return self._json(text)
        return f"{self._prefix(text, self.log.log_prefix is True, self.log.log_timestamps is True)}{text}"

    def keep(self, text: str) -> None:
        """Copies a message to the file; one that cannot be written any more is given up."""
        if self.file is None:
            return
        prefix = self._prefix(text, self.log.log_prefix is not False, self.log.log_timestamps is not False)
        with contextlib.suppress(OSError, ValueError):
            self.file.write((self._json(text) if self.log.log_jsonl else prefix + text) + "\n")
            self.file.flush()

    def _prefix(self, text: str, letter: bool, clock: bool) -> str:
        micros = int((time.monotonic() - self.started) * 1e6)
        minutes, seconds = divmod(micros // 1_000_000, 60)
        stamp = f"{minutes}.{seconds:02d}.{micros // 1000 % 1000:03d}.{micros % 1000:03d} " if clock and letter else ""
        return f"{stamp}{LETTERS.get(_level(text), 'I')} " if letter else stamp

    def _json(self, text: str) -> str:
        micros = int((time.monotonic() - self.started) * 1e6)
        return json.dumps({"type": "log", "time": micros, "level": _level(text), "msg": text}, ensure_ascii=False)


def _level(text: str) -> str:
    """The level of a message, which its first word tells."""
    word = text.partition(":")[0]
    return word if word in ("error", "warning") else "info"
