"""Results of cpu_passes.py as tables: cpu_table.py FILE.jsonl [COMMIT]"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

NOW = "now"
"""The name of the checkout that is measured."""
MB = 1e6


def tables(lines: Sequence[dict[str, Any]]) -> str:
    """Three Markdown tables: passes, memory, Python."""
    kinds = {"passes": passes, "memory": memory, "python": python}
    found = [table([line for line in lines if line["bench"] == kind]) for kind, table in kinds.items()]
    return "\n\n".join(found)


def passes(lines: Sequence[dict[str, Any]]) -> str:
    """Milliseconds of each engine, their ratios with that of the best bursts behind them, and the cost of more rows."""
    engines = list(dict.fromkeys(name for line in lines for name in line["ms"]))
    others = [name for name in engines if name != NOW]
    head = ["model", "rows", "bursts", *(f"{name}, ms" for name in engines), *(f"{name} / {NOW}" for name in others)]
    head += [f"T(n)/T({lines[0]['rows']}) {name}" for name in engines] if lines else []
    rows = []
    for line in lines:
        ratios = [
            f"{shown(line['ratio'][name], 2)}, best {line['best_ratio'][name]:.2f}" if name in line["ratio"] else ""
            for name in others
        ]
        times = [shown(line["ms"].get(name), 2) for name in engines]
        growth = [f"{line['t1'][name]:.2f}" if name in line["t1"] else "" for name in engines]
        rows.append([line["model"], line["rows"], line["bursts"], *times, *ratios, *growth])
    return markdown(head, rows)


def memory(lines: Sequence[dict[str, Any]]) -> str:
    """Megabytes beyond `import numpy` (llama.cpp: `import llama_cpp`), in all, and beyond what they should be."""
    sizes = ["file, MB", "cache", "loaded", "of it mapped", "peak", "1.1 x file + cache", "peak in all", "that + 90"]
    head = ["model", "engine", "load, s", *sizes, "loaded / 1.1 x", "in all / that"]
    keys = ("file", "cache", "resident", "mapped", "peak", "limit", "all", "all_limit")
    rows = [
        [
            line["model"], line["engine"], line["load_s"], *(f"{line[key] / MB:.0f}" for key in keys),
            f"{line['resident'] / line['limit']:.2f}", f"{line['all'] / line['all_limit']:.2f}",
        ]
        for line in lines
    ]  # fmt: skip
    return markdown(head, rows)


def python(lines: Sequence[dict[str, Any]]) -> str:
    """What one row costs outside the native library."""
    head = ["model", "engine", "outside the library, us", "share of a pass, %"]
    rows = [
        [line["model"], line["engine"], shown(line["us"], 0), shown([100 * x for x in line["share"]], 1)]
        for line in lines
    ]
    return markdown(head, rows)


def shown(values: Sequence[float] | None, digits: int) -> str:
    """Median (lowest, highest)."""
    if values is None:
        return ""
    middle, low, high = (f"{x:.{digits}f}" for x in values)
    return f"{middle} ({low}, {high})"


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines of cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def main() -> None:
    """The last results of a log, or those of a commit."""
    lines = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    commit = sys.argv[2] if len(sys.argv) > 2 else lines[-1]["commit"]
    print(tables([line for line in lines if line["commit"] == commit]))


if __name__ == "__main__":
    main()
