"""StarCoder (spec/models.md 2, rank 28): GPT-2 with one head of keys and values."""

from .gpt2 import Model as Model
