"""The Python API's keywords: long flag names with _ for -, read by the very parsers of the command line."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import UsageError
from .commands import RUN
from .flag import Flag
from .groups import Groups, build
from .parse import Layer, lay


def from_keywords(model: str | os.PathLike[str] = "", **keywords: Any) -> Groups:
    """The groups of `llamaspec.load(model, **keywords)`.

    A value may be typed or be the text of the command line: n_predict=20 or "20", device="cpu", spec_type="ngram-mod"
    or ["ngram-mod", "draft-simple"], jinja=False or no_jinja=True. None means "not given".
    A file wins over a download. Raises UsageError.
    """
    return override(build(RUN, {}), **keywords, **({"model": model} if os.fspath(model) else {}))


def override(groups: Groups, **keywords: Any) -> Groups:
    """The groups with some keywords said later, for one answer. Raises UsageError."""
    layer = Layer(RUN)
    for keyword, value in keywords.items():
        if value is not None:
            _keyword(layer, keyword, value)
    said = dict(groups.said)
    lay(said, layer)
    return build(RUN, said, (*groups.notes, *layer.notes), groups.operands)


def keywords(groups: Groups) -> dict[str, Any]:
    """What was said, as keywords: from_keywords(**keywords(groups)) == groups."""
    found: dict[str, Any] = {}
    for key, entry in groups.said.items():
        flag = RUN.keys[key]
        if key == "model" and not groups.model.model:
            continue  # a download that was said later took its place; as a keyword the file would win
        if flag.is_switch:
            found[key] = entry.value
        elif flag.many:
            found[key] = [one if len(one) > 1 else "".join(one) for one in entry.words]
        else:
            found[key] = "".join(entry.words[-1])
    return found


def words(groups: Groups) -> list[str]:
    """What was said, as a command line: parse(RUN, words(groups)) == groups."""
    found: list[str] = []
    for key, entry in groups.said.items():
        flag = RUN.keys[key]
        if flag.is_switch:
            found += [flag.long] if entry.value else list(flag.off[-1:])
        else:
            found += [word for one in entry.words for word in (flag.long, *one)]
    return found


def _keyword(layer: Layer, keyword: str, value: Any) -> None:
    name = "--" + keyword.replace("_", "-")
    if name not in RUN.table:
        import difflib

        known = [long[2:].replace("-", "_") for long in RUN.table if long.startswith("--")]
        near = difflib.get_close_matches(keyword, known, n=1, cutoff=0.6)
        guess = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"unknown keyword {keyword[:80]}{guess}", "keywords are the long flags of llamaspec --help")
    flag, on = RUN.table[name]
    if flag.is_switch:
        if not isinstance(value, bool):
            raise UsageError(f"{keyword}: expected True or False, not {value!r:.60}")
        layer.switch(flag, on == value, keyword)
    elif flag.many and not isinstance(value, str | os.PathLike) and isinstance(value, Iterable):
        for one in value:
            layer.valued(flag, keyword, _texts(flag, keyword, one))
    else:
        layer.valued(flag, keyword, _texts(flag, keyword, value))


def _texts(flag: Flag, keyword: str, value: Any) -> tuple[str, ...]:
    """The words that a typed value would be on a command line."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if isinstance(text, str):
            return (text,) if len(flag.metavars) == 1 else tuple(text.split(" ", len(flag.metavars) - 1))
    if isinstance(value, bool) and flag.choices:
        return ("on" if value else "off",)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (repr(value),)
    if isinstance(value, Mapping):
        import json

        return (json.dumps(value),)
    if isinstance(value, tuple | list) and all(isinstance(part, str) for part in value):
        return tuple(value) if len(flag.metavars) == len(value) > 1 else (",".join(value),)
    if isinstance(value, tuple | list) and all(type(part) in (int, float) for part in value):
        return (",".join(map(repr, value)),)
    raise UsageError(f"{keyword}: expected {' '.join(flag.metavars)}, not {value!r:.60}")
