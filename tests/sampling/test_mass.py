"""Fixed-point probabilities: near the softmax, and exactly the same for any arrangement of the columns."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.sampling.mass import mass


def logits(seed: int, width: int, scale: float) -> torch.Tensor:
    x = torch.randn(2, width, generator=torch.Generator().manual_seed(seed)) * scale
    return torch.where(torch.arange(width) % 5 == 1, -torch.inf, x)


shapes = st.integers(0, 2**31), st.integers(1, 3000), st.sampled_from([0.1, 2.0, 9.0, 300.0])


@given(*shapes)
def test_near_the_softmax(seed, width, scale):
    x = logits(seed, width, scale)
    split, exact = mass(x), x.double().softmax(-1)
    torch.testing.assert_close(split.probs, exact, rtol=1e-7, atol=2e-12)
    entropy = torch.special.entr(exact).sum(-1, keepdim=True)
    torch.testing.assert_close(split.entropy, entropy, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(split.surprise, -x.double().log_softmax(-1), rtol=1e-7, atol=1e-8)


@given(*shapes)
def test_order_and_ruled_out_columns_do_not_matter(seed, width, scale):
    x = logits(seed, width, scale)
    some = torch.randperm(width, generator=torch.Generator().manual_seed(seed))
    some = some[x[0, some] > -torch.inf]
    whole, part = mass(x), mass(x[:1, some].contiguous())
    assert torch.equal(whole.weights[:1, some], part.weights)
    assert torch.equal(whole.entropy[:1], part.entropy)
    assert torch.equal(whole.surprise[:1, some], part.surprise)
