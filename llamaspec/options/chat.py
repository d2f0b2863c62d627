"""What is asked, and how a conversation is written down for the model."""

from dataclasses import dataclass
from typing import Any

from .flag import Status, flag
from .values import integer, json_object, on_off_auto, path, texts


@dataclass(frozen=True, kw_only=True)
class Chat:
    """Prompt and chat."""

    prompt: str | None = flag(
        "-p, --prompt PROMPT",
        "the prompt: the first user turn, or raw text with -no-cnv; the text - means standard input",
        common=True, default=None, shown="none",
    )  # fmt: skip
    file: str = flag(
        "-f, --file FNAME",
        "read the prompt from a file, without its final newline; the name - means standard input",
        common=True, default="", parse=path, shown="none",
    )  # fmt: skip
    binary_file: str = flag(
        "-bf, --binary-file FNAME", "read the prompt from a file, byte for byte", default="", parse=path, shown="none",
    )  # fmt: skip
    escape: bool = flag(
        "-e, --escape / --no-escape", r"expand \n, \t, \x41 … in -p, -f and -r", default=True,
    )  # fmt: skip
    system_prompt: str | None = flag(
        "-sys, --system-prompt TEXT", "system message", common=True, default=None, shown="none"
    )
    system_prompt_file: str = flag(
        "-sysf, --system-prompt-file FNAME", "read the system message from a file",
        default="", parse=path, shown="none",
    )  # fmt: skip
    conversation: bool | None = flag(
        "-cnv, --conversation / -no-cnv, --no-conversation",
        "chat with the model's template; off: continue the prompt as raw text",
        common=True, default=None, shown="chat if the model has a template",
    )  # fmt: skip
    single_turn: bool = flag("-st, --single-turn", "answer one message, then exit", common=True, default=False)
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
        "--jinja / --no-jinja", "templates are always rendered by Jinja, those with a name too",
        default=True, env="LLAMA_ARG_JINJA", status=Status.INERT,
    )  # fmt: skip
    chat_template: str = flag(
        "--chat-template TEMPLATE",
        "chat template in place of the model's: Jinja text, or a name such as chatml, llama3 or gemma",
        default="", env="LLAMA_ARG_CHAT_TEMPLATE", shown="the model's",
    )  # fmt: skip
    chat_template_file: str = flag(
        "--chat-template-file FNAME", "read the chat template from a file",
        default="", parse=path, env="LLAMA_ARG_CHAT_TEMPLATE_FILE", shown="the model's",
    )  # fmt: skip
    chat_template_kwargs: str = flag(
        "--chat-template-kwargs JSON", "more variables for the chat template, a JSON object",
        default="", parse=json_object, env="LLAMA_ARG_CHAT_TEMPLATE_KWARGS", shown="none",
    )  # fmt: skip
    reverse_prompt: tuple[str, ...] = flag(
        "-r, --reverse-prompt TEXT", "stop where the model writes this text; repeatable",
        default=(), parse=texts, many=True, shown="none",
    )  # fmt: skip
    in_prefix: str = flag(
        "--in-prefix TEXT", "text before each message of the user", default="", shown="none",
    )  # fmt: skip
    in_suffix: str = flag(
        "--in-suffix TEXT", "text after each message of the user", default="", shown="none",
    )  # fmt: skip
    output_file: str = flag(
        "-o, --output, --output-file FNAME", "write a transcript of the conversation to a file, which is overwritten",
        common=True, default="", parse=path, shown="none",
    )  # fmt: skip
    display_prompt: bool = flag(
        "--display-prompt / --no-display-prompt", "with -no-cnv: print the prompt before the answer", default=False,
    )  # fmt: skip
    json_stream: bool = flag(
        "--json-stream", "print JSON lines as the answer comes: each piece of text, then the object of --json",
        default=False,
    )  # fmt: skip
    interactive: bool = flag("-i, --interactive", "older name for a chat: -cnv", default=False)
    interactive_first: bool = flag(
        "-if, --interactive-first", "a chat that waits for input first; -p is ignored", default=False,
    )  # fmt: skip
    reasoning: str = flag(
        "-rea, --reasoning on|off|auto", "let the model think before it answers, where its template can switch that",
        default="auto", parse=on_off_auto, env="LLAMA_ARG_REASONING", choices=("on", "off", "auto"),
    )  # fmt: skip
    reasoning_format: str = flag(
        "--reasoning-format FORMAT",
        "none: reasoning stays in the text; otherwise it is taken out: dimmed on a terminal, a field of --json",
        default="auto", env="LLAMA_ARG_THINK", choices=("none", "auto", "deepseek", "deepseek-legacy"),
    )  # fmt: skip
    reasoning_effort: str = flag(
        "--reasoning-effort LEVEL", "how much the model should think, for templates that ask (low, medium, high)",
        default="default", env="LLAMA_ARG_REASONING_EFFORT",
    )  # fmt: skip
    reasoning_budget: int = flag(
        "--reasoning-budget N",
        "maximum number of reasoning tokens, after which the answer begins; 0 = none, -1 = no limit",
        default=-1, parse=integer(-1), env="LLAMA_ARG_THINK_BUDGET",
    )  # fmt: skip
    reasoning_budget_message: str = flag(
        "--reasoning-budget-message TEXT", "text that ends the reasoning when its budget is spent",
        default="", env="LLAMA_ARG_THINK_BUDGET_MESSAGE", shown="none",
    )  # fmt: skip
    reasoning_preserve: bool = flag(
        "--reasoning-preserve / --no-reasoning-preserve", "keep the reasoning of earlier answers in the conversation",
        default=True, env="LLAMA_ARG_REASONING_PRESERVE",
    )  # fmt: skip
    skip_chat_parsing: bool = flag(
        "--skip-chat-parsing / --no-skip-chat-parsing", "show the answer as it is, reasoning and tool calls included",
        default=False, env="LLAMA_ARG_SKIP_CHAT_PARSING",
    )  # fmt: skip
    special: bool = flag("-sp, --special", "print special tokens of the answer", default=False)

    @property
    def template_words(self) -> dict[str, Any]:
        """What the flags pass to the chat template: variables of its own, and how to deal with reasoning."""
        words: dict[str, Any] = {} if self.reasoning_preserve else {"preserve_reasoning": False}
        if self.reasoning != "auto":
            words["enable_thinking"] = self.reasoning == "on"
        elif self.reasoning_budget == 0:
            words["enable_thinking"] = False
        if self.reasoning_effort != "default":
            words["reasoning_effort"] = self.reasoning_effort
        if self.chat_template_kwargs:
            import json

            words |= json.loads(self.chat_template_kwargs)
        return words

    @property
    def parses_reasoning(self) -> bool:
        """Whether reasoning is taken out of the answer."""
        return self.reasoning_format != "none" and not self.skip_chat_parsing
