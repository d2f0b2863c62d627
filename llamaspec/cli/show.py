"""`llamaspec show FILE`: what a model file says about itself."""

import ast
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import shelf
from ..errors import UsageError
from ..options.groups import Groups
from ..weights.file import GGUFFile
from . import terminal
from .fetch import fetched

LONGEST = 100
NUMBERS = (
    ("block_count", "layers"),
    ("context_length", "context"),
    ("embedding_length", "embedding"),
    ("feed_forward_length", "feed forward"),
    ("attention.head_count", "heads"),
    ("attention.head_count_kv", "kv heads"),
    ("expert_count", "experts"),
    ("expert_used_count", "experts used"),
)


def show(groups: Groups) -> int:
    """Prints the facts as a table, or as JSON with --json; with --architectures what can be loaded instead."""
    if groups.listing.architectures:
        return _answer(groups, architectures())
    path = groups.operands[0] if groups.operands else fetched(groups).model.model
    if not path:
        raise UsageError("show needs a file", "llamaspec show MODEL.gguf, or llamaspec show --architectures")
    with GGUFFile(path) as file:
        return _answer(groups, facts(file))


def _answer(groups: Groups, found: Mapping[str, Any]) -> int:
    """A table, or JSON."""
    if groups.log.json:
        terminal.answer(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    else:
        terminal.answer(_table(found))
    return 0


def architectures() -> dict[str, str]:
    """Name on the shelf -> the models that its file names first. Nothing is imported for it."""
    found = {}
    for name in shelf.names("models"):
        source = pkgutil.get_data("llamaspec.models", f"{name}.py") or b""
        line = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        found[name] = re.sub(r" \(spec/[^)]*\)", "", line).partition(": ")[0].rstrip(".")
    return found


def facts(file: GGUFFile) -> dict[str, Any]:
    """Name -> value, in the order of the table."""
    metadata = file.metadata
    found: dict[str, Any] = {"file": str(file.path), "bytes": file.size}
    if len(file.files) > 1:
        found["parts"] = len(file.files)
    found["architecture"] = metadata.get("general.architecture")
    found["name"] = metadata.get("general.name")
    for key, title in NUMBERS:
        if (value := metadata.get(key)) is not None:
            found[title] = value
    found["parameters"] = sum(_values(info.shape) for info in file.tensors.values())
    found["tensors"] = len(file.tensors)
    found["types"] = dict(Counter(info.type for info in file.tensors.values()).most_common())
    found["tokenizer"] = metadata.get("tokenizer.ggml.model")
    found["pre-tokenizer"] = metadata.get("tokenizer.ggml.pre")
    tokens = metadata.get("tokenizer.ggml.tokens")
    found["vocabulary"] = len(tokens) if isinstance(tokens, Sequence) and not isinstance(tokens, str) else None
    found["chat template"] = metadata.get("tokenizer.chat_template")
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """Arrays of a file (a value per layer) as lists; the rest as it is."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _values(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _table(found: Mapping[str, Any]) -> str:
    """Two columns through Rich, as plain text: nothing that a file says is markup."""
    import io

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in found.items():
        table.add_row(Text(name), Text(_shown(name, value)))
    page = io.StringIO()
    Console(file=page, width=120, color_system=None, force_terminal=False).print(table)
    return "".join(line.rstrip() + "\n" for line in page.getvalue().splitlines())


def _shown(name: str, value: Any) -> str:
    if name in ("bytes", "parameters"):
        return f"{value:,}"
    if name == "types":
        return ", ".join(f"{count} × {kind}" for kind, count in value.items())
    if name == "chat template":
        return f"yes, {len(str(value))} characters (--json prints it)"
    text = terminal.visible(str(value).replace("\n", "␤").replace("\t", "␉"))
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
