"""Small models for the loop: a target and drafts that share its vocabulary."""

from functools import cache
from pathlib import Path

import pytest

from llamaspec.drafting.vocab import difference
from llamaspec.text.tokenizer import Tokenizer
from tests import goldens
from tests.models.test_parity import supported


@cache
def usable() -> dict[str, Path]:
    """Name -> file of the F32 goldens that can run."""
    found = {g.name: g.model for g in goldens.models() if not supported(g) and g.entry.get("quant") == "F32"}
    assert found, "no golden model was found"
    return found


@cache
def tokenizer(path: Path) -> Tokenizer:
    """Of a model file."""
    return Tokenizer.from_metadata(goldens.opened(path).metadata)


@pytest.fixture(scope="session")
def pair() -> tuple[Path, Path]:
    """A target and another model with the same vocabulary."""
    models = usable()
    for target in models.values():
        for draft in models.values():
            if target != draft and not difference(tokenizer(target), tokenizer(draft)):
                return target, draft
    raise AssertionError("no two goldens share a vocabulary")
