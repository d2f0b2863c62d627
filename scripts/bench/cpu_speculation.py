"""Speculation end to end on the CPU: ours and llama.cpp's, plain and with drafts, in turn on the same files.

    python scripts/bench/cpu_speculation.py --peer …/llama.cpp/build/bin --shape llama-3.2-1b --mix Q4_K_M

The draft is a truncated twin with random weights (scripts/bench/synthetic.py): epsilon sets how often the two agree.
llama.cpp's tools are llama-bench and llama-speculative-simple of the reference commit. Its threads spin at barriers, so
nothing else should run. A JSON line per result goes to --out, with commit, machine and load.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import llamaspec
from llamaspec.engine.llm import LLM
from scripts.bench import synthetic

PROMPT = list(range(10, 42))
Speed = tuple[float, float]
"""Tokens per second, and the accepted share of the drafted tokens."""


def answer(llm: LLM, tokens: int) -> Speed:
    """One answer of ours from an empty cache."""
    llm.session.slot.tokens = []
    llm.target.cache.truncate(0, 0)
    timings = llm.complete(PROMPT, n_predict=tokens, temp=0, stop_at_eog=False).timings
    return timings.predicted_per_second, timings.draft_n_accepted / max(timings.draft_n, 1)


def run(command: Sequence[object]) -> str:
    """Both streams of a tool."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, errors="replace", timeout=900
    )
    return done.stdout + done.stderr


def peer_answer(chosen: argparse.Namespace, model: Path, draft: Path, n_max: int) -> Speed:
    """One answer of llama-speculative-simple."""
    found = run([
        chosen.peer / "llama-speculative-simple", "-m", model, "-md", draft, "--spec-type", "draft-simple",
        "--spec-draft-n-max", n_max, "-n", chosen.tokens, "--temp", 0, "-t", chosen.threads, "-td", chosen.threads,
        "-c", 1024, "-p", "a b c d e f g h i j k l m n o p", "--ignore-eos",
    ])  # fmt: skip
    speed = re.search(r"decoded .*speed:\s*([\d.]+)", found)
    accept = re.search(r"accept\s*=\s*([\d.]+)%", found)
    if speed is None:
        raise SystemExit(f"llama-speculative-simple said nothing of its speed:\n{found[-2000:]}")
    return float(speed[1]), float(accept[1]) / 100 if accept else 0.0


def peer_plain(chosen: argparse.Namespace, model: Path) -> Speed:
    """llama-bench's generation speed."""
    command = [chosen.peer / "llama-bench", "-m", model, "-p", 0, "-n", chosen.tokens, "-r", 2]
    found = run([*command, "-t", chosen.threads, "-o", "json"])
    return json.loads(found[found.index("[") : found.rindex("]") + 1])[0]["avg_ts"], 0.0


def contestants(chosen: argparse.Namespace, model: Path, draft: Path) -> dict[str, Callable[[], Speed]]:
    """Name -> one run."""
    keywords: dict[str, Any] = {"device": "cpu", "ctx_size": 1024, "threads": chosen.threads}
    plain = llamaspec.load(model, **keywords)
    found: dict[str, Callable[[], Speed]] = {
        "ours plain": lambda: answer(plain, chosen.tokens),
        "llama.cpp plain": lambda: peer_plain(chosen, model),
    }
    for n_max in chosen.drafts:
        llm = llamaspec.load(model, model_draft=str(draft), spec_draft_n_max=n_max, **keywords)
        found[f"ours n-max {n_max}"] = lambda llm=llm: answer(llm, chosen.tokens)
        found[f"llama.cpp n-max {n_max}"] = lambda n=n_max: peer_answer(chosen, model, draft, n)
    return found


def middle(values: Sequence[float]) -> list[float]:
    """[median, lowest, highest]."""
    return [round(x, 2) for x in (statistics.median(values), min(values), max(values))]


def chosen_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, required=True, help="folder of llama-bench and llama-speculative-simple")
    parser.add_argument("--shape", choices=synthetic.SHAPES, default="llama-3.2-1b")
    parser.add_argument("--mix", choices=synthetic.MIXES, default="Q4_K_M")
    parser.add_argument("--drafts", type=lambda text: tuple(map(int, text.split(","))), default=(3, 5, 8))
    parser.add_argument("--twin", type=int, default=2, help="layers of the draft")
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "llamaspec-bench")
    parser.add_argument("--out", type=Path, help="append JSON lines here")
    return parser.parse_args()


def main() -> None:
    """Write the model files that are missing, run everything in turn, print and append."""
    chosen = chosen_options()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    name = f"{chosen.shape}-{chosen.mix}-twin{chosen.twin}-{chosen.epsilon}"
    source = synthetic.Source(synthetic.SHAPES[chosen.shape], chosen.mix, twin=chosen.twin, epsilon=chosen.epsilon)
    model, draft = chosen.folder / f"{name}.gguf", chosen.folder / f"{name}-draft.gguf"
    for path, made in ((model, source), (draft, source.draft())):
        if not path.exists():
            synthetic.write(path, made)
    runs = contestants(chosen, model, draft)
    speeds: dict[str, list[Speed]] = {each: [] for each in runs}
    for _ in range(chosen.rounds):
        for each, one in runs.items():
            speeds[each].append(one())
    for each, found in speeds.items():
        line = {
            "bench": "cpu_speculation", "model": name, "run": each, "t/s": middle([speed for speed, _ in found]),
            "acceptance": round(found[-1][1], 3), "threads": chosen.threads, "load": round(os.getloadavg()[0], 1),
        }  # fmt: skip
        print(json.dumps(line), flush=True)
        if chosen.out:
            with chosen.out.open("a") as log:
                log.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
