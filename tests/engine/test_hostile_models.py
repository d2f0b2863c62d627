"""Whatever a model file claims: it loads, or it is refused in one line that names the trouble."""

import pytest

import llamaspec
from llamaspec.errors import LlamaspecError
from tests import hostile_files
from tests.engine.conftest import usable

U32, F32, STRING = hostile_files.U32, hostile_files.F32, hostile_files.STRING
BROKEN = {
    "no heads": {"llama.attention.head_count": (U32, 0)},
    "heads that do not group": {"llama.attention.head_count_kv": (U32, 3)},
    "no layers": {"llama.block_count": (U32, 0)},
    "more layers than tensors": {"llama.block_count": (U32, 900)},
    "no context": {"llama.context_length": (U32, 0)},
    "zero rope base": {"llama.rope.freq_base": (F32, 0.0)},
    "odd rotation": {"llama.rope.dimension_count": (U32, 3)},
    "unknown architecture": {"general.architecture": (STRING, "llamma")},
    "path as architecture": {"general.architecture": (STRING, "../../etc/passwd")},
    "unknown scaling": {"llama.rope.scaling.type": (STRING, "spiral")},
}


@pytest.mark.parametrize("name", BROKEN)
def test_senseless_metadata(tmp_path, name):
    path = tmp_path / "model.gguf"
    path.write_bytes(hostile_files.model(BROKEN[name]))
    with pytest.raises(LlamaspecError) as caught:
        llamaspec.load(path, device="cpu", ctx_size=32)
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("missing", ["token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight"])
def test_missing_tensors(tmp_path, missing):
    path = tmp_path / "model.gguf"
    path.write_bytes(hostile_files.model({}, drop=[missing]))
    with pytest.raises(LlamaspecError, match=missing.replace(".", r"\.")):
        llamaspec.load(path, device="cpu", ctx_size=32)


def test_the_sound_file_loads(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(hostile_files.model({}))
    llm = llamaspec.load(path, device="cpu", ctx_size=32)
    assert len(llm.complete([1], n_predict=3, temp=0, stop_at_eog=False).tokens) == 3


def test_nan_weights_are_no_silent_tokens(tmp_path):
    source = next(iter(usable().values()))
    data = bytearray(source.read_bytes())
    path = tmp_path / "nan.gguf"
    from llamaspec.weights.file import GGUFFile

    with GGUFFile(source) as file:
        info = file.info("output_norm.weight")
        start = data.find(bytes(file.bytes("output_norm.weight")))
    data[start : start + info.n_bytes] = b"\xff" * info.n_bytes
    path.write_bytes(data)
    with pytest.raises(LlamaspecError, match="NaN"):
        llamaspec.load(path, device="cpu", ctx_size=32).complete([5], n_predict=1, temp=0)
