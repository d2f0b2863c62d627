"""What `llamaspec rm` may delete."""

from dataclasses import dataclass

from .flag import flag


@dataclass(frozen=True, kw_only=True)
class Removal:
    """Removing downloads."""

    yes: bool = flag("-y, --yes", "delete; without it rm only says what it would delete", default=False)
    unfinished: bool = flag("--unfinished", "also the unfinished parts of downloads that were cut", default=False)
