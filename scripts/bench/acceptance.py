"""How often a target accepts its draft's guesses, over the beginnings of files.

    python scripts/bench/acceptance.py FOLDER [--model M --model-draft D] [--draft-max 3] [--temp 0] [--tokens 200]

Each file's first 256 tokens are the prompt. Without models, the embedded demo pair; its held-out files lie in the cache
folder of scripts/train_demo.py. Printed: accepted / drafted, the mean length of a step, and the same per file with -v.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import llamaspec
from llamaspec import demo

PROMPT = 256


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=demo.target())
    parser.add_argument("--model-draft", type=Path, default=demo.draft())
    parser.add_argument("--draft-max", type=int, default=3)
    parser.add_argument("--temp", type=float, default=0.0)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("-v", "--verbose", action="store_true")
    chosen = parser.parse_args()
    llm = llamaspec.load(
        chosen.model, model_draft=chosen.model_draft, draft_max=chosen.draft_max, temp=chosen.temp, seed=1
    )
    drafted = accepted = steps = generated = 0
    for path in sorted(path for path in chosen.folder.iterdir() if path.is_file()):
        ids = llm.tokenize(path.read_text(errors="replace"))[:PROMPT]
        timings = llm.complete(ids, n_predict=chosen.tokens).timings
        drafted, accepted = drafted + timings.draft_n, accepted + timings.draft_n_accepted
        steps, generated = steps + timings.steps, generated + timings.predicted_n
        if chosen.verbose:
            print(f"{path.name}: {timings.draft_n_accepted} / {timings.draft_n}")
    rate = accepted / max(drafted, 1)
    print(f"acceptance {rate:.3f} = {accepted} / {drafted}, {generated / max(steps, 1):.2f} tokens per step")


if __name__ == "__main__":
    main()
