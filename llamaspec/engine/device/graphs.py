"""CUDA graphs, and nothing else knows them: what has fixed shapes is captured once and replayed."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from ...kernels.device import Device
from ...kernels.protocol import KV_BLOCK, Batch, KVIndex, Output
from ...network.cache import Cache
from ...network.decoder import Model
from ...network.runner import PADDING, Runner

ROWS = (16, 32, 64)
"""Widths that are captured: plain decoding and short drafts share the first, so that a row's bits stay the same."""
SHORTEST_PATHS = 16
WARM_UP = 2
MOST = 64
"""Captured functions that are kept: one per shape and sampler settings."""


class Recorder(Protocol):
    """Turns a function without arguments into one that can be repeated."""

    def record(self, run: Callable[[], Any], state: Sequence[Tensor]) -> tuple[Callable[[], None], Any]:
        """-> what repeats `run`, and where its results will lie after each repetition.

        `run` is executed to warm up, perhaps several times; `state`, tensors that it changes, is put back behind that.
        """
        ...


class CudaRecorder:
    """Captures on one device. All graphs share a memory pool: they never run at the same time."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.pool: Any = None

    def record(self, run: Callable[[], Any], state: Sequence[Tensor]) -> tuple[Callable[[], None], Any]:
        """Warm up on a side stream, where libraries pick their kernels, then capture."""
        with torch.cuda.device(self.device):
            before = [tensor.clone() for tensor in state]
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(WARM_UP):
                    run()
            torch.cuda.current_stream().wait_stream(side)
            for tensor, held in zip(state, before, strict=True):
                tensor.copy_(held)
            if self.pool is None:
                self.pool = torch.cuda.graph_pool_handle()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self.pool):
                results = run()
        return graph.replay, results


def recorder_for(device: Device | torch.device) -> Recorder | None:
    """None where nothing can be captured: functions are simply called."""
    return CudaRecorder(torch.device(str(device))) if device.type == "cuda" else None


class Replays:
    """Functions by key, each captured when it is first asked for. recorder None: called every time.

    The caller's promise: a function of the same key reads and writes the same tensors.
    """

    def __init__(self, recorder: Recorder | None, state: Sequence[Tensor] = ()) -> None:
        self.recorder, self.state = recorder, tuple(state)
        self.recorded: dict[Hashable, tuple[Callable[[], None], Any, Callable[[], Any]]] = {}

    def __call__(self, key: Hashable, run: Callable[[], Any]) -> Any:
        """Run once -> the results, which the next run of the same key overwrites."""
        if self.recorder is None:
            return run()
        if key not in self.recorded:
            if len(self.recorded) >= MOST:
                del self.recorded[next(iter(self.recorded))]  # the oldest; its memory goes back to the pool
            self.recorded[key] = (*self.recorder.record(run, self.state), run)  # which keeps its tensors alive
        replay, results, _ = self.recorded[key]
        replay()
        return results


class ReadbackRing:
    """Results on their way to the host, without stopping the device: a few pinned buffers in turn."""

    def __init__(self, size: int, device: torch.device, depth: int = 4) -> None:
        self.cuda = device.type == "cuda"
        self.device, self.depth = device, depth
        self.buffers = [torch.zeros(size, dtype=torch.int64, pin_memory=self.cuda) for _ in range(depth)]
        self.events: list[Any] = [torch.cuda.Event() if self.cuda else None for _ in range(depth)]
        self.enqueued = self.taken = 0

    def enqueue(self, result: Tensor) -> None:
        """result [size] int64: copied when the device gets here."""
        assert self.enqueued - self.taken < self.depth, "an unread result would be overwritten"
        at = self.enqueued % self.depth
        self.buffers[at].copy_(result, non_blocking=True)
        if self.cuda:
            with torch.cuda.device(self.device):
                self.events[at].record()
        self.enqueued += 1

    @property
    def waiting(self) -> int:
        """Results that are enqueued and not read."""
        return self.enqueued - self.taken

    def read(self) -> list[int]:
        """The oldest result; waits for it. This is the host's only wait per step."""
        at = self.taken % self.depth
        if self.cuda:
            self.events[at].synchronize()
        self.taken += 1
        return self.buffers[at].tolist()


def rows_bucket(n: int) -> int:
    """The width that n rows are padded to; 0 = too many, not captured."""
    return next((width for width in ROWS if n <= width), 0)


def blocks_bucket(blocks: int, cells: int) -> int:
    """KV blocks to visit: the next power of two, or all that the cache has. A block out of sight changes no bits."""
    return min(1 << (blocks - 1).bit_length(), cells // KV_BLOCK)


class Graphs:
    """Model.forward for one cache, captured per shape. Prompt passes and more than 64 rows run uncaptured."""

    def __init__(self, model: Model, cache: Cache, recorder: Recorder | None) -> None:
        self.model, self.cache, self.device = model, cache, torch.device(str(model.device))
        self.replays = Replays(recorder)
        self.inputs: dict[Hashable, Batch] = {}

    def __call__(self, batch: Batch, cache: Cache, features: Sequence[int] = ()) -> Output:
        """As Model.forward; the results are the caller's own."""
        n = len(batch.tokens)
        width = rows_bucket(n)
        if self.replays.recorder is None or batch.wanted is not None or not width:
            return self.model.forward(batch, cache, features)
        assert cache is self.cache, "a graph belongs to the cache it was captured with"
        paths = batch.index.paths
        depth = 0 if paths is None else max(SHORTEST_PATHS, 1 << (paths.shape[1] - 1).bit_length())
        blocks = blocks_bucket(batch.index.blocks, cache.cells)
        key = (width, blocks, depth, tuple(features))
        held = self.inputs.get(key)
        if held is None:
            held = self.inputs[key] = self._static(width, blocks, depth)
        self._fill(held, batch, n)
        output: Output = self.replays(key, lambda: self.model.forward(held, cache, features))
        inputs = {layer: rows[:n].clone() for layer, rows in output.features.items()}
        return replace(output, logits=output.logits[:n].clone(), features=inputs)

    def _static(self, width: int, blocks: int, depth: int) -> Batch:
        numbers = torch.zeros(5, width, dtype=torch.int64, device=self.device)
        tokens, positions, slots, cells, lengths = numbers.unbind()
        paths = torch.zeros(width, depth, dtype=torch.int64, device=self.device) if depth else None
        return Batch(tokens, positions, slots, cells, KVIndex(positions, slots, lengths, paths, blocks), None)

    def _fill(self, held: Batch, batch: Batch, n: int) -> None:
        """Rows behind the n real ones go to the spare cell, which nobody reads."""
        for to, rows, filler in (
            (held.tokens, batch.tokens, 0),
            (held.positions, batch.positions, 0),
            (held.slots, batch.slots, 0),
            (held.cells, batch.cells, PADDING),
            (held.index.lengths, batch.index.lengths, 0),
        ):
            to[:n].copy_(torch.as_tensor(rows))
            if n < len(to):
                to[n:].fill_(filler)
        if held.index.paths is not None and batch.index.paths is not None:
            held.index.paths.zero_()
            held.index.paths[:n, : batch.index.paths.shape[1]].copy_(torch.as_tensor(batch.index.paths))


def capture(passes: Runner) -> None:
    """Let the passes of a model on CUDA run as graphs; elsewhere nothing changes."""
    if recorder := recorder_for(passes.model.device):
        passes.forward = Graphs(passes.model, passes.cache, recorder)
