"""The folder of downloaded models: the Hugging Face hub's own layout, shared with huggingface_hub and llama.cpp.

ROOT/models--USER--MODEL/{blobs/OID, refs/main, snapshots/COMMIT/PATH -> ../../blobs/OID}
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import LlamaspecError
from .hub import HubName, is_model, parts, tag_of

PART = ".llamaspec-part"
"""What the name of an unfinished download ends in."""


def hub_root(env: Mapping[str, str]) -> Path:
    """Where repositories of the hub lie: the first of llama.cpp's and the hub's variables that is set."""
    for name in ("LLAMA_CACHE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if env.get(name):
            return Path(env[name]).expanduser()
    if env.get("HF_HOME"):
        return Path(env["HF_HOME"]).expanduser() / "hub"
    return _cache_home(env) / "huggingface" / "hub"


def url_root(env: Mapping[str, str]) -> Path:
    """Where files of --model-url lie."""
    if env.get("LLAMA_CACHE"):
        return Path(env["LLAMA_CACHE"]).expanduser()
    return _cache_home(env) / "llama.cpp"


def _cache_home(env: Mapping[str, str]) -> Path:
    return Path(env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or "~").expanduser() / ".cache")


@dataclass(frozen=True)
class CachedModel:
    """A model in the cache. files: its paths in the snapshot. size: bytes. used: seconds since 1970."""

    name: HubName
    commit: str
    files: tuple[Path, ...]
    size: int
    used: float
    complete: bool = True


class HubCache:
    """One cache folder. Nothing is created before something is stored."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, repo: str) -> Path:
        """Everything of one repository."""
        return self.root / ("models--" + repo.replace("/", "--"))

    def blob(self, repo: str, oid: str) -> Path:
        """Where the content of a file is kept; oid names the content."""
        return self.folder(repo) / "blobs" / oid

    def commit(self, repo: str) -> str:
        """The commit that `main` was when the repository was last asked; "" = unknown."""
        with suppress(OSError, UnicodeDecodeError):
            return (self.folder(repo) / "refs" / "main").read_text(encoding="utf-8").strip()
        return ""

    def snapshots(self, repo: str) -> list[str]:
        """Commits of which files are here, the current one first, then the newest."""
        folder = self.folder(repo) / "snapshots"
        with suppress(OSError):
            found = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=_age, reverse=True)
            current = self.commit(repo)
            return sorted((entry.name for entry in found), key=lambda name: name != current)
        return []

    def paths(self, repo: str, commit: str) -> list[str]:
        """Files of a snapshot whose content is here, as paths in the repository, sorted."""
        top = self.folder(repo) / "snapshots" / commit
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())

    def file(self, repo: str, commit: str, path: str) -> Path:
        """Where a file of a snapshot lies. Raises LlamaspecError for a path that would leave the folder."""
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or "\\" in path or not path or not commit.isalnum():
            raise LlamaspecError(f"{repo} names a file outside its own folder: '{path}'", "do not use this repository")
        return self.folder(repo) / "snapshots" / commit / path

    def link(self, repo: str, commit: str, path: str, oid: str) -> Path:
        """Shows a stored blob in a snapshot: a relative link, or the file itself where links cannot be made."""
        place, blob = self.file(repo, commit, path), self.blob(repo, oid)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.{os.getpid()}")
        try:
            with suppress(FileNotFoundError):
                fresh.unlink()
            fresh.symlink_to(os.path.relpath(blob, place.parent))
            os.replace(fresh, place)
        except OSError:
            if not place.exists():
                shutil.move(blob, place)
        return place

    def remember(self, repo: str, commit: str) -> None:
        """Notes which commit `main` is, whole or not at all."""
        ref = self.folder(repo) / "refs" / "main"
        ref.parent.mkdir(parents=True, exist_ok=True)
        fresh = ref.with_name(f".main.{os.getpid()}")
        fresh.write_text(commit, encoding="utf-8")
        os.replace(fresh, ref)

    # -- listing and removing -----------------------------------------------------------------------------------------

    def repos(self) -> Iterator[str]:
        """Repositories that have a folder here."""
        with suppress(OSError):
            for entry in sorted(self.root.iterdir()):
                pieces = entry.name.split("--", 2)
                if entry.is_dir() and len(pieces) == 3 and pieces[0] == "models":
                    yield f"{pieces[1]}/{pieces[2]}"

    def models(self) -> list[CachedModel]:
        """Every model file, of the current snapshot or the newest that has it; no heads and no projectors."""
        found: dict[tuple[str, str], CachedModel] = {}
        for repo in self.repos():
            for commit in self.snapshots(repo):
                here = self.paths(repo, commit)
                for path in here:
                    first = parts(path)[0]
                    if not is_model(path) or (repo, first) in found or (path != first and first in here):
                        continue
                    found[repo, first] = self._model(repo, commit, first, here)
        return list(found.values())

    def _model(self, repo: str, commit: str, first: str, here: Sequence[str]) -> CachedModel:
        wanted = parts(first)
        files = tuple(self.file(repo, commit, path) for path in wanted if path in here)
        stats = [file.stat() for file in files]
        return CachedModel(
            HubName(repo, tag_of(first)), commit, files, sum(stat.st_size for stat in stats),
            max(max(stat.st_atime, stat.st_mtime) for stat in stats), len(files) == len(wanted),
        )  # fmt: skip

    def unfinished(self) -> list[Path]:
        """Parts of downloads that were cut."""
        with suppress(OSError):
            return sorted(path for path in self.root.rglob(f"*{PART}*") if path.is_file() and not path.is_symlink())
        return []

    def remove(self, model: CachedModel) -> int:
        """Deletes a model's files, and blobs that no snapshot shows any more; returns the bytes freed."""
        folder = self.folder(model.name.repo)
        top = folder / "snapshots" / model.commit
        blobs: set[Path] = set()
        freed = 0
        for name in [file.relative_to(top) for file in model.files]:
            for place in (snapshot / name for snapshot in (folder / "snapshots").iterdir()):
                if place.is_symlink():
                    blobs.add(place.resolve())
                elif place.is_file():
                    freed += place.stat().st_size
                place.unlink(missing_ok=True)
        shown = {path.resolve() for path in (folder / "snapshots").rglob("*") if path.is_symlink()}
        for blob in blobs - shown:
            if blob.parent == (folder / "blobs").resolve() and blob.exists():
                freed += blob.stat().st_size
                blob.unlink()
        _prune(folder)
        return freed


def _prune(folder: Path) -> None:
    """Removes folders that have become empty, and the repository's when no snapshot is left."""
    for path in sorted((folder / "snapshots").rglob("*"), key=lambda path: -len(path.parts)):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()
    if not any((folder / "snapshots").glob("*")):
        blobs = list((folder / "blobs").glob("*")) if (folder / "blobs").is_dir() else []
        if not blobs:
            shutil.rmtree(folder, ignore_errors=True)


def _age(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
