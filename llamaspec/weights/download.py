"""From what the user names (-hf, -hfd, --model-url) to files on this disk."""

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from .. import shelf
from ..errors import LlamaspecError, UsageError
from ..options.groups import Groups
from ..options.keywords import override
from .cache import HubCache, hub_root, url_root
from .faults import explained
from .hub import HubName, choose, choose_draft, companion, is_head, is_projector, parts
from .listing import Hub, Listing, offline, wants_hf_transfer
from .part import require_space, sized
from .transfer import Remote, Watch, fetch, open_url


class Quiet:
    """A Watch that shows no bars. report: where its lines go."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self.report = report

    def begin(self, name: str, done: int, total: int | None) -> None:
        """Shows nothing."""

    def advance(self, count: int) -> None:
        """Shows nothing."""

    def end(self) -> None:
        """Shows nothing."""

    def say(self, line: str) -> None:
        """Hands the line on."""
        self.report(line)


def with_files(groups: Groups, watch: Watch, env: Mapping[str, str] | None = None) -> Groups:
    """Groups in which --model and --model-draft are files, downloaded if -hf, -hfd or --model-url ask for that."""
    model = groups.model
    downloads = Downloads(os.environ if env is None else env, watch, token=model.hf_token, no_network=model.offline)
    words: dict[str, str] = {}
    if model.hf_file and not model.hf_repo:
        raise UsageError("--hf-file names a file of a repository, and none is given", "give it with -hf USER/MODEL")
    if model.hf_repo:
        words["model"] = str(downloads.model(HubName.parse(model.hf_repo), model.hf_file))
    elif model.model_url:
        words["model"] = str(downloads.url(model.model_url))
    if model.hf_repo_draft:
        target = HubName.parse(model.hf_repo).repo if model.hf_repo else ""
        words["model_draft"] = str(downloads.draft(HubName.parse(model.hf_repo_draft), target))
    return override(groups, **words) if words else groups


class Downloads:
    """Finds models in the cache and fetches what is missing.

    env: the process's environment (cache folders, HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE, HF_HUB_ENABLE_HF_TRANSFER).
    """

    def __init__(self, env: Mapping[str, str], watch: Watch, token: str = "", no_network: bool = False) -> None:
        self.env, self.watch = env, watch
        self.hub = Hub.of(env, token)
        self.cache = HubCache(hub_root(env))
        self.offline = no_network or offline(env)
        self.fast = wants_hf_transfer(env)

    def model(self, name: HubName, file: str = "", only_fetch: bool = False) -> Path:
        """The (first) file of a model of the hub.

        One whose architecture cannot be run is refused before it is fetched; only_fetch: it is fetched all the same.
        """
        listing = self._listing(name)
        if listing is None:
            return self._cached(name, lambda paths: choose(name, paths, file))
        wanted = choose(name, listing.paths, file)
        if not _runs(listing.architecture):
            problem = f"{name} has the architecture '{listing.architecture[:60]}', which is not supported yet"
            if not only_fetch:
                raise LlamaspecError(problem, "choose another model; `llamaspec pull` downloads it all the same")
            self.watch.say(problem)
        first = self._fetched(listing, wanted)
        self._remarks(listing, wanted)
        return first

    def draft(self, name: HubName, target_repo: str) -> Path:
        """The (first) file that -hfd means."""
        listing = self._listing(name)
        if listing is None:
            return self._cached(name, lambda paths: choose_draft(name, paths, target_repo))
        return self._fetched(listing, choose_draft(name, listing.paths, target_repo))

    def _listing(self, name: HubName) -> Listing | None:
        """What the hub says; None = use the cache, because of --offline, or because the hub cannot be asked."""
        if self.offline:
            return None
        try:
            return self.hub.list(name.repo)
        except LlamaspecError as error:
            if not self.cache.snapshots(name.repo):
                raise
            self.watch.say(f"{error.message}; using what is downloaded already")
            return None

    def _cached(self, name: HubName, chosen: Callable[[list[str]], list[str]]) -> Path:
        """The newest cached answer to a request."""
        problem: LlamaspecError | None = None
        for commit in self.cache.snapshots(name.repo):
            try:
                wanted = chosen(self.cache.paths(name.repo, commit))
            except LlamaspecError as error:
                problem = problem or error
                continue
            return self.cache.file(name.repo, commit, wanted[0])
        hint = "leave --offline out to download it" if self.offline else "check the network"
        detail = f": {problem.message}, {problem.hint}" if problem is not None and problem.hint else ""
        raise LlamaspecError(f"{name} is not in the cache {self.cache.root}{detail}", hint)

    def _fetched(self, listing: Listing, wanted: list[str]) -> Path:
        """Fetches what is not there yet, all parts before any of them is shown."""
        repo, commit = listing.repo, listing.commit
        files = [listing.file(path) for path in wanted]
        places = [self.cache.file(repo, commit, path) for path in wanted]  # refuses names that lead elsewhere
        names = [file.oid or f"unhashed-{commit[:12]}-{place.name}" for file, place in zip(files, places, strict=True)]
        blobs = [self.cache.blob(repo, blob) for blob in names]
        missing = [
            (file, blob) for file, blob, place in zip(files, blobs, places, strict=True)
            if not blob.exists() and not place.exists()
        ]  # fmt: skip
        require_space(self.cache.root, sum(max(file.size, 0) for file, _ in missing))
        for file, blob in missing:
            fetch(self.hub.remote(listing, file.path), blob, self.watch, fast=self.fast, check=is_gguf)
        for path, blob, place in zip(wanted, blobs, places, strict=True):
            if not place.exists():
                self.cache.link(repo, commit, path, blob.name)
        self.cache.remember(repo, commit)
        return places[0]

    def _remarks(self, listing: Listing, wanted: list[str]) -> None:
        """What else the repository has for this model."""
        if head := companion(listing.paths, wanted):
            size = listing.file(head).size
            built = shelf.names("drafting.types")
            kind = next((name for name in ("mtp", "eagle3", "dflash", "dspark") if f"{name}-" in head.lower()), "")
            usable = not is_head(head) or f"draft_{kind}" in built
            how = f"add -hfd {listing.repo} to speculate with it" if usable else "this version cannot use it yet"
            what = "a draft head" if is_head(head) else "a draft model"
            self.watch.say(f"{listing.repo} also has {what}, {head}{f' ({sized(size)})' if size > 0 else ''}: {how}")
        if any(is_projector(path) for path in listing.paths):
            self.watch.say(
                "the model can also read images; its image projector is not downloaded, only text is supported"
            )

    # -- plain addresses ----------------------------------------------------------------------------------------------

    def url(self, url: str) -> Path:
        """The (first) file of --model-url, fetched with its other parts unless the server still has the same one."""
        url = self._raw(url)
        split = urlsplit(url)
        name = unquote(split.path).rsplit("/", 1)[-1]
        if not name or name in (".", "..") or "\0" in name:
            raise UsageError(f"'{url[:80]}' names no file", "give the address of a GGUF file")
        folder = url_root(self.env)
        base = split.path.rsplit("/", 1)[0]
        for part in parts(name):
            self._one(split._replace(path=f"{base}/{quote(part)}").geturl(), folder / part)
        return folder / name

    def _raw(self, url: str) -> str:
        """The file behind a page of the hub."""
        if url.startswith(self.hub.endpoint + "/") and "/blob/" in url:
            return url.replace("/blob/", "/resolve/", 1)
        return url

    def _one(self, url: str, target: Path) -> None:
        sidecar = target.with_name(target.name + ".etag")
        if self.offline:
            if not target.exists():
                raise LlamaspecError(f"{target} is not downloaded", "leave --offline out to download it")
            return
        own = url.startswith(self.hub.endpoint + "/")
        headers = self.hub.headers if own else {}
        now = ""
        if target.exists():
            now, known = self._etag(url, headers, target.name), _text(sidecar)
            if not now or not known or now == known:
                return
            self.watch.say(f"{target.name} has changed on the server; downloading it again")
        # A newer file is fetched beside the old one, under a name of its own content, and takes its place at the end.
        mark = hashlib.sha256(f"{url} {now}".encode()).hexdigest()[:12]
        place = target.with_name(f"{target.name}.{mark}") if target.exists() else target
        etag = fetch(Remote(url, target.name, headers=headers), place, self.watch, check=is_gguf) or now
        if place != target:
            os.replace(place, target)
        if etag:
            fresh = sidecar.with_name(f"{sidecar.name}.{os.getpid()}")
            fresh.write_text(etag, encoding="utf-8")
            os.replace(fresh, sidecar)

    def _etag(self, url: str, headers: Mapping[str, str], name: str) -> str:
        """What the server calls the file's version now; "" if it does not say."""
        try:
            with open_url(url, headers, "HEAD") as reply:
                return (reply.headers.get("ETag") or "").strip()
        except (OSError, HTTPException, ValueError) as error:
            why = explained(error, url, name).message
            self.watch.say(f"cannot ask whether {name} has changed ({why}); using the one here")
            return ""


def _runs(architecture: str) -> bool:
    """Whether a model of this architecture can be run; one that the hub does not name may be."""
    return not architecture or architecture.replace("-", "_").lower() in shelf.names("models")


def _text(path: Path) -> str:
    """What a small file says; "" if it cannot be read."""
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return ""


def is_gguf(path: Path) -> None:
    """Raises LlamaspecError for data that do not begin as a GGUF file does: a login page, an error text."""
    with open(path, "rb") as file:
        start = file.read(4)
    if start != b"GGUF":
        raise LlamaspecError(
            f"what the server sent is not a GGUF file: it begins with {start!r}",
            "check the address; a network with a login page may answer for the server",
        )
