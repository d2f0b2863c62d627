"""A server on 127.0.0.1 that speaks what llamaspec asks of the Hugging Face hub, and misbehaves on demand."""

import hashlib
import json
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_" + "a" * 34


def gguf(text, size=4000):
    """Bytes that begin as a GGUF file does and differ by text."""
    return (b"GGUF" + text.encode() * size)[:size]


class FakeHub:
    """Repositories of files. faults: path of a request -> a list of what to do wrong, one per request, in order.

    A fault is a word and perhaps a number: "cut 100" closes after 100 bytes of the body, "status 503", "wrong" sends
    other bytes, "whole" ignores Range, "elsewhere" answers a Range with another one, "short" announces too little,
    "long" too much, "stall" sends nothing for a second, "slow" trickles, "login" sends a page, "gzip" says so.
    """

    def __init__(self):
        self.repos, self.faults, self.asked = {}, {}, []
        self.blobs, self.gated, self.private, self.architecture = {}, set(), set(), {}
        self.lies, self.files, self.etags = {}, {}, {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.hub = self
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def add(self, repo, **files):
        """Files by name; "__" in a keyword stands for "." in the name, "/" may be given in a dict instead."""
        self.put(repo, {name.replace("__", "."): data for name, data in files.items()})

    def put(self, repo, files):
        self.repos[repo] = files
        for data in files.values():
            self.blobs[hashlib.sha256(data).hexdigest()] = data

    def gets(self, part=""):
        """Paths of the GET requests that contain a text."""
        return [path for method, path, _ in self.asked if method == "GET" and part in path]

    def listing(self, repo):
        siblings = []
        for path, data in self.repos[repo].items():
            digest = hashlib.sha256(data).hexdigest()
            digest = self.lies.get(("sha256", path), digest)
            size = self.lies.get(("size", path), len(data))
            siblings.append(
                {"rfilename": path, "size": size, "blobId": "b" * 40,
                 "lfs": {"sha256": digest, "size": size, "pointerSize": 134}}
            )  # fmt: skip
        found = {"id": repo, "modelId": repo, "sha": self.lies.get(("sha", repo), COMMIT), "siblings": siblings}
        if repo in self.architecture:
            found["gguf"] = {"architecture": self.architecture[repo], "total": 1}
        return found


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection for a FakeHub."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        path = unquote(urlsplit(self.path).path)
        self.server.hub.asked.append(
            (self.command, path, {name.title(): value for name, value in self.headers.items()})
        )
        waiting = self.server.hub.faults.get(path) or self.server.hub.faults.get("*") or []
        fault = waiting.pop(0) if waiting else ""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._reply(path, fault)

    def _reply(self, path, fault):
        if fault.startswith("status"):
            _, code, *rest = fault.split()
            extra = dict(word.split("=") for word in rest)
            return self._send(int(code), b"{}", {"Content-Type": "application/json", **extra})
        if fault == "login":
            return self._send(200, b"<html>please log in</html>", {})
        if path.startswith("/api/models/"):
            return self._api(path.removeprefix("/api/models/"))
        if path.startswith("/cdn/"):
            return self._data(self.server.hub.blobs[path.removeprefix("/cdn/")], fault)
        if path in self.server.hub.files:
            return self._data(self.server.hub.files[path], fault, self.server.hub.etags.get(path))
        return self._resolve(path, fault)

    def _refused(self, repo):
        token = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repo not in self.server.hub.repos or (repo in self.server.hub.private and not token):
            self._send(404 if token else 401, b"{}", {"X-Error-Code": "RepoNotFound"})
            return True
        if repo in self.server.hub.gated:
            self._send(403 if token else 401, b"{}", {"X-Error-Code": "GatedRepo"})
            return True
        return False

    def _api(self, repo):
        if not self._refused(repo):
            body = json.dumps(self.server.hub.listing(repo)).encode()
            self._send(200, self.server.hub.lies.get(("body", repo), body), {"Content-Type": "application/json"})

    def _resolve(self, path, fault):
        repo, _, rest = path.strip("/").partition("/resolve/")
        commit, _, name = rest.partition("/")
        if self._refused(repo):
            return None
        if name not in self.server.hub.repos[repo] or commit != COMMIT:
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        digest = hashlib.sha256(self.server.hub.repos[repo][name]).hexdigest()
        place = f"http://localhost:{self.server.hub.port}/cdn/{digest}"
        return self._send(302, b"", {"Location": place, "X-Linked-Etag": f'"{digest}"'})

    def _data(self, data, fault, etag=None):
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"' if etag is None else etag
        status, start, wanted = 200, 0, self.headers.get("Range")
        if wanted and fault != "whole" and self.headers.get("If-Range", etag) == etag:
            start = int(wanted.removeprefix("bytes=").split("-")[0])
            status = 206
            stop = wanted.removeprefix("bytes=").split("-")[1]
            body = data[start : int(stop) + 1 if stop else None]
        else:
            body = data
        headers = {"ETag": etag} if etag else {}
        if status == 206:
            if start >= len(data):
                return self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            shown = 0 if fault == "elsewhere" else start
            headers["Content-Range"] = f"bytes {shown}-{start + len(body) - 1}/{len(data)}"
        if fault == "gzip":
            headers["Content-Encoding"] = "gzip"
        if fault == "wrong":
            body = body[:-1] + b"?"
        length = len(body) + {"short": -10, "long": 10}.get(fault, 0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return None
        self._body(body[:length] if fault == "short" else body, fault)
        return None

    def _body(self, body, fault):
        word, _, number = fault.partition(" ")
        if word == "cut":
            self.wfile.write(body[: int(number)])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.close_connection = True
        elif word == "stall":
            self.wfile.write(body[:100])
            self.wfile.flush()
            time.sleep(1)
            self.connection.shutdown(socket.SHUT_WR)
            self.close_connection = True
        elif word == "slow":
            for at in range(0, len(body), max(len(body) // 20, 1)):
                self.wfile.write(body[at : at + max(len(body) // 20, 1)])
                time.sleep(0.02)
        else:
            self.wfile.write(body)
            if word == "long":
                self.close_connection = True

    def _send(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
