"""What an LLM makes of its options."""

import dataclasses

import pytest

from llamaspec.engine.llm import _params
from llamaspec.options.sampling import Sampling
from llamaspec.sampling.params import SamplerParams


def test_every_sampling_option_reaches_the_chain():
    said = Sampling(temp=0.125, top_k=3, xtc_threshold=0.25, dry_sequence_breakers=("x",), repeat_penalty=1.5)
    made = _params(said)
    for field in dataclasses.fields(SamplerParams):
        if field.name not in ("min_keep", "dry_sequence_breaker"):  # no flag; another name
            assert getattr(made, field.name) == getattr(said, field.name)
    assert made.dry_sequence_breaker == ("x",)


def test_an_option_that_the_chain_does_not_know_is_not_dropped_in_silence():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class More(Sampling):
        newest: float = 0.5

    with pytest.raises(TypeError, match="newest"):
        _params(More())
