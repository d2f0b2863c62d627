"""`python -m tests.cli.torchless …`: the program on a machine without PyTorch."""

import sys

sys.modules["torch"] = None  # type: ignore[assignment]  # importing it raises, and find_spec does not find it

from llamaspec.cli.app import main  # noqa: E402

main()
