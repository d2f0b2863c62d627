"""Tokenizer vectors of every data folder, found by their layout (shared/data/README.md)."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from llamaspec.text import pre
from llamaspec.text.tokenizer import LATER, Tokenizer
from llamaspec.weights.file import GGUFFile
from tests.goldens import folders

PAIRS = "vocab-pairs.gguf"


@cache
def metadata(path: Path) -> dict[str, object]:
    with GGUFFile(path) as file:
        return dict(file.metadata)


@dataclass(frozen=True)
class Vectors:
    """What one vocabulary should make of `texts`; `ids` = nothing added, no control token read."""

    name: str
    vocabulary: Path
    override: str | None
    texts: tuple[str, ...]
    entry: dict

    def metadata(self) -> dict[str, object]:
        found = metadata(self.vocabulary)
        return found if self.override is None else {**found, "tokenizer.ggml.pre": self.override}

    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_metadata(self.metadata())

    @property
    def supported(self) -> bool:
        return self.override not in pre.LATER and metadata(self.vocabulary)["tokenizer.ggml.model"] not in LATER

    @property
    def ids_special(self) -> list[list[int]] | None:
        return self.entry.get("ids_special") or self.entry.get("ids_add_special_parse_special")


def vectors() -> Iterator[Vectors]:
    """Every set of vectors whose vocabulary is there, once per name."""
    seen = set()
    for folder in folders():
        root = folder / "tokenizers"
        for path in sorted(root.glob("goldens_*.json.gz")):
            texts = tuple(json.loads((root / "strings.json").read_text()))
            for found in _read(path, root, texts):
                if found.name not in seen and found.vocabulary.is_file():
                    seen.add(found.name)
                    yield found
        for path in sorted(root.glob("*.gguf.inp")):
            if path.name not in seen:
                seen.add(path.name)
                yield _real(path)


def _read(path: Path, root: Path, texts: tuple[str, ...]) -> Iterator[Vectors]:
    content = json.loads(gzip.decompress(path.read_bytes()))
    stem = path.name.removesuffix(".json.gz")
    if "ids" in content:
        yield Vectors(stem, root / content["vocab"], None, texts, content)
        return
    for name, entry in content.items():
        entry = {**content.get(entry.get("same_as"), {}), **entry}
        override = None if "vocab" in entry else name
        yield Vectors(f"{stem}-{name}", root / entry.get("vocab", PAIRS), override, texts, entry)


def _real(path: Path) -> Vectors:
    texts = path.read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    ids = [[int(word) for word in line.split()] for line in path.with_suffix(".out").read_text().splitlines()]
    return Vectors(path.name, path.with_suffix(""), None, tuple(texts[: len(ids)]), {"ids": ids})
