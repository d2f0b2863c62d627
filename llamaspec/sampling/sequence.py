"""The order of the chain, read from the names of --samplers or the letters of --sampler-seq."""

import difflib

from .. import shelf
from ..errors import UsageError

_SHELF = "sampling.samplers"
_NICKNAMES = {"nucleus": "top_p", "temp": "temperature", "typ": "typ_p"}
_FIXED = ("logit_bias", "mirostat")
"""On the shelf, but not for --samplers: logit bias is always first, --mirostat replaces the chain."""


def names() -> tuple[str, ...]:
    """What --samplers accepts."""
    return tuple(name for name in shelf.names(_SHELF) if name not in _FIXED)


def from_names(text: str) -> tuple[str, ...]:
    """The samplers of "top_k;temp": names, hyphens or no underscore at all, as llama.cpp reads them; "" is none.

    Raises UsageError on an unknown name (llama.cpp drops it silently).
    """
    return tuple(canonical(word) for word in text.split(";")) if text.strip() else ()


def canonical(word: str) -> str:
    """The shelf's name for one name as the user wrote it."""
    plain = word.strip().lower().replace("-", "_")
    known = {name.replace("_", ""): name for name in names()} | {name: name for name in names()} | _NICKNAMES
    if plain not in known:
        near = difflib.get_close_matches(plain, known, n=1)
        raise UsageError(
            f"unknown sampler '{word[:80]}'",
            hint=f"did you mean {known[near[0]]}?" if near else f"known: {', '.join(names())}",
        )
    return known[plain]


def from_letters(text: str) -> tuple[str, ...]:
    """The samplers of "edskypmxt". Raises UsageError on an unknown letter."""
    known = letters()
    for letter in text:
        if letter not in known:
            known_text = ", ".join(f"{x} {name}" for x, name in sorted(known.items()))
            raise UsageError(f"unknown sampler letter '{letter}'", hint=f"known: {known_text}")
    return tuple(known[letter] for letter in text)


def letters() -> dict[str, str]:
    """Letter -> name, from the shelf."""
    return {shelf.take(_SHELF, name).Sampler.letter: name for name in names()}
