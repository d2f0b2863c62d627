"""`python -m tests.engine.torchless < JOBS`: answers on a machine without PyTorch.

JOBS: a JSON list of [keywords of llamaspec.load, prompt, keywords of LLM.complete]; the answers' tokens come out as a
JSON list. A prompt of null asks for LLM.logits instead, and gives the error's message and hint.
"""

import json
import sys
from typing import Any

sys.modules["torch"] = None  # type: ignore[assignment]  # importing it raises, and find_spec does not find it

import llamaspec  # noqa: E402


def answer(loading: dict[str, Any], prompt: list[int] | None, options: dict[str, Any]) -> list[Any]:
    """What a job gives."""
    with llamaspec.load(**loading) as llm:
        if prompt is not None:
            return llm.complete(prompt, **options).tokens
        try:
            llm.logits([5, 6])
        except llamaspec.LlamaspecError as error:
            return [error.message, error.hint]
        return []


if __name__ == "__main__":
    print(json.dumps([answer(*job) for job in json.load(sys.stdin)]))
