"""Granite with experts (spec/models.md 2, rank 16)."""

from .granite import Model as Model
