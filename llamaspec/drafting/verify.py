"""The verdict on a draft: walk its tree along what the target itself says."""

from collections.abc import Collection
from typing import Any

from ..arrays import Array, like
from ..sampling.sampler import Rows
from .draft import Draft, Verdict
from .drafter import Slot


def verify(draft: Draft, logits: Array, slot: Slot, ends: Collection[int] = ()) -> tuple[Verdict, Any]:
    """logits [1 + nodes, V]: row 0 follows the slot's last token, row 1 + i follows node i.

    Every token is the one plain decoding would have chosen there: same chain, same state, same noise, which depends on
    seed and position alone. A node survives if it is that token. Nothing is chosen behind one of `ends` (end of
    generation), and rows off the path are not looked at: what a rejected token did to the model concerns nobody.
    Returns the verdict and the sampler state after its tokens. Raises LlamaspecError for a row of the path that is not
    finite.
    """
    assert slot.chain is not None
    choices = _all_choices(draft, logits, slot) if slot.chain.stateless else None
    children: dict[tuple[int, int], int] = {}
    for node, (parent, guess) in enumerate(zip(draft.parents, draft.tokens, strict=True)):
        children.setdefault((parent, guess), node)
    node, state = -1, slot.state
    kept: list[int] = []
    tokens: list[int] = []
    while True:
        row = logits[node + 1 : node + 2]
        if choices is None:
            rows = Rows(like([len(slot.tokens) + len(kept)], logits), slot.seed)
            token = int(slot.chain.choose(row, rows, state)[0])
            state = slot.chain.advance(state, token, row[0], rows)
        else:
            token = choices[node + 1]
            if token < 0:
                slot.chain.check(like([*[0] * (node + 1), token], logits))
        tokens.append(token)
        node = children.get((node, token), -1)
        if node < 0 or token in ends:
            return Verdict(tuple(kept), tuple(tokens)), state
        kept.append(node)


def _all_choices(draft: Draft, logits: Array, slot: Slot) -> list[int]:
    """A chain without state chooses for all nodes at once; the host waits for the device one time. < 0 = an error."""
    assert slot.chain is not None
    depths = [0, *draft.depths()]
    rows = Rows(like([len(slot.tokens) + depth for depth in depths], logits), slot.seed)
    return slot.chain.pick(logits, rows, slot.state).tolist()
