"""Line budgets: no file over 400 lines, no function over 60, so that every file stays one concept."""

import ast
import subprocess
import sys
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
ROOT = Path(__file__).resolve().parent.parent


def tracked() -> list[Path]:
    """Python and C++ sources under version control."""
    listing = subprocess.run(
        ["git", "ls-files", "llamaspec", "scripts", "tests"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.splitlines() if name.endswith((".py", ".cpp", ".h"))]


def too_long(path: Path) -> list[str]:
    """Complaints about one file."""
    text = path.read_text()
    name = path.relative_to(ROOT)
    lines = text.count("\n")
    found = [f"{name}: {lines} lines (limit {FILE_LINES})"] if lines > FILE_LINES else []
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{name}:{node.lineno} {node.name}: {length} lines (limit {FUNCTION_LINES})")
    return found


def main() -> int:
    """Print what is too long; 1 if anything is."""
    paths = [path for path in tracked() if path.is_file()]
    found = [line for path in paths for line in too_long(path)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"sizes: {len(paths)} files, {len(found)} over budget")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
