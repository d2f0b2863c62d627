"""Made-up acceptance: who may ask for it, and that it is what was asked for."""

import pytest

import llamaspec
from llamaspec.drafting.verify import verify
from llamaspec.engine.judge import INVALID, judge
from llamaspec.errors import UsageError
from llamaspec.options import from_keywords
from tests.engine.conftest import usable

LIKE = {"device": "cpu", "ctx_size": 256, "spec_draft_n_max": 4}


@pytest.fixture(scope="module")
def target():
    return str(next(iter(usable().values())))


def answer(target, **keywords):
    said = []
    llm = llamaspec.load(target, model_draft=target, report=said.append, **LIKE, **keywords)
    return llm.complete([5, 6, 7], n_predict=60, temp=0, stop_at_eog=False), said


def test_the_target_decides_unless_asked_otherwise():
    assert judge(from_keywords().speculation, None, lambda line: None) is verify


@pytest.mark.parametrize(
    ("keywords", "mean"),
    [
        ({"spec_synth_len": 1}, 1.0),
        ({"spec_synth_len": 5}, 5.0),
        ({"spec_synth_rates": [1, 1, 0, 0]}, 3.0),
        ({"spec_synth_rates": "1,1,1,0"}, 4.0),
    ],
)
def test_drafts_are_as_good_as_was_asked(target, keywords, mean):
    done, said = answer(target, **keywords)
    assert INVALID in said
    assert done.drafting.request.mean_len == pytest.approx(mean, abs=0.35)


def test_a_length_between(target):
    done, _ = answer(target, spec_synth_len=2.5)
    assert 1.5 < done.drafting.request.mean_len < 4


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"spec_synth_len": 5.1}, "outside 1 to 5"),
        ({"spec_synth_rates": [0.5]}, "has 1 values"),
        ({"spec_synth_rates": [0.1, 0.2, 0, 0]}, "never rise"),
        ({"spec_synth_len": 2, "spec_type": "none"}, "needs a drafter"),
        ({"spec_synth_len": 0.9}, "at least 1"),
        ({"spec_synth_len": -1}, "at least 1"),
        ({"spec_synth_rates": [1.1, 0, 0, 0]}, "from 0 to 1"),
        ({"spec_synth_rates": "nan,0,0,0"}, "from 0 to 1"),
        ({"spec_synth_len": 2, "spec_synth_rates": [1, 1, 1, 1]}, "exclude each other"),
    ],
)
def test_what_cannot_be(target, keywords, words):
    with pytest.raises(UsageError, match=words):
        answer(target, **keywords)
