"""Chat templates: messages -> the prompt that a model was trained to read (spec/models.md 6)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from llamaspec.errors import LlamaspecError
from llamaspec.text.families import finish
from llamaspec.text.messages import Abilities, Message, prepare, prepare_tools
from llamaspec.text.renderer import Renderer, shared_renderer
from llamaspec.text.tokenizer import Tokenizer

KEY = "tokenizer.chat_template"
CHATML = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)


class ChatTemplate:
    """One template with the tokens it may name.

    source: the Jinja text. tool_use: what is rendered instead when there are tools, None where the file has no such
    variant. Rendering happens in a child process; `Renderer` says what it may use.
    """

    def __init__(
        self,
        source: str,
        bos_token: str = "",
        eos_token: str = "",
        tool_use: str | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        self.source = source
        self.tool_use = tool_use
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self._renderer = renderer or shared_renderer()

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, object], tokenizer: Tokenizer) -> "ChatTemplate | None":
        """The template of a file, None where it has none. Raises LlamaspecError for one that is no string."""
        source, tool_use = _string(metadata, KEY), _string(metadata, f"{KEY}.tool_use")
        if source is None:
            return None
        return cls(source, _text(tokenizer, tokenizer.bos), _text(tokenizer, tokenizer.eos), tool_use)

    @classmethod
    def chatml(cls, tokenizer: Tokenizer) -> "ChatTemplate":
        """The template for a model that has none and should chat all the same."""
        return cls(CHATML, _text(tokenizer, tokenizer.bos), _text(tokenizer, tokenizer.eos))

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message] | None = None,
        add_generation_prompt: bool = True,
        enable_thinking: bool = True,
        now: datetime | None = None,
        **variables: object,
    ) -> str:
        """The prompt. `variables` reach the template as they are; `now` is what it takes for the present.

        preserve_reasoning and reasoning_effort are also passed under the names that templates use for them. A BOS that
        the template writes is kept (see `encode`). Raises LlamaspecError when the template fails, refuses the messages,
        or uses too much; UsageError for messages of a wrong form.
        """
        prepared = prepare_tools(tools)
        source = self.tool_use if prepared and self.tool_use is not None else self.source
        moment = now or datetime.now()
        can = abilities(self._renderer, source)
        given = {
            **_aliases(variables),
            "messages": prepare(messages, source, can),
            **self._tokens,
            "enable_thinking": enable_thinking,
            **({"tools": prepared} if prepared else {}),
            "datetime": moment.strftime("%b %d %Y"),
            "date_string": moment.strftime("%d %b %Y"),
            **variables,
            **({"add_generation_prompt": True} if add_generation_prompt else {}),
        }
        request = {"do": "render", "template": source, "now": moment.isoformat(), "variables": given}
        return finish(str(self._renderer.ask(request)["text"]), source, add_generation_prompt)

    def encode(self, prompt: str, tokenizer: Tokenizer) -> list[int]:
        """Tokens of a rendered prompt; a BOS or EOS in it is not doubled where the tokenizer adds one."""
        if tokenizer.add_bos:
            prompt = prompt.removeprefix(self._tokens["bos_token"])
        if tokenizer.add_eos:
            prompt = prompt.removesuffix(self._tokens["eos_token"])
        return tokenizer.encode(prompt)


@lru_cache(maxsize=64)
def abilities(renderer: Renderer, source: str) -> Abilities:
    """What the template `source` can take, found by rendering it with probes (six renderings, once)."""
    found = renderer.ask({"do": "probe", "template": source})
    return Abilities(**{name: bool(value) for name, value in found.items()})


def render(
    template: str,
    messages: Sequence[Message],
    tools: Sequence[Message] | None = None,
    add_generation_prompt: bool = True,
    enable_thinking: bool = True,
    now: datetime | None = None,
    bos_token: str = "",
    eos_token: str = "",
    **variables: object,
) -> str:
    """The prompt that `template` makes of `messages`, without a model; see ChatTemplate.render."""
    made = ChatTemplate(template, bos_token, eos_token)
    return made.render(messages, tools, add_generation_prompt, enable_thinking, now, **variables)


def _aliases(variables: Mapping[str, object]) -> dict[str, object]:
    """Names under which templates know two of the variables."""
    found: dict[str, object] = {}
    keep, effort = variables.get("preserve_reasoning"), variables.get("reasoning_effort")
    if isinstance(keep, bool):
        found["preserve_thinking"] = keep
        found |= dict.fromkeys(("clear_thinking", "truncate_history_thinking", "drop_thinking"), not keep)
    if isinstance(effort, str) and effort:
        found["reasoning_strength"] = effort
    return found


def _string(metadata: Mapping[str, object], key: str) -> str | None:
    value = metadata.get(key)
    if value is not None and not isinstance(value, str):
        raise LlamaspecError(f"{key} is not a string", "the file is damaged; give a template with --chat-template")
    return value or None


def _text(tokenizer: Tokenizer, token: int | None) -> str:
    return "" if token is None else tokenizer.token_text(token)
