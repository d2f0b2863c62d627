"""Drafters over token lists: llama.cpp's answers, draft by draft, and the keywords."""

import pytest

from llamaspec.drafting.build import without_model
from llamaspec.drafting.session import Ask, drafter
from llamaspec.errors import UsageError
from tests.drafting import vectors


def _tokens(op):
    return op["prompt"] if "prompt" in op else list(range(*op["prompt_range"]))


@pytest.mark.parametrize("case", vectors.cases(), ids=lambda case: case["id"])
def test_every_answer_of_the_reference(case):
    drafting = drafter(case["types"], **{name: case["params"].get(name, {}) for name in case["types"]})
    assert drafting.n_max == case["expect_n_max"]
    for i, op in enumerate(case["ops"]):
        match op["op"]:
            case "begin":
                drafting.begin(_tokens(op), op["seq"])
            case "draft":
                draft = drafting.draft(op["history"], op["id_last"], op["n_max"], op["seq"])
                assert draft == op["expect"] or op.get("peer_ub"), f"op {i}"
            case "draft_many":
                asked = op["requests"]
                drafts = drafting.draft_many([Ask(r["history"], r["id_last"], r["n_max"], r["seq"]) for r in asked])
                assert drafts == [r["expect"] for r in asked], f"op {i}"
            case "accept":
                drafting.accept(op["n"], op["seq"])
            case unknown:
                pytest.fail(f"the vectors have an op {unknown}")
    assert drafting.stats() == case["expect_stats"]


def test_there_are_cases_for_every_method():
    methods = {name for case in vectors.cases() for name in case["types"]}
    assert methods >= {"ngram-simple", "ngram-map-k", "ngram-map-k4v", "ngram-mod", "ngram-cache"}


HISTORY = [5, 6, 7, 8, 9, 1, 2, 3] * 4


@pytest.mark.parametrize(
    "made",
    [
        lambda: drafter("ngram-simple", size_n=2, size_m=4),
        lambda: drafter("NGRAM_SIMPLE", **{"size-n": 2, "size-m": 4}),
        lambda: drafter("ngram-simple", spec_ngram_simple_size_n=2, ngram_simple_size_m=4),
        lambda: drafter(["ngram-simple"], ngram_simple={"size_n": 2, "size_m": 4}),
        lambda: drafter("none,ngram-mod,ngram-simple", ngram_simple={"size_n": 2, "size_m": 4}),
    ],
)
def test_knobs_can_be_said_in_several_ways(made):
    drafting = made()
    drafting.begin(HISTORY)
    assert drafting.draft(HISTORY, 5) == [6, 7, 8, 9]
    assert drafting.draft(HISTORY, 5, n_max=2) == [6, 7]


@pytest.mark.parametrize(
    ("names", "params", "said"),
    [
        ("ngram-mode", {}, "ngram-mode"),
        ("", {}, "no drafter"),
        ("draft-simple", {}, "needs a model"),
        ("ngram-mod", {"size_n": 3}, "size_n"),
        ("ngram-mod,ngram-simple", {"n_match": 3}, "n_match"),
        ("ngram-mod", {"ngram_mod": 3}, "mapping"),
        ("ngram-mod", {"spec_compat": "new"}, "new"),
    ],
)
def test_a_wrong_keyword_is_a_usage_error(names, params, said):
    with pytest.raises(UsageError) as error:
        drafter(names, **params)
    assert said in error.value.message


@pytest.mark.parametrize("history", [[1, -2], [1, "2"], [1, 2.0], [1 << 31], [None], [True]])
def test_a_history_that_is_none(history):
    with pytest.raises(UsageError):
        drafter("ngram-simple").draft(history, 1)


def test_one_sequence_is_asked_once():
    with pytest.raises(UsageError):
        drafter("ngram-simple").draft_many([Ask([1, 2], 3), Ask([1, 2], 3)])


def test_an_edited_history_is_read_again():
    drafting = drafter("ngram-simple", size_n=2, size_m=3)
    drafting.begin(HISTORY)
    assert drafting.draft(HISTORY, 5) == [6, 7, 8]
    edited = [token + 10 if token > 5 else token for token in HISTORY]
    assert drafting.draft(edited, 5) == [16, 17, 18]


def test_lookup_files_are_paths_or_content(tmp_path):
    content = vectors.raw("cache")[0]["file_hex"]
    path = tmp_path / "cache.bin"
    path.write_bytes(bytes.fromhex(content))
    answers = [
        drafter("ngram-cache", dynamic=given).draft([2, 1, 2], 2)
        for given in (content, str(path), path, path.read_bytes())
    ]
    assert answers[0]
    assert all(answer == answers[0] for answer in answers)


def test_the_report_counts_what_was_offered():
    drafting = drafter("ngram-simple", size_n=2, size_m=4)
    drafting.begin(HISTORY)
    drafting.draft(HISTORY, 5)
    drafting.accept(3)
    drafting.draft([1, 2], 3)
    drafting.accept(0)
    assert drafting.report().request.timings() == {"draft_n": 4, "draft_n_accepted": 3}
    assert drafting.stats()["ngram-simple"]["calls_accept"] == 2


def test_every_drafter_without_a_model_has_a_name_and_bounds():
    for name in without_model():
        drafting = drafter(name)
        assert drafting.n_max >= 1
        assert list(drafting.stats()) == [name]


def test_a_small_n_max_of_ngram_mod_works_alone():
    text = [1, 2, 3, 4, 5] * 10
    session = drafter("ngram-mod", n_match=3, n_max=16, spec_compat="own")
    session.begin(text)
    assert session.draft(text, 1) == ([2, 3, 4, 5, 1] * 4)[:16]
    with pytest.raises(UsageError, match="above"):
        drafter("ngram-mod", n_max=16, n_min=48, spec_compat="own")
