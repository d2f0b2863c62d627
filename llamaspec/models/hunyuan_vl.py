"""Hunyuan-VL, the language model."""

from .hunyuan_dense import Model as HunyuanDense


class Model(HunyuanDense):
    """For text the sections of the rotation are all alike."""

    sections = "apart"
