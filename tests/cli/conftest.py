"""Runs the program as a user does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def clean_environment(home: Path) -> dict[str, str]:
    """An environment without anybody's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LLAMA", "XDG_", "HF_", "NO_COLOR"))}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def spawn(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """spawn(module, words, **subprocess options): the program's exit code, stdout and stderr."""

    def start(module, words, env=None, **options):
        options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            env=clean_environment(tmp_path) | (env or {}),
            cwd=ROOT, text=True, timeout=100, check=False,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )  # fmt: skip

    return start


@pytest.fixture
def llamaspec(spawn):
    """The program itself."""
    return lambda *words, **options: spawn("llamaspec", words, **options)


@pytest.fixture
def parrot(spawn):
    """The program with a parrot for an engine."""
    return lambda *words, **options: spawn("tests.cli.fake", words, **options)
