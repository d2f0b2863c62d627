"""Qwen3-Next (spec/models.md 2.3): as Qwen3.5 with experts, but value heads that share a key head lie together."""

from .qwen35moe import Model as Qwen35Moe


class Model(Qwen35Moe):
    """Files hold the inputs of a delta net by key head; legacy ones hold queries, keys, values and z so too."""

    tiled = False
    sections = ""
