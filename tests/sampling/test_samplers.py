"""Rules of single samplers that llama.cpp's vectors do not pin down."""

import math

import numpy as np
import pytest

from llamaspec.sampling import chain as chain_module
from llamaspec.sampling.chain import Chain, Rows, SamplerParams
from llamaspec.sampling.noise import XTC, noise, uniform
from llamaspec.sampling.samplers import dry

OFF = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temp": 1.0}


def left(params: SamplerParams, logits: list[float], position: int = 0) -> list[int]:
    got = Chain.build(params).process(np.array([logits], np.float32), Rows(np.array([position]), 3))[0]
    return np.flatnonzero(got > -math.inf).tolist()


@pytest.mark.parametrize(("p", "kept"), [(0.5, 4), (0.25, 2), (0.26, 3), (0.1, 1), (0.99, 8)])
def test_top_p_stops_exactly_at_p_and_takes_the_lowest_ids(p, kept):
    assert left(SamplerParams(**{**OFF, "top_p": p}), [1.0] * 8) == list(range(kept))


def test_top_k_takes_the_lowest_ids():
    assert left(SamplerParams(**{**OFF, "top_k": 3}), [1.0, 2.0, 1.0, 1.0, 2.0, 1.0]) == [0, 1, 4]


@pytest.mark.parametrize(("p", "kept"), [(0.6, 5), (0.5, 5), (0.49, 4)])
def test_typ_p_goes_beyond_p_and_takes_the_lowest_ids(p, kept):
    assert left(SamplerParams(**OFF, typical_p=p), [1.0] * 8) == list(range(kept))


def test_the_coin_of_xtc_belongs_to_the_position():
    params = SamplerParams(**OFF, xtc_probability=0.3, xtc_threshold=0.1)
    zero = np.zeros((1, 1), np.int64)
    for position in range(40):
        heads = uniform(3, np.array([position]), zero, XTC).item() <= 0.3
        assert (left(params, [1.0, 2.0, 0.5, -9.0], position) == [2, 3]) == heads


def test_a_lucky_token_far_behind_still_wins():
    """A wide row computes noise only for tokens within index: the index must cover the luckiest."""
    width = 60_000
    ends = [-math.log(-math.log((k + 0.5) * 2.0**-32)) for k in (0, 2**32 - 1)]
    at = np.arange(4)
    luck = noise(3, at, np.arange(width)[None])
    row = int(luck.max(-1).argmax())
    lucky, unlucky = int(luck[row].argmax()), int(luck[row].argmin())
    ahead = float(luck[row, lucky] - luck[row, unlucky])
    x = np.full((1, width), -100.0, np.float32)
    x[0, unlucky] = 0.0
    chain = Chain.build(SamplerParams(**OFF))
    for short, winner in ((0.01, lucky), (-0.01, unlucky)):
        x[0, lucky] = short - ahead
        assert chain.choose(x, Rows(at[row : row + 1], 3)).item() == winner
    assert ahead > 13
    assert ends[1] - ends[0] < chain_module._REACH


class Letters:
    """One token per byte of a few words."""

    pieces = (b"a", b"b", b"ab", b"<|end|>", b"xa", b"bc", b"c", b"\xe2\x80", b"\x93")
    n_vocab = len(pieces)
    eog = frozenset({3})

    def piece(self, token: int, special: bool = False) -> bytes:
        return self.pieces[token] if special or token != 3 else b""

    def encode(self, text: str, add_special: bool = True, parse_special: bool = True) -> list[int]:
        return [self.pieces.index(letter.encode()) for letter in text]


def test_breakers_are_found_whole_and_begun():
    assert dry.breakers(("ab",), Letters()) == {2: [()], 0: [(1,)], 4: [(1,)]}
    assert dry.breakers(("abc", "a", ""), Letters()) == {0: [(1, 6), ()], 2: [(6,), ()], 4: [(1, 6), ()]}
    assert dry.breakers(("<|end|>",), Letters()) == {3: [()]}


def test_a_breaker_ends_the_repetition():
    params = SamplerParams(**OFF, dry_multiplier=1.0, dry_allowed_length=1, dry_sequence_breaker=("ab",))
    chain, x = Chain.build(params, Letters()), np.zeros((1, 9), np.float32)
    text = [5, 6, 0, 1, 5, 4, 4, 5, 6, 0, 1]
    process = lambda prompt: chain.process(x, Rows(np.array([0]), 0), chain.start(prompt))[0].tolist()  # noqa: E731
    assert process(text) == [0.0] * 9, "nothing behind the breaker is repeated yet"
    assert process([*text, 5]) == [0, 0, 0, 0, -1.0, 0, -1.0, 0, 0], "one token is, before 4 and before 6"


@pytest.mark.parametrize(
    "sampler",
    [
        {"repeat_penalty": 2.0, "repeat_last_n": -1},
        {"dry_multiplier": 1.0, "dry_allowed_length": 1, "dry_penalty_last_n": -1, "dry_sequence_breaker": ()},
    ],
)
def test_a_window_of_minus_one_is_everything(sampler):
    chain = Chain.build(SamplerParams(**OFF, **sampler))
    state = chain.start([3, 4, *range(100, 900)])
    for token in (7, 8, 3):
        state = chain.advance(state, token)
    got = chain.process(np.ones((1, 9), np.float32), Rows(np.array([0]), 0), state)
    assert got[0, 4] < 1


def test_long_repetitions_do_not_overflow():
    params = SamplerParams(**OFF, dry_multiplier=0.8, dry_base=1.75, dry_penalty_last_n=4000, dry_sequence_breaker=())
    chain = Chain.build(params)
    got = chain.process(np.zeros((1, 9), np.float32), Rows(np.array([0]), 0), chain.start([1] * 4000))
    assert np.isfinite(got).all()
    assert got[0, 1] < -1e30


def test_z_function():
    text = [1, 2, 1, 2, 1, 3, 1, 2, 1, 2]
    naive = [next((n for n in range(10 - k) if text[n] != text[k + n]), 10 - k) for k in range(10)]
    assert dry._matches(text)[1:] == naive[1:]
