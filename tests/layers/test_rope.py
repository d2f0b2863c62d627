"""Angles looked up in the table have the bits of angles computed."""

import pytest
import torch

from llamaspec.layers.rope import Rope, Scaling


@pytest.mark.parametrize("kind", ["none", "linear", "yarn"])
@pytest.mark.parametrize("width", [6, 64, 128])
def test_the_table(kind, width):
    rope = Rope(width, 10000.0, False, torch.device("cpu"), Scaling(kind, 4.0, 256))
    draw = torch.Generator().manual_seed(width)
    for reach in (1, 256, 257, 2000):
        cos, sin = rope.table(reach)
        assert len(cos) == len(sin) >= reach
        for n in (1, 3, 16):
            positions = torch.randint(0, reach, (n,), generator=draw)
            expected = rope(positions)
            assert torch.equal(cos[positions], expected[0])
            assert torch.equal(sin[positions], expected[1])


def test_the_table_is_kept():
    rope = Rope(64, 10000.0, False, torch.device("cpu"))
    first = rope.table(300)[0]
    assert rope.table(300)[0] is first
    assert rope.table(299)[0] is first
    longer = rope.table(301)[0]
    assert torch.equal(longer[:300], first)
