"""The reference's answers to drafters over token lists: every file of that form in a data folder's drafters/."""

import gzip
import json
from functools import cache
from typing import Any

from tests.goldens import folders


@cache
def _files() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for folder in folders():
        for path in sorted((folder / "drafters").glob("*.json*")):
            content = json.loads(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
            cases = content.get("cases") if isinstance(content, dict) else None
            if cases and "ops" in cases[0] and content not in found:
                found.append(content)
    return found


def cases() -> list[dict[str, Any]]:
    """Every case, once."""
    once = {json.dumps(case, sort_keys=True): case for content in _files() for case in content["cases"]}
    return list(once.values())


def raw(section: str) -> list[dict[str, Any]]:
    """Every entry of a section of `raw`, once."""
    entries = [entry for content in _files() for entry in content.get("raw", {}).get(section, ())]
    return list({json.dumps(entry, sort_keys=True): entry for entry in entries}.values())
