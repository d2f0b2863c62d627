"""Rotary positions as tables of cosines and sines that the native kernels read by position."""

import numpy as np

from .structures import RopeTable


class Rotation:
    """cos and sin of the positions 0, 1, ..., computed in float64 and made longer when a pass needs it."""

    def __init__(self, frequencies: np.ndarray, amplitude: float, interleaved: bool) -> None:
        self.frequencies, self.amplitude, self.interleaved = frequencies, amplitude, interleaved
        self.cos = self.sin = np.empty((0, len(frequencies)), np.float32)

    def table(self, positions: int) -> RopeTable:
        """For at least so many positions."""
        if positions > len(self.cos):
            angles = np.outer(np.arange(max(positions, 2 * len(self.cos)), dtype=np.float64), self.frequencies)
            self.cos = (np.cos(angles) * self.amplitude).astype(np.float32)
            self.sin = (np.sin(angles) * self.amplitude).astype(np.float32)
        return RopeTable(
            self.cos.ctypes.data, self.sin.ctypes.data, len(self.frequencies), len(self.cos), self.interleaved
        )
