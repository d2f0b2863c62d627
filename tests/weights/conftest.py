"""A hub on this machine for tests of downloads."""

import pytest

from .fake_hub import FakeHub


@pytest.fixture
def hub():
    made = FakeHub()
    yield made
    made.close()


class Watched:
    """A Watch that remembers."""

    def __init__(self):
        self.lines, self.begun, self.bytes, self.ended = [], [], 0, 0

    def begin(self, name, done, total):
        self.begun.append((name, done, total))

    def advance(self, count):
        self.bytes += count

    def end(self):
        self.ended += 1

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def watch():
    return Watched()
