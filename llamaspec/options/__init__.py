"""What the user may say: the option table and its two dialects, the command line and Python keywords."""

from .commands import (
    COMMANDS,
    DEMO,
    FLAGS,
    LIST,
    LOOKUP_CREATE,
    LOOKUP_MERGE,
    LOOKUP_STATS,
    PULL,
    REMOVE,
    RUN,
    SHOW,
    Command,
)  # fmt: skip
from .flag import Flag, Status
from .groups import Groups, Note
from .keywords import from_keywords, keywords, override, words
from .parse import parse

__all__ = [
    "COMMANDS", "DEMO", "FLAGS", "LIST", "LOOKUP_CREATE", "LOOKUP_MERGE", "LOOKUP_STATS", "PULL", "REMOVE", "RUN",
    "SHOW", "Command", "Flag", "Groups", "Note", "Status", "from_keywords", "keywords", "override", "parse", "words",
]  # fmt: skip
