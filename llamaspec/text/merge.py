"""Greedy pair merging: the one algorithm behind score-driven (SPM) and rank-driven (BPE) tokenisation."""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush

Cost = Callable[[str, str], float | None]


def merge(symbols: Sequence[str], cost: Cost) -> list[str]:
    """Merge neighbours, cheapest pair first, the leftmost of equals, until no pair has a cost.

    `cost(left, right)` is None where the two may not be joined. Time is n log n for n symbols: a pair that has been
    overtaken by another merge is left in the heap and known by its length, since symbols only ever grow.
    """
    texts = list(symbols)
    last = len(texts) - 1
    if last < 1:
        return texts
    after, before = list(range(1, last + 2)), list(range(-1, last))
    heap: list[tuple[float, int, int, int]] = []
    for left in range(last):
        price = cost(texts[left], texts[left + 1])
        if price is not None:
            heap.append((price, left, left + 1, len(texts[left]) + len(texts[left + 1])))
    heapify(heap)
    while heap:
        _, left, right, size = heappop(heap)
        first, second = texts[left], texts[right]
        if not first or not second or len(first) + len(second) != size:
            continue
        texts[left], texts[right] = first + second, ""
        follower, leader = after[right], before[left]
        after[left] = follower
        if follower <= last:
            before[follower] = left
            price = cost(texts[left], texts[follower])
            if price is not None:
                heappush(heap, (price, left, follower, size + len(texts[follower])))
        if leader >= 0:
            price = cost(texts[leader], texts[left])
            if price is not None:
                heappush(heap, (price, leader, left, len(texts[leader]) + size))
    return [text for text in texts if text]
