"""Every sampler, alone and in chains, leaves what llama.cpp's leaves."""

import numpy as np
import pytest

from llamaspec.sampling.chain import Chain, Rows

from .vectors import Case, cases

CASES = cases()


def test_there_are_vectors():
    assert len({case.file for case in CASES}) >= 10


@pytest.mark.parametrize("case", CASES, ids=str)
def test_vectors(case: Case):
    chain = Chain.build(case.params, case.vocab)
    state = chain.start(case.entry["prompt"])
    for at, (logits, expected, token) in enumerate(case.steps()):
        rows = Rows(np.array([at]), seed=at)
        got = chain.process(logits[None], rows, state)[0]
        compare(got, expected, logits)
        if token is not None:
            state = chain.advance(state, token, logits, rows)


def softmax(values: np.ndarray) -> np.ndarray:
    weights = np.exp(values.astype(np.float64) - values.max())
    return weights / weights.sum()


def compare(got: np.ndarray, expected: np.ndarray, logits: np.ndarray) -> None:
    """Equal values, token by token; where equal logits compete for the last places llama.cpp takes any of them."""
    np.testing.assert_allclose(np.sort(got), np.sort(expected), rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(np.sort(softmax(got)), np.sort(softmax(expected)), rtol=1e-5, atol=1e-7)
    differs = np.isinf(got) != np.isinf(expected)
    assert len(np.unique(logits[differs])) <= 1, "the sets may differ among equal logits only"
    assert (np.isinf(got) & differs).sum() == (np.isinf(expected) & differs).sum()
    np.testing.assert_allclose(got[~differs], expected[~differs], rtol=1e-5, atol=2e-6)
