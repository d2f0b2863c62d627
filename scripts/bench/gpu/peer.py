"""The others on the same shapes: llama.cpp, built for this GPU, and transformers' assisted generation.

llama.cpp comes as a folder of binaries (--peer-bin) or as source of the reference commit (--peer-src, the unpacked
vendor/llama.cpp of the llama-cpp-python sdist), which is built here in about 3 minutes on 16 cores.
"""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import torch
from gpu.results import Place, Sink
from synthetic import SHAPES, Source, write

STAGE = "peer"
TARGETS = ("llama-bench", "llama-speculative-simple")
FLAGS = (
    "-DGGML_CUDA=ON", "-DCMAKE_CUDA_ARCHITECTURES=90-real", "-DGGML_NATIVE=OFF", "-DGGML_CUDA_NCCL=OFF",
    "-DGGML_CUDA_FA_QUANTS=f16-f16;q8_0-q8_0", "-DGGML_OPENMP=OFF", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_CURL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_APP=OFF", "-DCMAKE_BUILD_TYPE=Release",
)  # fmt: skip
ROWS = (1, 2, 4, 8, 16, 32)
LENGTHS = (2, 3, 4, 5, 6, 8)


def run(place: Place, sink: Sink, binaries: Path | None, source: Path | None) -> None:
    """llama-bench and llama.cpp's speculation per shape, then transformers."""
    if binaries is None and source is not None:
        binaries = build(place, sink, source)
    if binaries is None:
        sink.add(STAGE, "llama.cpp", None, "t/s", why="give --peer-bin or --peer-src")
    for name in place.pick(("llama-3.1-8b", "qwen2.5-0.5b"), ("toy",)):
        if binaries is not None:
            _llama_cpp(place, sink, binaries, name)
        _transformers(place, sink, name)


def build(place: Place, sink: Sink, source: Path) -> Path | None:
    """Configure and build what is needed; None, with a row that says why, if that fails."""
    folder = place.work / "peer"
    flags = FLAGS if place.cuda else [flag for flag in FLAGS if "CUDA" not in flag]
    start = time.monotonic()
    for command in (
        ["cmake", "-S", str(source), "-B", str(folder), "-G", "Ninja", *flags],
        ["cmake", "--build", str(folder), "--target", *TARGETS],
    ):
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=500)
        except (subprocess.SubprocessError, OSError) as error:
            tail = str(getattr(error, "stderr", "") or error)[-300:]
            sink.add(STAGE, "llama.cpp build", None, "s", why=tail)
            return None
    sink.add(STAGE, "llama.cpp build", time.monotonic() - start, "s")
    return folder / "bin"


def _llama_cpp(place: Place, sink: Sink, binaries: Path, name: str) -> None:
    layers = place.pick(2, 2)
    known = sink.earlier(f"{name} epsilon", alpha=0.8)
    epsilon = known[-1]["value"] if known else 0.1
    source = Source(SHAPES[name], "Q4_K_M", twin=layers, epsilon=epsilon)
    target, draft = place.work / f"{name}.gguf", place.work / f"{name}-draft.gguf"
    for path, what in ((target, source), (draft, source.draft())):
        if not path.exists():
            write(path, what)
    repeats = str(place.pick(10, 1))
    words = [
        "-m", str(target), "-p", ",".join(map(str, ROWS)), "-n", str(place.pick(128, 4)), "-r", repeats,
        "-fa", "1", "-ngl", "99", "-o", "json",
    ]  # fmt: skip
    text = _output(sink, [str(binaries / "llama-bench"), *words])
    if text is not None:
        for row in bench_rows(text):
            sink.add(STAGE, f"llama.cpp {name} {row.pop('name')}", row.pop("value"), row.pop("unit"), **row)
    best: dict[str, Any] = {}
    for n_max in place.pick(LENGTHS, (2,)):
        words = [
            "-m", str(target), "-md", str(draft), "--spec-type", "draft-simple", "--spec-draft-n-max", str(n_max),
            "-n", str(place.pick(256, 8)), "--temp", "0", "-ngl", "99", "-ngld", "99", "-fa", "on", "--ignore-eos",
            "-p", "the cat in the hat on the mat", "-c", "1024",
        ]  # fmt: skip
        text = _output(sink, [str(binaries / "llama-speculative-simple"), *words])
        found = speculative_row(text or "")
        if found:
            sink.add(
                STAGE, f"llama.cpp {name} speculation, n-max {n_max}", found["value"], "t/s", accepted=found["accepted"]
            )
            best = max(best, {**found, "n_max": n_max}, key=lambda row: row.get("value", 0.0))
    if best:
        more = {"epsilon": epsilon, "n_max": best["n_max"], "accepted": best["accepted"]}
        sink.add(STAGE, f"llama.cpp {name} speculation, best", best["value"], "t/s", **more)


def _output(sink: Sink, command: list[str]) -> str | None:
    """What a program prints; None, with a row that says why, if it fails."""
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=240)
    except (subprocess.SubprocessError, OSError) as error:
        tail = str(getattr(error, "stderr", "") or error)[-300:]
        sink.add(STAGE, f"llama.cpp {Path(command[0]).name}", None, "t/s", why=tail)
        return None
    return done.stdout + done.stderr if "speculative" in command[0] else done.stdout


def bench_rows(text: str) -> list[dict[str, Any]]:
    """llama-bench's JSON -> T(M) in milliseconds, with its ratio to T(1), and the speed of generation."""
    rows, base = [], 0.0
    for test in json.loads(text):
        ms, spread = test["avg_ns"] / 1e6, test["stddev_ns"] / 1e6
        if test["n_gen"]:
            name, value, unit = f"tg{test['n_gen']}", test["avg_ts"], "t/s"
            rows.append({"name": name, "value": value, "unit": unit, "spread": test["stddev_ts"]})
        else:
            base = base or ms
            more = {"spread_ms": spread, "ratio": round(ms / base, 3)}
            rows.append({"name": f"T({test['n_prompt']})", "value": ms, "unit": "ms", **more})
    return rows


def speculative_row(text: str) -> dict[str, float]:
    """The summary of llama-speculative-simple -> tokens per second and the accepted share; {} = there is none."""
    speed = re.search(r"decoded +\d+ tokens in +[\d.]+ seconds, speed: +([\d.]+) t/s", text)
    share = re.search(r"accept += +([\d.]+)%", text)
    return {"value": float(speed[1]), "accepted": float(share[1]) / 100} if speed and share else {}


def _transformers(place: Place, sink: Sink, name: str) -> None:
    """Random bf16 weights, the first layers as assistant; the assistant's acceptance is whatever it is."""
    try:
        import transformers
    except ImportError:
        sink.add(STAGE, f"transformers {name}", None, "t/s", why="transformers is not installed")
        return
    shape = SHAPES[name]
    config = transformers.LlamaConfig(
        vocab_size=shape.n_vocab, hidden_size=shape.n_embd, intermediate_size=shape.n_ff,
        num_hidden_layers=shape.n_layer, num_attention_heads=shape.n_head, num_key_value_heads=shape.n_head_kv,
        head_dim=shape.head, tie_word_embeddings=shape.tied, max_position_embeddings=4096, eos_token_id=None,
    )  # fmt: skip
    with torch.device(place.device):
        target = transformers.LlamaForCausalLM(config).to(torch.bfloat16).eval()
        config.num_hidden_layers = 2
        draft = transformers.LlamaForCausalLM(config).to(torch.bfloat16).eval()
    own = target.state_dict()
    draft.load_state_dict({key: own[key] for key in draft.state_dict()})
    ids = torch.randint(5, shape.n_vocab, (1, 64), device=place.device)
    count = place.pick(128, 4)
    for label, extra in (("plain", {}), ("assisted", {"assistant_model": draft})):
        options = {"max_new_tokens": count, "min_new_tokens": count, "do_sample": False, "pad_token_id": 0, **extra}
        target.generate(ids, **{**options, "max_new_tokens": 4, "min_new_tokens": 4})
        place.wait()
        start = time.perf_counter()
        made = target.generate(ids, **options).shape[1] - 64
        place.wait()
        sink.add(STAGE, f"transformers {name} {label}, eager bf16", made / (time.perf_counter() - start), "t/s")
    del target, draft
    if place.cuda:
        torch.cuda.empty_cache()
