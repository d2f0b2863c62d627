"""Hypothesis without a time limit per example: the machine may be busy."""

from hypothesis import settings

settings.register_profile("sampling", deadline=None)
settings.load_profile("sampling")
