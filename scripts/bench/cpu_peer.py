"""llama.cpp as a measuring partner: run by cpu_models.py with the Python that has llama-cpp-python.

Reads lines "rows" from stdin; answers each with the seconds of one decode of that many rows on top of a fixed context.
"""

import ctypes
import sys
from time import perf_counter

import llama_cpp

MOST = 512


def main() -> None:
    """cpu_peer.py MODEL THREADS CONTEXT"""
    threads, held = int(sys.argv[2]), int(sys.argv[3])
    silent = llama_cpp.llama_log_callback(lambda *_: None)  # held until the end: C calls it
    llama_cpp.llama_log_set(silent, None)
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(sys.argv[1].encode(), llama_cpp.llama_model_default_params())
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = held + 1024, MOST, MOST
    params.n_threads = params.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, params)
    memory = llama_cpp.llama_get_memory(context)
    batch = llama_cpp.llama_batch_init(MOST, 0, 1)

    def decode(first: int, rows: int, last_only: bool) -> float:
        batch.n_tokens = rows
        for i in range(rows):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = 7 * i % 100 + 5, first + i, 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = i == rows - 1 or not last_only
        start = perf_counter()
        if llama_cpp.llama_decode(context, batch):
            raise SystemExit("llama_decode failed")
        llama_cpp.llama_synchronize(context)
        ctypes.cast(llama_cpp.llama_get_logits_ith(context, rows - 1), ctypes.POINTER(ctypes.c_float))[0]
        return perf_counter() - start

    for first in range(0, held, MOST):
        decode(first, min(MOST, held - first), True)
    print("ready", llama_cpp.llama_print_system_info().decode().strip(), flush=True)
    for line in sys.stdin:
        rows = int(line)
        llama_cpp.llama_memory_seq_rm(memory, 0, held, -1)
        print(decode(held, rows, rows > 64), flush=True)


main()
