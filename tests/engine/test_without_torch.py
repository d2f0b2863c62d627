"""The native kernels need no torch: the same answers in a process where it cannot be imported."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import llamaspec
from llamaspec.drafting.translate import bridge
from llamaspec.drafting.translate_text import TextBridge
from llamaspec.drafting.translate_tokens import TokenBridge
from llamaspec.drafting.vocab import difference
from llamaspec.kernels import native
from llamaspec.shelf import names
from tests.engine.conftest import tokenizer, usable
from tests.engine.test_invisible import CHAINS

pytestmark = pytest.mark.skipif(not native.available(), reason=native.why_not())

ROOT = Path(__file__).parents[2]
PROMPT = [5, 6, 7, 8, 9, 5, 6, 7]
Job = tuple[dict[str, Any], list[int] | None, dict[str, Any]]


def job(model: Path, draft: Path | None, loading: dict[str, Any], chain: dict[str, Any]) -> Job:
    """An answer on the native kernels."""
    loading = {"model": str(model), "device": "cpu", "ctx_size": 128, "kernels": "native", **loading}
    if draft is not None:
        loading["model_draft"] = str(draft)
    return loading, PROMPT, {"n_predict": 16, "seed": 3, "stop_at_eog": False, **chain}


def torchless(jobs: list[Job]) -> list[Any]:
    """The jobs' answers without torch."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.torchless"],
        input=json.dumps(jobs), capture_output=True, text=True, timeout=100, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_same(jobs: list[Job]) -> None:
    """Answers without torch are those with it."""
    for asked, found in zip(jobs, torchless(jobs), strict=True):
        loading, prompt, options = asked
        expected = llamaspec.load(**loading).complete(prompt, **options).tokens
        assert found == expected, asked
        assert len(found) == options["n_predict"]


def test_each_chain_of_samplers(pair):
    assert_same([job(pair[0], None, {}, chain) for chain in CHAINS])


def test_each_drafter_of_the_shelf(pair):
    jobs = []
    for at, name in enumerate(names("drafting.types")):
        loading = {"spec_type": name.replace("_", "-")}
        jobs.append(job(pair[0], pair[1] if name.startswith("draft") else None, loading, CHAINS[at % len(CHAINS)]))
    assert len(jobs) > 5
    assert_same(jobs)


def test_a_draft_model_that_speaks_otherwise(pair):
    """Tokens matched by their text, and texts tokenized anew."""
    target = pair[0]
    rows = tokenizer(target).n_vocab
    draft = next(path for path in usable().values() if difference(tokenizer(target), tokenizer(path)))
    assert isinstance(bridge(tokenizer(target), tokenizer(draft), rows), TokenBridge)
    replace = [["<|im_start|>", "[INST]"]]
    assert isinstance(bridge(tokenizer(target), tokenizer(draft), rows, replace), TextBridge)
    kinds = ("draft-simple", "draft-tree")
    jobs = [
        job(target, draft, {"spec_type": kind, **more}, CHAINS[at])
        for more in ({}, {"spec_replace": replace})
        for at, kind in enumerate(kinds)
    ]
    assert_same(jobs)


def test_logits_of_the_reference_are_refused_with_the_command_that_helps(pair):
    loading, _, options = job(pair[0], None, {}, {})
    message, hint = torchless([(loading, None, options)])[0]
    assert "needs PyTorch, which is not installed" in message
    assert hint == "pip install torch"
