"""The verdict on a draft: what plain decoding would have chosen, from the rows on that path and no others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.verify import verify
from llamaspec.errors import LlamaspecError
from tests.drafting.toys import CHAINS, ToyRunner, plain, slot_of

V = 24
guesses = st.one_of(st.none(), st.integers(0, V - 1))
drafts = st.integers(0, 8).flatmap(
    lambda n: st.tuples(*[st.tuples(st.integers(-1, node - 1), guesses) for node in range(n)])
)


def grown(shape, truth: list[int]) -> Draft:
    """A tree whose nodes tell the truth of their level, or a token of their own."""
    tokens, parents, depths = [], [], []
    for parent, token in shape:
        depth = 0 if parent < 0 else depths[parent] + 1
        depths.append(depth)
        parents.append(parent)
        tokens.append(truth[depth] if token is None else token)
    return Draft(tuple(tokens), tuple(parents), "toy")


def rows_of(runner: ToyRunner, slot: Slot, draft: Draft) -> np.ndarray:
    """The logits of the last token and of every node."""
    paths = [[]]
    for token, parent in zip(draft.tokens, draft.parents, strict=True):
        paths.append([*paths[parent + 1], token])
    return np.stack([runner.after([*slot.tokens, *path]) for path in paths])


@given(st.sampled_from(CHAINS), drafts, st.integers(0, 2**32 - 1), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_only_the_rows_of_the_path_are_looked_at(params, shape, seed, bad):
    runner, slot = ToyRunner(V), slot_of([3, 1, 4, 1, 5], params, seed=seed)
    truth = plain(runner, slot, 10)
    draft = grown(shape, truth)
    logits = rows_of(runner, slot, draft)
    verdict, state = verify(draft, logits, slot)
    assert list(verdict.tokens) == truth[: len(verdict.tokens)]
    assert [draft.tokens[node] for node in verdict.kept] == truth[: len(verdict.kept)]
    walked = {0, *(node + 1 for node in verdict.kept)}
    broken = logits.copy()
    broken[[row for row in range(len(logits)) if row not in walked]] = bad
    assert verify(draft, broken, slot) == (verdict, state)


@pytest.mark.parametrize("params", CHAINS)
def test_a_broken_row_on_the_path_is_an_error(params):
    runner, slot = ToyRunner(V), slot_of([3, 1, 4], params)
    draft = Draft.chain(plain(runner, slot, 3))
    for row in range(4):
        logits = rows_of(runner, slot, draft)
        logits[row, 5] = np.nan
        with pytest.raises(LlamaspecError, match="NaN"):
            verify(draft, logits, slot)


@pytest.mark.parametrize("params", CHAINS[:4])
def test_nothing_is_chosen_behind_an_end(params):
    runner, slot = ToyRunner(V), slot_of([3, 1, 4], params)
    truth = plain(runner, slot, 5)
    draft = Draft.chain(truth)
    logits = rows_of(runner, slot, draft)
    for token in truth:
        end = truth.index(token)
        logits[end + 1 :] = np.nan
        verdict, _ = verify(draft, logits, slot, {token})
        assert list(verdict.tokens) == truth[: end + 1]
        assert verdict.kept == tuple(range(end))
        logits = rows_of(runner, slot, draft)
