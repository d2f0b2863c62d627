"""Seed-OSS (spec/models.md 2, rank 24): query, key and value biases, heads of a width of their own."""

from ..network.decoder import Model as Decoder


class Model(Decoder):
    """The norm before the feed-forward part is called post_attention_norm."""

    ffn_norm = "post_attention_norm"
