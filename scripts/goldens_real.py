"""Record llama.cpp's greedy answers of the real models (scripts/models.py) for the tests that are marked `real`.

    PEER_PYTHON scripts/goldens_real.py [NAME ...] [--models FOLDER] [--out tests/real]

Run it with a Python that has `llama-cpp-python` (the package's `peer` extra). Per prompt: its ids, the tokens of a
greedy answer, and how far the best logit was above the second at each: where that is little, rounding decides, and
another engine may choose otherwise.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import llama_cpp
import models
import numpy as np

STEPS = 48
CHAT = (
    "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
    "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
)
"""What the chat template of SmolLM2 makes of one message."""
ONE_SENTENCE = "What is the capital of France? Answer in one sentence."
LIST = "Repeat this list: apple, pear, cherry, plum, peach."
COUNT = ", ".join(str(number) for number in range(1, 181)) + ","
"""Longer than the windows of Gemma's local layers, 512 tokens."""
CODE = "def fibonacci(n):\n"
PROMPTS: dict[str, dict[str, str]] = {
    "smollm2-135m": {
        "capital": CHAT.format(ONE_SENTENCE),
        "list": CHAT.format(LIST),
        "story": "Once upon a time, in a small village by the sea,",
        "code": CODE,
        "count": COUNT,
    },
    "gemma-3-270m": {
        "capital": "Question: What is the capital of France?\nAnswer:",
        "capitals": "Q: What is the capital of Italy?\nA: Rome\nQ: What is the capital of France?\nA:",
        "story": "Once upon a time, in a small village by the sea,",
        "code": CODE,
        "count": COUNT,
    },
}
CHATS = {"smollm2-135m": {"capital": ONE_SENTENCE, "list": LIST}}


def record(llm: llama_cpp.Llama, text: str) -> dict[str, Any]:
    """A greedy answer, up to STEPS tokens, the end of generation included."""
    ids = llm.tokenize(text.encode(), add_bos=True, special=True)
    llm.reset()
    llm.eval(ids)
    tokens, margins = [], []
    while len(tokens) < STEPS and (not tokens or tokens[-1] != llm.token_eos()):
        logits = np.asarray(llm.scores[llm.n_tokens - 1])
        second, best = np.argpartition(logits, -2)[-2:]
        if logits[second] > logits[best]:
            second, best = best, second
        tokens.append(int(best))
        margins.append(round(float(logits[best] - logits[second]), 3))
        llm.eval(tokens[-1:])
    answer = llm.detokenize(tokens, prev_tokens=ids).decode(errors="replace")
    return {"text": text, "answer": answer, "ids": ids, "tokens": tokens, "margins": margins}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(PROMPTS))
    parser.add_argument("--models", type=Path, default=models.default_folder())
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "tests" / "real")
    chosen = parser.parse_args()
    for model in models.MODELS:
        if model.name not in chosen.names:
            continue
        llm = llama_cpp.Llama(str(chosen.models / model.file), n_ctx=2048, logits_all=True, verbose=False)
        cases = {name: record(llm, text) for name, text in PROMPTS[model.name].items()}
        for name, message in CHATS.get(model.name, {}).items():
            cases[name] = {"message": message, **cases[name]}
        head = f'"source": "llama-cpp-python {llama_cpp.__version__}", "sha256": "{model.sha256}"'
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items())
        path = chosen.out / f"{model.name}.json"
        path.write_text(f'{{{head}, "cases": {{\n{lines}\n}}}}\n')
        print(path, {name: (len(case["ids"]), case["answer"][:60]) for name, case in cases.items()})


if __name__ == "__main__":
    main()
