"""Nemotron 3 with experts (spec/models.md 2, rank 30)."""

from .nemotron_h import Model as Model
