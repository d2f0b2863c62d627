"""Random models have the layout, the sizes and the types of real ones, and twins agree as much as they should."""

from dataclasses import replace

import gguf
import numpy as np
import pytest
import synthetic
import torch
from synthetic import MIXES, SHAPES, Source

from llamaspec.kernels.device import HOST
from llamaspec.kernels.unpack import dequantize
from llamaspec.network.runner import Runner
from llamaspec.weights.types import BY_NAME
from tests.network.build import runner

CPU = HOST
TOKENS = [(37 * i + i * i) % 512 for i in range(96)]


def logits(run: Runner) -> np.ndarray:
    """Of TOKENS, teacher-forced."""
    with run.model.kernels.computing():
        return run.logits(0, TOKENS)


def runner_of(source: Source) -> Runner:
    """A source as a model that can run."""
    network = synthetic.model(source, CPU, 256, backend="reference")
    return Runner(network, network.new_cache(1, 256))


def bytes_of(name: str, mix: str) -> int:
    """The tensors of a model, packed."""
    source, total = Source(SHAPES[name], mix), 0
    for tensor, shape in source.shapes():
        block = BY_NAME[synthetic.type_of(tensor, mix, source.shape)]
        assert shape[-1] % block.elements == 0, tensor
        total += int(np.prod(shape)) // block.elements * block.bytes
    return total


@pytest.mark.parametrize("kind", sorted(BY_NAME.keys() & {*synthetic._SCALES, *synthetic._PLAIN}))
def test_values_are_centred_and_have_the_variance_they_should(kind):
    blocks = synthetic.random_bytes(4096 * BY_NAME[kind].bytes, 5, CPU).view(4096, -1)
    synthetic.set_scales(blocks, kind, 1 / 64)
    values = 64 * torch.from_numpy(gguf.dequantize(blocks.numpy(), gguf.GGMLQuantizationType[kind]))
    assert values.isfinite().all()
    assert abs(float(values.mean())) < 0.03
    assert 0.7 < float(values.std()) < 1.4
    assert len(values.unique()) > 8


def test_sizes_are_those_of_the_files_people_download():
    # Published sizes of the Q4_K_M files, metadata (5 to 10 MB) included.
    for name, published in (("llama-3.2-1b", 807.7e6), ("llama-3.1-8b", 4920.7e6), ("qwen2.5-0.5b", 397.8e6)):
        assert bytes_of(name, "Q4_K_M") == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    ("name", "layers", "n_vocab", "width", "n_ff", "active"),
    # The real ones' numbers, from their configuration; active: parameters of a layer that one row meets.
    [
        ("mixtral-like", 32, 32000, 4096, 14336, 2 * 4096 * (4096 + 1024) + 2 * 3 * 4096 * 14336),
        ("qwen3-30b-a3b-like", 48, 151936, 2048, 768, 2 * 2048 * (4096 + 512) + 8 * 3 * 2048 * 768),
    ],
)
def test_mixtures_of_experts_have_the_ratios_of_the_real_ones(name, layers, n_vocab, width, n_ff, active):
    shape = SHAPES[name]
    assert shape.n_ff / shape.n_embd == n_ff / width
    sizes = {part: int(np.prod(size)) for part, size in shape.layer()}
    ours = sum(size * shape.used // shape.experts if "_exps" in part else size for part, size in sizes.items())
    assert ours == pytest.approx(active * (shape.n_embd / width) ** 2, rel=0.02)
    head, real_head = shape.n_vocab * shape.n_embd / (shape.n_layer * ours), n_vocab * width / (layers * active)
    assert head == pytest.approx(real_head, rel=0.1)


def test_mixtures_of_experts_have_no_mixtures_of_types():
    with pytest.raises(ValueError, match="take Q4_K"):
        Source(SHAPES["toy-experts"], "Q4_K_M")


FEW = [("toy", "Q4_K_M"), ("toy-qwen", "Q8_0"), ("toy-experts", "Q4_K")]
"""For the fast tier: each shape, and quants of both block sizes."""
FILES = [
    pytest.param(name, mix, marks=[] if (name, mix) in FEW else [pytest.mark.slow])
    for name in ("toy", "toy-qwen", "toy-experts")
    for mix in MIXES
    if not (SHAPES[name].experts and mix.endswith("_M"))
]


@pytest.mark.parametrize(("name", "mix"), FILES)
def test_a_file_is_the_model_that_is_made_in_memory(tmp_path, name, mix):
    source = Source(SHAPES[name], mix)
    size = synthetic.write(tmp_path / "m.gguf", source)
    assert size > bytes_of(name, mix)
    assert [file.name for file in tmp_path.iterdir()] == ["m.gguf"]
    assert np.array_equal(logits(runner(tmp_path / "m.gguf")), logits(runner_of(source)))


@pytest.mark.parametrize("name", ["toy", "toy-qwen"])
def test_epsilon_turns_agreement_from_always_to_chance(name):
    source = Source(SHAPES[name], "Q4_K_M", twin=2)
    draft = logits(runner_of(source.draft())).argmax(-1)
    run, agreed = runner_of(source), []
    for epsilon in (0.0, 0.05, 0.5):
        synthetic.set_epsilon(run.model, replace(source, epsilon=epsilon))
        run.cache.truncate(0, 0)
        rows = logits(run)
        assert np.array_equal(rows, logits(runner_of(replace(source, epsilon=epsilon))))
        agreed.append(float((rows.argmax(-1) == draft).mean()))
    assert agreed[0] == 1.0
    assert 1.0 > agreed[1] > agreed[2]


def test_tensors_are_made_again_and_differ_from_each_other():
    source = Source(SHAPES["toy"], "Q4_0")
    shape = dict(source.shapes())["blk.0.attn_q.weight"]
    first, again, other = (source.tensor(f"blk.{i}.attn_q.weight", shape, CPU) for i in (0, 0, 1))
    assert torch.equal(first.data, again.data)
    assert not torch.equal(dequantize(first), dequantize(other))
    assert not torch.equal(first.data, replace(source, seed=2).tensor(first.name, shape, CPU).data)


@pytest.mark.parametrize("mix", ["Q4_K_M", "Q8_0"])
def test_a_chain_counts_whatever_stands_before(mix):
    run = runner_of(Source(SHAPES["toy-qwen"], mix, epsilon=0.01, chain=True))
    assert logits(run).argmax(-1).tolist() == [token + 1 for token in TOKENS]


def test_a_chain_needs_its_head_and_its_embedding_to_be_of_one_type():
    with pytest.raises(ValueError, match="of one type"):
        Source(SHAPES["toy"], chain=True)
