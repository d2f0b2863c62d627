"""Where reference data lies: the folders of LLAMASPEC_GOLDENS, else tests/data and ../shared/data."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from llamaspec.weights.file import GGUFFile

HERE = Path(__file__).parent


def folders() -> list[Path]:
    """The data folders that exist; several are separated by ':' in LLAMASPEC_GOLDENS."""
    named = os.environ.get("LLAMASPEC_GOLDENS")
    paths = [Path(p) for p in named.split(":") if p] if named else [HERE / "data", HERE.parents[1] / "shared" / "data"]
    return [path for path in paths if path.is_dir()]


@cache
def opened(path: Path) -> GGUFFile:
    """A model file that stays open."""
    return GGUFFile(path)


@dataclass(frozen=True)
class Golden:
    """One entry of a goldens/index.json."""

    name: str
    root: Path
    entry: dict

    @property
    def model(self) -> Path:
        """The model file; it may be absent."""
        return self.root / self.entry["model"]

    @property
    def file(self) -> GGUFFile:
        """The model file, its header read once per process."""
        return opened(self.model)

    @property
    def logits(self) -> Path:
        """The .npy of expected logits; row i follows token i of prompt + greedy."""
        return self.root / self.entry["logits"]


def models() -> Iterator[Golden]:
    """Every model entry, once per name, split files with the entry they share logits with.

    Of a name in several folders the first whose model file is there counts; one that is nowhere is given too, so that
    tests can skip it by name.
    """
    found: dict[str, Golden] = {}
    for folder in folders():
        root = folder / "goldens" if (folder / "goldens").is_dir() else folder
        index = root / "index.json"
        entries = json.loads(index.read_text()) if index.is_file() else {}
        for name, entry in entries.items():
            merged = {**entries.get(entry.get("same_golden_as", ""), {}), **entry}
            whole = merged.get("model") and "logits" in merged and "prompt_tokens" in merged
            if whole and not (name in found and found[name].model.is_file()):
                found[name] = Golden(name, root, merged)
    yield from found.values()
