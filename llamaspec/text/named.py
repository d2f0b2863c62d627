"""Chat templates by name: a shelf of Jinja files, for models whose file has no template or a wrong one.

They write what llama.cpp's templates of the same names do (src/llama-chat.cpp); BOS is the tokenizer's business.
"""

from pathlib import Path

from llamaspec.errors import UsageError

FOLDER = Path(__file__).with_name("formats")
SUFFIX = ".jinja"


def names() -> tuple[str, ...]:
    """The names on the shelf, sorted."""
    return tuple(sorted(path.name.removesuffix(SUFFIX) for path in FOLDER.glob(f"*{SUFFIX}")))


def source(text: str) -> str:
    """The Jinja text that a name stands for, or the text itself if it is Jinja. Raises UsageError for other words."""
    if "{" in text:
        return text
    name = text.strip()
    if name in names():
        return (FOLDER / f"{name}{SUFFIX}").read_text(encoding="utf-8")
    import difflib

    near = difflib.get_close_matches(name.lower(), names(), n=1, cutoff=0.5)
    guess = f" (did you mean {near[0]}?)" if near else ""
    raise UsageError(
        f"--chat-template: '{name[:60]}' is neither Jinja text nor the name of a template{guess}",
        f"names are {', '.join(names())}; --chat-template-file reads Jinja text from a file",
    )
