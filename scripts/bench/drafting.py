"""Microseconds per `propose` call of every drafter without a model, by length of history.

python scripts/bench/drafting.py [--out LOG] [--lengths 1024,8192] [--types ngram-mod,suffix] [--compat]
The text repeats phrases with noise, so that most drafters have something to say; after each call the history grows
by the accepted tokens and one more, as in the engine. Prints the median and the 10th and 90th percentile over the
calls, and the cost of `begin`, which indexes the prompt.
"""

import argparse
import gc
import json
import platform
import random
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from llamaspec.drafting.build import build
from llamaspec.drafting.context import DrafterContext
from llamaspec.drafting.draft import Draft
from llamaspec.drafting.drafter import Kept, Slot

VOCABULARY = 32000
KNOBS: dict[str, dict[str, Any]] = {
    "ngram-simple": {},
    "ngram-map-k": {},
    "ngram-map-k4v": {},
    "ngram-mod": {"n_match": 24, "n_min": 0, "n_max": 64},
    "ngram-cache": {},
    "suffix": {},
    "recycling": {},
}


def text(length: int, seed: int = 1) -> list[int]:
    """Phrases of 40 tokens, half of them heard before, and single random tokens between them."""
    draw = random.Random(seed)
    phrases: list[list[int]] = []
    tokens: list[int] = []
    while len(tokens) < length:
        if not phrases or draw.random() < 0.5:
            phrases.append([min(int(draw.paretovariate(0.6)), VOCABULARY - 1) for _ in range(40)])
        tokens += draw.choice(phrases)
        tokens.append(draw.randrange(VOCABULARY))
    return tokens[:length]


def agreed(draft: Draft, following: Sequence[int]) -> int:
    """How many tokens of the best path of the draft the text confirms."""
    at, n = -1, 0
    while n < len(following):
        nodes = (i for i, parent in enumerate(draft.parents) if parent == at and draft.tokens[i] == following[n])
        node = next(nodes, None)
        if node is None:
            break
        at, n = node, n + 1
    return n


def measure(name: str, length: int, calls: int, compat: bool) -> dict[str, Any]:
    """Times `begin` on a prompt of `length` tokens and `calls` proposals after it."""
    drafter = build(name, DrafterContext(compat="reference" if compat else "own"), KNOBS[name])
    tokens = text(length + calls * (drafter.n_max + 1))
    slot = Slot(0, tokens[:length])
    start = time.perf_counter()
    drafter.begin(slot)
    drafter.observe(slot, Kept(slot.tokens[:-1]))
    begin = time.perf_counter() - start
    times, drafted, accepted = [], 0, 0
    for _ in range(calls):
        at = len(slot.tokens)
        start = time.perf_counter()
        (draft,) = drafter.propose([slot])
        times.append(1e6 * (time.perf_counter() - start))
        n = agreed(draft, tokens[at:])
        if draft:
            drafter.accept(slot, n, True)
        drafter.observe(slot, Kept(tokens[at - 1 : at + n]))
        slot.tokens += tokens[at : at + n + 1]
        drafted, accepted = drafted + len(draft), accepted + n
    low, *_, high = statistics.quantiles(times[1:], n=10)
    return {
        "type": name,
        "history": length,
        "median_us": statistics.median(times[1:]),
        "p10_us": low,
        "p90_us": high,
        "first_ms": times[0] / 1e3,
        "begin_ms": 1e3 * begin,
        "drafted": drafted,
        "accepted": accepted,
    }


def main() -> None:
    """Prints the table; appends one JSON line to --out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="log file to append a JSON line to")
    parser.add_argument("--lengths", default="1024,8192,32768,131072")
    parser.add_argument("--types", default=",".join(KNOBS))
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--compat", action="store_true", help="llama.cpp's exact behaviour")
    said = parser.parse_args()
    rows = []
    print(f"{'type':14} {'history':>8} {'median':>8} {'p10':>7} {'p90':>7} {'first':>9} {'begin':>9}  accepted/drafted")
    for name in said.types.split(","):
        for length in map(int, said.lengths.split(",")):
            gc.collect()
            row = measure(name, length, said.calls, said.compat)
            rows.append(row)
            print(
                f"{name:14} {length:8d} {row['median_us']:6.1f}us {row['p10_us']:7.1f} {row['p90_us']:7.1f} "
                f"{row['first_ms']:7.2f}ms {row['begin_ms']:7.1f}ms  {row['accepted']}/{row['drafted']}"
            )
    if said.out:
        line = {"bench": "drafting", "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "rows": rows}
        line |= {"python": platform.python_version(), "machine": platform.machine(), "compat": said.compat}
        with said.out.open("a") as log:
            log.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
