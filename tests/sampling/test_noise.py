"""Noise is the published generator, and the same number however it is asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.sampling import noise as module
from llamaspec.sampling.noise import CHOICE, DRAFTER, XTC, noise, noise_of, philox, uniform

PUBLISHED = [  # Random123's known answers for philox4x32, 10 rounds
    ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]

seeds = st.integers(0, 2**64 - 1)
positions = st.integers(0, 2**63 - 1)
tokens = st.integers(0, 2**31 - 1)
streams = st.sampled_from([CHOICE, XTC, DRAFTER])
attempts = st.integers(0, 1000)


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_known_answers(counter, key, words):
    assert " ".join(f"{word:08x}" for word in philox(counter, key)) == words


def test_known_answer_of_the_arrays():
    word = int(uniform(0, np.array([0]), np.array([[0]])).item() * 2**32)
    assert f"{word:08x}" == "6627e8d5"


@given(seeds, positions, tokens, streams, attempts)
def test_counter_and_key(seed, position, token, stream, attempt):
    counter = token, position & 0xFFFFFFFF, position >> 32, stream + 16 * attempt
    word = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))[0]
    got = uniform(seed, np.array([position]), np.array([[token]]), stream, attempt)
    assert got.item() == (word + 0.5) * 2.0**-32


@given(seeds, positions, st.lists(tokens, min_size=1, max_size=50), streams, attempts)
def test_gumbel(seed, position, ids, stream, attempt):
    got = noise(seed, np.array([position]), np.array([ids]), stream, attempt)[0]
    expected = np.array([noise_of(seed, position, token, stream, attempt) for token in ids])
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=6.1e-8, atol=6e-8)  # half a float32 step


@pytest.mark.parametrize("word", [0, 1, 2**31, 2**32 - 2, 2**32 - 1])
def test_ends_are_finite(word, monkeypatch):
    monkeypatch.setattr(module, "_words", lambda *_: np.array([[word]]))
    got = noise(0, np.array([0]), np.array([[0]])).item()
    assert got == pytest.approx(-np.log(-np.log1p(-(word + 0.5) * 2.0**-32)), rel=1e-7)
    assert -3.14 < got < 22.88


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(0, 8000), st.integers(1, 900), st.integers(0, 2**32))
def test_the_same_at_every_width_and_offset(n, start, width, seed):
    at = np.arange(n) * 3 + 5
    wide = noise(seed, at, np.arange(9000)[None])
    part = noise(seed, at[-1:], np.arange(start, start + width)[None])
    assert np.array_equal(wide[-1:, start : start + width], part)
    ids = np.random.default_rng(seed).permutation(9000)[:40][None].repeat(n, 0)
    assert np.array_equal(noise(seed, at, ids), np.take_along_axis(wide, ids, -1))


def test_rows_may_have_their_own_seed_and_attempt():
    at, ids, own, tries = (
        np.array([7, 7, 9]),
        np.arange(20)[None].repeat(3, 0),
        np.array([5, 2**40, -1]),
        [0, 3, 1],
    )
    together = noise(own, at, ids, attempt=np.array(tries))
    for row, seed in enumerate((5, 2**40, 2**64 - 1)):
        assert np.array_equal(together[row], noise(seed, at[row : row + 1], ids[:1], attempt=tries[row])[0])


def test_streams_attempts_positions_and_seeds_differ():
    ids = np.arange(50)[None]
    asked = [(1, 5, 0, 0), (1, 5, 1, 0), (1, 5, 2, 0), (1, 5, 0, 1), (1, 6, 0, 0), (2, 5, 0, 0), (1 + 2**32, 5, 0, 0),
             (1, 5 + 2**32, 0, 0)]  # fmt: skip
    got = [noise(seed, np.array([n]), ids, stream, attempt) for seed, n, stream, attempt in asked]
    assert len({tuple(x[0].tolist()) for x in got}) == len(asked)
