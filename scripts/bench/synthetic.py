"""Models at real shapes with random weights: for every speed that does not depend on what the weights say.

    python scripts/bench/synthetic.py llama-3.2-1b Q4_K_M /tmp/1b.gguf
    python scripts/bench/synthetic.py llama-3.1-8b Q4_K_M /tmp/8b.gguf --twin 8 --epsilon 0.1 --draft /tmp/8b-8.gguf

Every bit pattern is a valid block, so quantised tensors are random bytes whose scales are set such that a row of K
weights has the variance 1/K. The types per tensor are those of llama.cpp's mixtures, fallbacks for rows that are no
multiple of 256 included. The files load in llama.cpp too: their vocabulary is self-made.

A truncated twin (spec/gpu.md 4) is a draft with a controlled acceptance: the first layers of the target with its norm
and head. The target's other layers add epsilon times what they would: 0 = the two agree always. Here epsilon scales
their norm weights, which are float32 and exact, not block scales, which are half floats and would round to nothing.

A chain counts: its head is its embedding, one row on, and all its layers add little, so that t + 1 follows token t. It
costs what any model of its shape costs, and edits texts: a list of numbers with mistakes in it comes out without them.
"""

import argparse
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from shapes import MIXES, SHAPES, Shape, type_of

from llamaspec import shelf
from llamaspec.kernels.device import HOST, Device
from llamaspec.kernels.dispatch import kernels_for
from llamaspec.network.decoder import Model
from llamaspec.network.place import Placement
from llamaspec.network.weights import Weights
from llamaspec.weights.metadata import Metadata
from llamaspec.weights.tensor import QuantizedTensor
from llamaspec.weights.types import BY_NAME

# The offsets of a block's scale and of its minimum (None: it has none), and the minimum that centres the weights on
# zero, in units of the scale. With sub-block scales the minimum of the block is multiplied by six-bit numbers too.
_SCALES: dict[str, tuple[int, int | None, float]] = {
    "Q4_0": (0, None, 0.0),
    "Q4_1": (0, 2, -7.5),
    "Q5_0": (0, None, 0.0),
    "Q5_1": (0, 2, -15.5),
    "Q8_0": (0, None, 0.0),
    "Q4_K": (0, 2, 7.5),
    "Q5_K": (0, 2, 15.5),
    "Q6_K": (208, None, 0.0),
}
_PLAIN = {"F32": (torch.int32, 23, 127), "F16": (torch.int16, 10, 15), "BF16": (torch.int16, 7, 127)}


@dataclass(frozen=True)
class Source:
    """All tensors of a model, made again at every call from (seed, name). layers: how many exist, 0 = all.

    Layers from `twin` on are scaled by epsilon, all layers of a chain.
    """

    shape: Shape
    mix: str = "Q4_K_M"
    seed: int = 1
    layers: int = 0
    twin: int = 0
    epsilon: float = 1.0
    chain: bool = False

    def __post_init__(self) -> None:
        if self.chain and not self.shape.tied:
            raise ValueError("a chain needs a shape whose head is its embedding: only they are of one type")
        if self.shape.experts and self.mix.endswith("_M"):
            raise ValueError(f"llama.cpp has other rules for {self.mix} of mixtures of experts: take Q4_K")

    @property
    def n_layer(self) -> int:
        """Layers that exist."""
        return self.layers or self.shape.n_layer

    def draft(self) -> "Source":
        """The truncated twin."""
        return replace(self, layers=self.twin, twin=0, epsilon=1.0)

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Name and logical shape of every tensor, in llama.cpp's order."""
        shape = self.shape
        yield "token_embd.weight", (shape.n_vocab, shape.n_embd)
        for i in range(self.n_layer):
            for name, size in shape.layer():
                yield f"blk.{i}.{name}", size
        yield "output_norm.weight", (shape.n_embd,)
        if self.chain or not shape.tied:
            yield "output.weight", (shape.n_vocab, shape.n_embd)

    def tensor(self, name: str, shape: Sequence[int], device: Device) -> QuantizedTensor:
        """One tensor of torch's, on the device where it is made: the same bytes for the same device type."""
        if self.chain and name == "output.weight":
            embedding = self.tensor("token_embd.weight", shape, device)
            return QuantizedTensor(embedding.data.roll(1, 0), embedding.type, embedding.shape, name)
        kind = type_of(name, self.mix, self.shape)
        seed = zlib.crc32(f"{self.seed} {name}".encode())
        if len(shape) == 1:
            values = self._vector(name, shape[0], seed).to(str(device))
            return QuantizedTensor(values.view(torch.uint8).view(1, -1), "F32", tuple(shape), name)
        elements, size = BY_NAME[kind].elements, BY_NAME[kind].bytes
        rows, columns = prod(shape[:-1]), shape[-1]
        data = random_bytes(rows * (columns // elements) * size, seed, device)
        set_scales(data.view(-1, size), kind, columns**-0.5)
        return QuantizedTensor(data.view(rows, -1), kind, tuple(shape), name)

    def _vector(self, name: str, size: int, seed: int) -> Tensor:
        draw = torch.from_numpy(np.random.default_rng(seed).standard_normal(size, np.float32))
        values = 0.02 * draw if name.endswith("bias") else 1 + 0.05 * draw
        scaled = name.startswith("blk.") and (self.chain or self.twin)
        if not scaled or int(name.split(".")[1]) < self.twin:
            return values
        # A small SwiGLU is quadratic in its input, attention linear: both add about epsilon of their share.
        return values * (self.epsilon**0.5 if "ffn_norm" in name else 1.0 if "_q_" in name else self.epsilon)


def random_bytes(size: int, seed: int, device: Device) -> Tensor:
    """-> [size] uint8."""
    if device.is_host:
        return torch.from_numpy(np.frombuffer(bytearray(np.random.default_rng(seed).bytes(size)), np.uint8))
    draw = torch.Generator(str(device)).manual_seed(seed)
    words = torch.randint(-(2**62), 2**62, (-(-size // 8),), generator=draw, device=str(device))
    return words.view(torch.uint8)[:size].clone()


def set_scales(blocks: Tensor, kind: str, std: float) -> None:
    """blocks [n, BYTES] uint8, random: changed so that the values have about this standard deviation and no NaN."""
    if kind in _PLAIN:
        integer, mantissa, middle = _PLAIN[kind]
        words = blocks.view(integer)  # sign and mantissa stay random, the exponent is fixed: |x| in [2^e, 2^(e+1))
        exponent = middle + round(np.log2(std / 1.53))
        bits = torch.iinfo(integer).bits
        words &= (1 << mantissa) - 1 - (1 << (bits - 1))
        words |= exponent << mantissa
        return
    _set_halves(blocks, kind, std / unit(kind))


def _set_halves(blocks: Tensor, kind: str, scale: float) -> None:
    at, low, centre = _SCALES[kind]
    signs = blocks[:, at + 1] & 0x80
    for offset, value in ((at, scale), (low, centre * scale)):
        if offset is not None:
            half = torch.tensor([value], dtype=torch.float16).view(torch.uint8)
            blocks[:, offset : offset + 2] = half.to(blocks.device)
    if low is None:  # -8 to 7 is not centred on zero: a sign per block makes the mean of many zero
        blocks[:, at + 1] |= signs


@cache
def unit(kind: str) -> float:
    """The standard deviation of random blocks whose scale is 1."""
    blocks = random_bytes(4096 * BY_NAME[kind].bytes, 7, HOST).view(4096, -1)
    _set_halves(blocks, kind, 1.0)
    return float(shelf.take("kernels.quants", kind.lower()).decode_torch(blocks).std())


class RandomWeights(Weights):
    """A source where a model expects a file."""

    def __init__(self, source: Source, placement: Placement) -> None:
        self.source, self.placement, self.eps = source, placement, source.shape.eps
        self.known = dict(source.shapes())
        self.taken = lambda size: None

    def __contains__(self, name: str) -> bool:
        return name in self.known

    def beside(self, name: str) -> "RandomWeights":
        """The same tensors, all of them where `name` lives."""
        place = self.at(name)
        return RandomWeights(self.source, Placement.everything(place.device, place.kernels))

    def packed(self, name: str, shape: Sequence[int]) -> QuantizedTensor:
        """The tensor, made on the device."""
        return self.source.tensor(name, self.known[name], self.at(name).device).expect(shape)


def model(source: Source, device: Device, n_ctx: int, resident: bool = True, backend: str = "auto") -> Model:
    """A network with random weights, made where it will run."""
    name = source.shape.architecture
    said = {f"{name}.{key}": value for key, value in source.shape.metadata(source.n_layer).items()}
    architecture: type[Model] = shelf.take("models", name).Model
    hparams = architecture.read(Metadata({"general.architecture": name, **said}), source.shape.n_vocab)
    placement = Placement.everything(device, kernels_for(device, backend, resident))
    with placement.at("").kernels.computing():
        return architecture(hparams, RandomWeights(source, placement), n_ctx)


def set_epsilon(network: Model, source: Source) -> None:
    """Give a model of `source` the norms and biases of the source's epsilon, in place (graphs stay valid).

    The model must be the reference back end's: the native one has put norms into its tape.
    """
    with torch.inference_mode():
        for i in range(source.twin, source.n_layer):
            block = network.blk[i]
            found = {"attn_norm.weight": block.attn_norm.weight, "ffn_norm.weight": block.ffn_norm.weight}
            if source.shape.biases:
                names = ("attn_q.bias", "attn_k.bias", "attn_v.bias")
                found |= {name: part.bias for name, part in zip(names, block.attention.projections.parts, strict=True)}
            for name, held in found.items():
                where = Device(held.device.type, held.device.index or 0)
                fresh = source.tensor(f"blk.{i}.{name}", held.shape, where)
                held.copy_(fresh.data.view(torch.float32).view(-1))


# -- files -------------------------------------------------------------------------------------------------------------


def vocabulary(n_vocab: int) -> tuple[list[str], list[int], list[str]]:
    """Tokens, types and merges of a small byte-level BPE vocabulary, padded with words that no text gives."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = [*map(chr, printable), *(chr(256 + i) for i in range(len(others)))]
    space = chr(256 + others.index(32))
    pairs = [(space, "t"), ("h", "e"), ("i", "n"), (space, "a"), ("o", "n"), ("e", "r"), (space + "t", "he")]
    tokens = ["<|end|>", *letters, *("".join(pair) for pair in pairs)]
    types = [3] + [1] * (len(tokens) - 1)
    tokens += [f"<|{number}|>" for number in range(len(tokens), n_vocab)]
    return tokens, types + [4] * (len(tokens) - len(types)), [" ".join(pair) for pair in pairs]


def write(path: Path, source: Source) -> int:
    """A GGUF file, which appears under its name only when it is whole -> its size in bytes."""
    import gguf

    part = path.with_name(path.name + ".part")
    writer = gguf.GGUFWriter(part, source.shape.architecture)
    _metadata(writer, source)
    shapes = dict(source.shapes())
    for name, shape in shapes.items():
        block = BY_NAME[type_of(name, source.mix, source.shape)]
        row = shape[-1] // block.elements * block.bytes
        size = row * prod(shape[:-1])
        if len(shape) == 1:
            writer.add_tensor_info(name, shape, np.dtype(np.float32), size)
        else:
            kind = gguf.GGMLQuantizationType[block.name]
            writer.add_tensor_info(name, (*shape[:-1], row), np.dtype(np.uint8), size, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, shape in shapes.items():
        writer.write_tensor_data(source.tensor(name, shape, HOST).data.numpy())
    writer.close()
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    return path.stat().st_size


def _metadata(writer: "gguf.GGUFWriter", source: Source) -> None:  # noqa: F821
    import gguf

    shape = source.shape
    writer.add_name(f"random {shape.architecture} {source.n_layer} layers")
    for key, value in shape.metadata(source.n_layer).items():
        add = writer.add_float32 if isinstance(value, float) else writer.add_uint32
        add(f"{shape.architecture}.{key}", value)
    names = {"F32": "ALL_F32", "Q6_K": "MOSTLY_Q6_K", "Q4_K": "MOSTLY_Q4_K_S"}
    writer.add_file_type(gguf.LlamaFileType[names.get(source.mix, f"MOSTLY_{source.mix}")])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    tokens, types, merges = vocabulary(shape.n_vocab)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe" if shape.architecture == "llama" else "qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("mix", choices=MIXES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--twin", type=int, default=0, help="layers of the truncated twin")
    parser.add_argument("--epsilon", type=float, default=1.0, help="what the target's other layers are scaled by")
    parser.add_argument("--draft", type=Path, help="write the twin here")
    chosen = parser.parse_args()
    if chosen.draft and not 0 < chosen.twin < SHAPES[chosen.shape].n_layer:
        parser.error("--draft needs --twin, fewer layers than the model has")
    source = Source(SHAPES[chosen.shape], chosen.mix, chosen.seed, twin=chosen.twin, epsilon=chosen.epsilon)
    print(f"{chosen.out}: {write(chosen.out, source) / 1e9:.2f} GB")
    if chosen.draft:
        print(f"{chosen.draft}: {write(chosen.draft, source.draft()) / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
