"""Every file of the shelf builds its own drafter, from one context."""

import inspect

import pytest

from llamaspec import shelf
from llamaspec.drafting.build import build, kind_of, kinds, without_model
from llamaspec.drafting.context import DrafterContext
from llamaspec.drafting.drafter import Drafter, Kept, Slot
from llamaspec.drafting.translate import Translated
from llamaspec.drafting.wrapper import Wrapper
from llamaspec.errors import LlamaspecError
from tests.drafting.fakes import Scripted
from tests.drafting.tokenizers import kinds as tokenizers
from tests.drafting.toys import ToyRunner

OURS, THEIRS = next((a, b) for a, b in tokenizers() if a.kind != b.kind and max(a.n_vocab, b.n_vocab) < 3000)


def context(draft=OURS, said=None, **more) -> tuple[DrafterContext, list[int]]:
    """A context whose draft model is a table, and how often that was loaded."""
    loads = []

    def load():
        loads.append(1)
        return ToyRunner(draft.n_vocab, context=100), draft

    report = [].append if said is None else said.append
    return DrafterContext(OURS.n_vocab, tokenizer=OURS, load_draft=load, report=report, **more), loads


@pytest.mark.parametrize("name", shelf.names("drafting.types"))
def test_a_file_builds_what_its_name_says(name):
    drafter = build(name, context()[0], {})
    assert drafter.name == name.replace("_", "-")
    assert drafter.n_max >= 1
    assert isinstance(drafter.params, kind_of(name).params)


def test_no_two_drafters_have_the_same_place_and_those_without_a_model_come_first():
    orders = [kind.drafter.order for kind in kinds()]
    assert len(set(orders)) == len(orders)
    models = [kind.drafter.needs_model for kind in kinds()]
    assert models == sorted(models)
    assert without_model() == [kind.drafter.name for kind in kinds()][: models.index(True)]


def test_the_draft_model_is_loaded_once_and_only_for_who_needs_it():
    made, loads = context()
    build("ngram-simple", made, {})
    assert loads == []
    simple, tree = build("draft-simple", made, {"n_max": 5}), build("draft-tree", made, {"n_max": 9})
    assert loads == [1]
    assert simple.model is tree.model
    assert simple.model.capacity == 100 - 9


@pytest.mark.parametrize("compat", ["own", "reference", "old"])
def test_the_rules_of_spec_compat_reach_the_drafters(compat):
    made, _ = context(compat=compat)
    params = build("draft-simple", made, {}).params
    assert (params.coupled, params.keep_last) == (compat == "own", compat == "old")
    text = Slot(0, [1, 2, 3, 1, 2, 3, 1, 2])
    assert bool(build("ngram-simple", made, {"size_n": 1, "size_m": 1, "min_hits": 9}).propose([text])[0]) == (
        compat != "own"
    )


def test_a_draft_of_another_vocabulary_is_translated_once_for_all():
    said = []
    made, _ = context(THEIRS, said)
    drafters = [build(name, made, {}) for name in ("draft-simple", "draft-tree")]
    assert all(isinstance(drafter, Translated) for drafter in drafters)
    assert drafters[0].shadows is drafters[1].shadows
    assert len(said) == 1
    with pytest.raises(LlamaspecError, match="vocabulary differs"):
        build("draft-simple", context(THEIRS, strict=True)[0], {})


def test_a_wrapper_passes_everything_on():
    calls = {
        "begin": (Slot(1),),
        "forget": (Slot(1),),
        "observe": (Slot(1), Kept([5])),
        "propose": ([Slot(1)],),
        "accept": (Slot(1), 2, True),
        "save": ([Slot(1)],),
        "on_device": (4, 100),
        "drafted_on_device": (Slot(1), 4, 2),
    }
    members = {name for name in vars(Drafter) if not name.startswith("_")}
    methods = {name for name in members if inspect.isfunction(getattr(Drafter, name))}
    assert methods == calls.keys(), "a method of Drafter is missing here"
    inner = Scripted("x", n_max=7, features=(2,), top=3, order=4, needs_model=True, params="knobs")
    outer = Wrapper(inner)
    assert all(getattr(outer, name) == getattr(inner, name) for name in members - methods)
    for name, words in calls.items():
        getattr(outer, name)(*words)
        assert inner.heard[-1][0] == name
