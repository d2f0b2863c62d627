"""Logits of tiny random models, as a real llama.cpp computes them from the file's values in single precision."""

import ctypes
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from families import TOYS
from more import MORE
from recurrent import RECURRENT
from standard import STANDARD
from toys import N_VOCAB, Toy

MODELS: dict[str, Callable[[], Toy]] = {**STANDARD, **TOYS, **RECURRENT, **MORE}
PROMPT, GREEDY, N_CTX = 24, 8, 256
CLOSE = 0.02
"""Where the best two logits of a greedy choice are nearer, rounding may decide: another seed is tried."""
SETTINGS = "libllama CPU, 1 thread, F32 KV, flash-attn off, no repack; values of the file as F32"
GELU = {"nmse": 5e-06, "maxabs": 0.05}  # ggml computes it through a half precision table
SMOOTH = {"nmse": 1e-09, "maxabs": 0.002}
GELU_FAMILIES = (
    "codeshell", "falcon", "gemma", "gemma2", "gemma3", "gemma4", "gpt2", "gptneox", "phi2", "starcoder", "starcoder2",
)  # fmt: skip


def record(folder: Path, names: Sequence[str]) -> None:
    """Model files, logits, and their entries in the index."""
    llama_cpp.llama_backend_init()
    callback = llama_cpp.llama_log_callback(tell)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    index_file = folder / "index.json"
    index = json.loads(index_file.read_text())
    for name in names or MODELS:
        toy = MODELS[name]()
        for seed in range(toy.seed, toy.seed + 50):
            values, path = toy.values(seed), folder / "models" / f"{name}.gguf"
            with tempfile.TemporaryDirectory() as scratch:
                single = Path(scratch) / "single.gguf"
                toy.write(single, values, half=False)
                prompt, greedy, logits = run(single)
            top = np.sort(logits, axis=1)
            margin = float((top[PROMPT - 1 : -1, -1] - top[PROMPT - 1 : -1, -2]).min())
            if margin > CLOSE:
                break
        toy.write(path, values, half=True)
        np.save(folder / "logits" / f"{name}.npy", logits)
        index[name] = entry(name, toy.arch, prompt, greedy, margin)
        print(f"{name}: {path.stat().st_size} bytes, seed {seed}, margin {margin:.3f}")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(found)}" for name, found in index.items())
    index_file.write_text(f"{{\n{lines}\n}}\n")


def tell(level: int, text: bytes, _: object) -> None:
    """What llama.cpp says, where it is an error."""
    if level == 4:
        print(text.decode(), end="")


def entry(name: str, arch: str, prompt: list[int], greedy: list[int], margin: float) -> dict[str, Any]:
    """What the index says of a model."""
    tolerance = GELU if arch in GELU_FAMILIES else SMOOTH
    return {
        "model": f"models/{name}.gguf", "arch": arch, "quant": "F16", "prompt_tokens": prompt, "greedy_tokens": greedy,
        "greedy_min_margin": round(margin, 6), "logits": f"logits/{name}.npy", "n_ctx": N_CTX, "settings": SETTINGS,
        "source": f"scripts/goldens models, llama-cpp-python {llama_cpp.__version__}", "suggested_tolerance": tolerance,
    }  # fmt: skip


def run(path: Path) -> tuple[list[int], list[int], np.ndarray]:
    """-> prompt and greedy tokens, logits [prompt + greedy, vocabulary]: row i follows token i of both."""
    params = llama_cpp.llama_model_default_params()
    params.use_extra_bufts, params.n_gpu_layers = False, 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise SystemExit(f"llama.cpp does not load {path}")
    options = llama_cpp.llama_context_default_params()
    options.n_ctx, options.n_batch, options.n_ubatch, options.n_threads, options.n_threads_batch = N_CTX, 64, 64, 1, 1
    options.type_k = options.type_v = 0  # F32
    options.flash_attn_type = 0  # off
    context = llama_cpp.llama_init_from_model(model, options)
    if not context:
        raise SystemExit(f"llama.cpp makes no context for {path}")
    prompt = [1, *(np.random.default_rng(7).integers(3, N_VOCAB - 6, PROMPT - 1).tolist())]
    rows, greedy = [*decode(context, prompt, 0)], []
    for step in range(GREEDY):
        greedy.append(int(rows[-1].argmax()))
        rows += decode(context, greedy[-1:], PROMPT + step)
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return prompt, greedy, np.stack(rows)


def decode(context: Any, tokens: list[int], position: int) -> list[np.ndarray]:
    """Logits after each token."""
    batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for i, token in enumerate(tokens):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position + i, 1, True
        batch.seq_id[i][0] = 0
    if llama_cpp.llama_decode(context, batch):
        raise SystemExit("llama_decode fails")
    rows = [
        np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, i), (N_VOCAB,)).copy() for i in range(len(tokens))
    ]
    llama_cpp.llama_batch_free(batch)
    return rows
