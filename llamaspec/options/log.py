"""What is told beside the answer, all of it on stderr."""

from dataclasses import dataclass
from typing import ClassVar

from .flag import Flag, flag, row
from .values import integer, on_off_auto, path


@dataclass(frozen=True, kw_only=True)
class Log:
    """Messages and statistics."""

    show_timings: bool | None = flag(
        "--show-timings / --no-show-timings", "print prompt and generation speed after each answer",
        common=True, default=None, env="LLAMA_ARG_SHOW_TIMINGS", shown="on in chat",
    )  # fmt: skip
    json: bool = flag("--json", "print one JSON object on stdout in place of the text", common=True, default=False)
    color: str = flag(
        "-co, --color on|off|auto", "colours; without a value: on",
        default="auto", parse=on_off_auto, choices=("on", "off", "auto"), bare="on",
    )  # fmt: skip
    verbosity: int = flag(
        "-lv, --verbosity, --log-verbosity N",
        "0 nothing, 1 errors, 2 warnings, 3 the model and speed, 4 statistics and the rendered prompt, 5 everything",
        common=True, default=2, parse=integer(0, 5), env="LLAMA_ARG_LOG_VERBOSITY",
    )  # fmt: skip
    log_file: str = flag(
        "--log-file FNAME", "copy all messages to a file, which is overwritten",
        default="", parse=path, env="LLAMA_ARG_LOG_FILE", shown="none",
    )  # fmt: skip
    log_jsonl: bool = flag(
        "--log-jsonl / --no-log-jsonl", "messages as JSON lines (on stderr: stdout carries the answer)",
        default=False, env="LLAMA_ARG_LOG_JSONL",
    )  # fmt: skip
    log_prefix: bool | None = flag(
        "--log-prefix / --no-log-prefix", "a letter for the level before each message",
        default=None, env="LLAMA_ARG_LOG_PREFIX", shown="on in the file of --log-file",
    )  # fmt: skip
    log_timestamps: bool | None = flag(
        "--log-timestamps / --no-log-timestamps", "the time since the start before each message that has a prefix",
        default=None, env="LLAMA_ARG_LOG_TIMESTAMPS", shown="on in the file of --log-file",
    )  # fmt: skip
    log_colors: str = flag(
        "--log-colors on|off|auto", "colours of messages", default="auto", parse=on_off_auto,
        env="LLAMA_ARG_LOG_COLORS", choices=("on", "off", "auto"), bare="on", shown="same as --color",
    )  # fmt: skip
    log_prompts_dir: str = flag(
        "--log-prompts-dir PATH", "save each rendered prompt to a file in this folder",
        default="", parse=path, shown="none",
    )  # fmt: skip
    verbose_prompt: bool = flag("--verbose-prompt", "print the tokens of each prompt", default=False)
    print_token_count: int = flag(
        "-ptc, --print-token-count N", "print the number of generated tokens every N tokens; -1 = never",
        default=-1, parse=integer(-1),
    )  # fmt: skip
    debug: bool = flag(
        "--debug", "show the Python traceback of an error", default=False, env="LLAMASPEC_DEBUG",
    )  # fmt: skip

    rows: ClassVar[tuple[Flag, ...]] = (
        row("-v, --verbose, --log-verbose", "the same as --verbosity 5", gives=(("verbosity", "5"),)),
        row("--log-disable", "the same as --verbosity 0", gives=(("verbosity", "0"),)),
    )


@dataclass(frozen=True, kw_only=True)
class About:
    """About llamaspec."""

    short_help: bool = flag("-h, --short-help", "print the most used options and exit", common=True, default=False)
    help: bool = flag("--help, --usage", "print all options by topic and exit", common=True, default=False)
    version: bool = flag("--version", "print the version and exit", default=False)
    list_devices: bool = flag(
        "--list-devices", "print the devices that -dev can name and exit", common=True, default=False,
    )  # fmt: skip
    cache_list: bool = flag("-cl, --cache-list", "list the downloaded models, numbered, and exit", default=False)
    completion_bash: bool = flag("--completion-bash", "print a bash completion script and exit", default=False)
