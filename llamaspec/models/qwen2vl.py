"""Qwen2-VL and Qwen2.5-VL, the language model."""

from .qwen2 import Model as Qwen2


class Model(Qwen2):
    """For text the sections of the rotation are all alike."""

    sections = "apart"
