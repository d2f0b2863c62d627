"""pyproject.toml declares what the package imports, and nothing else."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DECLARED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


OPTIONAL = {"certifi", "setuptools"}
"""Imported where it is there, or when the package is built."""


def names(lines: list[str]) -> set[str]:
    """The modules of requirements, which are called like their packages."""
    return {re.split(r"[<>=~!]", line)[0].strip().replace("-", "_") for line in lines}


def imported() -> set[str]:
    """Packages of others that a module of llamaspec imports, at any place in it."""
    found = set()
    for path in (ROOT / "llamaspec").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"llamaspec"}


def test_what_is_declared_is_what_is_imported():
    assert names(DECLARED) == imported() - OPTIONAL


def test_the_requirements_without_torch_are_all_the_others():
    lines = (ROOT / "scripts" / "requirements-cpu-only.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == [x for x in DECLARED if not x.startswith("torch")]
