"""Errors that a user can cause: one line that says what is wrong, one that says what to do."""


class LlamaspecError(Exception):
    """A failure with its cure. Printed as `error: message` and `hint: hint`; exit code 1."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LlamaspecError):
    """The command line, environment or a keyword of the Python API is wrong; exit code 2."""

    exit_code = 2
