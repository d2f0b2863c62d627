"""Chains of a draft model: in step with every history, and the reference's limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.types.draft_simple import Drafter, Params
from llamaspec.errors import LlamaspecError, UsageError
from tests.drafting.toys import CHAINS, ToyRunner, of_the_best, plain, slot_of
from tests.drafting.types.model_drafts import V, assert_lives_well

HISTORY = [3, 1, 4, 1, 5, 9, 2, 6]


def drafter(passes: ToyRunner, n_vocab: int = V, **params) -> Drafter:
    made = Params(**params)
    return Drafter(DraftModel(passes, n_vocab, made.n_max), made)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_cache_is_always_in_step(data):
    params = Params(n_max=data.draw(st.sampled_from([1, 3, 20])), p_min=data.draw(st.sampled_from([0.0, 0.4])))
    assert_lives_well(lambda model: Drafter(model, params), data)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("n_max", [1, 3, 17, 40])
def test_the_target_as_its_own_draft_is_always_right(chain, n_max):
    passes = ToyRunner()
    slot = slot_of(HISTORY, chain)
    (draft,) = drafter(passes, n_max=n_max).propose([slot])
    assert list(draft.tokens) == plain(passes, slot, n_max)
    assert draft.is_chain


@pytest.mark.parametrize("chain", CHAINS)
def test_an_uncoupled_draft_is_greedy(chain):
    passes, slot = ToyRunner(), slot_of(HISTORY, chain)
    (draft,) = drafter(passes, n_max=5, coupled=False).propose([slot])
    assert list(draft.tokens) == plain(passes, slot_of(HISTORY, CHAINS[0]), 5)


def test_an_accepted_draft_is_not_read_again():
    passes, slot = ToyRunner(context=400), slot_of(HISTORY)
    guesses = drafter(passes, n_max=4)
    for _ in range(10):
        (draft,) = guesses.propose([slot])
        slot.tokens += [*draft.tokens, 0]
        before = passes.rows
        guesses.propose([slot])
        assert passes.rows - before == 2 + 3  # the last draft token and the target's, then three of four guesses


def test_a_moving_window_finds_its_cache_most_of_the_time():
    passes, slot = ToyRunner(context=64), slot_of([1] * 300)
    guesses = drafter(passes, n_max=4)
    guesses.propose([slot])
    before, reread = passes.rows, 0
    for step in range(200):
        slot.tokens.append(step % V)
        rows = passes.rows
        (draft,) = guesses.propose([slot])
        assert len(draft) == 4
        reread += passes.rows - rows > 4 + 3
    assert 0 < reread <= 200 // 30 + 1
    assert passes.rows - before < 200 * (4 + 1) + reread * 64


def test_a_window_keeps_the_first_token_of_the_history():
    passes, slot = ToyRunner(context=32), slot_of([7, *[1] * 100])
    drafter(passes, n_max=4).propose([slot])
    assert passes.cache.cells[0][0] == 7
    assert passes.cache.cells[0][1:5] == [1] * 4


@pytest.mark.parametrize(("own", "target"), [(24, 20), (20, 24)])
def test_ids_that_one_side_lacks_are_never_drafted(own, target):
    passes = ToyRunner(own)
    for seed in range(40):
        slot = slot_of(HISTORY, CHAINS[2], seed=seed)
        (draft,) = drafter(passes, target, n_max=8).propose([slot])
        assert len(draft) == 8
        assert max(draft.tokens) < min(own, target)


def test_there_is_no_guess_behind_an_id_that_the_draft_lacks_and_there_is_one_later():
    passes = ToyRunner(20)
    guesses = drafter(passes, 24, n_max=3)
    slot = slot_of([*HISTORY, 22])
    assert not guesses.propose([slot])[0]
    slot.tokens.append(5)
    (draft,) = guesses.propose([slot])
    assert len(draft) == 3
    assert passes.cache.cells[0][: len(HISTORY) + 1] == [*HISTORY, 0]


def surely(passes: ToyRunner, p_min: float) -> list[bool]:
    """Of each greedy step behind HISTORY: is the best of ten at least this likely?"""
    seen, found = list(HISTORY), []
    for _ in range(8):
        likely = of_the_best(passes.after(seen))
        best = max(likely, key=lambda token: likely[token])
        found.append(likely[best] >= p_min)
        seen.append(best)
    return found


@pytest.mark.parametrize("p_min", [0.2, 0.4, 0.5, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_an_unsure_token_ends_the_draft_and_the_older_rule_keeps_it(p_min, seed):
    passes = ToyRunner(seed=seed)
    sure = [*surely(passes, p_min), False].index(False)
    slot = slot_of(HISTORY, CHAINS[0])
    new, old = (
        drafter(passes, n_max=8, p_min=p_min, keep_last=keep).propose([slot])[0].tokens for keep in (False, True)
    )
    assert len(new) == sure
    assert len(old) == min(sure + 1, 8)
    assert old[:sure] == new


def test_a_draft_below_n_min_is_none():
    slot = slot_of(HISTORY, CHAINS[0])
    tables = ((ToyRunner(seed=seed), [*surely(ToyRunner(seed=seed), 0.5), False].index(False)) for seed in range(50))
    passes, length = next((table, length) for table, length in tables if 0 < length < 8)
    assert len(drafter(passes, n_max=8, n_min=length, p_min=0.5).propose([slot])[0]) == length
    assert not drafter(passes, n_max=8, n_min=length + 1, p_min=0.5).propose([slot])[0]


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_slots_limit_holds(limit):
    slot = slot_of(HISTORY)
    slot.limit = limit
    assert len(drafter(ToyRunner(), n_max=4).propose([slot])[0]) == min(4, limit)


def test_broken_logits_of_a_draft_model_end_its_draft_and_nothing_else():
    passes = ToyRunner()
    guesses = drafter(passes, n_max=4, p_min=0.1)
    for chain in CHAINS:
        passes.broken = True
        slot = slot_of(HISTORY, chain)
        assert not guesses.propose([slot])[0]
        passes.broken = False
        assert len(drafter(ToyRunner(), n_max=4).propose([slot])[0]) == 4


def test_a_chain_that_leaves_only_ids_the_draft_lacks():
    bans = tuple((token, -np.inf) for token in range(20))
    chain = type(CHAINS[0])(temp=1.0, logit_bias=bans)
    assert not drafter(ToyRunner(20), 24, n_max=4).propose([slot_of(HISTORY, chain)])[0]


def test_a_slot_too_many_is_refused_with_words():
    with pytest.raises(LlamaspecError, match="2 slots"):
        drafter(ToyRunner(slots=2)).propose([slot_of(HISTORY, number=2)])


@pytest.mark.parametrize(
    "wrong", [{"n_max": -1}, {"n_max": 1025}, {"n_min": 4}, {"p_min": 1.5}, {"p_min": -0.1}, {"n_max": 2.5}]
)
def test_knobs_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError):
        Params(**wrong)
