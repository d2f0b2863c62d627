"""What can go wrong on the way to a server, as one line that says what and one that says what to do."""

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ..errors import LlamaspecError

TOKENS = "https://huggingface.co/settings/tokens"


def explained(error: BaseException, url: str, name: str, *, token: bool = False) -> LlamaspecError:
    """An error of urllib, http.client, huggingface_hub or its HTTP library, explained. token: whether one was sent."""
    status, headers = _reply(error)
    if status:
        return _status(status, headers, url, name, token)
    return _connection(error, url, name)


def is_passing(error: BaseException) -> float | None:
    """Seconds after which another try may succeed (0 = soon); None = it will fail again."""
    status, headers = _reply(error)
    if status == 429 or status == 503:
        asked = headers.get("Retry-After", "")
        wait = float(asked) if re.fullmatch(r"[0-9]{1,4}", asked or "") else 0.0
        return wait if wait <= 60 else None
    if status:
        return 0.0 if status >= 500 or status == 408 else None
    kinds = [*_causes(error)]
    if any(
        isinstance(cause, socket.gaierror | ssl.SSLCertVerificationError | ConnectionRefusedError) for cause in kinds
    ):
        return None
    return 0.0 if isinstance(error, OSError | http.client.HTTPException) else None


def _reply(error: BaseException) -> tuple[int, Any]:
    """Status and headers of the reply that the error is about; 0 if none came."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code, error.headers or {}
    reply = getattr(error, "response", None)
    status = getattr(reply, "status_code", 0)
    return (status, getattr(reply, "headers", {})) if isinstance(status, int) else (0, {})


def _status(status: int, headers: Any, url: str, name: str, token: bool) -> LlamaspecError:
    host = urlsplit(url).hostname or url
    code = headers.get("X-Error-Code") or ""
    page = f"https://huggingface.co/{name.split(':')[0]}"
    if code == "GatedRepo" or (status == 403 and code != "DisabledRepo"):
        cure = f"accept its conditions at {page}" + ("" if token else f" and set HF_TOKEN to a token from {TOKENS}")
        return LlamaspecError(f"{name} is gated or private: {host} refuses access ({status})", cure)
    if status == 401:
        if token:
            return LlamaspecError(f"{host} does not accept the token for {name} (401)", f"make a new one at {TOKENS}")
        return LlamaspecError(
            f"{name} does not exist, or is private or gated (401)",
            f"check the name; for a private or gated model set HF_TOKEN to a token from {TOKENS}",
        )
    if status == 404:
        what = {"EntryNotFound": "file", "RevisionNotFound": "revision"}.get(code, "model repository or file")
        return LlamaspecError(f"{host} has no such {what}: {name} (404)", "check the spelling of user, model and file")
    if status == 429:
        wait = headers.get("Retry-After") or ""
        when = f"in {wait} seconds" if wait.isdigit() else "in a few minutes"
        more = "" if token else "; with HF_TOKEN set the limit is higher"
        return LlamaspecError(f"{host} has had too many requests from here (429)", f"try again {when}{more}")
    if status == 407:
        return LlamaspecError(
            "the proxy wants a name and a password (407)", "set HTTPS_PROXY=http://USER:PASSWORD@HOST"
        )
    if status >= 500:
        return LlamaspecError(f"{host} has a failure of its own ({status}) for {name}", "try again later")
    return LlamaspecError(f"{host} answered {status} for {name}", "check the address")


def _connection(error: BaseException, url: str, name: str) -> LlamaspecError:
    host = urlsplit(url).hostname or url
    chain = [*_causes(error)]
    proxy = _proxy(url)
    offline = "check the network; files that are downloaded already work with --offline"
    if proxy and (_about_proxy(chain) or any(isinstance(e, socket.gaierror | ConnectionRefusedError) for e in chain)):
        return LlamaspecError(
            f"the proxy {proxy} cannot be used for {host}: {_reason(chain)}",
            "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
        )
    if any(isinstance(cause, socket.gaierror) for cause in chain):
        return LlamaspecError(f"the address of {host} cannot be found (DNS)", offline)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in chain):
        return LlamaspecError(
            f"the certificate of {host} cannot be verified",
            "behind a company proxy set SSL_CERT_FILE to its certificate; otherwise do not trust the connection",
        )
    if any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in chain):
        return LlamaspecError(f"{host} does not answer in time", offline)
    return LlamaspecError(f"the connection to {host} for {name} failed: {_reason(chain)}", offline)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and whatever it came from, the outermost first."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), cause.__cause__, cause.__context__]


def _about_proxy(chain: list[BaseException]) -> bool:
    return any("proxy" in type(cause).__name__.lower() or "Tunnel connection failed" in str(cause) for cause in chain)


def _proxy(url: str) -> str:
    """Host and port of the proxy that the environment names for a URL, without its password; "" = none."""
    parts = urlsplit(url)
    found = urllib.request.getproxies().get(parts.scheme, "")
    if not found or urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    return urlsplit(found if "://" in found else f"http://{found}").netloc.rpartition("@")[2]


def _reason(chain: list[BaseException]) -> str:
    """The innermost reason, on one line."""
    texts = [getattr(cause, "strerror", None) or str(cause) for cause in chain]
    found = next((text for text in reversed(texts) if isinstance(text, str) and text), type(chain[0]).__name__)
    return found.splitlines()[0][:120]
