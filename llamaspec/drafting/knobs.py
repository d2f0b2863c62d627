"""A drafter's knobs: fields with a range, the flag that sets each of them, and errors that name it."""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from ..errors import UsageError


def knob(default: Any, low: float | None = None, high: float | None = None, flag: str = "", show: bool = True) -> Any:
    """A field of a drafter's Params that a flag sets.

    low, high: the range; integers where the value must be one, None = anything. flag: where it is not the drafter's
    own (`Knobs.flags`) followed by the field's name. show: among the settings that statistics print.
    """
    return field(default=default, repr=show, metadata={"flag": flag, "low": low, "high": high})


@dataclass(frozen=True)
class Knobs:
    """What every drafter's Params derive from. Raises UsageError for a value that is out of its range.

    flags: how the drafter's flags begin. length, strictness: the knob that bounds a draft, and the one that, raised,
    makes a drafter propose fewer and surer tokens; "" = there is none.
    """

    flags: ClassVar[str] = ""
    length: ClassVar[str] = "n_max"
    strictness: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.metadata.get("low") is not None:
                self._check(one.name, one.metadata["low"], one.metadata["high"])

    @classmethod
    def flag(cls, name: str) -> str:
        """The flag that sets a knob."""
        (found,) = (one.metadata["flag"] for one in fields(cls) if one.name == name)
        return found or f"{cls.flags}-{name.replace('_', '-')}"

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The knobs that flags set; other fields are for Python only."""
        return tuple(one.name for one in fields(cls) if "flag" in one.metadata)

    def shown(self) -> dict[str, Any]:
        """The values in force, for statistics."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.repr}

    def ordered(self, low: str, high: str) -> Self:
        """Raises UsageError if the lower knob is above the upper one."""
        low_value, high_value = getattr(self, low), getattr(self, high)
        if low_value > high_value:
            raise UsageError(
                f"{self._title(low)} {low_value} is above {_spelled(high)} {high_value}, "
                "so no draft could ever be offered",
                hint=f"lower {self.flag(low)} or raise {self.flag(high)}",
            )
        return self

    def _check(self, name: str, low: float, high: float) -> None:
        value, integer = getattr(self, name), isinstance(low, int)
        right_type = isinstance(value, int if integer else (int, float)) and not isinstance(value, bool)
        if not right_type or not low <= value <= high:
            kind = "a whole number" if integer else "a number"
            raise UsageError(
                f"{self._title(name)} is {str(value)[:40]}, but must be {kind} from {low} to {high}",
                hint=f"set it with {self.flag(name)}",
            )

    def _title(self, name: str) -> str:
        return f"{self.flags.removeprefix('--spec-')}: {_spelled(name)}"


def _spelled(name: str) -> str:
    return name.replace("_", "-")
