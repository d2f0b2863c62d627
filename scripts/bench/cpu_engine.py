"""llamaspec of any checkout as a measured engine (cpu_server.py): cpu_engine.py ROOT MODEL THREADS CONTEXT"""

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import cpu_server
from native_clock import NativeClock


def branch_type(package: Path) -> Any:
    """A slot's rows of one decode pass. Until 5e9a3e5 it had another place.

    The file is looked for, not the module: an editable install gives modules that a checkout lacks from another one.
    """
    new = (package / "network" / "runner.py").exists()
    return import_module("llamaspec.network.runner" if new else "llamaspec.models._passes").Branch


def arithmetic(root: Path) -> tuple[AbstractContextManager[Any], dict[str, int]]:
    """What a checkout's passes run in, and the memory of the library they stand on: its import is no part of a model's.

    Until f566ade that was torch, since then numpy.
    """
    if (root / "llamaspec" / "arrays.py").exists():
        import_module("numpy")
        return nullcontext(), cpu_server.memory()
    torch = import_module("torch")
    torch.set_num_threads(1)
    return torch.inference_mode(), cpu_server.memory()


class Engine:
    """A model on a context of so many tokens."""

    def __init__(self, model: Path, threads: int, context: int) -> None:
        import llamaspec

        self.context, self.branch = context, branch_type(Path(llamaspec.__file__).parent)
        self.runner = llamaspec.load(str(model), ctx_size=context + 1024, temp=0.0, threads=threads).target
        self.read(0)

    def read(self, known: int) -> None:
        """The context, of which the cache knows so many tokens."""
        for _ in self.runner.read(0, [cpu_server.token(i) for i in range(known, self.context)]):
            pass

    def decode(self, rows: int) -> None:
        """One pass; its logits are there when it returns."""
        tokens = [cpu_server.token(i) for i in range(rows)]
        if rows > cpu_server.PROMPT:
            for _ in self.runner.read(0, tokens[:-1]):
                pass
            self.runner.decode([self.branch(0, tokens[-1:])])
        else:
            self.runner.decode([self.branch(0, tokens, range(-1, rows - 2))])

    def timed(self, rows: int) -> float:
        """Seconds of a pass, which leaves nothing behind."""
        start = perf_counter()
        self.decode(rows)
        taken = perf_counter() - start
        if (known := self.runner.cache.truncate(0, self.context)) < self.context:
            self.read(known)  # a window or a recurrent state cannot always go back
        return taken

    def burst(self, rows: int, seconds: float) -> list[float]:
        """Seconds of each pass."""
        return cpu_server.burst(lambda: self.timed(rows), seconds)

    def python(self, rows: int, seconds: float) -> list[tuple[float, float]]:
        """Of each pass the seconds outside the native library, and all."""
        from llamaspec.kernels.native.library import library

        clock, inside = NativeClock(library()), []

        def one_pass() -> float:
            clock.reset()
            whole = self.timed(rows) - clock.calls * clock.cost
            inside.append(clock.seconds)
            return whole

        with clock.running():
            wholes = cpu_server.burst(one_pass, seconds)
        if not inside[-1]:
            raise SystemExit("no native function was called: its clock has to be told of another place")
        return [(whole - native, whole) for native, whole in zip(inside[1:], wholes, strict=True)]

    def cache_bytes(self) -> int:
        """Of the cache when it is full."""
        cache = self.runner.cache
        if hasattr(cache, "bytes"):
            return cache.bytes
        return sum(store.k.nbytes + store.v.nbytes for store in cache.stores)  # before 887f9e8


def load(
    root: Path, model: Path, threads: int, context: int, imported: dict[str, int]
) -> tuple[Engine, dict[str, Any]]:
    """An engine, and what it says of itself. imported: memory before llamaspec was."""
    import llamaspec
    from llamaspec.kernels import native

    program = cpu_server.memory()
    cpu_server.forget_peak()
    start = perf_counter()
    engine = Engine(model, threads, context)
    taken = perf_counter() - start
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    about = {
        "checkout": str(Path(llamaspec.__file__).parents[1]),
        "commit": subprocess.run(describe, capture_output=True, text=True).stdout.strip(),
        "isa": native.isa(),
        "memory": {"imported": imported, "program": program, "loaded": cpu_server.memory()},
        "load_s": round(taken, 2),
        "file_bytes": model.stat().st_size,
        "cache_bytes": engine.cache_bytes(),
    }
    return engine, about


def main() -> None:
    """The command line."""
    root, model, threads, context = sys.argv[1:]
    sys.path.insert(0, root)
    from llamaspec.errors import LlamaspecError

    computing, imported = arithmetic(Path(root))
    try:
        engine, about = load(Path(root), Path(model), int(threads), int(context), imported)
    except LlamaspecError as error:
        cpu_server.say({"error": str(error)})
        return
    commands: dict[str, Callable[[int, float], Any]] = {"burst": engine.burst, "python": engine.python}
    with computing:
        cpu_server.serve(about, commands)


if __name__ == "__main__":
    main()
