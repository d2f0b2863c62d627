"""The unfinished file of a download: one process writes it at a time, and it becomes the real file all at once."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..errors import LlamaspecError
from .cache import PART

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

POLL = 0.2
"""Seconds between looks at a file that another process is writing."""


class Part:
    """Data of a target file so far. Use as a context manager; `file` is None if another process finished the target.

    A part stays behind when its process dies and is continued by the next one. Where files cannot be locked every
    process has a part of its own, which nobody continues. waiting: called once when another process holds the part.
    """

    def __init__(self, target: Path, waiting: Callable[[], None] = lambda: None) -> None:
        self.target, self.waiting = target, waiting
        self.path = target.with_name(target.name + PART)
        self.file: BinaryIO | None = None
        self.whole: Path | None = None
        """A complete file that some other program has written; published in place of the part."""

    def __enter__(self) -> Self:
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self._lock()
        except OSError as error:
            raise unwritable(self.target.parent, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.file is not None:
            with suppress(OSError):
                self.file.close()
            self.file = None

    def _lock(self) -> None:
        told = False
        while not self.target.exists():
            # The file of this name may be another one once its lock is ours: its last holder may have published it.
            file = open(self.path, "r+b" if self.path.exists() else "w+b", buffering=0)  # noqa: SIM115
            try:
                if fcntl is None:
                    raise OSError
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                if not told:
                    self.waiting()
                told = True
                time.sleep(POLL)
                continue
            except OSError:
                file.close()
                if self.path.stat().st_size == 0:
                    self.path.unlink()
                self.path = self.target.with_name(f"{self.target.name}.{os.getpid()}{PART}")
                self.file = open(self.path, "w+b", buffering=0)  # noqa: SIM115
                return
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), os.stat(self.path)) and not self.target.exists():
                    self.file = file
                    return
            file.close()

    @property
    def size(self) -> int:
        """Bytes so far."""
        assert self.file is not None
        if self.whole is not None:
            return self.whole.stat().st_size
        return os.fstat(self.file.fileno()).st_size

    @property
    def data(self) -> Path:
        """The file with the data."""
        return self.whole or self.path

    @property
    def beside(self) -> Path:
        """A name for `whole`; what lies there belongs to whoever holds the part."""
        return self.path.with_name(self.path.name + "-fast")

    @property
    def validator(self) -> str:
        """The ETag of the reply that the data came from; "" = it has none that could be relied on."""
        with suppress(OSError, UnicodeDecodeError):
            return self._validator_path.read_text(encoding="utf-8").strip()
        return ""

    def restart(self, validator: str = "") -> None:
        """Forgets the data; what comes next is of this ETag."""
        assert self.file is not None
        self.whole = None
        self.beside.unlink(missing_ok=True)
        self.file.seek(0)
        self.file.truncate(0)
        if validator:
            self._validator_path.write_text(validator, encoding="utf-8")
        else:
            self._validator_path.unlink(missing_ok=True)

    def append(self, data: bytes) -> None:
        """Writes at the end. Raises LlamaspecError when the disk is full and the like."""
        assert self.file is not None
        try:
            self.file.seek(0, os.SEEK_END)
            rest = memoryview(data)
            while rest:
                rest = rest[self.file.write(rest) or 0 :]
        except OSError as error:
            raise unwritable(self.target.parent, error) from None

    def publish(self) -> None:
        """The data are complete: they get the target's name, on disk before they are seen."""
        assert self.file is not None
        try:
            with open(self.data, "rb") as data:
                os.fsync(data.fileno())
            os.replace(self.data, self.target)
            for path in (self.path, self._validator_path, self.beside):
                path.unlink(missing_ok=True)
            sync_folder(self.target.parent)
        except OSError as error:
            raise unwritable(self.target.parent, error) from None

    def discard(self) -> None:
        """Leaves nothing behind."""
        for path in (self.path, self._validator_path, self.beside):
            path.unlink(missing_ok=True)

    @property
    def _validator_path(self) -> Path:
        return self.path.with_name(self.path.name + ".etag")


def sync_folder(folder: Path) -> None:
    """Makes names durable where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def require_space(folder: Path, wanted: int) -> None:
    """Raises LlamaspecError when so many bytes do not fit on the disk of a folder, which need not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return
    if wanted > free:
        raise LlamaspecError(
            f"not enough disk space in {folder}: {sized(wanted)} are needed, {sized(free)} are free",
            "make room with `llamaspec rm`, or set LLAMA_CACHE to a folder on another disk",
        )


def unwritable(folder: Path, error: OSError) -> LlamaspecError:
    """What stopped a file from being written."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LlamaspecError(
            f"the disk of {folder} is full", "make room (`llamaspec rm` lists models) and start again: it continues"
        )
    return LlamaspecError(
        f"cannot write in {folder}: {error.strerror or error}", "set LLAMA_CACHE to a folder that you can write to"
    )


def sized(count: float) -> str:
    """Bytes for people.

    >>> sized(1536), sized(5 * 2**30)
    ('1.5 KiB', '5.0 GiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
