"""What `llamaspec show` lists in place of a file."""

from dataclasses import dataclass

from .flag import flag


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Listing what there is."""

    architectures: bool = flag("--architectures", "list the architectures that can be loaded", default=False)
