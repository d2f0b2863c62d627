"""Whether two models speak of the same tokens (speculation spec 2)."""

from ..text.tokenizer import Tokenizer

FIRST_COMPARED = 5
"""Ids below this are never compared: unknown, begin, end and their like differ between good pairs."""
MOST_EXTRA = 128
"""Vocabularies may differ in size by this much: padding, added tokens."""


def difference(target: Tokenizer, draft: Tokenizer) -> str:
    """The first reason why a draft model's ids mean something else than the target's; "" = they are the same."""
    if target.kind != draft.kind:
        return f"the model's tokenizer is of kind '{target.kind}', the draft's of kind '{draft.kind}'"
    for name, adds, token in (("BOS", "add_bos", "bos"), ("EOS", "add_eos", "eos")):
        if getattr(target, adds) != getattr(draft, adds):
            return f"only one of the two adds {name} to a text"
        ours, theirs = getattr(target, token), getattr(draft, token)
        if getattr(target, adds) and ours != theirs:
            return f"{name} is token {ours} in the model, {theirs} in the draft"
    if abs(target.n_vocab - draft.n_vocab) > MOST_EXTRA:
        return f"the model has {target.n_vocab:,} tokens, the draft {draft.n_vocab:,}"
    for token in range(FIRST_COMPARED, min(target.n_vocab, draft.n_vocab)):
        ours, theirs = target.token_text(token), draft.token_text(token)
        if ours != theirs:
            return f"token {token} is {ours[:40]!r} in the model, {theirs[:40]!r} in the draft"
    return ""
