"""Trees of a draft model: in step, within their budget, never worse than the chain, and better when it misses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.types import draft_simple
from llamaspec.drafting.types.draft_tree import Drafter, Params
from llamaspec.errors import UsageError
from llamaspec.sampling.sampler import Rows
from tests.drafting.toys import CHAINS, ToyRunner, of_the_best, plain, slot_of
from tests.drafting.types.model_drafts import V, assert_lives_well, walk

HISTORY = [3, 1, 4, 1, 5, 9, 2, 6]


def tree(passes: ToyRunner, slot: Slot, **params) -> Draft:
    made = Params(**params)
    return Drafter(DraftModel(passes, V, made.n_max), made).propose([slot])[0]


def chain(passes: ToyRunner, slot: Slot, **params) -> list[int]:
    made = draft_simple.Params(**params)
    return list(draft_simple.Drafter(DraftModel(passes, V, made.n_max), made).propose([slot])[0].tokens)


def kept(draft: Draft, truth: list[int]) -> int:
    """How many tokens a target that says `truth` keeps."""
    node, n = -1, 0
    for token in truth:
        children = [i for i, parent in enumerate(draft.parents) if parent == node and draft.tokens[i] == token]
        if not children:
            return n
        node, n = children[0], n + 1
    return n


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_cache_is_always_in_step(data):
    params = Params(
        n_max=data.draw(st.sampled_from([1, 3, 20])),
        nodes=data.draw(st.sampled_from([1, 6, 15])),
        p_split=data.draw(st.sampled_from([0.0, 0.1])),
    )
    assert_lives_well(lambda model: Drafter(model, params), data)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_a_tree_is(data):
    passes = ToyRunner(seed=data.draw(st.integers(0, 5)))
    slot = slot_of(
        data.draw(st.lists(st.integers(0, V - 1), min_size=1, max_size=20)),
        data.draw(st.sampled_from(CHAINS)),
        seed=data.draw(st.integers(0, 99)),
    )
    n_max, nodes = data.draw(st.sampled_from([1, 2, 4, 9])), data.draw(st.sampled_from([1, 3, 7, 15, 40]))
    p_split, p_min = data.draw(st.sampled_from([0.0, 0.1, 0.4, 1.0])), data.draw(st.sampled_from([0.0, 0.4]))
    found = tree(passes, slot, n_max=n_max, nodes=nodes, p_split=p_split, p_min=p_min)
    assert len(found) <= nodes
    assert max(found.depths(), default=0) <= min(n_max, nodes)
    assert len(set(zip(found.parents, found.tokens, strict=True))) == len(found)
    assert all(parent < node for node, parent in enumerate(found.parents))
    first_chain = chain(passes, slot, n_max=min(n_max, nodes), p_min=p_min)
    assert kept(found, first_chain) == len(first_chain)
    if p_split == 1.0:
        assert found.is_chain


@pytest.mark.parametrize("params", CHAINS)
def test_children_are_what_the_target_would_choose_first_with_the_state_of_their_branch(params):
    passes, slot = ToyRunner(scale=0.7), slot_of(HISTORY, params)
    assert slot.chain is not None
    found = tree(passes, slot, n_max=2, nodes=63, p_split=0.09)
    assert not found.is_chain
    assert len(found) < 63
    for parent in {-1, *found.parents}:
        path = path_to(found, parent)
        state, seen = slot.state, list(slot.tokens)
        for token in path:
            rows = Rows(np.array([len(seen)]), slot.seed)
            state = slot.chain.advance(state, token, passes.after(seen), rows)
            seen.append(token)
        rows = Rows(np.array([len(seen)]), slot.seed)
        order = slot.chain.order(passes.after(seen)[None], rows, state, V)[0].tolist()
        children = [t for t, above in zip(found.tokens, found.parents, strict=True) if above == parent]
        assert set(children) == set(order[: len(children)])
        likely = of_the_best(passes.after(seen))
        assert all(likely.get(token, 0.0) > 0.09 for token in set(children) - {order[0]})


def path_to(draft: Draft, node: int) -> list[int]:
    found = []
    while node >= 0:
        found.append(draft.tokens[node])
        node = draft.parents[node]
    return found[::-1]


@pytest.mark.parametrize("params", CHAINS[:4])
def test_a_tree_beats_the_chain_where_the_first_guess_misses(params):
    """A draft that agrees with the target but for some noise in its logits."""
    draft, target = ToyRunner(seed=1), ToyRunner(seed=1)
    target.last = target.last + ToyRunner(seed=2).last * 0.6
    in_tree, in_chain = [], []
    for seed in range(60):
        slot = slot_of([seed % V, (seed * 7) % V, 3], params, seed=seed)
        truth = plain(target, slot, 4)
        in_tree.append(kept(tree(draft, slot, n_max=4), truth))
        in_chain.append(kept(Draft.chain(chain(draft, slot, n_max=4)), truth))
    assert all(a >= b for a, b in zip(in_tree, in_chain, strict=True))
    assert sum(in_tree) > 1.1 * sum(in_chain)


def test_a_kept_branch_is_not_read_again():
    passes = ToyRunner(context=400, scale=0.7)
    params = Params(n_max=4, nodes=15, p_split=0.05)
    drafter, slot = Drafter(DraftModel(passes, V, 4), params), slot_of(HISTORY)
    reused = 0
    for choice in (0b0101, 0, 0b01, 0b000110, 0b0100):
        (draft,) = drafter.propose([slot])
        branch = walk(draft, choice)
        slot.tokens += [*branch, 1]
        rows = passes.rows
        drafter.model.follow(slot)
        # The deepest level of a tree is never decoded: its tokens are read, those above are in the cache.
        assert passes.rows - rows == (len(branch) == 4)
        reused += len(branch) - (len(branch) == 4)
    assert reused > 3


@pytest.mark.parametrize("limit", [1, 2, 4, 9])
def test_the_slots_limit_holds_and_depth_comes_first(limit):
    slot = slot_of(HISTORY)
    slot.limit = limit
    found = tree(ToyRunner(scale=0.7), slot, n_max=4, p_split=0.0)
    assert len(found) == limit
    assert max(found.depths()) == min(4, limit)


def test_fewer_levels_than_n_min_are_none():
    slot = slot_of(HISTORY, CHAINS[0])
    tables = (ToyRunner(seed=seed) for seed in range(50))
    found = ((passes, max(tree(passes, slot, n_max=8, p_min=0.5).depths(), default=0)) for passes in tables)
    passes, levels = next((passes, levels) for passes, levels in found if 0 < levels < 8)
    assert tree(passes, slot, n_max=8, n_min=levels, p_min=0.5)
    assert not tree(passes, slot, n_max=8, n_min=levels + 1, p_min=0.5)


def test_the_older_rule_keeps_one_unsure_token():
    passes, slot = ToyRunner(), slot_of(HISTORY, CHAINS[0])
    new, old = (tree(passes, slot, n_max=8, nodes=40, p_min=0.999, keep_last=keep) for keep in (False, True))
    assert (len(new), len(old)) == (0, 1)


def test_a_greedy_tree_has_the_highest_logits():
    passes, slot = ToyRunner(scale=0.7), slot_of(HISTORY, CHAINS[2])
    found = tree(passes, slot, n_max=1, coupled=False, p_split=0.05)
    assert list(found.tokens) == np.argsort(-passes.after(HISTORY))[: len(found)].tolist()
    assert len(found) > 1


def test_broken_logits_end_the_tree():
    passes = ToyRunner()
    passes.broken = True
    for params in CHAINS:
        assert not tree(passes, slot_of(HISTORY, params), p_min=0.1)
        assert not tree(passes, slot_of(HISTORY, params))


@pytest.mark.parametrize("wrong", [{"p_split": 1.5}, {"p_split": -0.1}, {"nodes": 0}, {"nodes": 64}, {"n_min": 4}])
def test_knobs_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError):
        Params(**wrong)
