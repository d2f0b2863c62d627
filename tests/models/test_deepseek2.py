"""The older layout of DeepSeek files, with k_b and v_b in one tensor, gives the logits of the newer one."""

import gguf
import numpy as np
import pytest

from llamaspec.kernels import native
from llamaspec.kernels.kv_types import F32
from llamaspec.kernels.unpack import dequantize
from llamaspec.weights.file import GGUFFile
from llamaspec.weights.tensor import load
from tests.network.build import runner
from tests.network.test_invariance import USABLE

NAMES = [name for name, golden in USABLE.items() if golden.entry["arch"] == "deepseek2"]
BACKENDS = ["reference", "native"] if native.available() else ["reference"]
ARCH = "deepseek2"


def older(path, source: GGUFFile) -> None:
    """The same model as files before April 2025 hold it: no *_mla keys, kv_b [H * (nope + value), c]."""
    meta = source.metadata
    heads, rope = meta.int("attention.head_count"), meta.int("rope.dimension_count")
    wide, value = meta.int("attention.key_length_mla"), meta.int("attention.value_length_mla")
    writer = gguf.GGUFWriter(path, ARCH)
    changed = {"attention.head_count_kv": heads, "attention.key_length": wide, "attention.value_length": value}
    for key, found in meta.items():
        short = key.removeprefix(f"{ARCH}.")
        if not key.startswith(f"{ARCH}.") or short.endswith("_mla"):
            continue
        found = changed.get(short, found)
        add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
        add[type(found)](key, found)
    for name in source.tensors:
        values = dequantize(load(source, name)).numpy()
        if name.endswith("attn_v_b.weight"):
            continue
        if name.endswith("attn_k_b.weight"):
            name = name.replace("attn_k_b", "attn_kv_b")
            v_b = dequantize(load(source, name.replace("attn_kv_b", "attn_v_b"))).numpy()  # [H, value, c]
            both = np.concatenate((values.transpose(0, 2, 1), v_b), axis=1)  # [H, nope + value, c]
            assert both.shape[1] == wide - rope + value
            values = both.reshape(-1, both.shape[-1])
        writer.add_tensor(name, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", NAMES)
def test_both_layouts(tmp_path, name, backend):
    golden = USABLE[name]
    older(tmp_path / "older.gguf", GGUFFile(golden.model))
    ids = golden.entry["prompt_tokens"] + golden.entry["greedy_tokens"]
    expected = np.load(golden.logits)
    run = runner(tmp_path / "older.gguf", golden.entry.get("n_ctx", 256), backend=backend, kv_type=F32)
    logits = run.logits(0, ids)[-len(expected) :]
    error = np.square(logits - expected).mean() / np.square(expected).mean()
    assert error < golden.entry["suggested_tolerance"]["nmse"]
    assert [plane.data.shape[1] for store in run.cache.stores for plane in store.planes] == [1] * len(run.model.blk)
