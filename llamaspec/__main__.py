"""`python -m llamaspec`."""

from .cli.app import main

main()
