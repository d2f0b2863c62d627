"""A GGUF model as it lies on disk: one mapped file, or the parts of a split one."""

import mmap
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ..errors import LlamaspecError
from .header import Header, TensorInfo, read_header, shown
from .metadata import Metadata
from .types import TYPES, BlockType

__all__ = ["TYPES", "BlockType", "GGUFFile", "TensorInfo"]

_PART = re.compile(r"(?s)(?P<stem>.*)-(?P<no>\d{5})-of-(?P<count>\d{5})\.gguf")


class GGUFFile:
    """A GGUF file, or the first part of a split one, opened, checked, and mapped read-only.

    path: what was given; files: all parts; metadata: that of the first part; tensors: name -> TensorInfo over all
    parts; size: bytes of all parts. No tensor is read before it is asked for. A file without tensors (a vocabulary) is
    fine here; who needs a tensor finds it missing. Raises LlamaspecError for anything that is not a sound model file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._maps: list[mmap.mmap] = []
        try:
            first = self._open(self.path)
            self.metadata = Metadata(first.values, str(self.path))
            self.tensors = {info.name: info for info in first.tensors}
            self.files = (self.path, *self._siblings())
            for part, file in enumerate(self.files[1:], start=1):
                self._join(file, part)
            self._check_total()
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """Bytes of all parts together."""
        return sum(len(data) for data in self._maps)

    def bytes(self, name: str) -> np.ndarray:
        """The packed bytes of a tensor -> [n_bytes] uint8, read-only, a view of the mapping.

        Raises LlamaspecError when there is no such tensor.
        """
        info = self.info(name)
        return np.frombuffer(self._maps[info.file], np.uint8, info.n_bytes, info.offset)

    def info(self, name: str) -> TensorInfo:
        """Where and what a tensor is; raises LlamaspecError when it is missing."""
        if name not in self.tensors:
            raise LlamaspecError(
                f"{self.path}: tensor '{name}' is missing",
                "the file holds a vocabulary only; give a model file"
                if not self.tensors
                else "the file is incomplete, or of another kind than its general.architecture says",
            )
        return self.tensors[name]

    def close(self) -> None:
        """Unmaps the files; a mapping that tensors still look into goes with the last of them."""
        for data in self._maps:
            with suppress(BufferError):
                data.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, path: Path) -> Header:
        data = _mapped(path)
        self._maps.append(data)
        return read_header(data, path, len(self._maps) - 1)

    def _siblings(self) -> list[Path]:
        """The other parts, by the name pattern that llama.cpp's gguf-split writes."""
        count = self.metadata.int("split.count", 1)
        if count <= 1:
            return []
        part = self.metadata.int("split.no", 0) + 1
        named = _PART.fullmatch(self.path.name)
        if part != 1:
            first = f"{named['stem']}-00001-of-{count:05d}.gguf" if named else "the file that ends in -00001-of-..."
            raise LlamaspecError(
                f"{self.path}: this is part {part} of {count} of a split model", f"give part 1: {first}"
            )
        if not named or int(named["no"]) != 1 or int(named["count"]) != count:
            raise LlamaspecError(
                f"{self.path}: the first of {count} parts must be called NAME-00001-of-{count:05d}.gguf",
                "give the parts their original names, or merge them with llama-gguf-split --merge",
            )
        return [self.path.with_name(f"{named['stem']}-{n:05d}-of-{count:05d}.gguf") for n in range(2, count + 1)]

    def _join(self, path: Path, part: int) -> None:
        """Adds the tensors of a later part after checking that it is the part that its name says."""
        if not path.exists():
            raise LlamaspecError(
                f"{path}: part {part + 1} of {len(self.files)} is missing", f"put it beside {self.path.name}"
            )
        header = self._open(path)
        told = Metadata(header.values, str(path))
        count = told.int("split.count", len(self.files))
        if (told.int("split.no"), count) != (part, len(self.files)):
            raise LlamaspecError(
                f"{path}: holds part {told.int('split.no') + 1} of {count}, not part {part + 1} of {len(self.files)}",
                "give the parts their original names",
            )
        for info in header.tensors:
            if info.name in self.tensors:
                raise LlamaspecError(
                    f"{path}: tensor {shown(info.name)} is in an earlier part too",
                    "fetch the parts again, all of one model",
                )
            self.tensors[info.name] = info

    def _check_total(self) -> None:
        total = self.metadata.int("split.tensors.count", len(self.tensors), low=-1)
        if len(self.files) > 1 and total != len(self.tensors):
            raise LlamaspecError(
                f"{self.path}: {total:,} tensors announced, {len(self.tensors):,} in {len(self.files)} parts",
                "fetch the parts again, all of one model",
            )


def _mapped(path: Path) -> mmap.mmap:
    """A whole regular file, mapped read-only."""
    try:
        # Asked before opening: a pipe would block, and a device has no end.
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise LlamaspecError(f"{path}: is a folder", "give the .gguf file inside it")
        if not stat.S_ISREG(mode):
            raise LlamaspecError(f"{path}: is no regular file (a pipe or a device)", "save the model to a file first")
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise LlamaspecError(f"{path}: the file is empty", "its download failed; fetch it again")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise LlamaspecError(f"{path}: no such file", "check the path given with -m") from None
    except PermissionError:
        raise LlamaspecError(f"{path}: permission denied", "check who may read the file and its folder") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise LlamaspecError(f"{shown(path)}: cannot be read: {why}", "check the path and the disk") from None
