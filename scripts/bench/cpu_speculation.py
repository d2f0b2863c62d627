"""Speculation end to end on the CPU: ours and llama.cpp's, plain and with drafts, in turn on the same files.

    python scripts/bench/cpu_speculation.py twin --peer …/llama.cpp/build/bin [--epsilon 0.015] [--drafts 3,5,8]
    python scripts/bench/cpu_speculation.py edit --peer …                     (ngram-simple)
    python scripts/bench/cpu_speculation.py demo --peer …                     (the demo pair)

twin: a draft with random weights (synthetic.py); epsilon sets how often the two agree. edit: a chain (synthetic.py)
gets a list of numbers with a mistake in every 50 and says it again without them. llama.cpp's tools are llama-bench and
llama-speculative-simple of the reference commit; both speeds are those of the answer alone, without the prompt. Its
threads spin at barriers, so nothing else should run. A JSON line per result goes to --out, with commit and machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import synthetic
from cpu import keep
from gpu.peer import speculative_row

import llamaspec
from llamaspec.engine.llm import LLM

Speed = tuple[float, float]
"""Tokens per second, and the accepted share of the drafted tokens."""


@dataclass(frozen=True)
class Way:
    """One way to speculate. ours: keywords of llamaspec.load; theirs: flags of llama-speculative-simple."""

    name: str
    ours: dict[str, Any]
    theirs: Sequence[object]


@dataclass(frozen=True)
class Job:
    """A model, a prompt that both tokenize alike, and the ways to try."""

    model: Path
    prompt: str
    ways: Sequence[Way]
    tokens: int
    plain: Way = field(default=Way("plain", {}, ()))


def twin(chosen: argparse.Namespace) -> Job:
    """A truncated twin as the draft."""
    name = f"{chosen.shape}-{chosen.mix}-twin{chosen.twin}-{chosen.epsilon}"
    source = synthetic.Source(synthetic.SHAPES[chosen.shape], chosen.mix, twin=chosen.twin, epsilon=chosen.epsilon)
    model, draft = chosen.folder / f"{name}.gguf", chosen.folder / f"{name}-draft.gguf"
    for path, made in ((model, source), (draft, source.draft())):
        if not path.exists():
            synthetic.write(path, made)
    return Job(model, "a b c d e f g h i j k l m n o p", [_drafted(draft, n) for n in chosen.drafts], chosen.tokens)


def edit(chosen: argparse.Namespace) -> Job:
    """A text that comes out again with corrections."""
    model = chosen.folder / f"{chosen.shape}-{chosen.mix}-chain.gguf"
    if not model.exists():
        shape = synthetic.SHAPES[chosen.shape]
        synthetic.write(model, synthetic.Source(shape, chosen.mix, epsilon=0.01, chain=True))
    text = [number if number % 50 != 49 else 9 * number for number in range(1000, 1000 + chosen.tokens)]
    prompt = "".join(f"<|{number}|>" for number in (*text, 999))
    kind = "ngram-simple"
    return Job(model, prompt, [Way(kind, {"spec_type": kind}, ["--spec-type", kind])], chosen.tokens)


def demo(chosen: argparse.Namespace) -> Job:
    """The models that come with the program."""
    folder = Path(llamaspec.__file__).with_name("demo")
    model, draft = folder / "demo-target-q8_0.gguf", folder / "demo-draft-q8_0.gguf"
    return Job(model, "def load(path):", [_drafted(draft, n) for n in chosen.drafts], chosen.tokens)


JOBS = {"twin": twin, "edit": edit, "demo": demo}


def _drafted(draft: Path, n_max: int) -> Way:
    return Way(
        f"n-max {n_max}", {"model_draft": str(draft), "spec_draft_n_max": n_max},
        ["-md", draft, "--spec-type", "draft-simple", "--spec-draft-n-max", n_max],
    )  # fmt: skip


def answer(llm: LLM, job: Job) -> Speed:
    """One answer of ours from an empty cache."""
    llm.session.slot.tokens = []
    llm.target.cache.truncate(0, 0)
    timings = llm.complete(job.prompt, n_predict=job.tokens, temp=0, stop_at_eog=False).timings
    return timings.predicted_per_second, timings.draft_n_accepted / max(timings.draft_n, 1)


def run(command: Sequence[object]) -> str:
    """Both streams of a tool."""
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, errors="replace", timeout=900
    )
    return done.stdout + done.stderr


def peer_answer(chosen: argparse.Namespace, job: Job, way: Way) -> Speed:
    """One answer of llama-speculative-simple, or llama-bench's generation speed."""
    if way is job.plain:
        return peer_plain(chosen, job)
    found = run([
        chosen.peer / "llama-speculative-simple", "-m", job.model, *way.theirs, "-n", job.tokens, "--temp", 0,
        "-t", chosen.threads, "-td", chosen.threads, "-c", 2048, "-p", job.prompt, "--ignore-eos",
    ])  # fmt: skip
    row = speculative_row(found)
    if not row:
        raise SystemExit(f"llama-speculative-simple said nothing of its speed:\n{found[-2000:]}")
    return row["value"], row["accepted"]


def peer_plain(chosen: argparse.Namespace, job: Job) -> Speed:
    command = [chosen.peer / "llama-bench", "-m", job.model, "-p", 0, "-n", job.tokens, "-r", 1]
    found = run([*command, "-t", chosen.threads, "-o", "json"])
    return json.loads(found[found.index("[") : found.rindex("]") + 1])[0]["avg_ts"], 0.0


def contestants(chosen: argparse.Namespace, job: Job) -> dict[str, Callable[[], Speed]]:
    """Name -> one run."""
    found: dict[str, Callable[[], Speed]] = {}
    for way in (job.plain, *job.ways):
        llm = llamaspec.load(job.model, device="cpu", ctx_size=2048, threads=chosen.threads, **way.ours)
        found[f"ours {way.name}"] = lambda llm=llm: answer(llm, job)
        found[f"llama.cpp {way.name}"] = lambda way=way: peer_answer(chosen, job, way)
    return found


def middle(values: Sequence[float]) -> list[float]:
    """[median, lowest, highest]."""
    return [round(x, 2) for x in (statistics.median(values), min(values), max(values))]


def verdict(speeds: dict[str, list[Speed]]) -> dict[str, float]:
    """Our best way against our plain speed and against llama.cpp's best of all."""
    found = {each: statistics.median(speed for speed, _ in runs) for each, runs in speeds.items()}
    ours = max(speed for each, speed in found.items() if each.startswith("ours"))
    theirs = max(speed for each, speed in found.items() if each.startswith("llama.cpp"))
    return {"of_own_plain": round(ours / found["ours plain"], 3), "of_peer_best": round(ours / theirs, 3)}


def chosen_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--peer", type=Path, required=True, help="folder of llama-bench and llama-speculative-simple")
    parser.add_argument("--shape", choices=synthetic.SHAPES, default="llama-3.2-1b")
    parser.add_argument("--mix", choices=synthetic.MIXES, default="Q4_K_M")
    parser.add_argument("--drafts", type=lambda text: tuple(map(int, text.split(","))), default=(3, 5, 8))
    parser.add_argument("--twin", type=int, default=2, help="layers of the draft")
    parser.add_argument("--epsilon", type=float, default=0.015)
    parser.add_argument("--tokens", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "llamaspec-bench")
    parser.add_argument("--out", type=Path, help="append JSON lines here")
    return parser.parse_args()


def main() -> None:
    """Write the model files that are missing, run everything in turn, print and append."""
    chosen = chosen_options()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    job = JOBS[chosen.job](chosen)
    runs = contestants(chosen, job)
    speeds: dict[str, list[Speed]] = {each: [] for each in runs}
    for _ in range(chosen.rounds):
        for each, one in runs.items():
            sleep(0.1)
            speeds[each].append(one())
    shared = {"bench": "cpu_speculation", "model": job.model.name, "tokens": job.tokens, "threads": chosen.threads}
    lines: list[dict[str, Any]] = [
        {**shared, "run": each, "t/s": middle([speed for speed, _ in found]), "acceptance": round(found[-1][1], 3)}
        for each, found in speeds.items()
    ]
    for line in [*lines, {**shared, "run": "best", **verdict(speeds)}]:
        print(json.dumps(line), flush=True)
        keep(line, chosen.out)


if __name__ == "__main__":
    main()
