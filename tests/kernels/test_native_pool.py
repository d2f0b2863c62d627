"""The thread pool: late threads, many callers, one core, forks. Results are compared; a lost wake-up is a timeout."""

import os
import sys
import threading
from subprocess import run

import pytest
import torch

from llamaspec.kernels.native.packed import Packed

from .native_data import needs_library, values, weight

pytestmark = needs_library

ON_ONE_CORE = """
import os, sys, torch
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from llamaspec.kernels.native.packed import Packed
from tests.kernels.native_data import values, weight
matrix, x = Packed(weight("Q8_0", 2048, 256)), values(3, 256)
expected = matrix.matmul(x, threads=1)
for _ in range(200):
    assert torch.equal(matrix.matmul(x, torch.full_like(expected, torch.nan), threads=5), expected)
if os.fork() == 0:
    os._exit(0 if torch.equal(matrix.matmul(x, threads=3), expected) else 1)
assert os.wait()[1] == 0
print("same")
"""


@pytest.mark.timeout(60)
def test_more_threads_than_cores_in_short_jobs() -> None:
    matrix, x = Packed(weight("Q8_0", 2048, 256)), values(2, 256)
    expected = matrix.matmul(x, threads=1)
    for turn in range(1500):
        got = matrix.matmul(x, torch.full_like(expected, torch.nan), threads=2 + turn % 9)
        assert torch.equal(got, expected), turn


@pytest.mark.timeout(60)
def test_callers_at_the_same_time() -> None:
    matrix, x = Packed(weight("Q8_0", 1024, 512)), values(4, 512)
    expected = matrix.matmul(x, threads=1)
    wrong: list[int] = []

    def work(caller: int) -> None:
        for turn in range(200):
            got = matrix.matmul(x, torch.full_like(expected, torch.nan), threads=2 + caller)
            if not torch.equal(got, expected):
                wrong.append(turn)

    callers = [threading.Thread(target=work, args=(caller,)) for caller in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks here")
@pytest.mark.timeout(60)
def test_one_core_and_a_fork() -> None:
    done = run([sys.executable, "-c", ON_ONE_CORE], capture_output=True, text=True)
    assert done.stdout == "same\n", done.stderr
