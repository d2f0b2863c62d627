"""How the package is built: the C++ files of the native kernels are compiled side by side (pyproject.toml)."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from setuptools import Extension
from setuptools.command.build_ext import build_ext


class BuildExt(build_ext):
    """setuptools compiles one file after the other, which leaves all cores but one idle for minutes."""

    def build_extension(self, ext: Extension) -> None:
        """As setuptools does, but for the number of compilers at work."""
        one_by_one = self.compiler.compile

        def side_by_side(sources: Sequence[str], *args: Any, **keywords: Any) -> list[str]:
            with ThreadPoolExecutor(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None) as pool:
                made = list(pool.map(lambda source: one_by_one([source], *args, **keywords), sources))
            return [path for paths in made for path in paths]

        self.compiler.compile = side_by_side
        try:
            super().build_extension(ext)
        finally:
            self.compiler.compile = one_by_one
