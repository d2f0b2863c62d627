"""The text the demo models learn: pinned, permissively licensed Python packages and the standard library.

Whole files are documents; small documented functions become ChatML conversations ("Write a Python function that ...").
"""

import ast
import hashlib
import json
import re
import subprocess
import sys
import sysconfig
import textwrap
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

SYSTEM = "You are a helpful assistant that writes Python."
HELD_OUT = 50
_SKIPPED = re.compile(
    r"(^|/)(tests?|testing|_vendor|vendor|vendored|extern|externals|idlelib|lib2to3|site-packages|turtledemo|locale)/"
)
_VERBS = re.compile(
    r"(Return|Compute|Calculate|Check|Convert|Get|Find|Determine|Test|Generate|Yield|Create|Build|Make|Parse|Split|Merge"
    r"|Remove|Sort|Count|Format|Compare|Validate|Reverse|Iterate|Read|Write|Load|Given|Print|Add|Apply|Evaluate|Extract"
    r"|Decode|Encode|Replace|Insert|Delete|Group|Flatten|Rotate|Search|Solve|Sum|Multiply|Divide|Filter|Set|Decide)s?\b"
)


@dataclass(frozen=True)
class Package:
    """One source of text: a pinned wheel of the package registry and the licence it declares."""

    name: str
    version: str
    licence: str
    repeats: int = 1


PACKAGES = (
    Package("algorithms", "1.0.1", "MIT", 4),
    Package("anyio", "4.16.0", "MIT"),
    Package("attrs", "26.1.0", "MIT"),
    Package("black", "26.10.1", "MIT"),
    Package("boltons", "26.2.0", "BSD-3-Clause", 2),
    Package("click", "8.5.1", "BSD-3-Clause"),
    Package("django", "5.2.19", "BSD-3-Clause"),
    Package("fastapi", "0.165.0", "MIT"),
    Package("flask", "3.1.3", "BSD-3-Clause"),
    Package("h11", "0.16.0", "MIT"),
    Package("httpx", "0.28.1", "BSD-3-Clause"),
    Package("jinja2", "3.1.6", "BSD-3-Clause"),
    Package("marshmallow", "4.4.0", "MIT"),
    Package("more-itertools", "11.2.1", "MIT", 2),
    Package("mpmath", "1.4.1", "BSD-3-Clause"),
    Package("networkx", "3.6.1", "BSD-3-Clause"),
    Package("packaging", "26.3", "Apache-2.0 OR BSD-2-Clause"),
    Package("pandas", "3.1.1", "BSD-3-Clause"),
    Package("prompt-toolkit", "3.0.53", "BSD-3-Clause"),
    Package("pydantic", "2.14.3", "MIT"),
    Package("pyparsing", "3.3.3", "MIT"),
    Package("pytest", "9.2.0", "MIT"),
    Package("python-dateutil", "4.0.0", "BSD-3-Clause"),
    Package("requests", "2.34.2", "Apache-2.0"),
    Package("rich", "15.0.0", "MIT"),
    Package("scikit-learn", "1.9.1", "BSD-3-Clause"),
    Package("setuptools", "84.2.1", "MIT"),
    Package("sortedcontainers", "2.4.0", "Apache-2.0"),
    Package("sphinx", "9.0.4", "BSD-2-Clause"),
    Package("sqlalchemy", "2.1.9", "MIT"),
    Package("starlette", "1.10.0", "BSD-3-Clause"),
    Package("sympy", "1.14.0", "BSD-3-Clause"),
    Package("textual", "8.2.8", "MIT"),
    Package("toolz", "1.2.0", "BSD-3-Clause", 2),
    Package("tornado", "6.6.1", "Apache-2.0"),
    Package("trio", "0.35.0", "MIT OR Apache-2.0"),
    Package("typer", "0.29.2", "MIT"),
    Package("urllib3", "2.8.0", "MIT"),
    Package("werkzeug", "3.1.9", "BSD-3-Clause"),
)


@dataclass(frozen=True)
class Corpus:
    """Training documents, conversations and the files that no training ever saw."""

    files: list[str]
    chats: list[str]
    held_out: dict[str, str]


def sources() -> list[str]:
    """One line per source: name, version, licence."""
    python = f"CPython {sys.version.split()[0]} standard library (PSF-2.0)"
    return [python, *(f"{p.name} {p.version} ({p.licence})" for p in PACKAGES)]


def build(cache: Path) -> Corpus:
    """Download the pinned wheels into `cache`, read them, hold 50 files out. The result is kept as corpus.json."""
    kept = cache / "corpus.json"
    if kept.exists():
        return Corpus(**json.loads(kept.read_text("utf-8")))
    texts = _texts(cache / "wheels")
    ranked = sorted(texts, key=lambda name: hashlib.sha256(name.encode()).digest())
    held = [name for name in ranked if 3000 <= len(texts[name][0]) <= 30000][:HELD_OUT]
    held_out = {name: texts.pop(name)[0] for name in held}
    files = [text for name in ranked if name in texts for text, repeats in [texts[name]] for _ in range(repeats)]
    chats = [chat for name in ranked if name in texts for text, _ in [texts[name]] for chat in conversations(text)]
    corpus = Corpus(files, list(dict.fromkeys(chats)), held_out)
    part = kept.with_suffix(".part")
    part.write_text(json.dumps(corpus.__dict__), "utf-8")
    part.replace(kept)
    return corpus


def _texts(wheels: Path) -> dict[str, tuple[str, int]]:
    """Name -> (text, repeats) of every file worth reading, without copies of one another."""
    wheels.mkdir(parents=True, exist_ok=True)
    pins = [f"{p.name}=={p.version}" for p in PACKAGES]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", str(wheels)]
    subprocess.run([*command, *pins], check=True)
    found: dict[str, tuple[str, int]] = {}
    seen: set[str] = set()

    def add(name: str, raw: bytes, repeats: int) -> None:
        text = raw.decode("utf-8", "replace").replace("\r\n", "\n").expandtabs(4)
        if readable(text) and text not in seen:
            seen.add(text)
            found[name] = (text, repeats)

    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        name = path.relative_to(library).as_posix()
        if not _SKIPPED.search(name):
            add(f"python/{name}", path.read_bytes(), 1)
    for package in PACKAGES:
        stem = re.sub(r"[-_.]+", "_", package.name)
        (wheel,) = [w for w in wheels.glob("*.whl") if w.name.lower().startswith(f"{stem}-{package.version}-")]
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".py") and not _SKIPPED.search(name):
                    add(f"{package.name}/{name}", archive.read(name), package.repeats)
    return found


def readable(text: str) -> bool:
    """Whether a file is prose and code rather than a table: sensible size, few digits, few non-ASCII, short lines."""
    if not 200 <= len(text) <= 120_000:
        return False
    digits = sum(c.isdigit() for c in text) / len(text)
    other = sum(ord(c) > 126 for c in text) / len(text)
    lines = text.splitlines()
    return digits < 0.08 and other < 0.02 and max(map(len, lines)) < 400 and len(text) / len(lines) > 12


def conversations(text: str) -> list[str]:
    """ChatML turns made of the small documented functions of a file: their docstring asks, their source answers."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    lines = text.splitlines()
    chats = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.decorator_list or node.name.startswith("_"):
            continue
        doc = ast.get_docstring(node)
        method = bool(node.args.args) and node.args.args[0].arg in ("self", "cls")
        if doc and not method and len(node.body) > 1:
            chats += _ask(node, doc, lines)
    return chats


def _ask(node: ast.FunctionDef, doc: str, lines: list[str]) -> list[str]:
    """The conversation about one function, if its docstring's first sentence says what it does and the rest is short.

    The answer keeps only that sentence of the docstring.
    """
    sentence = re.split(r"(?<=[.!?])\s|\n\s*\n|\n\s*[:>@]", doc.strip())[0]
    sentence = re.sub(r":\w+:(?=`)", "", sentence).replace("``", "`")
    sentence = re.sub(r"\s+", " ", sentence).strip(" .:")
    match = _VERBS.match(sentence)
    if not match or not 12 <= len(sentence) <= 160 or '"""' in sentence or "\\" in sentence:
        return []
    head, body = lines[node.lineno - 1 : node.body[0].lineno - 1], lines[node.body[0].end_lineno : node.end_lineno]
    indent = " " * node.body[0].col_offset
    source = textwrap.dedent("\n".join([*head, f'{indent}"""{sentence}."""', *body]))
    if not head or not 3 <= source.count("\n") <= 40 or len(source) > 1500:
        return []
    verb = match.group(1).lower()
    rest = sentence[match.end() :]
    third = verb + ("es" if verb.endswith(("s", "x", "ch", "sh")) else "s") if verb != "given" else verb
    lead = f"Write a Python function that {third}{rest}."
    named = f"Write a Python function `{node.name}` that {third}{rest}."
    bare = f"{verb.capitalize()}{rest} in Python."
    # The name decides the form, so that a rebuilt corpus is the same one.
    form = hashlib.sha256(source.encode()).digest()[0] % 6
    question = (lead, lead, lead, named, named, bare)[form]
    answer = f"```python\n{source}\n```"
    system = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n" if form == 1 else ""
    return [f"{system}<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"]
