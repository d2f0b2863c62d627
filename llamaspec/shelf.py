"""A shelf is a folder whose file names are the names users type: the whole registry of llamaspec."""

import importlib
import importlib.util
import pkgutil
from functools import cache
from types import ModuleType

from .errors import LlamaspecError


@cache
def names(folder: str) -> tuple[str, ...]:
    """The names on a shelf such as "drafting.types", sorted, importing none of them.

    Works from zip files too. Files that start with an underscore are not on display.
    """
    package = importlib.util.find_spec(f"llamaspec.{folder}")
    assert package is not None, folder
    assert package.submodule_search_locations is not None, folder
    listing = pkgutil.iter_modules(package.submodule_search_locations)
    return tuple(sorted(module.name for module in listing if not module.name.startswith("_")))


def take(folder: str, name: str, kind: str = "") -> ModuleType:
    """The module that carries `name` (upper case, hyphens and underscores are the same) on a shelf.

    The name comes from a user or a file: it is looked up in the listing, never joined into a path.
    Raises LlamaspecError with the nearest names when there is none.
    """
    wanted = name.lower().replace("-", "_")
    if wanted not in names(folder):
        import difflib

        near = difflib.get_close_matches(wanted, names(folder), n=3, cutoff=0.5) or names(folder)
        raise LlamaspecError(
            f"no {kind or 'entry'} '{name[:80]}' in llamaspec/{folder.replace('.', '/')}",
            hint=f"known: {', '.join(near)}" + ("" if near is names(folder) else f" (of {len(names(folder))})"),
        )
    return importlib.import_module(f"llamaspec.{folder}.{wanted}")
