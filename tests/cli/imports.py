"""`python -m tests.cli.imports …`: the program, and then every module that it has imported, a line each on stderr.

With STOP_AT_ENGINE in the environment it ends where the engine would be made.
"""

import os
import sys
from types import ModuleType
from typing import Any

before = set(sys.modules)

from llamaspec.cli.app import main  # noqa: E402
from llamaspec.errors import LlamaspecError  # noqa: E402


def stop_at_engine() -> None:
    """Puts a module in the place of engine.llm whose engine cannot be made."""

    def refuse(*values: Any) -> None:
        raise LlamaspecError("the engine starts here")

    for name, words in (("llm", {"LLM": refuse}), ("judge", {"INVALID": ""})):
        stand_in = ModuleType(f"llamaspec.engine.{name}")
        vars(stand_in).update(words)
        sys.modules[stand_in.__name__] = stand_in


if "STOP_AT_ENGINE" in os.environ:
    stop_at_engine()
try:
    main()
finally:
    for name in sorted(set(sys.modules) - before):
        print(f"IMPORTED {name}", file=sys.stderr)
