"""What the machine can do at most: memory, matrix products, and the price of a launch, a replay and a look."""

import torch
from gpu.results import Place, Sink, milliseconds, wall_ms

from llamaspec.engine.device.graphs import ReadbackRing, Replays, recorder_for

STAGE = "ceilings"


def run(place: Place, sink: Sink) -> None:
    """Every ceiling; random data, since zeros are faster than anything real."""
    with torch.inference_mode():
        _memory(place, sink)
        _matrix(place, sink)
        _launches(place, sink)


def _memory(place: Place, sink: Sink) -> None:
    size = place.pick(8 << 30, 8 << 20)
    x = torch.randint(-(2**62), 2**62, (size // 8,), device=place.device)
    y, floats = torch.empty_like(x), x.view(torch.int32)
    repeats = place.pick(30, 3)
    for name, work, moved in (
        ("copy", lambda: y.copy_(x), 2 * size),
        ("read, max of int64", x.amax, size),
        ("read, max of int32", floats.amax, size),
    ):
        for take in (1, 2):
            ms, spread = milliseconds(place, work, repeats)
            sink.add(STAGE, f"{name}, take {take}", moved / ms / 1e6, "GB/s", ms=ms, spread_ms=spread, bytes=moved)


def _matrix(place: Place, sink: Sink) -> None:
    n = place.pick(8192, 128)
    a, b = (torch.randn(n, n, device=place.device, dtype=torch.bfloat16) for _ in range(2))
    ms, spread = milliseconds(place, lambda: a @ b, place.pick(20, 2))
    sink.add(STAGE, f"bf16 product {n}x{n}x{n}", 2 * n**3 / ms / 1e9, "TFLOP/s", ms=ms, spread_ms=spread)
    for rows in (1, 8, 16, 32, 64):
        wide, deep = place.pick((14336, 4096), (64, 32))
        x = torch.randn(rows, deep, device=place.device, dtype=torch.bfloat16)
        # more copies than any cache holds
        weights = [torch.randn(wide, deep, device=place.device, dtype=torch.bfloat16) for _ in range(place.pick(8, 2))]
        replays = Replays(recorder_for(place.device))
        products = lambda x=x, weights=weights: [torch.nn.functional.linear(x, w) for w in weights]  # noqa: E731
        ms, spread = milliseconds(place, lambda r=replays, p=products: r("products", p), place.pick(50, 2))
        moved = sum(w.numel() for w in weights) * 2
        sink.add(STAGE, f"bf16 linear, {rows} rows", moved / ms / 1e6, "GB/s", ms=ms / len(weights), spread_ms=spread)


def _launches(place: Place, sink: Sink) -> None:
    nodes, one = place.pick(1000, 20), torch.zeros(1, device=place.device)

    def many() -> None:
        for _ in range(nodes):
            one.add_(1)

    replays = Replays(recorder_for(place.device), (one,))
    few = place.pick(50, 3)
    ms, spread = milliseconds(place, lambda: replays("many", many), few)
    sink.add(STAGE, "gap between graph nodes", 1e3 * ms / nodes, "us", spread_us=1e3 * spread / nodes, nodes=nodes)
    sink.add(STAGE, "gap between launches", 1e3 * wall_ms(place, many, few) / nodes, "us", nodes=nodes)
    sink.add(STAGE, "graph launch, host", 1e3 * wall_ms(place, lambda: replays("one", lambda: one.add_(1)), few), "us")
    sink.add(STAGE, "host sync (.item)", 1e3 * wall_ms(place, one.item, few), "us")
    result, ring = torch.zeros(8, dtype=torch.int64, device=place.device), ReadbackRing(8, place.device)

    def read_back() -> None:
        ring.enqueue(result)
        ring.read()

    sink.add(STAGE, "result to the host", 1e3 * wall_ms(place, read_back, few), "us")
