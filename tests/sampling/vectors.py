"""The samplers/*.json files of the data folders: what llama.cpp's samplers leave of given logits."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from llamaspec.sampling.chain import SamplerParams
from tests.goldens import HERE, folders


@dataclass(frozen=True, eq=False)
class Pieces:
    """As much of a vocabulary as DRY asks for."""

    pieces: list[bytes]
    encoded: dict[str, list[int]]
    eog: frozenset[int] = frozenset()

    @property
    def n_vocab(self) -> int:
        return len(self.pieces)

    def piece(self, token: int, special: bool = False) -> bytes:
        return self.pieces[token]

    def encode(self, text: str, add_special: bool = True, parse_special: bool = True) -> list[int]:
        return self.encoded[text]


@dataclass(frozen=True)
class Case:
    """One set of parameters and its steps."""

    file: str
    entry: dict
    rows: dict[str, list]
    vocab: Pieces | None

    def __str__(self) -> str:
        return f"{self.file}-{self.entry['samplers']}-{self.entry['params']}"

    @cached_property
    def params(self) -> SamplerParams:
        given = {key: _frozen(value) for key, value in self.entry["params"].items()}
        return SamplerParams(samplers=tuple(self.entry["samplers"]), **given)

    def steps(self) -> Iterator[tuple[np.ndarray, np.ndarray, int | None]]:
        """(logits [V], what is left of them [V], token taken)."""
        for step in self.entry["steps"]:
            logits = _row(self.rows[step["logits"]])
            expected = logits.copy()
            for token, value in step["changed"].items():
                expected[int(token)] = -np.inf if value is None else value
            if step["ids"] is not None:
                gone = np.ones(len(logits), bool)
                gone[step["ids"]] = False
                expected[gone] = -np.inf
            yield logits, expected, step["token"]


def cases() -> list[Case]:
    """Every case of every file: our own recordings always, and those of the data folders."""
    found = []
    for folder in dict.fromkeys([HERE / "data", *folders()]):
        for path in sorted((folder / "samplers").glob("*.json")):
            content = json.loads(path.read_text())
            vocab = content.get("vocab")
            pieces = Pieces([bytes.fromhex(x) for x in vocab["pieces"]], vocab["encode"]) if vocab else None
            found += [Case(path.stem, entry, content["logits"], pieces) for entry in content["cases"]]
    return found


def _row(row: list) -> np.ndarray:
    return np.array([-np.inf if x is None else x for x in row], np.float32)


def _frozen(value):
    if isinstance(value, list):
        return tuple(tuple(-np.inf if y is None else y for y in x) if isinstance(x, list) else x for x in value)
    return value
