"""Speculation with a real model changes no token, and guesses some."""

from typing import Any

import pytest

from llamaspec.engine.llm import LLM
from tests.real.conftest import Real

pytestmark = pytest.mark.real

PROMPT = "apple, pear, cherry, plum, peach.\n" * 4 + "apple, pear,"
CHAINS: list[dict[str, Any]] = [{"temp": 0}, {"temp": 0.8, "seed": 11}]
KINDS = ["ngram-simple", "ngram-mod", "suffix", "draft-simple"]


def answers(llm: LLM) -> list[tuple[list[int], int]]:
    """Tokens and how many of them were guessed, for each chain, from an empty cache."""
    found = []
    for chain in CHAINS:
        llm.target.cache.truncate(0, 0)
        llm.session.slot.tokens = []
        done = llm.complete(PROMPT, n_predict=48, stop_at_eog=False, **chain)
        found.append((done.tokens, done.timings.draft_n_accepted))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_speculation_is_invisible(real: Real, plain: LLM, kind: str):
    keywords: dict[str, Any] = {"spec_type": kind}
    if kind == "draft-simple":
        keywords["model_draft"] = str(real.path)
    else:
        keywords |= {"spec_ngram_size_n": 3, "spec_ngram_mod_n_min": 0}
    expected = answers(plain)
    found = answers(real.load(**keywords))
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in expected]
    assert [accepted for _, accepted in expected] == [0, 0]
    assert all(accepted >= 8 for _, accepted in found), [accepted for _, accepted in found]
