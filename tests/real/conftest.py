"""Real models, where scripts/models.py has put them. Nothing is downloaded here: what is absent is skipped by name."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import llamaspec
from llamaspec.engine.llm import LLM
from llamaspec.kernels import native
from llamaspec.shelf import names
from llamaspec.weights.file import GGUFFile
from scripts.models import MODELS, RealModel, default_folder

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Real:
    """A model that is there, and llama.cpp's greedy answers (scripts/goldens_real.py): name -> case."""

    name: str
    path: Path
    cases: dict[str, dict[str, Any]]

    def load(self, **keywords: Any) -> LLM:
        """On the CPU, with room for the longest case."""
        return llamaspec.load(self.path, device="cpu", ctx_size=1024, temp=0, **keywords)


@pytest.fixture(scope="session", params=MODELS, ids=lambda model: model.name)
def real(request: pytest.FixtureRequest) -> Real:
    """Each model of scripts/models.py."""
    model: RealModel = request.param
    path = default_folder() / model.file
    if not native.available():
        pytest.skip(f"{model.name} takes minutes without the native kernels: {native.why_not()}")
    if not path.exists():
        pytest.skip(f"{path} is not there: run scripts/models.py {model.name}")
    architecture = GGUFFile(path).metadata.architecture
    if architecture.replace("-", "_") not in names("models"):
        pytest.skip(f"{model.name}: the architecture {architecture} is not on the shelf")
    recorded = json.loads((HERE / f"{model.name}.json").read_text())
    assert recorded["sha256"] == model.sha256, "recorded from another file: run scripts/goldens_real.py"
    return Real(model.name, path, recorded["cases"])


@pytest.fixture(scope="session")
def plain(real: Real) -> LLM:
    """The model without speculation."""
    return real.load()
