"""The manual pages, in man(7) macros."""

import re

from ..commands import COMMANDS, RUN, Command
from .guide import GUIDE, LOOKUP
from .text import WAITING, left, remarks, sections, waiting

DESCRIPTION = """\
llamaspec runs language models from GGUF files and speeds them up by speculation: a small draft model, or a search for
repeated text, drafts the next tokens, and the model checks the whole draft in one pass. Speculation never changes the
answer: the same seed gives the same tokens with and without it.

The flags are llama.cpp's, of today and of older versions. With a prompt (-p, -f, or text on standard input) one answer
is written to standard output; everything else goes to standard error. Without a prompt, on a terminal, a chat begins.
If the model has a chat template the prompt is the user's turn; -no-cnv continues it as raw text.
"""

EXAMPLES = (
    ("Speculate with a draft model", 'llamaspec -m model.gguf -md draft.gguf -p "…" -n 200 --temp 0 --draft-max 16'),
    ("Speculate without a second model", 'llamaspec -m model.gguf --spec-type ngram-simple -p "…" --show-timings'),
    ("Try it with the models inside the package", "llamaspec demo"),
    ("Download a model and chat with it", "llamaspec -hf bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M"),
    ("Use it in a script", "git diff | llamaspec -m model.gguf -sys 'Summarise this change.' > summary.txt"),
)

EXIT = (
    ("0", "done; every byte of the answer was delivered"),
    ("1", "failed"),
    ("2", "the command line, the environment or a config file is wrong"),
    ("130", "interrupted with Ctrl-C"),
    ("141", "the reader of standard output went away"),
    ("143", "terminated"),
)

FILES = (
    ("/etc/llama.cpp/config.ini", "long flag names and values below [*], such as n-predict = 200"),
    ("$XDG_CONFIG_HOME/llama.cpp/config.ini", "the same for one user; by default in ~/.config"),
    ("$XDG_CONFIG_HOME/llamaspec/config.ini", "the same, only for llamaspec; wins over the other two"),
    ("$XDG_STATE_HOME/llamaspec/history", "what was typed in chats; --no-history keeps nothing"),
)

ENVIRONMENT = (
    ("LLAMA_ARG_…", "as named at the options; wins over config files, and the command line wins over it"),
    ("LLAMA_ARG_NO_…", "switches a paired option off by being set"),
    (
        "LLAMA_CACHE, HF_HUB_CACHE, HF_HOME",
        "where downloads are kept, the first one that is set; else ~/.cache/huggingface/hub",
    ),
    ("HF_TOKEN", "access token for private and gated models; else the one of `hf auth login`"),
    ("HF_ENDPOINT", "address of the hub; default https://huggingface.co"),
    ("HF_HUB_OFFLINE", "1 uses downloaded files only, as --offline does"),
    ("HF_HUB_ENABLE_HF_TRANSFER", "1 downloads in parallel with hf_transfer"),
    ("HTTPS_PROXY, HTTP_PROXY, NO_PROXY", "proxies for downloads"),
    ("LLAMASPEC_DEBUG", "1 shows the Python traceback of an error, as --debug does"),
    ("NO_COLOR, TERM=dumb", "no colours"),
)


def man_text(version: str) -> str:
    """llamaspec(1): everything about run, and what concerns all commands."""
    out = [*_heading("llamaspec", version), r"llamaspec \- GGUF language models with speculative decoding"]
    out += [".SH SYNOPSIS", *_synopsis(RUN), ".SH DESCRIPTION", *_paragraphs(DESCRIPTION), ".SH COMMANDS"]
    for command in COMMANDS:
        out += [".TP", rf"\fB{_safe(command.name)}\fR", _safe(command.summary)]
    out += [".SH EXAMPLES"]
    for title, line in EXAMPLES:
        out += [".TP", _safe(title), ".nf", _safe(line), ".fi"]
    out += [".SH OPTIONS", *_options(RUN), ".SH OTHER LLAMA.CPP OPTIONS"]
    for status, title in WAITING:
        out += [".PP", _safe(f"{title}:"), ".br", _safe(" ".join(waiting(RUN, status)))]
    for title, text in GUIDE:
        out += [f".SH {title}", *_passages(text)]
    out += _closing()
    others = ", ".join(rf"\fB{_safe(page_name(command))}\fR(1)" for command in COMMANDS)
    return "\n".join([*out, ".SH SEE ALSO", others]) + "\n"


def verb_text(command: Command, version: str) -> str:
    """llamaspec-VERB(1)."""
    out = [*_heading(page_name(command), version), rf"{_safe(page_name(command))} \- {_safe(_brief(command))}"]
    out += [".SH SYNOPSIS", *_synopsis(command), ".SH DESCRIPTION", _safe(command.summary)]
    out += _passages(LOOKUP) if command.name.startswith("lookup") else []
    if command.flags == RUN.flags:
        out += [".PP", r"The options are described in \fBllamaspec\fR(1)."]
    else:
        out += [".SH OPTIONS", *_options(command), *_closing()]
    return "\n".join([*out, ".SH SEE ALSO", r"\fBllamaspec\fR(1)"]) + "\n"


def page_name(command: Command) -> str:
    """The name of a command's page."""
    return f"llamaspec-{command.name}"


def _brief(command: Command) -> str:
    """A command's summary as a line of apropos: no capital, no full stop."""
    text = command.summary.split(". ")[0].rstrip(".")
    return text[0].lower() + text[1:]


def _heading(name: str, version: str) -> list[str]:
    return [f'.TH {_safe(name.upper())} 1 "" "llamaspec {version}" "User Commands"', ".ad l", ".SH NAME"]


def _synopsis(command: Command) -> list[str]:
    """The command in bold, its flags in bold, what is to be replaced in italics."""
    name = "[\\fBrun\\fR]" if command is RUN else rf"\fB{_safe(command.name)}\fR"
    rest = re.sub(r"(?<![\w-])--?[a-z][\w-]*", lambda match: rf"\fB{match[0]}\fR", command.synopsis or command.operand)
    rest = re.sub(r"\b[A-Z]+(\.gguf)?\b(?!\\)", lambda match: rf"\fI{match[0]}\fR", rest).replace("-", r"\-")
    return [" ".join(filter(None, (r"\fBllamaspec\fR", name, rest, r"[\fIoptions\fR]")))]


def _options(command: Command) -> list[str]:
    out: list[str] = []
    for title, flags in sections(command):
        out += [f'.SS "{_safe(title)}"']
        for flag in flags:
            out += [".TP", rf"\fB{_safe(left(flag))}\fR", _safe(f"{flag.help} {remarks(flag)}".rstrip())]
    return out


def _closing() -> list[str]:
    out: list[str] = []
    for heading, rows in (("EXIT STATUS", EXIT), ("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT)):
        out.append(f".SH {heading}")
        for name, text in rows:
            out += [".TP", rf"\fB{_safe(name)}\fR", _safe(text)]
    return out


def _paragraphs(text: str) -> list[str]:
    out: list[str] = []
    for block in text.strip().split("\n\n"):
        out += [".PP", _safe(block)]
    return out


def _passages(rows: tuple[tuple[str, str], ...]) -> list[str]:
    """Paragraphs, those with a name hung below it."""
    out: list[str] = []
    for name, text in rows:
        out += [".TP", rf"\fB{_safe(name)}\fR", _safe(text)] if name else [".PP", _safe(text)]
    return out


def _safe(text: str) -> str:
    """Text that roff prints as it is."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...")
    return "\n".join(rf"\&{line}" if line.startswith((".", "'")) else line for line in text.split("\n"))
