"""One thread: the machines that run the tests have two cores and two workers."""

import os

import pytest
import torch
from hypothesis import settings

# In continuous integration the same examples every time: a build must not fail by chance. New ones are found at desks.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)
