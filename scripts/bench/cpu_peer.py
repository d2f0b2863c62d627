"""llama.cpp as a measured engine (cpu_server.py), by llama-cpp-python: cpu_peer.py MODEL THREADS CONTEXT"""

import ctypes
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import cpu_server
import llama_cpp

IMPORTED = cpu_server.memory()
MOST = 512


class Peer:
    """A model on a context of so many tokens."""

    def __init__(self, model: Path, threads: int, context: int) -> None:
        llama_cpp.llama_backend_init()
        loaded = llama_cpp.llama_model_load_from_file(str(model).encode(), llama_cpp.llama_model_default_params())
        if not loaded:
            raise ValueError(f"llama.cpp cannot load {model}")
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context + 1024, MOST, MOST
        params.n_threads = params.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(loaded, params)
        self.memory = llama_cpp.llama_get_memory(self.context)
        self.batch = llama_cpp.llama_batch_init(MOST, 0, 1)
        self.held = context
        for first in range(0, context, MOST):
            self.decode(first, min(MOST, context - first), True)

    def decode(self, first: int, rows: int, last_only: bool) -> float:
        """Seconds of a pass, its logits included."""
        batch = self.batch
        batch.n_tokens = rows
        for i in range(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = cpu_server.token(i), first + i, 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = i == rows - 1 or not last_only
        start = perf_counter()
        if llama_cpp.llama_decode(self.context, batch):
            raise SystemExit("llama_decode failed")
        llama_cpp.llama_synchronize(self.context)
        row = llama_cpp.llama_get_logits_ith(self.context, rows - 1)
        ctypes.cast(row, ctypes.POINTER(ctypes.c_float))[0]
        return perf_counter() - start

    def timed(self, rows: int) -> float:
        """Seconds of a pass, which leaves nothing behind."""
        taken = self.decode(self.held, rows, rows > cpu_server.PROMPT)
        llama_cpp.llama_memory_seq_rm(self.memory, 0, self.held, -1)
        return taken

    def burst(self, rows: int, seconds: float) -> list[float]:
        """Seconds of each pass."""
        return cpu_server.burst(lambda: self.timed(rows), seconds)


def main() -> None:
    """The command line."""
    model, threads, context = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    silent = llama_cpp.llama_log_callback(lambda *_: None)  # kept until the end: C calls it
    llama_cpp.llama_log_set(silent, None)
    cpu_server.forget_peak()
    start = perf_counter()
    try:
        peer = Peer(model, threads, context)
    except ValueError as error:
        cpu_server.say({"error": str(error)})
        return
    about: dict[str, Any] = {
        "commit": f"llama-cpp-python {llama_cpp.__version__}",
        "isa": llama_cpp.llama_print_system_info().decode().strip(),
        "memory": {"imported": IMPORTED, "program": IMPORTED, "loaded": cpu_server.memory()},
        "load_s": round(perf_counter() - start, 2),
        "file_bytes": model.stat().st_size,
    }
    cpu_server.serve(about, {"burst": peer.burst})


if __name__ == "__main__":
    main()
