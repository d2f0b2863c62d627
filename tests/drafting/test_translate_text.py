"""Histories and guesses between tokenizers that cut text differently: no byte is lost, no step gets slower."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.translate_specials import piece
from llamaspec.drafting.translate_text import FORCED, Replacer, TextBridge, TextShadow
from llamaspec.text.tokenizer import Tokenizer
from tests.drafting.tokenizers import kinds

WORDS = "The quick brown fox, it's said, jumps over 1234 lazy dogs;\n\n  def f(x):\n\treturn x+1  # naïve 漢字かな🎉\n"
PAIRS = kinds()
texts = st.text(st.sampled_from("ab Zq01\n\té漢🎉.'(<"), max_size=60) | st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\u2581"), max_size=20
)


def raw(tokenizer: Tokenizer, tokens: list[int]) -> bytes:
    """What tokens write, without BOS and the blank that a tokenizer puts in front."""
    if tokens[:1] == [tokenizer.bos]:
        tokens = tokens[1:]
    data = b"".join(piece(tokenizer, token, special=True) for token in tokens)
    return data.removeprefix(b" ") if tokenizer.add_space_prefix else data


def told(bridge: TextBridge, tokens: list[int], cuts: list[int]) -> TextShadow:
    """A shadow that heard the tokens in parts, and said truly where it changed."""
    shadow, at = bridge.shadow(), 0
    for end in [*sorted({cut % (len(tokens) + 1) for cut in cuts}), len(tokens)]:
        before = list(shadow.tokens)
        changed = shadow.add(tokens[at:end])
        assert shadow.tokens[:changed] == before[:changed]
        at = end
    assert shadow.read == tokens
    return shadow


@given(pair=st.sampled_from(PAIRS), text=texts, cuts=st.lists(st.integers(0, 60), max_size=5))
@settings(max_examples=150, deadline=None)
def test_the_shadow_writes_the_same_text(pair, text, cuts):
    target, draft = pair
    tokens = target.encode(text, add_special=False, parse_special=False)
    shadow = told(TextBridge(target, draft), tokens, cuts)
    assert raw(draft, shadow.tokens) + shadow.pending == raw(target, tokens)


@given(pair=st.sampled_from(PAIRS), data=st.data())
@settings(max_examples=100, deadline=None)
def test_any_ids_at_all_are_understood(pair, data):
    target, draft = pair
    tokens = data.draw(st.lists(st.integers(0, target.n_vocab + 5), max_size=30))
    shadow = told(TextBridge(target, draft), tokens, data.draw(st.lists(st.integers(0, 30), max_size=4)))
    assert all(0 <= token < draft.n_vocab for token in shadow.tokens)
    guesses = data.draw(st.lists(st.integers(0, draft.n_vocab + 5), max_size=8))
    back = shadow.bridge.back(Draft.chain(guesses, "d"), shadow)
    assert back.is_chain
    assert all(0 <= token < target.n_vocab for token in back.tokens)


@pytest.mark.parametrize(
    "pair", PAIRS, ids=lambda pair: f"{pair[0].kind}{pair[0].n_vocab}-{pair[1].kind}{pair[1].n_vocab}"
)
def test_token_by_token_gives_what_the_whole_text_gives(pair):
    target, draft = pair
    text = WORDS * 4
    tokens = target.encode(text)
    shadow = TextBridge(target, draft).shadow()
    for token in tokens:
        shadow.add([token])
    assert shadow.settled > 0
    expected = draft.encode(text)
    if draft.add_eos:
        expected = expected[:-1]
    assert shadow.tokens == (expected if not target.add_eos else shadow.tokens)


@given(pair=st.sampled_from(PAIRS), text=texts, more=texts, cut=st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_a_guess_comes_back_as_the_same_text(pair, text, more, cut):
    """From any place of the target's tokens, within a character too."""
    target, draft = pair
    tokens = target.encode(text + "q" + more, add_special=False, parse_special=False)
    at = 1 + cut % len(tokens)
    shadow = told(TextBridge(target, draft), tokens[:at], [])
    guess = told(TextBridge(target, draft), tokens, []).tokens
    if guess[: len(shadow.tokens)] != shadow.tokens:
        return  # the draft would cut the history otherwise once it knows how it goes on
    back = shadow.bridge.path(guess[len(shadow.tokens) :], shadow)
    rest = b"".join(piece(target, token, special=True) for token in tokens[at:])
    written = b"".join(piece(target, token, special=True) for token in back)
    assert written == rest


@pytest.mark.parametrize("text", ["漢字仮名交文" * 300, "a" * 3000, "🎉" * 600, "word " * 500, "\n" * 2000, " " * 2000])
def test_a_step_costs_the_same_however_long_the_history(text):
    target, draft = next((a, b) for a, b in PAIRS if a.kind != b.kind)
    shadow = TextBridge(target, draft).shadow()
    tokens = target.encode(text, add_special=False, parse_special=False)
    longest = 0
    for token in tokens:
        length = len(shadow.tokens)
        at = shadow.add([token])
        longest = max(longest, len(shadow.tail))
        assert length - at <= FORCED * 4
    assert longest <= FORCED + 40
    assert len(tokens) > 2 * FORCED or text.isspace() or " " in text
    assert raw(draft, shadow.tokens) + shadow.pending == raw(target, tokens)


def test_special_tokens_stand_for_their_equals():
    target, draft = next(
        (a, b)
        for a, b in PAIRS
        if a.kind != b.kind and a.bos is not None and a.add_bos and b.add_bos and b.eos is not None
    )
    bridge = TextBridge(target, draft)
    tokens = [target.bos, *target.encode("one", False), target.eos, *target.encode("two", False)]
    shadow = told(bridge, tokens, [1, 2])
    assert shadow.tokens[0] == draft.bos
    assert shadow.tokens.count(draft.eos) == 1
    guess = [*draft.encode("more", False), draft.eos]
    assert bridge.path(guess, shadow)[-1] == target.eos


def test_the_draft_begins_with_its_own_bos_or_none():
    for target, draft in PAIRS:
        shadow = TextBridge(target, draft).shadow()
        shadow.add([*([target.bos] if target.add_bos else []), *target.encode("one two", False)])
        assert (shadow.tokens[:1] == [draft.bos]) == draft.add_bos
        assert raw(draft, shadow.tokens) == b"one two"


@pytest.mark.parametrize(
    ("pairs", "text", "expected"),
    [
        ([("ab", "X")], "abab a b", "XX a b"),
        ([("a", "1"), ("ab", "2")], "aba", "21"),
        ([("a", "b"), ("b", "a")], "ab", "ba"),
        ([("a", "1"), ("a", "2")], "a", "2"),
        ([("aa", "a")], "aaaa", "aa"),
        ([(".", "")], "a.b", "ab"),
        ([("", "x")], "ab", "ab"),
        ([], "ab", "ab"),
    ],
)
def test_replacements_run_once_from_the_left_longest_first(pairs, text, expected):
    assert Replacer(pairs)(text) == expected


@given(
    pair=st.sampled_from(PAIRS),
    words=st.lists(st.sampled_from(["[INST]", "[INST]x", "[", "fox", " fox ", "\n", "é", "🎉"]), max_size=120),
    cuts=st.lists(st.integers(0, 500), max_size=6),
)
@settings(max_examples=60, deadline=None)
def test_replacements_reach_every_place_of_a_history(pair, words, cuts):
    target, draft = pair
    bridge = TextBridge(target, draft, [("[INST]", "<USER>: "), ("fox", "cat")])
    text = "".join(words).strip()
    tokens = target.encode(text, add_special=False, parse_special=False)
    shadow = told(bridge, tokens, cuts)
    expected = text.replace("[INST]", "<USER>: ").replace("fox", "cat").encode()
    assert raw(draft, shadow.tokens) == expected.removeprefix(b" " * target.add_space_prefix * text.startswith(" "))


def test_replacements_work_backwards_on_guesses():
    target, draft = next((a, b) for a, b in PAIRS if a.kind != b.kind)
    bridge = TextBridge(target, draft, [("fox", "cat"), ("gone", "")])
    shadow = told(bridge, target.encode("see the", False), [])
    back = bridge.path(draft.encode("see the cat run", False)[len(draft.encode("see the", False)) :], shadow)
    assert b"".join(target.piece(token) for token in back) == b" fox run"


def test_a_pair_for_a_special_token_comes_first():
    target, draft = next((a, b) for a, b in PAIRS if a.kind != b.kind and a.eot is not None)
    literal = target.token_text(target.eot)
    shadow = told(TextBridge(target, draft, [(literal, "END")]), [*target.encode("one", False), target.eot], [1])
    assert raw(draft, shadow.tokens).replace(b" ", b"") == b"oneEND"


def test_paths_of_a_tree_share_their_nodes():
    target, draft = next((a, b) for a, b in PAIRS if a.kind != b.kind)
    bridge = TextBridge(target, draft)
    shadow = told(bridge, target.encode("see the", False), [])
    first, second = (
        draft.encode(text, False)[len(draft.encode("see the", False)) :] for text in ("see the dog", "see the day")
    )
    common = next(i for i in range(9) if first[i] != second[i])
    tokens = [*first, *second[common:]]
    parents = [*range(-1, len(first) - 1), common - 1, *range(len(first), len(tokens) - 1)]
    back = bridge.back(Draft(tuple(tokens), tuple(parents), "d"), shadow)
    paths = {tuple(bridge.path(path, shadow)) for path in (first, second)}
    leaves = set(range(len(back))) - set(back.parents)
    found = set()
    for leaf in leaves:
        path, node = [], leaf
        while node >= 0:
            path.append(back.tokens[node])
            node = back.parents[node]
        found.add(tuple(reversed(path)))
    assert found == paths
    assert len(back) < sum(map(len, paths))


def test_a_character_begun_by_the_target_is_finished():
    target, draft = next((a, b) for a, b in PAIRS if a.kind != b.kind and len(a.encode("\u13a0", False)) >= 3)
    tokens = target.encode("x\u13a0", False)
    bridge = TextBridge(target, draft)
    for known in (1, 2):
        shadow = told(bridge, tokens[: len(tokens) - known], [])
        assert shadow.pending
        right, wrong = (
            draft.encode(f"x{letter}y", False)[len(draft.encode("x", False)) :] for letter in "\u13a0\u0160"
        )
        assert b"".join(target.piece(t) for t in bridge.path(right, shadow)) == "\u13a0".encode()[-known:] + b"y"
        assert bridge.path(wrong, shadow) == []


def test_random_bytes_as_tokens():
    """A target that speaks no UTF-8 at all."""
    target, draft = next((a, b) for a, b in PAIRS if a.kind != b.kind and a.kind == "gpt2")
    single = TextBridge(draft, target).draft.bytes
    noise = random.Random(0)
    shadow = TextBridge(target, draft).shadow()
    for _ in range(300):
        shadow.add([single[noise.randrange(256)]])
    assert len(shadow.tokens) > 100
