"""Qwen3-VL, the language model."""

from .qwen3 import Model as Qwen3


class Model(Qwen3):
    """For text the sections of the rotation are all alike."""

    sections = "woven"
