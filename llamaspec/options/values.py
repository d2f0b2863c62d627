"""What words on the command line may mean: every parser here checks the whole word and says what it expected."""

import math
import re
from collections.abc import Callable
from typing import Literal

INT_MAX = 2**31 - 1
TRUE = frozenset(("on", "enabled", "true", "1"))
FALSE = frozenset(("off", "disabled", "false", "0"))


def boolean(text: str) -> bool:
    """llama.cpp's words for yes and no.

    >>> boolean("enabled"), boolean("0")
    (True, False)
    """
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ValueError("expected on or off")


def on_off_auto(text: str) -> str:
    """on, off or auto, also in llama.cpp's other words for them.

    >>> on_off_auto("1"), on_off_auto("-1")
    ('on', 'auto')
    """
    if text in ("auto", "-1"):
        return "auto"
    if text in TRUE or text in FALSE:
        return "on" if text in TRUE else "off"
    raise ValueError("expected on, off or auto")


def _range(low: float, high: float, above: bool = False) -> str:
    start = f"above {low:g}" if above else f"from {low:g}" if math.isfinite(low) and abs(low) < INT_MAX else ""
    end = f"to {high:g}" if math.isfinite(high) and high < INT_MAX else ""
    if start.startswith("from") and not end:
        start = f"of at least {low:g}"
    return " ".join(part for part in ("", start, end) if part) if start or end else ""


def integer(low: int = -INT_MAX - 1, high: int = INT_MAX) -> Callable[[str], int]:
    """A parser for whole numbers from low to high.

    >>> integer(0, 9)("7")
    7
    """

    def parse(text: str) -> int:
        expected = f"expected a whole number {_range(low, high).strip()}".rstrip()
        if high == INT_MAX and re.fullmatch(r"[+]?[0-9]{1,19}", text) and int(text) > high:
            expected = f"expected a whole number from {low} to {high}"
        if not re.fullmatch(r"[+-]?[0-9]{1,19}", text) or not low <= int(text) <= high:
            raise ValueError(expected)
        return int(text)

    return parse


def optional_integer(low: int, high: int = INT_MAX) -> Callable[[str], int | None]:
    """`integer` for values that follow another one when they are not given."""
    return integer(low, high)


def number(low: float = -math.inf, high: float = math.inf, *, above: bool = False) -> Callable[[str], float]:
    """A parser for finite numbers from low (above: greater than low) to high, with a decimal point.

    >>> number(0, 1)("0.5")
    0.5
    """

    def parse(text: str) -> float:
        expected = f"expected a number {_range(low, high, above).strip()}".rstrip()
        if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", text):
            raise ValueError(expected)
        value = float(text)
        if not math.isfinite(value) or not low <= value <= high or (above and value == low):
            raise ValueError(expected)
        return value

    return parse


def numbers(low: float, high: float) -> Callable[[str], tuple[float, ...]]:
    """A parser for numbers from low to high, separated by commas.

    >>> numbers(0, 1)("0.9,0.5")
    (0.9, 0.5)
    """

    def parse(text: str) -> tuple[float, ...]:
        try:
            return tuple(number(low, high)(part.strip()) for part in text.split(","))
        except ValueError:
            raise ValueError(f"expected numbers {_range(low, high).strip()}, separated by commas") from None

    return parse


def layers(text: str) -> int | Literal["auto", "all"]:
    """How many layers go to the accelerator.

    >>> layers("all"), layers("99"), layers("-1")
    ('all', 99, 'auto')
    """
    if text in ("auto", "-1"):
        return "auto"
    if text == "all":
        return "all"
    try:
        return integer(0)(text)
    except ValueError:
        raise ValueError("expected a number of layers, auto or all") from None


def listed(text: str) -> tuple[str, ...]:
    """Names separated by commas.

    >>> listed("CUDA0,CUDA1")
    ('CUDA0', 'CUDA1')
    """
    parts = tuple(part.strip() for part in text.split(","))
    if not all(parts):
        raise ValueError("expected names separated by commas")
    return parts


def path(text: str) -> str:
    """A file name, not empty and without NUL."""
    if not text or "\0" in text:
        raise ValueError("expected a file name")
    return text


def hub_name(text: str) -> str:
    """user/model or user/model:quant, as -hf names a model of the Hugging Face hub.

    >>> hub_name("user/model:Q8_0")
    'user/model:Q8_0'
    """
    word = r"[A-Za-z0-9][\w.-]{0,95}"
    if not re.fullmatch(rf"{word}/{word}(:[\w.-]{{1,64}})?", text, re.ASCII) or ".." in text:
        raise ValueError("expected USER/MODEL or USER/MODEL:QUANT, such as bartowski/SmolLM2-135M-Instruct-GGUF:Q8_0")
    return text


def web_address(text: str) -> str:
    """An http or https address without a name and password in it."""
    if not re.fullmatch(r"https?://[^\s/@?#]+/[^\s]*", text):
        raise ValueError("expected an address that begins with https:// or http://")
    return text


def texts(text: str) -> tuple[str, ...]:
    """One text of several."""
    return (text,)


def kv_override(text: str) -> tuple[tuple[str, int | float | bool | str], ...]:
    """KEY=TYPE:VALUE,... with TYPE int, float, bool or str -> ((key, value), ...); a part with a comma is quoted.

    >>> kv_override('a.b=int:3,"c=str:x,y"')
    (('a.b', 3), ('c', 'x,y'))
    """
    import csv

    found: list[tuple[str, int | float | bool | str]] = []
    try:
        parts = next(csv.reader([text], strict=True))
    except csv.Error:
        raise ValueError("expected KEY=TYPE:VALUE parts between commas, with their quotes closed") from None
    for part in parts or [""]:
        match = re.fullmatch(r"([^=]{1,127})=(int|float|bool|str):(.*)", part, re.DOTALL)
        if match is None:
            raise ValueError("expected KEY=TYPE:VALUE with TYPE int, float, bool or str")
        key, kind, value = match.groups()
        if kind == "int":
            found.append((key, integer(-(2**63), 2**63 - 1)(value)))
        elif kind == "float":
            found.append((key, number()(value)))
        elif kind == "bool":
            if value not in ("true", "false"):
                raise ValueError("expected true or false after bool:")
            found.append((key, value == "true"))
        else:
            if len(value.encode("utf-8", "surrogateescape")) > 127:
                raise ValueError("expected at most 127 bytes after str:")
            found.append((key, value))
    return tuple(found)


def token_bias(text: str) -> tuple[tuple[int, float], ...]:
    """TOKEN_ID and a signed bias.

    >>> token_bias("15043+1"), token_bias("7-inf")
    (((15043, 1.0),), ((7, -inf),))
    """
    match = re.fullmatch(r"([0-9]{1,10})([+-])(inf|[0-9.eE+-]+)", text)
    if match is None:
        raise ValueError("expected a token id and a signed bias, such as 15043+1 or 15043-inf")
    token, sign, size = match.groups()
    bias = math.inf if size == "inf" else number(0)(size)
    if sign == "+" and bias == math.inf:
        raise ValueError("expected a finite bias, or -inf to forbid the token")
    return ((integer(0)(token), -bias if sign == "-" else bias),)


def pair(target: str, draft: str) -> tuple[tuple[str, str], ...]:
    """Two texts: what the target says, what the draft says in its place."""
    if not target:
        raise ValueError("expected a text to look for, and a text to put in its place")
    return ((target, draft),)


def json_object(text: str) -> str:
    """A JSON object, kept as text (the empty text stands for no object)."""
    import json

    try:
        good = not text or isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise ValueError("expected a JSON object")
    return text


def unescape(text: str) -> str:
    r"""Backslash escapes as llama.cpp expands them in prompts: \n \r \t \' \" \\ \xHH; others stay as they are.

    >>> unescape(r"a\n\x41\q")
    'a\nA\\q'
    """
    plain = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"'": b"'", b'"': b'"', b"\\": b"\\"}

    def expand(match: re.Match[bytes]) -> bytes:
        body = match.group(1)
        return bytes((int(body[1:], 16),)) if len(body) == 3 else plain[body]

    raw = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"\\([nrt'\"\\]|x[0-9a-fA-F]{2})", expand, raw).decode("utf-8", "surrogateescape")
