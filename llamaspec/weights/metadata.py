"""What a model file says about itself: typed reading of GGUF metadata."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from typing import Any, NoReturn, TypeAlias, TypeVar, overload

import numpy as np

from ..errors import LlamaspecError
from .header import StringArray, shown

# The methods are called int, float, str and bool, so inside the class the built-in types go by these names.
Integer: TypeAlias = int
Real: TypeAlias = float
Text: TypeAlias = str
Truth: TypeAlias = bool
D = TypeVar("D")
V = TypeVar("V")
_REQUIRED: Any = object()
_MANY = 2**16  # a scalar is repeated per layer; no model has that many


class Metadata(Mapping[str, object]):
    """Keys and values of a model file. A key is looked up as it stands, then with the architecture in front.

    `meta.int("attention.head_count")` reads `llama.attention.head_count` in a llama file. Values are int, float, bool,
    str, or an array (numpy, read-only; strings: StringArray). The typed readers raise LlamaspecError, naming file and
    key, for a required key that is missing (no `default`) and for a value of another type or out of range.
    """

    def __init__(self, values: Mapping[str, object], source: str = "metadata") -> None:
        self._values = dict(values)
        self._source = source

    @property
    def architecture(self) -> str:
        """`general.architecture`."""
        return self.str("general.architecture")

    @property
    def source(self) -> Text:
        """The file these come from, for messages."""
        return self._source

    def full(self, key: Text) -> Text:
        """The key as the file spells it: itself, or with the architecture in front; itself when there is neither."""
        if key in self._values:
            return key
        long = f"{self._values.get('general.architecture', '')}.{key}"
        return long if long in self._values else key

    def __getitem__(self, key: Text) -> object:
        return self._values[self.full(key)]

    def __contains__(self, key: object) -> Truth:
        return isinstance(key, Text) and self.full(key) in self._values

    def __iter__(self) -> Iterator[Text]:
        return iter(self._values)

    def __len__(self) -> Integer:
        return len(self._values)

    @overload
    def int(self, key: Text, *, low: Integer = 0, high: Integer = 2**63 - 1) -> Integer: ...
    @overload
    def int(self, key: Text, default: D, *, low: Integer = 0, high: Integer = 2**63 - 1) -> Integer | D: ...
    def int(self, key: Text, default: Any = _REQUIRED, *, low: Integer = 0, high: Integer = 2**63 - 1) -> Any:
        """A whole number in [low, high]; negative ones are refused unless `low` says otherwise."""
        return self._read(key, default, lambda value: self._integer(key, value, low, high))

    @overload
    def float(self, key: Text) -> Real: ...
    @overload
    def float(self, key: Text, default: D) -> Real | D: ...
    def float(self, key: Text, default: Any = _REQUIRED) -> Any:
        """A finite number; whole numbers are taken too."""
        return self._read(key, default, lambda value: self._real(key, value))

    @overload
    def bool(self, key: Text) -> Truth: ...
    @overload
    def bool(self, key: Text, default: D) -> Truth | D: ...
    def bool(self, key: Text, default: Any = _REQUIRED) -> Any:
        """True or false."""
        return self._read(key, default, lambda value: self._truth(key, value))

    @overload
    def str(self, key: Text) -> Text: ...
    @overload
    def str(self, key: Text, default: D) -> Text | D: ...
    def str(self, key: Text, default: Any = _REQUIRED) -> Any:
        """A string."""
        return self._read(key, default, lambda value: self._text(key, value))

    @overload
    def ints(self, key: Text, n: Integer | None = None, *, low: Integer = 0) -> tuple[Integer, ...]: ...
    @overload
    def ints(self, key: Text, n: Integer | None, default: D, *, low: Integer = 0) -> tuple[Integer, ...] | D: ...
    def ints(self, key: Text, n: Integer | None = None, default: Any = _REQUIRED, *, low: Integer = 0) -> Any:
        """`n` whole numbers, one per layer: an array of that length, or one for all. n = None: as many as there are."""
        return self._many(key, n, default, lambda value: self._integer(key, value, low, 2**63 - 1))

    @overload
    def floats(self, key: Text, n: Integer | None = None) -> tuple[Real, ...]: ...
    @overload
    def floats(self, key: Text, n: Integer | None, default: D) -> tuple[Real, ...] | D: ...
    def floats(self, key: Text, n: Integer | None = None, default: Any = _REQUIRED) -> Any:
        """`n` finite numbers, as `ints`."""
        return self._many(key, n, default, lambda value: self._real(key, value))

    @overload
    def bools(self, key: Text, n: Integer | None = None) -> tuple[Truth, ...]: ...
    @overload
    def bools(self, key: Text, n: Integer | None, default: D) -> tuple[Truth, ...] | D: ...
    def bools(self, key: Text, n: Integer | None = None, default: Any = _REQUIRED) -> Any:
        """`n` truth values, as `ints`."""
        return self._many(key, n, default, lambda value: self._truth(key, value))

    @overload
    def strings(self, key: Text) -> tuple[Text, ...]: ...
    @overload
    def strings(self, key: Text, default: D) -> tuple[Text, ...] | D: ...
    def strings(self, key: Text, default: Any = _REQUIRED) -> Any:
        """An array of strings, decoded at the first call."""
        return self._read(key, default, lambda value: self._texts(key, value))

    def with_overrides(self, pairs: Iterable[tuple[Text, object]]) -> "Metadata":
        """A copy in which pairs of key and value (--override-kv) replace or add keys; the last one of a key wins."""
        return Metadata({**self._values, **dict(pairs)}, self._source)

    def _read(self, key: Text, default: Any, convert: Callable[[object], V]) -> V:
        full = self.full(key)
        if full in self._values:
            return convert(self._values[full])
        if default is _REQUIRED:
            arch = self._values.get("general.architecture")
            general = key.startswith(("general.", "tokenizer.", "split.")) or not isinstance(arch, Text)
            name = key if general else f"{arch}.{key}"
            raise LlamaspecError(
                f"{self._source}: metadata key {shown(name)} is missing",
                "the file is incomplete; take another conversion of the model, or set the key with --override-kv",
            )
        return default

    def _many(self, key: Text, n: Integer | None, default: Any, convert: Callable[[object], V]) -> tuple[V, ...]:
        def each(value: object) -> tuple[V, ...]:
            items = value.tolist() if isinstance(value, np.ndarray) else value
            if not isinstance(items, list | tuple):
                if n is not None and n > _MANY:
                    self._wrong(key, f"one of {_MANY:,} values at most, not {n:,}")
                return (convert(items),) * (1 if n is None else n)
            if n is not None and len(items) != n:
                self._wrong(key, f"one value or {n}")
            return tuple(convert(item) for item in items)

        return self._read(key, default, each)

    def _integer(self, key: Text, value: object, low: Integer, high: Integer) -> Integer:
        if not isinstance(value, Integer) or isinstance(value, Truth):
            self._wrong(key, "a whole number")
        if not low <= value <= high:
            self._wrong(key, f"{low:,} or more" if value < low else f"at most {high:,}")
        return value

    def _real(self, key: Text, value: object) -> Real:
        if not isinstance(value, Integer | Real) or isinstance(value, Truth) or not isfinite(value):
            self._wrong(key, "a finite number")
        return Real(value)

    def _truth(self, key: Text, value: object) -> Truth:
        return value if isinstance(value, Truth) else self._wrong(key, "true or false")

    def _text(self, key: Text, value: object) -> Text:
        return value if isinstance(value, Text) else self._wrong(key, "a string")

    def _texts(self, key: Text, value: object) -> tuple[Text, ...]:
        if isinstance(value, StringArray):
            return value.values
        if isinstance(value, list | tuple) and all(isinstance(item, Text) for item in value):
            return tuple(value)
        return self._wrong(key, "an array of strings")

    def _wrong(self, key: Text, expected: Text) -> NoReturn:
        value: Any = self[key]
        many = not isinstance(value, Integer | Real | Text)
        told = f"{len(value):,} values" if many else f"the {type(value).__name__} {shown(value)}"
        raise LlamaspecError(
            f"{self._source}: metadata key {shown(self.full(key))} should be {expected}, but is {told}",
            "the file is damaged or was converted wrongly; --override-kv KEY=TYPE:VALUE can replace a value",
        )
