"""A translated drafter keeps its model in step although earlier draft tokens change as the text goes on."""

import pytest

from llamaspec.drafting.draft_model import DraftModel
from llamaspec.drafting.drafter import Slot
from llamaspec.drafting.translate import Shadows, Translated
from llamaspec.drafting.translate_text import TextBridge
from llamaspec.drafting.types import draft_simple, draft_tree
from llamaspec.text.tokenizer import Tokenizer
from tests.drafting.tokenizers import kinds
from tests.drafting.toys import ToyRunner

TEXT = "international understanding; unbelievable 12345 naïve\n\n  indentation   of words, 漢字 and the same again\n"
TARGET, DRAFT = next((a, b) for a, b in kinds() if a.kind != b.kind and max(a.n_vocab, b.n_vocab) < 3000)


def letters(tokenizer: Tokenizer) -> list[int]:
    """TEXT cut as finely as can be, so that what was said is cut differently again and again."""
    single = {piece: token for token in range(tokenizer.n_vocab) if len(piece := tokenizer.piece(token)) == 1}
    return [single[bytes((byte,))] for byte in TEXT.encode() if bytes((byte,)) in single]


def translated(module: object) -> Translated:
    """A drafter over a table that speaks DRAFT."""
    model = DraftModel(ToyRunner(DRAFT.n_vocab, context=1000), DRAFT.n_vocab, 3)
    return Translated(module.Drafter(model), Shadows(TextBridge(TARGET, DRAFT), model.edited))


@pytest.mark.parametrize("module", [draft_simple, draft_tree])
def test_the_drafts_are_those_of_a_fresh_drafter_at_every_letter(module):
    drafter, slot, changed = translated(module), Slot(0), 0
    shadow: list[int] = []
    for token in letters(TARGET) * 2:
        slot.tokens.append(token)
        assert drafter.propose([slot]) == translated(module).propose([slot])
        now = list(drafter.shadows.of(slot).tokens)
        changed += now[: len(shadow)] != shadow
        shadow = now
        cells = drafter.drafter.model.runner.cache.cells[0]
        assert cells[: len(now) - 1] == now[:-1]
    assert changed > 10


def test_a_history_that_changes_without_a_word_of_it_is_not_looked_at_again():
    """The price of a step must not grow: only `begin` and `forget` make a history doubtful."""
    drafter, slot = translated(draft_simple), Slot(0, TARGET.encode("one two three"))
    before = drafter.propose([slot])
    slot.tokens[-1] = slot.tokens[-2]
    assert drafter.propose([slot]) == before
    drafter.forget(slot)
    assert drafter.propose([slot]) == translated(draft_simple).propose([slot])


def test_whoever_keeps_a_cache_is_told_from_where_a_shadow_changed():
    said: list[tuple[int, int]] = []
    shadows = Shadows(TextBridge(TARGET, DRAFT), lambda slot, at: said.append((slot, at)))
    slot, before, changed = Slot(3), [], 0
    for token in letters(TARGET):
        slot.tokens.append(token)
        said.clear()
        now = list(shadows.of(slot).tokens)
        first = next(
            (i for i, (a, b) in enumerate(zip(before, now, strict=False)) if a != b), min(len(before), len(now))
        )
        if first < len(before):
            assert said == [(3, first)]
            changed += 1
        before = now
    assert changed > 5
