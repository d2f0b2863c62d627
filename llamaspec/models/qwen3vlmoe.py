"""Qwen3-VL with experts, the language model."""

from .qwen3moe import Model as Qwen3Moe


class Model(Qwen3Moe):
    """For text the sections of the rotation are all alike."""

    sections = "woven"
