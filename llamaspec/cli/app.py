"""The entry point. It imports next to nothing, so that Ctrl-C is quiet from the first moment on."""

import sys

from . import runner


def main() -> None:
    """`llamaspec …`: signals first, then the verbs and whatever they need."""
    runner.INTERRUPTS.install()
    runner.leave(runner.guarded(_run))


def _run() -> int:
    from .dispatch import command_line

    return command_line(sys.argv[1:])
