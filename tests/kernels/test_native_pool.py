"""The threads of the native kernels: shared by Python threads, started again after a fork, on any set of cores."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

from llamaspec.kernels import native
from llamaspec.kernels.native.threads import how_many

from .native_data import needs_library, values, weight

pytestmark = needs_library


def product() -> Callable[[int], np.ndarray]:
    packed, x = native.pack(weight("Q4_K", 700, 512)), values(9, 512)
    return lambda threads: packed.matmul(x, threads=threads)


def test_python_threads_may_multiply_at_the_same_time() -> None:
    multiply = product()
    expected = multiply(1)
    wrong: list[int] = []

    def work(threads: int) -> None:
        wrong.extend(threads for _ in range(40) if not np.array_equal(multiply(threads), expected))

    workers = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3, 5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_has_threads_of_its_own() -> None:
    multiply = product()
    expected = multiply(3)
    child = os.fork()
    if child == 0:
        os._exit(0 if all(np.array_equal(multiply(3), expected) for _ in range(20)) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert np.array_equal(multiply(3), expected)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_more_threads_than_cores() -> None:
    before = os.sched_getaffinity(0)
    multiply = product()
    expected = multiply(1)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert [how_many(n) for n in (None, 0, -1, 4)] == [1, 1, 1, 4]
        assert all(np.array_equal(multiply(4), expected) for _ in range(20))
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="threads are not listed on this system")
def test_a_worker_that_is_moved_may_run_where_it_could_before() -> None:
    """It starts on the caller's only core, so it misses work, and is moved when it may."""
    here = os.sched_getaffinity(0)
    if len(here) < 2:
        pytest.skip("one core")
    code = (
        "import os; import numpy as np; from llamaspec.kernels import native;"
        "from llamaspec.weights.tensor import QuantizedTensor;"
        "zeros = np.zeros((4096, 2048), np.uint8);"
        "cores = os.sched_getaffinity(0); os.sched_setaffinity(0, {min(cores)});"
        "known = set(os.listdir('/proc/self/task'));"
        "w = native.pack(QuantizedTensor(zeros, 'F32', (4096, 512)), threads=2);"
        "(worker,) = (int(t) for t in set(os.listdir('/proc/self/task')) - known);"
        "os.sched_setaffinity(worker, cores);"
        "assert all((w.matmul(np.ones((1, 512), np.float32), threads=2) == 0).all() for _ in range(100));"
        "assert os.sched_getaffinity(worker) == cores, os.sched_getaffinity(worker)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_ends_although_its_threads_sleep() -> None:
    code = (
        "import numpy as np; from llamaspec.kernels import native;"
        "from llamaspec.weights.tensor import QuantizedTensor;"
        "w = QuantizedTensor(np.zeros((64, 2048), np.uint8), 'F32', (64, 512));"
        "assert (native.pack(w).matmul(np.ones((1, 512), np.float32), threads=4) == 0).all()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
