"""Write what follows from other files; --check only says whether it is current.

Manual pages and completions come from the option table, the requirements without PyTorch from pyproject.toml.
"""

import os
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from llamaspec import __version__  # noqa: E402
from llamaspec.options.commands import COMMANDS  # noqa: E402
from llamaspec.options.render.bash import bash_text  # noqa: E402
from llamaspec.options.render.fish import fish_text  # noqa: E402
from llamaspec.options.render.man import man_text, page_name, verb_text  # noqa: E402
from llamaspec.options.render.zsh import zsh_text  # noqa: E402


def wanted() -> dict[Path, str]:
    """File -> its text."""
    man = ROOT / "man"
    return {
        man / "llamaspec.1": man_text(__version__),
        **{man / f"{page_name(command)}.1": verb_text(command, __version__) for command in COMMANDS},
        man / "completions" / "llamaspec.bash": bash_text(),
        man / "completions" / "llamaspec.zsh": zsh_text(),
        man / "completions" / "llamaspec.fish": fish_text(),
        ROOT / "scripts" / "requirements-cpu-only.txt": requirements_text(),
    }


def requirements_text() -> str:
    """The dependencies but torch, one a line: pip's extras can add packages only."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    kept = [line for line in project["dependencies"] if not line.startswith("torch")]
    return "\n".join(["# llamaspec without PyTorch (README, Two commands); made from pyproject.toml", *kept, ""])


def write(path: Path, text: str) -> None:
    """All of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


def main() -> int:
    """0 = current or written, 1 = stale."""
    stale = [path for path, text in wanted().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run scripts/generate.py", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        write(path, wanted()[path])
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
