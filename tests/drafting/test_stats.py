"""The lines and numbers of drafting, against lines that llama.cpp printed."""

import json

import pytest

from llamaspec.drafting.stats import ENOUGH, Counters, Report, Request
from tests.drafting.fakes import measured

# Printed by llama.cpp (the rates continue in the original).
MOD = (
    "statistics        ngram-mod: #calls(b,g,a) =    1     34     17, #gen drafts =     17, #acc drafts =    17, "
    "#gen tokens =    129, #acc tokens =   129, #mean acc len = 8.59, #acc rate/pos = (1.000, 0.941), "
    "dur(b,g,a) = 0.019, 0.099, 0.006 ms"
)
SLOT = "draft acceptance = 0.91667 (  165 accepted /   180 generated), mean len =  5.85"
OLD_SLOT = "draft acceptance rate = 0.57576 (  171 accepted /   297 generated)"


def mod() -> Counters:
    counts = {"calls_begin": 1, "calls_draft": 34, "calls_accept": 17, "gen_drafts": 17, "acc_drafts": 17}
    times = {"ms_begin": 0.019, "ms_draft": 0.099, "ms_accept": 0.006}
    return Counters("ngram-mod", gen_tokens=129, gen_levels=129, acc_tokens=129, per_pos=[17, 16], **counts, **times)


def test_the_line_of_a_drafter():
    assert mod().line() == MOD


def test_the_old_line_of_a_drafter():
    counters = mod()
    counters.acc_drafts = 15
    assert counters.line("old") == (
        "statistics ngram_mod: #calls(b,g,a) = 1 34 15, #gen drafts = 17, #acc drafts = 15, #gen tokens = 129, "
        "#acc tokens = 129, dur(b,g,a) = 0.019, 0.099, 0.006 ms"
    )
    assert Counters("draft-simple").line("old").startswith("statistics draft: ")
    assert Counters("ngram-map-k4v").line("old").startswith("statistics ngram_map_k4v: ")


def test_rates_stand_in_the_line_after_the_first_accept_only():
    counters = Counters("draft-simple", calls_draft=3)
    assert "rate/pos" not in counters.line()
    counters.kept(0)
    assert "#mean acc len = 1.00, #acc rate/pos = (), dur" in counters.line()
    counters.kept(2)
    assert "#mean acc len = 2.00, #acc rate/pos = (0.500, 0.500), dur" in counters.line()


def request(draft_n: int, accepted: int, steps: int) -> Request:
    return Request(draft_n, accepted, steps, [])


def test_the_line_of_a_request():
    report = Report.of(request(180, 165, 34), [mod()])
    assert report.lines() == [SLOT, MOD]
    assert Report.of(request(297, 171, 30), []).lines("old") == [OLD_SLOT]


def test_a_request_without_drafts_has_no_line_of_its_own():
    assert Report.of(Request(), [mod()]).lines() == [MOD]
    assert Report.of(Request(), []).acceptance() == ""
    assert Request().timings() == {}


def test_steps_without_a_draft_do_not_count():
    seen = Request()
    for n_draft, n_accepted in ((3, 3), (0, 0), (3, 1), (2, 0)):
        seen.observe_draft(n_draft, n_accepted)
    assert (seen.draft_n, seen.draft_n_accepted, seen.steps, seen.per_pos) == (8, 4, 3, [2, 1, 1])
    assert seen.mean_len == pytest.approx(1 + 4 / 3)
    assert seen.timings() == {"draft_n": 8, "draft_n_accepted": 4}
    per_position = Report.of(seen, [], n_max=4).lines(per_position=True)[1]
    assert per_position == "     acc per pos = (0.667, 0.333, 0.333, 0.000)"


def test_the_header_tells_the_values_in_force():
    drafters = [
        Counters("ngram-mod", {"n_match": 24, "n_min": 48}),
        Counters("draft-simple", {"p_min": 0.75}),
        Counters("x"),
    ]
    header = Report.of(Request(), drafters).header()
    assert header == "speculation: ngram-mod (n-match 24, n-min 48), draft-simple (p-min 0.75), x"
    assert Report.of(Request(), []).header() == "speculation: none"


@pytest.mark.parametrize(
    ("name", "accepted", "said"),
    [
        ("draft-simple", 61, "raise --spec-draft-n-max"),
        ("draft-simple", 60, ""),
        ("draft-simple", 40, ""),
        ("draft-simple", 39, "raise --spec-draft-p-min"),
        ("ngram-mod", 80, "raise --spec-ngram-mod-n-max"),
        ("ngram-map-k", 90, "raise --spec-ngram-map-k-size-m"),
        ("suffix", 90, "raise --spec-suffix-n-max"),
        ("suffix", 10, "lower --spec-suffix-n-max, or raise --spec-suffix-p-min, or try another --spec-type"),
        ("recycling", 90, "raise --spec-recycling-depth"),
        ("ngram-cache", 10, "lower --spec-ngram-cache-n-max, or try another --spec-type"),
        ("x", 90, ""),
        ("ngram-simple", 10, "lower --spec-ngram-simple-size-m"),
    ],
)
def test_advice_at_the_thresholds_that_users_are_told(name, accepted, said):
    nobody = Counters(name, gen_tokens=100, gen_levels=100, acc_tokens=accepted)
    counters = nobody if name == "x" else measured(name, 100, accepted)
    advice = Report.of(Request(), [counters]).advice()
    assert len(advice) == bool(said)
    assert all(said in line for line in advice)


def test_a_tree_is_judged_by_its_levels():
    tree = Counters("recycling", gen_tokens=100, gen_levels=30, acc_tokens=15)
    assert Report.of(Request(), [tree]).advice() == []
    tree.acc_tokens = 9
    assert "30.0% of 30 levels of drafted trees" in Report.of(Request(), [tree]).advice()[0]


def test_a_few_tokens_are_no_reason_for_advice():
    assert Report.of(Request(), [Counters("x", gen_tokens=ENOUGH - 1, gen_levels=9)]).advice() == []
    assert Report.of(Request(), [Counters("x", gen_tokens=ENOUGH, gen_levels=9)]).advice() != []


def test_json_says_the_same():
    report = Report.of(request(180, 165, 34), [mod()], n_max=2)
    said = json.loads(json.dumps(report.json()))
    assert (said["draft_n"], said["draft_n_accepted"], said["verify_steps"]) == (180, 165, 34)
    assert said["acceptance"] == pytest.approx(165 / 180)
    assert said["acc_per_pos"] == [0.0, 0.0]
    drafter = said["drafters"][0]
    assert drafter["calls"] == {"begin": 1, "draft": 34, "accept": 17}
    assert drafter["acc_rate_per_pos"] == [1.0, pytest.approx(16 / 17)]
    assert said["advice"] == report.advice()
