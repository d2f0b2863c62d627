"""Samplers: what a real llama.cpp leaves of logits, step by step, driven through llama-cpp-python's ctypes interface.

Logits are decimals with three places, so that both sides start from the same float32 values.
"""

import ctypes
import json
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llama_cpp

N_VOCAB = 96
STEPS = 10

Case = dict[str, Any]


def record_samplers(folder: Path, vocab_file: Path) -> None:
    """One file per sampler: cases of parameters, and what llama.cpp leaves of the logits, step by step."""
    llama_cpp.llama_backend_init()
    vocab = Vocabulary(vocab_file)
    for name, cases in plan(vocab).items():
        rows = make_logits(random.Random(name))
        recorded = [record(case, rows, vocab) for case in cases]
        content: dict[str, Any] = {"source": f"llama-cpp-python {llama_cpp.__version__}", "logits": rows}
        if name == "dry":
            content["vocab"] = vocab.described([b for case in cases for b in case["params"]["dry_sequence_breaker"]])
        write(folder / f"{name}.json", {**content, "cases": recorded})


def write(path: Path, content: dict[str, Any]) -> None:
    """JSON, one case per line, written to a temporary file beside it and renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cases = ",\n".join(json.dumps(case, separators=(",", ":")) for case in content.pop("cases"))
    head = ",\n".join(f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in content.items())
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(f'{{{head},\n"cases":[\n{cases}\n]}}\n')
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)
    print(f"{path}: {path.stat().st_size} bytes")


def make_logits(rng: random.Random) -> dict[str, list[float | None]]:
    """Rows of several shapes by name; None stands for -inf."""

    def row(scale: float, best: float = 0.0) -> list[float | None]:
        values: list[float | None] = [round(rng.gauss(0, scale), 3) for _ in range(N_VOCAB)]
        values[rng.randrange(N_VOCAB)] = round(best or 3 * scale, 3)
        return values

    shapes: dict[str, list[float | None]] = {
        "flat": row(0.5), "usual": row(2.5), "wide": row(8.0), "sure": row(2.0, 10.0), "negative": row(1.0, 0.5)
    }  # fmt: skip
    shapes["negative"] = [round(x - 20, 3) for x in shapes["negative"] if x is not None]
    shapes["masked"] = [None if i % 3 else x for i, x in enumerate(row(2.5))]
    shapes["ties"] = [float(round(x)) for x in row(1.5) if x is not None]
    shapes["equal"] = [1.5] * N_VOCAB
    shapes["two"] = [None if i not in (7, 30) else x for i, x in enumerate(row(1.0))]
    return shapes


# What to record ---------------------------------------------------------------------------------------------------

SHAPES = ("flat", "usual", "wide", "sure", "negative", "masked", "ties", "equal", "two")
UNTIED = ("flat", "usual", "wide", "sure", "negative")


def plan(vocab: "Vocabulary") -> dict[str, list[Case]]:
    """File name -> cases without results."""
    truncations: dict[str, tuple[str, Sequence[float], Sequence[int], Sequence[str]]] = {
        "top_k": ("top_k", (-1, 0, 1, 2, 5, 40, 95, 96, 200), (0,), SHAPES),
        "top_p": ("top_p", (0.0, 0.1, 0.53, 0.9, 0.95, 0.999, 1.0), (0, 6), SHAPES),
        "min_p": ("min_p", (0.0, 0.01, 0.05, 0.3, 1.0, 1.5), (0, 9), SHAPES),
        "typ_p": ("typical_p", (0.1, 0.3, 0.6, 0.9, 0.97, 1.0), (0, 7), UNTIED),
        "top_n_sigma": ("top_n_sigma", (-1.0, 0.0, 0.3, 1.0, 1.7, 3.0), (0,), SHAPES),
    }
    return {
        **{
            name: each([name], [{field: x, "min_keep": m} for x in values for m in least], shapes)
            for name, (field, values, least, shapes) in truncations.items()
        },
        "xtc": xtc(),
        "temperature": temperature(),
        "logit_bias": logit_bias(),
        "penalties": penalties(),
        "dry": dry(vocab),
        "mirostat": mirostats(),
        "adaptive_p": adaptive_p(),
        "chain": chains(),
    }


def each(samplers: Sequence[str], settings: Sequence[dict[str, Any]], shapes: Sequence[str] = SHAPES) -> list[Case]:
    """Every setting on every shape of logits."""
    return [{"samplers": list(samplers), "params": s, "prompt": [], "shapes": list(shapes)} for s in settings]


def cycle(shapes: Sequence[str], steps: int) -> list[str]:
    """`steps` shapes in turn."""
    return [shapes[i % len(shapes)] for i in range(steps)]


def xtc() -> list[Case]:
    """The coin always falls the same way: probability 0 or 1."""
    settings = [
        (0.0, 0.1, 0), (1.0, 0.002, 0), (1.0, 0.01, 0), (1.0, 0.05, 0), (1.0, 0.1, 0), (1.0, 0.3, 0),
        (1.0, 0.5, 0), (1.0, 0.51, 0), (1.0, 0.01, 94), (1.0, 0.01, 60),
    ]  # fmt: skip
    params = [{"xtc_probability": p, "xtc_threshold": t, "min_keep": m} for p, t, m in settings]
    # With min_keep llama.cpp counts tokens at -inf as kept, llamaspec does not: no masked shapes there.
    return each(["xtc"], params, UNTIED) + each(["xtc"], params[:8], ("masked", "two"))


def temperature() -> list[Case]:
    """Fixed and dynamic."""
    moving = ((0.8, 0.5, 1.0), (0.5, 1.0, 1.0), (1.0, 0.3, 2.0), (1.2, 0.9, 0.5), (0.0, 1.5, 1.0))
    params = [{"temp": t} for t in (-1.0, 0.0, 0.1, 0.8, 1.0, 2.5)]
    params += [{"temp": t, "dynatemp_range": d, "dynatemp_exp": e} for t, d, e in moving]
    return each(["temperature"], params, (*UNTIED, "equal"))


def logit_bias() -> list[Case]:
    """Added, repeated and forbidding (None: -inf) biases."""
    params: list[dict[str, Any]] = [
        {"top_k": 0, "logit_bias": [[3, 2.5], [90, -4.0]]},
        {"top_k": 5, "logit_bias": [[0, 30.0], [0, 1.0]]},
        {"top_k": 8, "logit_bias": [[i, None] for i in range(40)]},
    ]
    return each(["top_k"], params, UNTIED)


def mirostats() -> list[Case]:
    """Both versions; llama.cpp's own draws decide what is taken."""
    settings = ((5.0, 0.1, 0.8), (2.0, 0.1, 1.0), (1.0, 0.5, 1.3), (4.0, 0.9, 0.6))
    return [
        {
            "samplers": [], "prompt": [], "shapes": cycle(("usual", "flat", "wide", "negative"), 8), "draws": True,
            "params": {"mirostat": version, "mirostat_ent": tau, "mirostat_lr": eta, "temp": temp},
        }
        for version in (1, 2)
        for tau, eta, temp in settings
    ]  # fmt: skip


def adaptive_p() -> list[Case]:
    """Alone and behind truncation; llama.cpp's own draws decide what is taken."""
    long = ["top_k", "min_p", "temperature", "adaptive_p"]
    return [
        {
            "samplers": names, "prompt": [1, 2], "shapes": cycle((*UNTIED, "masked"), 9), "draws": True,
            "params": {"adaptive_target": target, "adaptive_decay": decay, **more},
        }
        for target, decay in ((0.5, 0.9), (0.1, 0.0), (0.0, 0.99), (1.0, 0.5), (0.3, 2.0))
        for names, more in ((["adaptive_p"], {}), (long, {"top_k": 12, "min_p": 0.02, "temp": 0.9}))
    ]  # fmt: skip


def penalties() -> list[Case]:
    """Windows shorter and longer than the text; each penalty alone and all together."""
    rng = random.Random("penalties")
    settings = [(64, 1.3, 0.0, 0.0), (64, 0.8, 0.0, 0.0), (8, 1.0, 0.4, 0.0), (8, 1.0, 0.0, 0.7), (16, 1.2, 0.3, -0.5),
                (3, 1.5, 0.1, 0.1), (0, 1.5, 0.1, 0.1), (64, 1.0, 0.0, 0.0)]  # fmt: skip
    return [
        {
            "samplers": ["penalties"],
            "params": {"repeat_last_n": n, "repeat_penalty": r, "frequency_penalty": f, "presence_penalty": p},
            "prompt": [rng.randrange(12) for _ in range(14)],
            "shapes": cycle(("usual", "negative", "masked", "flat"), STEPS),
            "accept": [rng.randrange(12) for _ in range(STEPS)],
        }
        for n, r, f, p in settings
    ]


def dry(vocab: "Vocabulary") -> list[Case]:
    """Texts that repeat themselves, interrupted by breakers of one and of several tokens."""
    rng = random.Random("dry")
    phrase = [rng.randrange(60, 90) for _ in range(9)]
    text = [*phrase, *phrase[:5], rng.randrange(96), *phrase[2:8], *phrase[3:], *phrase[:7]]
    plain = [rng.randrange(40, 50) for _ in range(60)]
    broken = [*vocab.split("the"), 50, *vocab.split("ing"), 51, 52]
    settings: list[tuple[float, float, int, int, list[str]]] = [
        (0.8, 1.75, 2, 64, ["\n", ":", '"', "*"]), (1.5, 1.2, 1, 20, []), (0.5, 3.0, 4, 200, ["e"]),
        (0.8, 1.75, 0, 64, ["a"]), (2.0, 1.0, 2, 64, []), (0.8, 0.5, 2, 64, []), (0.0, 1.75, 2, 64, []),
        (0.8, 1.75, 2, 0, []), (1.0, 1.75, 2, 128, ["the", "in "]), (0.7, 50.0, 1, 300, ["ing", "th"]),
    ]  # fmt: skip
    return [
        {
            "samplers": ["dry"],
            "params": {
                "dry_multiplier": m, "dry_base": b, "dry_allowed_length": a, "dry_penalty_last_n": n,
                "dry_sequence_breaker": breakers,
            },
            "prompt": prompt,
            "shapes": cycle(("usual", "flat"), 14),
            "accept": accept,
        }
        for m, b, a, n, breakers in settings
        for prompt, accept in (
            (text, [*phrase[6:], *phrase[:6], *phrase][:14]),
            (plain, [rng.randrange(40, 46) for _ in range(14)]),
            ([*phrase, *broken, *phrase, 70, *phrase, *broken], [*phrase, 70, 71, *phrase[:3]]),
            ([5] * 40, [5, 5, 5, 7, 5, 5, 5, 7, 5, 5, 5, 7, 8, 8]),
        )
    ]  # fmt: skip


def chains() -> list[Case]:
    """The default order and others, on text that makes the stateful samplers act."""
    rng = random.Random("chains")
    default = ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"]
    settings: list[tuple[list[str], dict[str, Any]]] = [
        (default, {}),
        (default, {"temp": 0.0}),
        (default, {"repeat_penalty": 1.2, "top_k": 20, "top_p": 0.9, "min_p": 0.02, "temp": 1.3}),
        (default, {"typical_p": 0.7, "temp": 0.6, "min_keep": 3}),  # top_n_sigma before typ_p is NaN in llama.cpp
        (default, {"top_n_sigma": 1.2, "temp": 0.6}),
        (default, {"xtc_probability": 1.0, "xtc_threshold": 0.05, "min_p": 0.01, "top_p": 1.0, "temp": 1.1}),
        (default, {"xtc_probability": 1.0, "xtc_threshold": 0.05, "top_p": 1.0, "temp": 0.0}),
        (default, {"dynatemp_range": 0.6, "top_k": 12, "presence_penalty": 0.5}),
        (default, {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temp": 0.7}),
        (["temperature", "top_p", "top_k"], {"temp": 1.7, "top_k": 9}),
        (["top_k", "temperature", "typ_p", "min_p"], {"typical_p": 0.5, "temp": 1.4, "min_p": 0.1}),
        (["min_p", "top_k", "penalties"], {"frequency_penalty": 0.9, "min_p": 0.004, "top_k": 10}),
        (["temperature"], {"temp": 1.9}),
        (["top_p", "xtc"], {"xtc_probability": 1.0, "xtc_threshold": 0.1, "top_p": 0.8}),
    ]
    return [
        {
            "samplers": names, "params": params, "prompt": [rng.randrange(20) for _ in range(20)],
            "shapes": cycle(UNTIED, STEPS), "accept": [rng.randrange(30) for _ in range(STEPS)],
        }
        for names, params in settings
    ]  # fmt: skip


# Driving llama.cpp ------------------------------------------------------------------------------------------------


class Vocabulary:
    """A vocabulary loaded without its model."""

    def __init__(self, path: Path) -> None:
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = True
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self.model:
            raise SystemExit(f"cannot load {path}")
        self.handle = llama_cpp.llama_model_get_vocab(self.model)
        self.size = llama_cpp.llama_vocab_n_tokens(self.handle)

    def described(self, breakers: Sequence[str]) -> dict[str, Any]:
        """Pieces of all tokens in hex, and the ids of every ending that a sequence breaker can have."""
        endings = sorted({text[i:] for text in breakers for i in range(1, len(text))})
        return {
            "pieces": [self.piece(token).hex() for token in range(self.size)],
            "encode": {text: self.encode(text) for text in endings},
        }

    def split(self, text: str) -> list[int]:
        """A breaker of several tokens: one that is its first letter, and the rest as llama.cpp's DRY spells it."""
        return [next(i for i in range(self.size) if self.piece(i) == text[:1].encode()), *self.encode(text[1:])]

    def piece(self, token: int) -> bytes:
        """Its bytes, special tokens spelt out."""
        buffer = ctypes.create_string_buffer(256)
        length = llama_cpp.llama_token_to_piece(self.handle, token, buffer, 256, 0, True)
        return buffer.raw[:length]

    def encode(self, text: str) -> list[int]:
        """Ids without specials."""
        ids, raw = (llama_cpp.llama_token * 256)(), text.encode()
        return list(ids[: llama_cpp.llama_tokenize(self.handle, raw, len(raw), ids, 256, False, False)])


def build(case: Case, vocab: Vocabulary) -> Any:
    """The chain as llama.cpp's common_sampler_init orders it, without the final draw."""
    p = {**DEFAULTS, **case["params"]}
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    if p["logit_bias"]:
        biases = (llama_cpp.llama_logit_bias * len(p["logit_bias"]))()
        for slot, (token, bias) in zip(biases, p["logit_bias"], strict=True):
            slot.token, slot.bias = token, float("-inf") if bias is None else bias
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_logit_bias(N_VOCAB, len(biases), biases))
    if p["mirostat"]:
        samplers = [llama_cpp.llama_sampler_init_temp(p["temp"]), mirostat(p)]
    else:
        samplers = [MAKERS[name](p, vocab) for name in case["samplers"]]
    for sampler in samplers:
        llama_cpp.llama_sampler_chain_add(chain, sampler)
    return chain


def mirostat(p: dict[str, Any]) -> Any:
    """Version 1 or 2; the seed only decides which tokens the recorded steps take."""
    if p["mirostat"] == 1:
        return llama_cpp.llama_sampler_init_mirostat(N_VOCAB, 7, p["mirostat_ent"], p["mirostat_lr"], 100)
    return llama_cpp.llama_sampler_init_mirostat_v2(7, p["mirostat_ent"], p["mirostat_lr"])


def init_dry(p: dict[str, Any], vocab: Vocabulary) -> Any:
    """DRY with the breakers of the case."""
    texts = [text.encode() for text in p["dry_sequence_breaker"]]
    breakers = (ctypes.c_char_p * max(1, len(texts)))(*texts)
    lengths = p["dry_allowed_length"], p["dry_penalty_last_n"]
    return llama_cpp.llama_sampler_init_dry(
        vocab.handle, p["dry_multiplier"], p["dry_base"], *lengths, breakers, len(texts)
    )


DEFAULTS: dict[str, Any] = {
    "min_keep": 0, "temp": 0.8, "dynatemp_range": 0.0, "dynatemp_exp": 1.0, "top_k": 40, "top_p": 0.95, "min_p": 0.05,
    "typical_p": 1.0, "top_n_sigma": -1.0, "xtc_probability": 0.0, "xtc_threshold": 0.1, "repeat_last_n": 64,
    "repeat_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0, "dry_multiplier": 0.0, "dry_base": 1.75,
    "dry_allowed_length": 2, "dry_penalty_last_n": 64, "dry_sequence_breaker": [], "mirostat": 0, "logit_bias": [],
}  # fmt: skip

MAKERS: dict[str, Callable[[dict[str, Any], Vocabulary], Any]] = {
    "top_k": lambda p, v: llama_cpp.llama_sampler_init_top_k(p["top_k"]),
    "top_p": lambda p, v: llama_cpp.llama_sampler_init_top_p(p["top_p"], p["min_keep"]),
    "min_p": lambda p, v: llama_cpp.llama_sampler_init_min_p(p["min_p"], p["min_keep"]),
    "typ_p": lambda p, v: llama_cpp.llama_sampler_init_typical(p["typical_p"], p["min_keep"]),
    "top_n_sigma": lambda p, v: llama_cpp.llama_sampler_init_top_n_sigma(p["top_n_sigma"]),
    "xtc": lambda p, v: llama_cpp.llama_sampler_init_xtc(p["xtc_probability"], p["xtc_threshold"], p["min_keep"], 7),
    "temperature": lambda p, v: llama_cpp.llama_sampler_init_temp_ext(
        p["temp"], p["dynatemp_range"], p["dynatemp_exp"]),
    "penalties": lambda p, v: llama_cpp.llama_sampler_init_penalties(
        N_VOCAB, p["repeat_last_n"], p["repeat_penalty"], p["frequency_penalty"], p["presence_penalty"]),
    "dry": init_dry,
    "adaptive_p": lambda p, v: llama_cpp.llama_sampler_init_adaptive_p(p["adaptive_target"], p["adaptive_decay"], 7),
}  # fmt: skip


def record(case: Case, rows: dict[str, list[float | None]], vocab: Vocabulary) -> Case:
    """The case with its steps: ids left (None: all), their logits where changed (None: -inf), the token taken."""
    chain = build(case, vocab)
    for token in case["prompt"]:
        llama_cpp.llama_sampler_accept(chain, token)
    steps = []
    for at, shape in enumerate(case["shapes"]):
        left, taken = apply(chain, rows[shape])
        if not case.get("draws"):
            taken = case["accept"][at] if "accept" in case else None
        if taken is not None:
            llama_cpp.llama_sampler_accept(chain, taken)
        same = {token: single(value) for token, value in enumerate(rows[shape])}
        changed = {token: value for token, value in left.items() if value != same[token]}
        ids = None if len(left) == N_VOCAB else list(left)
        steps.append({"logits": shape, "ids": ids, "changed": changed, "token": taken})
    llama_cpp.llama_sampler_free(chain)
    return {"samplers": case["samplers"], "params": case["params"], "prompt": case["prompt"], "steps": steps}


def apply(chain: Any, row: Sequence[float | None]) -> tuple[dict[int, float | None], int]:
    """-> token id -> logit of what the chain leaves, ids ascending; and the token it selected, if it selects."""
    data = (llama_cpp.llama_token_data * len(row))()
    for token, value in enumerate(row):
        data[token].id, data[token].logit = token, float("-inf") if value is None else value
    array = llama_cpp.llama_token_data_array(data=data, size=len(row), selected=-1, sorted=False)
    llama_cpp.llama_sampler_apply(chain, ctypes.byref(array))
    left = [(array.data[i].id, array.data[i].logit) for i in range(array.size)]
    selected = array.data[array.selected].id if array.selected >= 0 else -1
    return {token: single(x) for token, x in sorted(left)}, selected


def single(x: float | None) -> float | None:
    """The float32 in the fewest digits that give it back; None for -inf."""
    return None if x is None or x == float("-inf") else float(f"{ctypes.c_float(x).value:.9g}")
