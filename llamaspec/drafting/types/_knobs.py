"""Checks of what users set: a value outside its range is refused with the range and the flag."""

from ...errors import UsageError


def in_range(drafter: str, knob: str, value: float, low: float, high: float) -> None:
    """Raises UsageError unless low <= value <= high. knob: the field's name, such as "size_n"."""
    whole = isinstance(low, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)) or not low <= value <= high:
        name = knob.replace("_", "-")
        kind = "a whole number" if whole else "a number"
        raise UsageError(
            f"{drafter}: {name} is {str(value)[:40]}, but must be {kind} from {low} to {high}",
            hint=f"set it with --spec-{drafter}-{name}",
        )


def ordered(drafter: str, low: str, low_value: float, high: str, high_value: float) -> None:
    """Raises UsageError if the lower knob is above the upper one."""
    if low_value > high_value:
        low, high = low.replace("_", "-"), high.replace("_", "-")
        raise UsageError(
            f"{drafter}: {low} {low_value} is above {high} {high_value}, so no draft could ever be offered",
            hint=f"lower --spec-{drafter}-{low} or raise --spec-{drafter}-{high}",
        )
