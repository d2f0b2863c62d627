"""What a loaded model takes: its packed weights and no copy of them, stacks of experts included."""

import json
import subprocess
import sys

import gguf
import numpy as np
import pytest

from llamaspec.kernels import native

COUNT, OUT, INNER = 128, 768, 1024
BYTES = COUNT * OUT * INNER // 256 * 144
MEASURE = """
import json, resource, sys
import numpy as np
from llamaspec.kernels.device import HOST
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.network.place import Placement
from llamaspec.network.weights import Weights
from llamaspec.weights.file import GGUFFile

def resident():
    with open("/proc/self/status") as report:
        lines = [line.split() for line in report if line.startswith(("VmRSS", "VmHWM"))]
    found = {name.rstrip(":"): int(size) << 10 for name, size, _ in lines}
    return found["VmRSS"], found["VmHWM"]

cpu = HOST
kernels = kernels_for(cpu, "native")
weights = Weights(GGUFFile(sys.argv[1]), Placement.everything(cpu, kernels), 1e-5)
before = resident()[0]
stack = weights.stack("blk.0.ffn_up_exps", 128, 768, 1024)
small = [weights.linear(f"blk.{i}.attn_q", 32, 256) for i in range(200)]
after, peak = resident()
print(json.dumps({"after": after - before, "peak": peak - before}))
"""


@pytest.mark.skipif(not native.available(), reason=native.why_not() or "built")
@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_packed_weights_take_the_file_and_a_tenth(tmp_path):
    """A stack of 128 experts, each of which was an allocation of whole 2 MiB pages once, and 200 small matrices."""
    path = tmp_path / "stack.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    draw = np.random.default_rng(1)

    def random(shape: tuple[int, ...]) -> np.ndarray:
        blocks = draw.integers(0, 255, (*shape[:-1], shape[-1] // 256, 144), np.uint8)
        blocks[..., :4] = np.array([1e-3, 1e-3], np.float16).view(np.uint8)  # scales are finite
        return blocks.reshape(*shape[:-1], -1)

    kind = gguf.GGMLQuantizationType.Q4_K
    writer.add_tensor("blk.0.ffn_up_exps.weight", random((COUNT, OUT, INNER)), raw_dtype=kind)
    for i in range(200):
        writer.add_tensor(f"blk.{i}.attn_q.weight", random((32, 256)), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert path.stat().st_size > BYTES
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    taken = json.loads(done.stdout)
    assert taken["after"] > 0.9 * BYTES, "nothing was packed"
    assert taken["after"] < 1.1 * path.stat().st_size + (4 << 20)
    assert taken["peak"] < 1.1 * path.stat().st_size + (12 << 20)  # and a slice of the file
