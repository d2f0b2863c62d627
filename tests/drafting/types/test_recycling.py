"""recycling: the tree's shape, and the table it is filled from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.drafting.drafter import Kept, Slot
from llamaspec.drafting.types.recycling import BREADTH, Drafter, Params, template
from llamaspec.errors import UsageError
from tests.drafting.types.texts import play, texts


@given(st.integers(1, 63), st.integers(1, 8))
def test_the_template_is_a_tree_of_the_wanted_size(n_max, depth):
    nodes = template(n_max, depth)
    assert len(nodes) == min(n_max, sum(BREADTH**level for level in range(1, depth + 1)))
    assert len(set(nodes)) == len(nodes)
    levels = []
    for i, (parent, rank) in enumerate(nodes):
        assert -1 <= parent < i
        assert 0 <= rank < BREADTH
        levels.append(1 if parent < 0 else levels[parent] + 1)
    assert max(levels) <= depth


def test_the_best_nodes_come_first():
    assert template(4, 6) == template(16, 6)[:4]
    assert template(1, 6) == ((-1, 0),)


def observed(rows: dict[int, list[int]]) -> Drafter:
    drafter = Drafter(Params(n_max=6, depth=3))
    drafter.observe(Slot(0), Kept(list(rows), top=np.array(list(rows.values()))))
    return drafter


def test_the_tree_is_filled_with_the_targets_candidates():
    rows = {1: [2, 3, 4, 5, 6, 7, 8, 9], 2: [3, 1, 4, 5, 6, 7, 8, 9], 3: [1, 2, 4, 5, 6, 7, 8, 9]}
    (draft,) = observed(rows).propose([Slot(0, [9, 1])])
    assert len(draft) == 6
    assert draft.by == "recycling"
    for token, parent in zip(draft.tokens, draft.parents, strict=True):
        assert token in rows[1 if parent < 0 else draft.tokens[parent]]
    children = [(parent, token) for token, parent in zip(draft.tokens, draft.parents, strict=True)]
    assert len(set(children)) == len(children)
    assert children[0] == (-1, 2)


def test_unknown_tokens_leave_holes():
    (draft,) = observed({1: [2, 3, 4, 5, 6, 7, 8, 9]}).propose([Slot(0, [1])])
    assert draft.tokens == (2, 3, 4)
    assert set(draft.parents) == {-1}
    assert not observed({1: [2] * 8}).propose([Slot(0, [5])])[0]
    assert not Drafter().propose([Slot(0)])[0]


def test_the_newest_candidates_stay():
    drafter = observed({1: [2, 3, 4, 5, 6, 7, 8, 9]})
    drafter.observe(Slot(1), Kept([1], top=np.array([[9, 8, 7, 6, 5, 4, 3, 2]])))
    assert drafter.propose([Slot(0, [1])])[0].tokens[0] == 9


def test_text_without_candidates_teaches_what_followed():
    drafter = Drafter(Params(n_max=4, depth=4))
    drafter.observe(Slot(0), Kept([1, 2]))
    drafter.observe(Slot(0), Kept([3, 1, 4]))
    (draft,) = drafter.propose([Slot(0, [2])])
    assert draft.tokens[:3] == (3, 1, 4)
    root = drafter.propose([Slot(0, [1])])[0]
    assert [token for token, parent in zip(root.tokens, root.parents, strict=True) if parent < 0][:2] == [4, 2]


def test_the_last_rows_may_be_the_only_ones_with_candidates():
    drafter = Drafter(Params(n_max=2, depth=1))
    drafter.observe(Slot(0), Kept([1, 2, 3], top=np.array([[5, 6, 7, 8, 9, 10, 11, 12]])))
    assert [drafter.propose([Slot(0, [token])])[0].tokens[:1] for token in (1, 2, 3)] == [(2,), (3,), (5,)]


def test_a_new_prompt_follows_nothing():
    drafter = Drafter(Params(n_max=2, depth=1))
    drafter.observe(Slot(0), Kept([1]))
    drafter.begin(Slot(0, [7]))
    drafter.observe(Slot(0), Kept([7]))
    assert not drafter.propose([Slot(0, [1])])[0]


@given(texts, st.integers(1, 30))
def test_drafts_are_made_of_the_text(text, start):
    drafter = Drafter()
    for slot, draft in play(drafter, text, start):
        assert set(draft) <= set(slot.tokens)
        assert len(draft) <= 15
        (tree,) = drafter.propose([slot])
        children = list(zip(tree.parents, tree.tokens, strict=True))
        assert len(set(children)) == len(children)


def test_knobs_out_of_range():
    for wrong in ({"n_max": 64}, {"depth": 0}):
        with pytest.raises(UsageError):
            Params(**wrong)
