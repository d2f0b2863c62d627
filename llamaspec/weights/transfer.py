"""One file over HTTP: continued after a cut, checked against its size and SHA-256, published whole."""

import hashlib
import http.client
import importlib.util
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import LlamaspecError
from .faults import explained, is_passing
from .part import Part, require_space

CHUNK = 1 << 20
TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as cut."""
ATTEMPTS = 5
"""Cuts in a row, without a byte gained between them, after which a download fails."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries at most."""
AGENT = "llamaspec"


class Watch(Protocol):
    """Who is told how a download goes. Sizes are bytes; total is None when the server does not say."""

    def begin(self, name: str, done: int, total: int | None) -> None:
        """A file starts, or starts again, with so much of it here."""
        ...

    def advance(self, count: int) -> None:
        """So many more bytes are here."""
        ...

    def end(self) -> None:
        """The file is complete."""
        ...

    def say(self, line: str) -> None:
        """Something worth a line."""
        ...


@dataclass(frozen=True)
class Remote:
    """Where a file is. name: for messages. size: bytes, -1 = unknown. sha256: hexadecimal, "" = unknown.

    headers: sent to the URL's own host only, never to one that it redirects to (they may carry a token).
    """

    url: str
    name: str
    size: int = -1
    sha256: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class _Cut(Exception):
    """The reply ended too early, or nothing came for too long; another try may help."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; a token stays with the host that it was meant for."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.HTTPError(newurl, code, "redirect to something that is not HTTP", headers, fp)
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            made.remove_header("Authorization")
        return made


def open_url(url: str, headers: Mapping[str, str], method: str = "GET") -> Any:
    """An open reply; a context manager. Raises OSError, http.client.HTTPException or ValueError."""
    opener = urllib.request.build_opener(_Redirects, urllib.request.HTTPSHandler(context=_certificates()))
    asked = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
    return opener.open(urllib.request.Request(url, headers=asked, method=method), timeout=TIMEOUT)


@cache
def _certificates() -> ssl.SSLContext:
    """The system's certificates (SSL_CERT_FILE names others), and certifi's where it is installed."""
    context = ssl.create_default_context()
    with suppress(ImportError, OSError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def fetch(
    remote: Remote,
    target: Path,
    watch: Watch,
    *,
    fast: bool = False,
    check: Callable[[Path], None] = lambda path: None,
) -> str:
    """Makes the target file appear, unless it is there; returns the ETag of the reply ("" = none or not asked).

    fast: try hf_transfer first. check: raises LlamaspecError for content that is not what it should be; it gets the
    complete part file. Raises LlamaspecError with one line and a hint for whatever goes wrong.
    """
    with Part(target, lambda: watch.say(f"another process is downloading {remote.name}; waiting for it")) as part:
        if part.file is None:
            return ""
        return _Transfer(remote, part, watch).run(fast, check)


class _Transfer:
    """One download into one part."""

    def __init__(self, remote: Remote, part: Part, watch: Watch) -> None:
        self.remote, self.part, self.watch = remote, part, watch
        self.size = remote.size
        self.resumed = part.size > 0
        self.digest: Any = None
        self.etag = ""

    def run(self, fast: bool, check: Callable[[Path], None]) -> str:
        """Until it is complete and right; a continued file that turns out wrong is fetched once more from its start."""
        if self.size >= 0:
            require_space(self.part.target.parent, self.size - self.part.size)
        while True:
            if not (fast and self._fast()):
                self._whole()
            problem = self._problem(check)
            if problem is None:
                break
            self.part.restart()
            if not self.resumed:
                self.part.discard()
                raise problem
            self.watch.say(f"{self.remote.name}: the continued download is damaged, it starts again")
            self.resumed = fast = False
        self.watch.end()
        self.part.publish()
        return self.etag

    def _problem(self, check: Callable[[Path], None]) -> LlamaspecError | None:
        if self.remote.sha256:
            found = (self.digest or self._hash()).hexdigest()
            if found != self.remote.sha256.lower():
                return LlamaspecError(
                    f"{self.remote.name}: the downloaded data have the SHA-256 {found[:12]}…, expected "
                    f"{self.remote.sha256[:12]}…",
                    "nothing was kept; try again, and if it happens again the server or a proxy changes the data",
                )
        try:
            check(self.part.data)
        except LlamaspecError as error:
            return error
        return None

    def _hash(self) -> Any:
        digest = hashlib.sha256()
        with open(self.part.data, "rb") as file:
            while data := file.read(CHUNK):
                digest.update(data)
        return digest

    def _whole(self) -> None:
        """Receives until all is here; gives up after several tries that brought nothing."""
        failures = 0
        while True:
            before = self.part.size
            try:
                self._receive()
                return
            except (_Cut, OSError, http.client.HTTPException) as error:
                failures = 1 if self.part.size > before else failures + 1
                wait = is_passing(error) if not isinstance(error, _Cut) else 0.0
                if wait is None or failures >= ATTEMPTS:
                    raise self._given_up(error) from None
                time.sleep(min(max(wait, 0.5 * 2**failures), LONGEST_PAUSE))

    def _given_up(self, error: Exception) -> LlamaspecError:
        if isinstance(error, _Cut):
            return LlamaspecError(
                f"{self.remote.name}: {error}, {ATTEMPTS} times in a row", "start the command again: it continues"
            )
        return explained(error, self.remote.url, self.remote.name)

    def _receive(self) -> None:
        """One request, from where the part ends."""
        start = self.part.size
        validator = self.part.validator
        if start and not (self.remote.sha256 or validator):
            start = 0
        headers = dict(self.remote.headers)
        if start:
            headers["Range"] = f"bytes={start}-"
            if validator:
                headers["If-Range"] = validator
        if start and start == self.size:
            self.watch.begin(self.remote.name, start, self.size)
            self.digest = None
            return
        try:
            reply = open_url(self.remote.url, headers)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and start:
                self.part.restart()
                raise _Cut("the server does not continue the file") from None
            raise
        with closing(reply):
            self._store(reply, start, validator)

    def _store(self, reply: Any, start: int, validator: str) -> None:
        if reply.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
            raise LlamaspecError(f"{self.remote.name}: the server sends the file compressed", "try another network")
        self.etag = (reply.headers.get("ETag") or "").strip()
        if start and not self._continues(reply, start, validator):
            self.part.restart()
            if reply.status == 206:
                raise _Cut("the server does not continue the file")
            start = 0
        if not start:
            self.part.restart("" if self.etag.startswith("W/") else self.etag)
            self.digest = hashlib.sha256()
        else:
            self.resumed = True
            self.digest = self._hash()
        announced = _length(reply)
        if announced is not None and 0 <= self.size != start + announced:
            raise LlamaspecError(
                f"{self.remote.name}: the server offers {start + announced:,} bytes, {self.size:,} were announced",
                "the repository may be changing: try again later",
            )
        if announced is not None and self.size < 0:
            self.size = start + announced
            require_space(self.part.target.parent, announced)
        self.watch.begin(self.remote.name, start, self.size if self.size >= 0 else None)
        self._copy(reply)
        if 0 <= self.size != self.part.size:
            raise _Cut(f"the connection ended after {self.part.size:,} of {self.size:,} bytes")

    def _copy(self, reply: Any) -> None:
        while True:
            try:
                data = reply.read1(CHUNK)
            except http.client.IncompleteRead as cut:
                data = cut.partial
                self._keep(data)
                raise _Cut(f"the connection ended after {self.part.size:,} bytes") from None
            if not data:
                return
            self._keep(data)

    def _keep(self, data: bytes) -> None:
        if 0 <= self.size < self.part.size + len(data):
            self.part.restart()
            raise LlamaspecError(f"{self.remote.name}: the server sends more than it announced", "try again later")
        self.part.append(data)
        self.digest.update(data)
        self.watch.advance(len(data))

    def _continues(self, reply: Any, start: int, validator: str) -> bool:
        """Whether a reply is the rest that was asked for, of the same file."""
        if reply.status != 206 or (validator and self.etag and self.etag != validator):
            return False
        match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", reply.headers.get("Content-Range", ""))
        return match is not None and int(match[1]) == start and (self.size < 0 or match[3] in ("*", str(self.size)))

    def _fast(self) -> bool:
        """hf_transfer's parallel download; False if it is not installed, cannot be used here, or failed."""
        if self.size <= 0 or self.part.size > 0:
            return False
        if importlib.util.find_spec("hf_transfer") is None:
            self.watch.say("HF_HUB_ENABLE_HF_TRANSFER is set, but hf_transfer is not installed")
            return False
        from .fast import download

        assert self.part.file is not None
        headers = {"User-Agent": AGENT, **self.remote.headers}
        self.watch.begin(self.remote.name, 0, self.size)
        place = self.part.beside
        failed = download(self.remote.url, place, headers, self.watch.advance, self.part.file.fileno())
        if failed or not place.exists() or place.stat().st_size != self.size:
            place.unlink(missing_ok=True)
            self.watch.say(f"hf_transfer failed ({failed or 'wrong size'}); downloading without it")
            return False
        self.part.whole = place
        self.digest = None
        return True


def _length(reply: Any) -> int | None:
    """Bytes that the reply announces for its body; None = it does not."""
    text = reply.headers.get("Content-Length") or ""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
