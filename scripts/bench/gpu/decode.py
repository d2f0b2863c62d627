"""Ours: what a pass costs by its number of rows, and what plain decoding reaches with everything in it."""

import torch
from gpu.results import Place, Sink, milliseconds, wall_ms
from synthetic import SHAPES, Source, model

from llamaspec.engine.device.graphs import Graphs, recorder_for
from llamaspec.engine.device.step import DeviceStep
from llamaspec.kernels.protocol import KV_BLOCK, KVIndex
from llamaspec.kernels.reference.matrices import DenseMatrix
from llamaspec.network.decoder import Batch, Model
from llamaspec.network.runner import Runner
from llamaspec.sampling.chain import Chain
from llamaspec.sampling.params import SamplerParams

STAGE = "decode"
ROWS = (1, 2, 4, 8, 16, 32, 64)


def run(place: Place, sink: Sink) -> None:
    """T(M) and tokens per second of two shapes."""
    for name in place.pick(("llama-3.1-8b", "qwen2.5-0.5b"), ("toy",)):
        for context in place.pick((512, 8192), (64,)):
            _one(place, sink, name, context)


def _one(place: Place, sink: Sink, name: str, context: int) -> None:
    source = Source(SHAPES[name], "Q4_K_M")
    network = model(source, place.named, context + KV_BLOCK, backend="reference")
    cache = network.new_cache(1, context + KV_BLOCK)
    bytes_read = resident_bytes(network)
    graphs = Graphs(network, cache, recorder_for(place.device))
    base = 0.0
    with torch.inference_mode():
        fill(cache)
        for rows in ROWS:
            batch = chain_batch(rows, context, place.device)
            ms, spread = milliseconds(place, lambda b=batch: graphs(b, cache), place.pick(50, 2))
            base = base or ms
            sink.add(
                STAGE, f"{name} T({rows}), {context} tokens", ms, "ms", spread_ms=spread, ratio=round(ms / base, 3),
                gb=bytes_read / 1e9, gb_per_s=round(bytes_read / ms / 1e6), weights="bf16 resident",
            )  # fmt: skip
        for label, params in (("greedy", SamplerParams(temp=0.0)), ("default chain", SamplerParams())):
            tokens = plain_speed(place, Runner(network, cache), context, params)
            sink.add(STAGE, f"{name} plain, {label}, {context} tokens", tokens, "t/s")


def plain_speed(place: Place, target: Runner, context: int, params: SamplerParams) -> float:
    """Tokens per second of the device's own loop, the host one step behind."""
    step = DeviceStep(target, None, recorder_for(place.device))
    step.load([7] * context, 1)
    chain = Chain.build(params)

    def one() -> None:
        step.launch(chain, context + KV_BLOCK // 2)
        if step.readback.waiting > 1:
            step.readback.read()

    return 1e3 / wall_ms(place, one, place.pick(100, 3))


def chain_batch(rows: int, context: int, device: torch.device) -> Batch:
    """A decode pass of one sequence behind `context` cells."""
    numbers = torch.arange(rows, device=device)
    zeros = torch.zeros_like(numbers)
    at = numbers + context
    index = KVIndex(at, zeros, torch.full_like(zeros, context), None, (context + rows - 1) // KV_BLOCK + 1)
    return Batch(numbers + 5, at, zeros, at, index, None)


def fill(cache) -> None:  # noqa: ANN001
    """Random keys and values: zeros are faster than anything real."""
    for store in cache.stores:
        for plane in store.planes:
            rows = plane.type.decode(plane.data).normal_()
            plane.data.copy_(plane.type.encode(rows))


def resident_bytes(network: Model) -> int:
    """What a pass of one row reads of the weights, the embedding only if it is the output too."""
    found: dict[int, int] = {}
    linears = [network.output]
    for block in network.blk:
        linears += [*block.attention.projections.parts, block.attention.output]
        linears += [*block.feed_forward.inner.parts, block.feed_forward.down]
    for linear in linears:
        if isinstance(linear.matrix, DenseMatrix):
            values = linear.matrix.values
            found[values.data_ptr()] = values.numel() * values.element_size()
    return sum(found.values())
