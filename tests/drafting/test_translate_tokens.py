"""Vocabularies that share most tokens: guesses keep to the shared ones, and are coupled as if there were one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamaspec.drafting.draft import Draft
from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.translate import MOST, Shadows, Translated, bridge
from llamaspec.drafting.translate_text import TextBridge
from llamaspec.drafting.translate_tokens import TokenBridge
from llamaspec.drafting.types import draft_simple, draft_tree
from llamaspec.sampling.chain import Chain
from llamaspec.text.tokenizer import Tokenizer
from tests.drafting.tokenizers import kinds
from tests.drafting.toys import CHAINS, ToyRunner, plain, slot_of

LETTERS = "abcdefghijklmnopqrstuvwx"


def tokenizer(letters: str, **more: object) -> Tokenizer:
    """One token per letter; x, where there is one, ends texts, since the default (id 11) is a letter like others."""
    end = {f"tokenizer.ggml.{role}_token_id": letters.index("x") for role in ("bos", "eos") if "x" in letters}
    return Tokenizer.from_metadata(
        {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": "gpt-2",
            "tokenizer.ggml.tokens": list(letters),
            "tokenizer.ggml.token_type": [1] * len(letters),
            "tokenizer.ggml.merges": [],
            **end,
            **more,
        }
    )


class Renamed(ToyRunner):
    """The model of `ToyRunner` with its tokens called otherwise: own id i is its id names[i]; others are hopeless."""

    def __init__(self, names: list[int], context: int = 64) -> None:
        super().__init__(len(names), context)
        self.names, self.inner = names, ToyRunner(len(LETTERS), context)

    def after(self, seen: list[int]) -> np.ndarray:
        logits = self.inner.after([self.names[token] for token in seen])
        return np.append(logits, np.float32(-9.0))[self.names]


def translated(kind: str, theirs: str, **params) -> Translated:
    """A drafter over a model that calls the letters `theirs`, for a target that calls them LETTERS."""
    names = [LETTERS.find(letter) for letter in theirs]
    module = {"draft-simple": draft_simple, "draft-tree": draft_tree}[kind]
    made = module.Params(**params)
    model = DraftModel(Renamed(names), len(names), made.n_max)
    between = bridge(tokenizer(LETTERS), tokenizer(theirs), len(LETTERS) + 3)
    assert isinstance(between, TokenBridge)
    return Translated(module.Drafter(model, made), Shadows(between, model.edited))


@pytest.mark.parametrize("params", CHAINS)
@pytest.mark.parametrize("kind", ["draft-simple", "draft-tree"])
def test_other_ids_are_no_handicap(kind, params):
    """A draft that is the target under other ids is always right, whatever the chain."""
    slot = slot_of([3, 1, 4, 1, 5, 9, 2, 6], params)
    passes = ToyRunner(len(LETTERS))
    drafter = translated(kind, LETTERS[::-1], n_max=4)
    for _ in range(4):
        (draft,) = drafter.propose([slot])
        truth = plain(passes, slot, 4)
        node = -1
        for token in truth:
            node = next(i for i, above in enumerate(draft.parents) if above == node and draft.tokens[i] == token)
        slot.tokens += truth
        slot.state = slot.chain.start(slot.tokens)


@pytest.mark.parametrize("params", CHAINS)
def test_tokens_of_one_side_are_never_guessed(params):
    drafter = translated("draft-tree", "ZY" + LETTERS[::-1][:-4], n_max=5, p_split=0.02)
    for first in range(20):
        (draft,) = drafter.propose([slot_of([first, 1, 2, 7], params, seed=first)])
        assert draft
        assert all(4 <= token < len(LETTERS) for token in draft.tokens)


def test_a_token_that_the_draft_lacks_is_spelled():
    ours = tokenizer([*LETTERS, "abc"], **{"tokenizer.ggml.merges": ["a b", "ab c"]})
    shadow = TokenBridge(ours, tokenizer(LETTERS[::-1]), len(LETTERS) + 1).shadow()
    shadow.add([24, 3])
    assert shadow.tokens == [23, 22, 21, 20]


def test_noise_follows_the_targets_positions_when_spelling_takes_more_tokens():
    ours = tokenizer([*LETTERS, "ab"], **{"tokenizer.ggml.merges": ["a b"]})
    between = TokenBridge(ours, tokenizer(LETTERS), 25)
    shadow = between.shadow()
    slot = slot_of([24, 24, 5], CHAINS[1])
    shadow.add(slot.tokens)
    mapped = between.chain(slot, shadow)
    assert mapped is not None
    assert mapped.ahead == 3 - 5
    chain = Chain.build(CHAINS[1])
    logits = np.zeros((1, 24), np.float32)
    from llamaspec.sampling.sampler import Rows

    for ahead in range(6):
        own = mapped.pick(logits, Rows(np.array([5 + ahead]), 5), slot.state)
        lifted = np.append(logits, np.float32([[-np.inf]]), -1)
        assert own.tolist() == chain.pick(lifted, Rows(np.array([3 + ahead]), 5), slot.state).tolist()


def test_back_drops_what_the_target_lacks_with_all_behind_it():
    between = TokenBridge(tokenizer("abc"), tokenizer("cbaZ"), 3)
    tree = Draft((0, 3, 1, 2, 0), (-1, -1, 1, 0, 3), "d")
    assert between.back(tree, between.shadow()) == Draft((2, 0, 2), (-1, 0, 1), "d")


@given(pair=st.sampled_from(kinds()), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_ids_are_spelled_with_the_same_bytes(pair, data):
    target, draft = pair
    between = TokenBridge(target, draft, target.n_vocab + 6)
    shadow = between.shadow()
    hidden = set(target.vocabulary.specials())
    tokens = [t for t in data.draw(st.lists(st.integers(0, target.n_vocab - 1), max_size=20)) if t not in hidden]
    for a, b in pairwise([0, *sorted(data.draw(st.lists(st.integers(0, 20), max_size=3))), 20]):
        shadow.add(tokens[a:b])
    ours = b"".join(target.piece(token) for token in tokens)
    theirs = b"".join(draft.piece(token) for token in shadow.tokens if token != draft.bos)
    assert theirs.replace(b" ", b"") == ours.replace(b" ", b"")  # a tokenizer may put blanks in front of pieces
    for token, other in between.shared.items():
        if token not in hidden:
            assert target.piece(token) == draft.piece(other)


def test_which_way_is_chosen():
    target, draft = tokenizer(LETTERS), tokenizer(LETTERS[::-1])
    assert isinstance(bridge(target, draft, 24), TokenBridge)
    assert isinstance(bridge(target, draft, 24, [("a", "b")]), TextBridge)
    few = tokenizer("abcdefgh" + "ABCDEFGHIJKLMNOP")
    assert TokenBridge(target, few, 24).share < MOST
    assert isinstance(bridge(target, few, 24), TextBridge)


def test_two_slots_have_two_shadows():
    drafter = translated("draft-simple", LETTERS[::-1], n_max=3)
    one, two = slot_of([1, 2, 3], number=0), slot_of([4, 5], number=1)
    both = drafter.propose([one, two])
    alone = [translated("draft-simple", LETTERS[::-1], n_max=3).propose([slot])[0] for slot in (one, two)]
    assert both == alone


@pytest.mark.parametrize("kind", ["draft-simple", "draft-tree"])
@given(edits=st.lists(st.tuples(st.sampled_from(["grow", "edit", "shrink", "begin"]), st.integers(0, 23)), max_size=8))
@settings(max_examples=25, deadline=None)
def test_edited_histories_give_the_drafts_of_a_fresh_drafter(kind, edits):
    for theirs in (LETTERS[::-1], LETTERS[::-1][:20]):
        drafter, slot = translated(kind, theirs, n_max=3), slot_of([1, 2, 3])
        for what, token in edits:
            change(drafter, slot, what, token)
            assert drafter.propose([slot]) == translated(kind, theirs, n_max=3).propose([slot])


def change(drafter: Translated, slot: Slot, what: str, token: int) -> None:
    """An edit, told as the engine tells it; shrinking is told to nobody."""
    if what == "grow":
        slot.tokens += [token, token]
    elif what == "edit":
        slot.tokens[token % len(slot.tokens)] = token
        drafter.forget(slot)
    elif what == "shrink":
        del slot.tokens[max(1, len(slot.tokens) - 2) :]
    else:
        slot.tokens = [token, 1, token]
        drafter.begin(slot)
