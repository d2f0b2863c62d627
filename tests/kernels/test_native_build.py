"""What is compiled is what is there."""

import tomllib
from pathlib import Path

import llamaspec
from llamaspec.kernels import native

ROOT = Path(__file__).resolve().parents[2]


def test_every_source_and_header_is_named_in_pyproject() -> None:
    """A source that is not named leaves an undefined symbol; a header that is not is absent from the distribution."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (module,) = project["tool"]["setuptools"]["ext-modules"]
    folder = ROOT / "llamaspec" / "kernels" / "native"
    there = {suffix: {p.relative_to(ROOT).as_posix() for p in folder.rglob(f"*.{suffix}")} for suffix in ("cpp", "h")}
    assert len(there["cpp"]) > 10
    assert set(module["sources"]) == there["cpp"]
    assert set(module["depends"]) == there["h"]
    assert module["optional"] is True


def test_it_is_there_or_says_why_not() -> None:
    assert native.available() == (native.why_not() == "")
    assert native.available() == (native.isa() != "")
    assert Path(llamaspec.__file__).parent == ROOT / "llamaspec"
