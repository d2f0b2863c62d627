"""The parent's side of text/sandbox.py: one child process, started late, kept, and killed when it does not answer."""

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

from llamaspec.errors import LlamaspecError, UsageError

PROGRAM = Path(__file__).with_name("sandbox.py")
# The child finds jinja2 where its parent would; isolated and without `site` it starts twice as fast.
START = "import sys; sys.path[:] = {path!r}; import runpy; runpy.run_path({program!r}, run_name='__main__')"
HINT = "the template may be faulty: give another one with --chat-template or --chat-template-file"


MISSING = "it needs Python's jinja2: pip install 'jinja2>=3.1.6'"


@dataclass(frozen=True)
class Limits:
    """What one rendering may use: seconds of processor time, megabytes of address space, characters of output."""

    seconds: int = 5
    megabytes: int = 1024
    characters: int = 1 << 25


class Renderer:
    """Sends requests to the child, one at a time; threads may share it."""

    def __init__(self, limits: Limits = Limits()) -> None:
        self._limits = limits
        self._child: subprocess.Popen[str] | None = None
        self._owner = 0
        self._greeted = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Starts the child without waiting for it, which takes some 90 ms; a failure shows at the first request."""
        with suppress(LlamaspecError), self._lock:
            if not self._alive():
                self._start()

    def ask(self, request: Mapping[str, object]) -> dict[str, object]:
        """The child's reply. Raises LlamaspecError when the template fails, takes too long, or grows too large."""
        try:
            line = json.dumps({**request, "limit": self._limits.characters})
        except (TypeError, ValueError, RecursionError) as error:
            raise UsageError(
                f"messages, tools or variables cannot be written as JSON: {error}",
                "give text, numbers, lists and dictionaries",
            ) from error
        with self._lock:
            if not self._alive():
                self._start()
            if not self._greeted:
                self._greet()
            reply = self._exchange(line)
        if reply is None:
            self._fail(f"it does not finish within {self._limits.seconds} s, or needs too much memory")
        reason = reply.get("fatal") or reply.get("error")
        if reason is not None:
            self._fail(str(reason))
        return reply

    def close(self) -> None:
        """End the child; the next request starts another one."""
        with self._lock:
            self._stop()

    def _exchange(self, line: str = "") -> dict[str, object] | None:
        """The reply to `line`, or to the one sent before; None where the child died or had to be killed."""
        child = self._child
        assert child is not None
        assert child.stdout is not None
        watch = threading.Timer(self._limits.seconds + 3, child.kill)
        watch.start()
        try:
            if line:
                self._send(child, line)
            answer = child.stdout.readline(12 * self._limits.characters + 4096)
        except (OSError, ValueError):
            answer = ""
        except BaseException:
            self._stop()  # the answer to an interrupted request must not meet the next one
            raise
        finally:
            watch.cancel()
        reply = json.loads(answer) if answer.endswith("\n") else None
        if reply is None or "fatal" in reply:
            self._stop()
        return reply

    def _alive(self) -> bool:
        return self._child is not None and self._owner == os.getpid() and self._child.poll() is None

    def _start(self) -> None:
        self._stop()
        command = [sys.executable, "-I", "-S", "-c", START.format(path=sys.path, program=str(PROGRAM))]
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for the parent
            )
        except OSError as error:
            raise LlamaspecError(f"cannot start the process that renders chat templates: {error}", MISSING) from error
        self._owner = os.getpid()
        self._greeted = False
        atexit.register(self._stop)
        with suppress(OSError):
            self._send(self._child, json.dumps(asdict(self._limits)))

    def _greet(self) -> None:
        """Waits for the child to say that it runs."""
        if self._exchange() is None:
            raise LlamaspecError("the process that renders chat templates does not start", MISSING)
        self._greeted = True

    @staticmethod
    def _send(child: "subprocess.Popen[str]", line: str) -> None:
        assert child.stdin is not None
        child.stdin.write(line + "\n")
        child.stdin.flush()

    def _stop(self) -> None:
        child, self._child = self._child, None
        if child is None or self._owner != os.getpid():  # after a fork it belongs to the parent
            return
        atexit.unregister(self._stop)
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _fail(self, reason: str) -> NoReturn:
        plain = " ".join("".join(c if c.isprintable() else " " for c in reason[:400]).split())
        raise LlamaspecError(f"the chat template fails: {plain}", HINT)


@cache
def shared_renderer() -> Renderer:
    """The child process of this program; it starts with the first template, or before with `begin`."""
    return Renderer()
