"""A suffix automaton that grows token by token and knows how often everything occurred."""

from array import array
from collections.abc import Iterator, Sequence

COUNTED = 16
"""Suffixes of the text that are counted per token, longest first; beyond that counts are lower bounds."""


class Automaton:
    """Every substring of a text as a path from the root, in O(1) amortised steps per token (Blumer et al. 1985).

    A state stands for the substrings that end at the same places. Per state: transitions by token, the length of its
    longest substring, the link to the longest suffix that occurs elsewhere too, the number of occurrences, and the
    transition that occurred most often. Memory: about 500 bytes per token of text.
    """

    def __init__(self) -> None:
        self.text = array("q")
        self.after: list[dict[int, int]] = [{}]
        self.length = [0]
        self.link = [-1]
        self.count = [0]
        self.heavy = [-1]
        self.last = 0

    def extend(self, tokens: Sequence[int]) -> None:
        """Appends tokens to the text."""
        after, length, link, count, heavy = self.after, self.length, self.link, self.count, self.heavy
        for token in tokens:
            before = at = self.last
            state = self.last = len(after)
            after.append({})
            length.append(length[at] + 1)
            count.append(0)
            heavy.append(-1)
            while at >= 0 and token not in after[at]:
                after[at][token] = state
                at = link[at]
            link.append(0 if at < 0 else -1)
            if at >= 0:
                target = after[at][token]
                link[state] = target if length[target] == length[at] + 1 else self._split(at, token, target)
            for _ in range(COUNTED):  # one more occurrence of every suffix of the text
                count[state] += 1
                state = link[state]
                if state <= 0:
                    break
            for _ in range(COUNTED):  # the token followed every suffix of the text before
                leader = heavy[before]
                if leader != token:
                    children = after[before]
                    if leader < 0 or count[children[token]] >= count[children[leader]]:
                        heavy[before] = token
                before = link[before]
                if before < 0:
                    break
        self.text.extend(tokens)

    def suffixes(self) -> Iterator[int]:
        """States of the suffixes of the text that occurred before, longest first, the root excluded."""
        state = self.link[self.last] if self.last else 0
        while state > 0:
            yield state
            state = self.link[state]

    def step(self, state: int, matched: int, token: int) -> tuple[int, int]:
        """The longest known suffix of (a known string of `matched` tokens at `state`) + token: state and length."""
        after, link, length = self.after, self.link, self.length
        while token not in after[state]:
            state = link[state]
            if state < 0:
                return 0, 0
            matched = length[state]
        return after[state][token], matched + 1

    def _split(self, at: int, token: int, target: int) -> int:
        """Gives the shorter strings of `target`, which now end at more places than the longer ones, their own state."""
        after, link = self.after, self.link
        clone = len(after)
        after.append(dict(after[target]))
        self.length.append(self.length[at] + 1)
        link.append(link[target])
        self.count.append(self.count[target])
        self.heavy.append(self.heavy[target])
        while at >= 0 and after[at].get(token) == target:
            after[at][token] = clone
            at = link[at]
        link[target] = clone
        return clone
