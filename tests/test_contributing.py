"""CONTRIBUTING.md names places that exist, and every shelf and floor that there is."""

import re
import tomllib
from pathlib import Path

import pytest

from llamaspec import shelf

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = TEXT[TEXT.index("To add\n") : TEXT.index("One token's life")]
SHELVES = {
    "models": "llama",
    "kernels/quants": "q8_0",
    "kernels/native/quants": "q8_0",
    "sampling/samplers": "top_k",
    "drafting/types": "ngram_mod",
    "cli": "show",
    "options": "speculation",
    "text/formats": "llama3",
}


def paths(text: str) -> list[str]:
    """Whatever in backticks looks like a file or folder."""
    return [found for found in re.findall(r"`([^`\s]+)`", text) if re.search(r"/|\.(py|h|cpp|toml)$", found)]


def there(name: str) -> bool:
    """Whether a path of the text exists; <name> stands for an entry of its shelf."""
    for known in re.findall(r"<[^>]+>", name):
        name = name.replace(known, SHELVES[name.rpartition("/")[0]])
    return any((base / name).exists() for base in (ROOT, ROOT / "llamaspec"))


@pytest.mark.parametrize("name", sorted(set(paths(RECIPES))))
def test_recipes_name_places_that_exist(name):
    assert there(name)


def test_every_floor_and_shelf_has_its_row():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = re.findall(r"llamaspec\.(\w+)", " ".join(contracts[0]["layers"]))
    for floor in floors:
        if (ROOT / "llamaspec" / floor).is_dir():
            assert f"`{floor}/`" in TEXT, floor


@pytest.mark.parametrize("folder", ["models", "kernels/quants", "sampling/samplers", "drafting/types"])
def test_a_recipe_for_every_shelf(folder):
    assert f"`{folder}/<" in RECIPES
    assert shelf.names(folder.replace("/", "."))
