"""Every sampler, alone and in chains, leaves what llama.cpp's leaves."""

import pytest
import torch

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
        rows = Rows(torch.tensor([at]), seed=at)
        got = chain.process(logits.unsqueeze(0), rows, state)[0]
        compare(got, expected, logits)
        if token is not None:
            state = chain.advance(state, token, logits, rows)


def compare(got: torch.Tensor, expected: torch.Tensor, logits: torch.Tensor) -> None:
    """Equal values, token by token; where equal logits compete for the last places llama.cpp takes any of them."""
    torch.testing.assert_close(got.sort().values, expected.sort().values, rtol=1e-5, atol=2e-6)
    probs, theirs = got.double().softmax(-1), expected.double().softmax(-1)
    torch.testing.assert_close(probs.sort().values, theirs.sort().values, rtol=1e-5, atol=1e-7)
    differs = got.isinf() != expected.isinf()
    assert logits[differs].unique().numel() <= 1, "the sets may differ among equal logits only"
    assert (got.isinf() & differs).sum() == (expected.isinf() & differs).sum()
    torch.testing.assert_close(got[~differs], expected[~differs], rtol=1e-5, atol=2e-6)
