"""Hypothesis without a time limit per example: the machine may be busy, and torch's first call is slow."""

from hypothesis import settings

settings.register_profile("sampling", deadline=None)
settings.load_profile("sampling")
