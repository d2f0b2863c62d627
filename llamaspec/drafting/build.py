"""From names that users type to drafters: every file of the shelf drafting/types builds its own."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .. import shelf
from .context import DrafterContext
from .drafter import Base, Drafter
from .knobs import Knobs


class Kind(NamedTuple):
    """What a file of the shelf holds."""

    drafter: type[Base]
    params: type[Knobs]
    build: Callable[[DrafterContext, Any], Drafter]


def kind_of(name: str) -> Kind:
    """The file of a drafter. Raises LlamaspecError, with the nearest names, if there is none."""
    module = shelf.take("drafting.types", name, kind="drafter")
    return Kind(module.Drafter, module.Params, module.build)


def build(name: str, context: DrafterContext, knobs: Mapping[str, Any]) -> Drafter:
    """The drafter of that name. knobs: values by field of its Params; the others keep their defaults.

    Raises LlamaspecError for an unknown name, UsageError for a value out of range.
    """
    kind = kind_of(name)
    return kind.build(context, kind.params(**knobs))


def spelled(name: str) -> str:
    """A name as it is printed: "ngram-mod"."""
    return name.strip().lower().replace("_", "-")


def kinds() -> list[Kind]:
    """All drafters, in the order in which they are asked."""
    return sorted(map(kind_of, shelf.names("drafting.types")), key=lambda kind: kind.drafter.order)


def without_model() -> list[str]:
    """The names of the drafters that need no model."""
    return [kind.drafter.name for kind in kinds() if not kind.drafter.needs_model]
