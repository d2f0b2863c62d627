"""The top of every command: what an error, a signal or a closed pipe turns into."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from ..errors import LlamaspecError
from . import terminal

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
if hasattr(signal, "SIGHUP"):
    CODES[signal.SIGHUP] = 129
CLOSED_PIPE = 141


class Signalled(BaseException):
    """A signal other than Ctrl-C asked the program to leave."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Interrupts:
    """Turns signals into exceptions. A second Ctrl-C before the first had any effect leaves at once."""

    def __init__(self) -> None:
        self.pending = False

    def install(self) -> None:
        """From here on."""
        for number in CODES:
            signal.signal(number, self._handle)

    def settle(self) -> None:
        """The last Ctrl-C has been dealt with."""
        self.pending = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            raise Signalled(CODES[signal.Signals(number)])
        if self.pending:
            os._exit(CODES[signal.SIGINT])
        self.pending = True
        raise KeyboardInterrupt


INTERRUPTS = Interrupts()


def debug() -> bool:
    """Whether tracebacks are wanted: --debug or LLAMASPEC_DEBUG."""
    return "--debug" in sys.argv[1:] or os.environ.get("LLAMASPEC_DEBUG", "") not in ("", "0")


def guarded(body: Callable[[], int]) -> int:
    """Runs a command and returns its exit code; whatever goes wrong becomes a line or two on stderr."""
    try:
        return body()
    except Exception as error:
        return _failed(error)
    except KeyboardInterrupt:
        return _interrupted(CODES[signal.SIGINT])
    except Signalled as asked:
        return _interrupted(asked.code)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1


def _interrupted(code: int) -> int:
    """Keeps the text so far, and leaves the cursor on a line of its own."""
    terminal.abandon()
    return code


def _failed(error: Exception) -> int:
    # An import that Ctrl-C breaks in the middle may turn it into an error of its own.
    if INTERRUPTS.pending:
        return _interrupted(CODES[signal.SIGINT])
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE
    terminal.abandon()
    if debug():
        import traceback

        traceback.print_exception(error)
    if isinstance(error, LlamaspecError):
        terminal.problem(error.message, error.hint)
        return error.exit_code
    if isinstance(error, MemoryError):
        terminal.problem("not enough memory", "lower -c, --ctx-size, or take a smaller file")
        return 1
    text = f"internal: {type(error).__name__}: {error}".splitlines()[0][:300]
    terminal.problem(text, "this is a bug in llamaspec: please report it with the output of the same command + --debug")
    return 1


def leave(code: int) -> NoReturn:
    """Ends the process. A stdout that nobody reads must not complain once more while Python shuts down."""
    for number in CODES:
        signal.signal(number, signal.SIG_IGN)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            if stream is not None:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
