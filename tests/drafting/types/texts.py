"""Histories that try drafters: short, repetitive, hostile; and a run of the engine's calls without an engine."""

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from llamaspec.drafting.drafter import Base, Kept, Slot

HOSTILE = {
    "equal": [7] * 3000,
    "alternating": [1, 2] * 1500,
    "period of 50": [i % 50 for i in range(3000)],
    "no repeats": list(range(3000)),
    "growing runs": [token for run in range(70) for token in [1] * run + [2]],
    "big ids": [2**31 - 1 - i % 9 for i in range(500)],
    "one": [5],
    "two": [5, 5],
}

tokens = st.integers(0, 3)
texts = st.one_of(
    st.lists(tokens, min_size=1, max_size=60),
    st.builds(
        lambda part, n, tail: part * n + tail,
        st.lists(tokens, min_size=1, max_size=9),
        st.integers(1, 9),
        st.lists(tokens, max_size=5),
    ),
)


def play(drafter: Base, text: Sequence[int], start: int, limit: int = -1) -> Iterator[tuple[Slot, list[int]]]:
    """Generates `text` from its token `start` on as the engine does; yields the slot and each draft as offered."""
    slot = Slot(0, list(text[:start]), limit=limit)
    drafter.begin(slot)
    drafter.observe(slot, Kept(slot.tokens[:-1]))
    while len(slot.tokens) < len(text):
        (draft,) = drafter.propose([slot])
        if limit > 0:
            draft = draft.cut(limit)
        yield slot, list(draft.tokens)
        following = text[len(slot.tokens) :]
        kept = 0
        while kept < min(len(draft), len(following)) and draft.tokens[kept] == following[kept]:
            kept += 1
        if draft:
            drafter.accept(slot, kept, True)
        drafter.observe(slot, Kept([slot.tokens[-1], *following[:kept]]))
        slot.tokens += following[: kept + 1]
