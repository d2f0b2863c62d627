"""A pass whose numbers do not fit is refused before anything is written."""

from collections.abc import Callable

import numpy as np
import pytest

from llamaspec.kernels.native import structures as c

from .native_data import needs_library
from .native_tape import Call, Index, chain, plane, view

pytestmark = needs_library


class Everything:
    """A tape that uses all numbers of a pass."""

    def __init__(self) -> None:
        self.weight = np.zeros((50, 8), np.float32)
        self.cos = np.zeros((20, 4), np.float32)
        self.cache = np.zeros((2, 1, 16, 8), np.float32)
        self.x, self.y = np.zeros((3, 8), np.float32), np.full((3, 8), 7, np.float32)
        self.tokens, self.wanted, self.index = np.array([0, 49, 3]), np.array([2, 0]), chain(13, 3, 1)
        self.ring, self.hidden, self.learnt = 0, None, 20

    def run(self) -> c.PassResult:
        y, x = view(self.y), view(self.x)
        ops = [
            (c.OpKind.NORM, c.NormOp(x, y, None, None, 1, 0, 0, 1.0)),
            (c.OpKind.EMBED, c.EmbedOp(y, self.weight.ctypes.data, 50, 0, 1)),
            (c.OpKind.ROTATE, c.RotateOp(x, y, 1, 0, 0)),
            (c.OpKind.APPEND, c.AppendOp(x, 1, 0)),
            (c.OpKind.ATTEND, c.AttendOp(x, y, None, 0, 0, 1, 1, 8, 8, 0, 0, 1, 0)),
            (c.OpKind.LOOKUP, c.LookupOp(y, self.weight.ctypes.data, self.learnt, 0, 1, 1)),
            (c.OpKind.SELECT, c.SelectOp(x, y)),
        ]
        table = c.RopeTable(self.cos.ctypes.data, self.cos.ctypes.data, 4, 20, 0)
        call = Call(3, self.index, [plane(self.cache, 0, self.ring)], [table], self.wanted, self.tokens, self.hidden)
        return call.run(*ops)


def position(value: int) -> Callable[[Everything], None]:
    def change(at: Everything) -> None:
        at.index.positions[1] = value

    return change


def number(name: str, value: int) -> Callable[[Everything], None]:
    def change(at: Everything) -> None:
        getattr(at.index, name)[2] = value

    return change


def tokens(values: list[int]) -> Callable[[Everything], None]:
    return lambda at: setattr(at, "tokens", np.array(values))


def wanted(values: list[int]) -> Callable[[Everything], None]:
    return lambda at: setattr(at, "wanted", np.array(values))


def learnt(at: Everything) -> None:
    at.learnt = 15


BAD = {
    "token": tokens([0, 50, 3]), "negative token": tokens([-1, 0, 0]), "wanted": wanted([3]),
    "negative wanted": wanted([-1]), "more wanted than there are": wanted([0, 1, 2, 0]),
    "position": position(16), "position that is not learnt": learnt, "negative position": position(-1),
    "cell": number("cells", 16),
    "a cell before the padding": number("cells", -2), "slot": number("slots", 2), "negative slot": number("slots", -1),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_out_of_range(what: str) -> None:
    at = Everything()
    assert at.run() == c.PassResult.DONE
    at = Everything()
    BAD[what](at)
    assert at.run() == c.PassResult.OUT_OF_RANGE
    assert (at.y == 7).all()
    assert not at.cache.any()


def test_a_ring_has_no_last_cell_but_a_rope_table_has_a_last_position() -> None:
    at = Everything()
    at.ring, at.index = 16, chain(16, 3, 1)
    assert at.run() == c.PassResult.DONE
    at.index = chain(18, 3, 1)
    assert at.run() == c.PassResult.OUT_OF_RANGE


def test_tokens_are_not_looked_at_where_rows_are_given() -> None:
    at = Everything()
    at.tokens, at.hidden = None, np.zeros((3, 8), np.float32)
    assert at.run() == c.PassResult.DONE
    at.hidden = None
    assert at.run() == c.PassResult.OUT_OF_RANGE


def test_no_rows() -> None:
    at = Everything()
    none = np.zeros(0, np.int64)
    at.index = Index(none, none, none, none)
    assert Call(0, at.index).run((c.OpKind.APPEND, c.AppendOp(view(at.x), 1, 99))) == c.PassResult.DONE
