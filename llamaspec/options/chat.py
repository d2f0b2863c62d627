"""What is asked, and how a conversation is written down for the model."""

from dataclasses import dataclass

from .flag import Status, flag
from .values import json_object, path, texts


@dataclass(frozen=True, kw_only=True)
class Chat:
    """Prompt and chat."""

    prompt: str | None = flag(
        "-p, --prompt PROMPT",
        "the prompt: the first user turn, or raw text with -no-cnv; - = standard input", default=None, shown="none",
    )  # fmt: skip
    file: str = flag(
        "-f, --file FNAME",
        "read the prompt from a file, without its final newline; - = standard input",
        default="", parse=path, shown="none",
    )  # fmt: skip
    binary_file: str = flag(
        "-bf, --binary-file FNAME", "read the prompt from a file, byte for byte", default="", parse=path, shown="none",
    )  # fmt: skip
    escape: bool = flag(
        "-e, --escape / --no-escape", r"expand \n, \t, \x41 … in -p, -f and -r", default=True,
    )  # fmt: skip
    system_prompt: str | None = flag("-sys, --system-prompt TEXT", "system message", default=None, shown="none")
    system_prompt_file: str = flag(
        "-sysf, --system-prompt-file FNAME", "read the system message from a file",
        default="", parse=path, shown="none",
    )  # fmt: skip
    conversation: bool | None = flag(
        "-cnv, --conversation / -no-cnv, --no-conversation",
        "chat with the model's template; off: continue the prompt as raw text",
        default=None, shown="chat if the model has a template",
    )  # fmt: skip
    single_turn: bool = flag("-st, --single-turn", "answer one turn, then leave", default=False)
    multiline_input: bool = flag(
        "-mli, --multiline-input", "in a chat Enter starts a new line, and a \\ at its end (or Alt-Enter) sends",
        default=False,
    )  # fmt: skip
    history: bool = flag(
        "--history / --no-history", "keep what is typed in chats for the next one", default=True,
    )  # fmt: skip
    simple_io: bool = flag(
        "--simple-io", "in a chat: plain lines, no line editor, no status bar, no word wrap", default=False,
    )  # fmt: skip
    jinja: bool = flag(
        "--jinja / --no-jinja", "render chat templates with Jinja", default=True, env="LLAMA_ARG_JINJA",
        status=Status.LATER,
    )  # fmt: skip
    chat_template: str = flag(
        "--chat-template TEMPLATE", "Jinja text to use in place of the model's chat template",
        default="", env="LLAMA_ARG_CHAT_TEMPLATE", shown="the model's",
    )  # fmt: skip
    chat_template_file: str = flag(
        "--chat-template-file FNAME", "read the chat template from a file",
        default="", parse=path, env="LLAMA_ARG_CHAT_TEMPLATE_FILE", shown="the model's",
    )  # fmt: skip
    chat_template_kwargs: str = flag(
        "--chat-template-kwargs JSON", "more variables for the chat template, a JSON object",
        default="", parse=json_object, env="LLAMA_ARG_CHAT_TEMPLATE_KWARGS", shown="none",
        status=Status.LATER,
    )  # fmt: skip
    reverse_prompt: tuple[str, ...] = flag(
        "-r, --reverse-prompt TEXT", "stop where the model writes this text; repeatable",
        default=(), parse=texts, many=True, shown="none",
    )  # fmt: skip
    special: bool = flag("-sp, --special", "print special tokens of the answer", default=False)
