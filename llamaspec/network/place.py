"""Where tensors live: an ordered table of patterns, of which the first that fits a tensor's name wins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..kernels.device import Device
from ..kernels.protocol import Kernels


@dataclass(frozen=True)
class Place:
    """A device and the back end that computes there."""

    device: Device
    kernels: Kernels


@dataclass(frozen=True)
class PlacementRow:
    """Tensors whose names match the pattern go to the place. reason: for the plan's report."""

    pattern: str
    place: Place
    reason: str = ""


class Placement:
    """The table. The last row's pattern fits everything."""

    def __init__(self, rows: Sequence[PlacementRow]) -> None:
        self.rows = tuple(rows)
        self.patterns = [re.compile(row.pattern) for row in rows]

    @classmethod
    def everything(cls, device: Device, kernels: Kernels) -> "Placement":
        """All tensors in one place."""
        return cls([PlacementRow("", Place(device, kernels))])

    def at(self, name: str) -> Place:
        """The place of a tensor, or of what a prefix such as "blk.3." names."""
        for row, pattern in zip(self.rows, self.patterns, strict=True):
            if pattern.search(name):
                return row.place
        raise AssertionError(f"no row of the placement fits {name}")
