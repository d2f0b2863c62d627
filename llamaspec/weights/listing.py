"""Asks the hub which files a repository has; huggingface_hub does the asking."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ..errors import LlamaspecError
from .faults import explained
from .hub import HubFile
from .transfer import AGENT, Remote

HUB = "https://huggingface.co"
TIMEOUT = 15.0
TRUE = frozenset(("1", "on", "yes", "true"))


@dataclass(frozen=True)
class Listing:
    """Files of a repository at a commit, in the hub's order. architecture: as the hub read it; "" = it did not."""

    repo: str
    commit: str
    files: tuple[HubFile, ...]
    architecture: str = ""

    @property
    def paths(self) -> list[str]:
        """Their names."""
        return [file.path for file in self.files]

    def file(self, path: str) -> HubFile:
        """The file of that name."""
        return next(file for file in self.files if file.path == path)


@dataclass(frozen=True)
class Hub:
    """A hub and who asks it. token: "" = nobody in particular; it goes to the endpoint only."""

    endpoint: str = HUB
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, env: Mapping[str, str], token: str = "") -> "Hub":
        """The hub of HF_ENDPOINT (llama.cpp: MODEL_ENDPOINT); a token of --hf-token, HF_TOKEN or `hf auth login`."""
        endpoint = (env.get("MODEL_ENDPOINT") or env.get("HF_ENDPOINT") or HUB).rstrip("/")
        found = token or env.get("HF_TOKEN", "") or _stored_token(env)
        return cls(endpoint, found if found.isascii() and found.isprintable() and " " not in found else "")

    @property
    def headers(self) -> dict[str, str]:
        """What says who asks."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def list(self, repo: str) -> Listing:
        """The files of a repository's main branch. Raises LlamaspecError."""
        try:
            from huggingface_hub import HfApi

            api = HfApi(endpoint=self.endpoint, token=self.token or False, library_name=AGENT)
            with _one_request():
                info = api.model_info(repo, files_metadata=True, timeout=TIMEOUT)
        except Exception as error:
            if isinstance(error, KeyError | TypeError | AttributeError | ValueError) and not _is_network(error):
                raise _unreadable(self.endpoint, repo) from None
            raise explained(error, self.endpoint, repo, token=bool(self.token)) from None
        if not isinstance(info.sha, str) or not info.sha.isalnum() or not info.siblings:
            raise _unreadable(self.endpoint, repo)
        facts = getattr(info, "gguf", None)
        architecture = facts.get("architecture", "") if isinstance(facts, dict) else ""
        files = tuple(_file(sibling) for sibling in info.siblings)
        return Listing(repo, info.sha, files, architecture if isinstance(architecture, str) else "")

    def remote(self, listing: Listing, path: str) -> Remote:
        """Where a file of a listing is fetched from."""
        file = listing.file(path)
        url = f"{self.endpoint}/{listing.repo}/resolve/{listing.commit}/{quote(path)}"
        return Remote(url, path.rsplit("/", 1)[-1], file.size, file.sha256, self.headers)


@contextmanager
def _one_request() -> Iterator[None]:
    """huggingface_hub also asks its own endpoint for a list of programs to report in, unless telemetry is off."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_TELEMETRY
    constants.HF_HUB_DISABLE_TELEMETRY = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = before


def offline(env: Mapping[str, str]) -> bool:
    """Whether HF_HUB_OFFLINE (or its older name) forbids the network."""
    return any(env.get(name, "").lower() in TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def wants_hf_transfer(env: Mapping[str, str]) -> bool:
    """Whether HF_HUB_ENABLE_HF_TRANSFER asks for the parallel download."""
    return env.get("HF_HUB_ENABLE_HF_TRANSFER", "").lower() in TRUE


def _file(sibling: Any) -> HubFile:
    """One file of the hub's reply. Large files are named by their SHA-256, small ones by git's hash."""
    size = sibling.size if isinstance(sibling.size, int) and sibling.size >= 0 else -1
    lfs = sibling.lfs
    sha256 = getattr(lfs, "sha256", "") if lfs is not None else ""
    known = len(sha256) == 64 and all(letter in "0123456789abcdef" for letter in sha256.lower())
    oid = sha256.lower() if known else (sibling.blob_id or "")
    return HubFile(sibling.rfilename, size, sha256.lower() if known else "", oid if oid.isalnum() else "")


def _stored_token(env: Mapping[str, str]) -> str:
    """The token that `hf auth login` keeps; "" = none."""
    home = env.get("HF_HOME") or os.path.join(
        env.get("XDG_CACHE_HOME") or os.path.join(env.get("HOME") or os.path.expanduser("~"), ".cache"), "huggingface"
    )
    try:
        with open(env.get("HF_TOKEN_PATH") or os.path.join(home, "token"), encoding="utf-8") as file:
            return file.read(1000).strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_network(error: BaseException) -> bool:
    return getattr(error, "response", None) is not None or isinstance(error, OSError)


def _unreadable(endpoint: str, repo: str) -> LlamaspecError:
    return LlamaspecError(
        f"{endpoint} gives no readable list of the files of {repo}",
        "check HF_ENDPOINT, and the network for a login page",
    )
