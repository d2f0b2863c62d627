"""One file over HTTP: cuts, lies, resuming, and nothing under the final name that is not right."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.weights import part as parts
from llamaspec.weights import transfer
from llamaspec.weights.cache import PART
from llamaspec.weights.transfer import Remote, fetch

from .fake_hub import gguf

DATA = gguf("weights", 50_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def get(hub, watch, tmp_path, monkeypatch):
    """get(faults, **remote) -> the target's bytes; pauses take no time."""
    monkeypatch.setattr(transfer, "LONGEST_PAUSE", 0)
    hub.files["/f.gguf"] = DATA
    hub.etags["/f.gguf"] = '"v1"'
    target = tmp_path / "deep" / "f.gguf"

    def run(*faults, fast=False, **words):
        hub.faults["/f.gguf"] = list(faults)
        remote = Remote(f"{hub.url}/f.gguf", "f.gguf", **{"size": len(DATA), "sha256": SHA, **words})
        fetch(remote, target, watch, fast=fast)
        return target.read_bytes()

    run.target = target
    run.part = target.with_name("f.gguf" + PART)
    return run


def ranges(hub):
    return [headers.get("Range") for method, _, headers in hub.asked if method == "GET"]


def nothing_left(get):
    assert not get.target.exists()
    assert not get.part.exists()


def test_a_file_arrives_whole_and_alone(get, watch):
    assert get() == DATA
    assert [path.name for path in get.target.parent.iterdir()] == ["f.gguf"]
    assert (watch.begun, watch.bytes, watch.ended) == ([("f.gguf", 0, len(DATA))], len(DATA), 1)


def test_a_file_that_is_there_is_not_asked_for(get, hub):
    get()
    hub.asked.clear()
    assert get() == DATA
    assert hub.asked == []


def test_cuts_are_continued_where_they_happened(get, hub):
    assert get("cut 20000", "cut 10000") == DATA
    assert ranges(hub) == [None, "bytes=20000-", "bytes=30000-"]
    assert all(headers["If-Range"] == '"v1"' for _, _, headers in hub.asked[1:])


def test_a_stalled_connection_counts_as_cut(get, hub, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.3)
    assert get("stall") == DATA
    assert ranges(hub) == [None, "bytes=100-"]


def test_a_slow_server_is_waited_for(get):
    assert get("slow") == DATA


@pytest.mark.parametrize("fault", ["whole", "elsewhere"])
def test_a_server_that_does_not_continue_starts_again(get, hub, fault):
    assert get("cut 20000", fault) == DATA


def test_a_file_that_changed_meanwhile_starts_again(get, hub, watch):
    with pytest.raises(LlamaspecError):
        get(*["cut 20000", *["cut 0"] * 9])
    newer = gguf("newer", 50_000)
    hub.files["/f.gguf"], hub.etags["/f.gguf"] = newer, '"v2"'
    assert get(sha256=hashlib.sha256(newer).hexdigest()) == newer


def test_a_part_without_a_validator_or_a_hash_is_not_trusted(get, hub):
    hub.etags["/f.gguf"] = 'W/"weak"'
    assert get("cut 20000", sha256="") == DATA
    assert ranges(hub) == [None, None]


def test_a_damaged_part_is_noticed_and_fetched_anew(get, watch):
    with pytest.raises(LlamaspecError, match="connection ended"):
        get("cut 20000", *["cut 0"] * 9)
    with open(get.part, "r+b") as file:
        file.write(b"rubbish")
    assert get() == DATA
    assert "damaged" in watch.lines[0]


def test_a_part_longer_than_the_file_is_given_up(get):
    get.target.parent.mkdir()
    get.part.write_bytes(b"x" * (len(DATA) + 1))
    assert get() == DATA


def test_a_complete_part_needs_no_request(get, hub):
    get.target.parent.mkdir()
    get.part.write_bytes(DATA)
    assert get() == DATA
    assert hub.asked == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [("wrong", "SHA-256"), ("short", "were announced"), ("gzip", "compressed"), ("login", "were announced")],
)
def test_lies_are_refused(get, fault, message):
    with pytest.raises(LlamaspecError, match=message):
        get(*[fault] * 9)
    assert not get.target.exists()


def test_a_wrong_hash_leaves_nothing(get):
    with pytest.raises(LlamaspecError, match="SHA-256"):
        get("wrong")
    nothing_left(get)


def test_a_server_that_never_sends_enough_is_given_up_and_can_be_continued(get, hub):
    with pytest.raises(LlamaspecError, match="5 times in a row") as raised:
        get("cut 100", *["cut 0"] * 20)
    assert "continues" in raised.value.hint
    assert get() == DATA
    assert ranges(hub)[-1] == "bytes=100-"


def test_without_announced_size_the_servers_own_counts(get):
    assert get("cut 20000", size=-1, sha256="") == DATA


@pytest.mark.parametrize("code", [500, 502, 503, 408, 429])
def test_passing_failures_are_tried_again(get, code):
    assert get(f"status {code}", f"status {code}") == DATA


def test_a_long_wait_is_not_waited(get):
    with pytest.raises(LlamaspecError, match="429") as raised:
        get("status 429 Retry-After=3000")
    assert "3000 seconds" in raised.value.hint


@pytest.mark.parametrize(("code", "said"), [(401, "does not exist"), (403, "gated"), (404, "no such"), (410, "410")])
def test_lasting_failures_are_not(get, hub, code, said):
    with pytest.raises(LlamaspecError, match=said):
        get(f"status {code}")
    assert len(hub.asked) == 1


def test_no_space_is_refused_before_the_first_request(get, hub, monkeypatch):
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda folder: SimpleNamespace(free=49_999))
    with pytest.raises(LlamaspecError, match=r"48\.8 KiB are needed, 48\.8 KiB are free"):
        get()
    assert hub.asked == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fills_up_is_said_in_a_line(get, monkeypatch, code):
    def full(self, data):
        raise parts.unwritable(self.target.parent, OSError(code, os.strerror(code)))

    monkeypatch.setattr(parts.Part, "append", full)
    with pytest.raises(LlamaspecError, match="is full" if code != errno.EIO else "cannot write"):
        get()
    assert not get.target.exists()


def test_append_reports_a_full_disk(tmp_path):
    with parts.Part(tmp_path / "x") as part:
        part.file.close()
        part.file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115
        with pytest.raises(LlamaspecError, match="is full"):
            part.append(b"data")


def test_a_folder_that_cannot_be_made(tmp_path, watch):
    (tmp_path / "file").write_text("")
    with pytest.raises(LlamaspecError, match="cannot write in") as raised:
        fetch(Remote("http://127.0.0.1:1/x", "x"), tmp_path / "file" / "x", watch)
    assert "LLAMA_CACHE" in raised.value.hint


def test_nobody_listens_and_nobody_answers(tmp_path, watch, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(LlamaspecError, match=r"connection to 127\.0\.0\.1 for x failed: Connection refused"):
        fetch(Remote("http://127.0.0.1:9/x", "x"), tmp_path / "x", watch)
    with pytest.raises(LlamaspecError, match=r"address of no-such-host\.invalid cannot be found \(DNS\)"):
        fetch(Remote("http://no-such-host.invalid/x", "x"), tmp_path / "x", watch)


def test_a_dead_proxy_is_named_without_its_password(tmp_path, watch, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://user:secret@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(LlamaspecError, match=r"the proxy 127\.0\.0\.1:9 cannot be used for example\.invalid") as raised:
        fetch(Remote("http://example.invalid/x", "x"), tmp_path / "x", watch)
    assert "secret" not in raised.value.message + raised.value.hint


def test_hf_transfer_is_used_when_asked_for(get, hub, watch):
    pytest.importorskip("hf_transfer")
    assert get(fast=True) == DATA
    assert watch.bytes == len(DATA)
    assert any(wanted and wanted.startswith("bytes=0-") for wanted in ranges(hub))


def test_hf_transfer_that_fails_is_replaced(get, watch):
    pytest.importorskip("hf_transfer")
    assert get("status 404", fast=True) == DATA
    assert "downloading without it" in watch.lines[0]


SCRIPT = """
import sys
from pathlib import Path
from llamaspec.weights.transfer import Remote, fetch
from tests.weights.conftest import Watched
watch = Watched()
fetch(Remote(sys.argv[1], "f", int(sys.argv[3]), sys.argv[4]), Path(sys.argv[2]), watch)
print(watch.bytes, *watch.lines)
"""


def start(hub, target):
    words = [sys.executable, "-c", SCRIPT, f"{hub.url}/f.gguf", str(target), str(len(DATA)), SHA]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_processes_both_succeed_and_one_downloads(get, hub):
    hub.faults["/f.gguf"] = ["slow"]
    both = [start(hub, get.target) for _ in range(2)]
    said = sorted(process.communicate(timeout=60)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert get.target.read_bytes() == DATA
    assert said[0].startswith("0")
    assert said[1].startswith(str(len(DATA)))


def test_kill_9_leaves_a_part_that_the_next_run_continues(get, hub):
    hub.faults["/f.gguf"] = ["slow"]
    process = start(hub, get.target)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (get.part.exists() and get.part.stat().st_size > 5000):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not get.target.exists()
    assert get() == DATA
    assert ranges(hub)[-1] not in (None, "bytes=0-")
    assert [path.name for path in get.target.parent.iterdir()] == ["f.gguf"]


def test_a_file_system_without_locks_gets_parts_of_their_own(get, monkeypatch):
    def unsupported(file, how):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(parts.fcntl, "flock", unsupported)
    assert get() == DATA
    assert [path.name for path in get.target.parent.iterdir()] == ["f.gguf"]
