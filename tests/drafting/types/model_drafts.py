"""A life of a slot as a draft model sees it: histories grow, are edited, shrink and are replaced."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.drafter import Slot
from tests.drafting.toys import CHAINS, ToyRunner, slot_of

V = 24
ids = st.integers(0, V - 1)

lives = st.lists(
    st.one_of(
        st.tuples(st.just("grow"), st.lists(ids, min_size=1, max_size=6)),
        st.tuples(st.just("follow the draft"), st.integers(0, 2**16)),
        st.tuples(st.just("edit"), st.integers(0, 50), ids),
        st.tuples(st.just("cut"), st.integers(1, 9)),
        st.tuples(st.just("begin"), st.lists(ids, min_size=1, max_size=40)),
    ),
    max_size=12,
)


def walk(draft: Draft, choice: int) -> list[int]:
    """A path of the draft from the root, as a target might keep it: where to go is told by the bits of choice."""
    node, found = -1, []
    while True:
        children = [i for i, parent in enumerate(draft.parents) if parent == node]
        if not children or choice % 4 == 3:
            return found
        node = children[choice % len(children)]
        found.append(draft.tokens[node])
        choice //= 4


def apply(drafter: Any, slot: Slot, deed: tuple, draft: Draft) -> None:
    """One step of a life, told to the drafter as the engine tells it ("cut" is told to nobody)."""
    kind, *what = deed
    if kind == "grow":
        slot.tokens += what[0]
    elif kind == "follow the draft":
        slot.tokens += [*walk(draft, what[0]), what[0] % V]
    elif kind == "edit":
        slot.tokens[what[0] % len(slot.tokens)] = what[1]
        drafter.forget(slot)
    elif kind == "cut":
        del slot.tokens[max(1, len(slot.tokens) - what[0]) :]
    else:
        slot.tokens = list(what[0])
        drafter.begin(slot)
    assert slot.chain is not None
    slot.state = slot.chain.start(slot.tokens)


def assert_in_step(model: DraftModel, slot: Slot) -> None:
    """The cache holds what the mirror says, and both begin with the history."""
    mirror, cells = model.mirrors[slot.id], model.runner.cache.cells[slot.id]
    assert cells == mirror.tokens
    assert model.runner.cache.lengths[slot.id] == len(mirror.tokens)
    before = model.seen(slot.tokens)[:-1]
    assert mirror.tokens[: len(before)] == before
    assert mirror.agreed == len(before)


def assert_lives_well(made: Callable[[DraftModel], Any], data: st.DataObject) -> None:
    """Whatever happens, the cache is in step and the drafts are those of a drafter that never saw anything else."""
    context = data.draw(st.sampled_from([1, 2, 3, 5, 12, 40, 400]))
    longest = data.draw(st.sampled_from([1, 3, 20]))
    chain = data.draw(st.sampled_from(CHAINS))
    model = DraftModel(ToyRunner(V, context, grain=data.draw(st.sampled_from([1, 8, 0]))), V, longest)
    drafter = made(model)
    slots = [slot_of(data.draw(st.lists(ids, min_size=1, max_size=30)), chain, number) for number in (0, 1)]
    drafts = [Draft(), Draft()]
    for slot in slots:
        drafter.begin(slot)
    for deed in [("grow", [1]), *data.draw(lives)]:
        number = data.draw(st.integers(0, 1))
        apply(drafter, slots[number], deed, drafts[number])
        asked = data.draw(st.sampled_from([[0, 1], [1, 0], [0], [1]]))
        if deed[0] == "cut" and number not in asked:
            asked = [*asked, number]  # a history that shrank unsaid and grew again unseen looks like one that grew
        proposed = drafter.propose([slots[i] for i in asked])
        fresh = made(DraftModel(ToyRunner(V, context), V, longest)).propose([slots[i] for i in asked])
        assert proposed == fresh
        for i, draft in zip(asked, proposed, strict=True):
            drafts[i] = draft
            assert_in_step(model, slots[i])
