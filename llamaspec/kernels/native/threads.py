"""How many threads a call may use."""

from .library import library

MOST = 256


def how_many(threads: int | None) -> int:
    """What -t means: None, 0 and less are the cores that this process may use; never more than 256."""
    if threads is None or threads <= 0:
        return library().cores()
    return min(threads, MOST)
