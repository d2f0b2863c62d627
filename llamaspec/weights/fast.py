"""hf_transfer's parallel download, in a process of its own: it holds Python's lock while it works, and hears no signal.

`python -m llamaspec.weights.fast` reads a JSON object from standard input (url, path, headers) and writes the bytes
that have arrived, a number per line.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

CHUNK = 10 << 20
FILES = 8
RETRIES = 5


def download(url: str, path: Path, headers: Mapping[str, str], advance: Callable[[int], None], keep_open: int) -> str:
    """Writes a whole file; returns "" or why it failed. advance: told the bytes of each piece.

    keep_open: a descriptor that the child inherits, so that a lock on it lasts as long as the child does.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "llamaspec.weights.fast"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, pass_fds=(keep_open,), start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    try:
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps({"url": url, "path": str(path), "headers": dict(headers)}))
            child.stdin.close()
        for line in child.stdout:
            if line.strip().isdigit():
                advance(int(line))
        said = child.stderr.read()
        return "" if child.wait() == 0 else (said.strip().splitlines() or ["it stopped"])[-1][:120]
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def main() -> int:
    """The child's side; 1 when it fails, with the reason on stderr."""
    asked = json.load(sys.stdin)

    def tell(count: int) -> None:
        sys.stdout.write(f"{count}\n")
        sys.stdout.flush()

    try:
        import hf_transfer

        hf_transfer.download(  # pyright: ignore[reportAttributeAccessIssue]
            asked["url"], asked["path"], max_files=FILES, chunk_size=CHUNK, parallel_failures=3, max_retries=RETRIES,
            headers=asked["headers"], callback=tell,
        )  # fmt: skip
    except Exception as error:
        sys.stderr.write(f"{error or type(error).__name__}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
