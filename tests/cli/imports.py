"""`python -m tests.cli.imports …`: the program, and afterwards a word about what it has imported."""

import sys

from llamaspec.cli.app import main

try:
    main()
finally:
    for name, word in (("llamaspec.cli.app", "IMPORTED cli.app"), ("torch", "TORCH"), ("transformers", "TORCH")):
        if name in sys.modules:
            print(word, file=sys.stderr)
