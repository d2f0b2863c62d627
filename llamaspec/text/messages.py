"""What becomes of messages and tools before a chat template sees them (spec/models.md 6, numbers in brackets)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llamaspec.errors import UsageError
from llamaspec.text.families import TRIMMED, Fields, rewrite

Message = Mapping[str, object]


@dataclass(frozen=True)
class Abilities:
    """What a template reads: contents that are strings or typed parts, a system message, calls, object arguments."""

    strings: bool = True
    typed: bool = False
    system: bool = True
    calls: bool = True
    objects: bool = False


def prepare(messages: Sequence[Message], template: str, can: Abilities) -> list[Fields]:
    """Copies of `messages` in the form that `template` expects. Raises UsageError for what is no list of messages."""
    if isinstance(messages, str | bytes) or not isinstance(messages, Sequence):
        raise UsageError("messages must be a list", "give [{'role': 'user', 'content': '...'}]")
    made = [_fields(message) for message in messages]
    if TRIMMED in template:  # [6]
        made = [_trimmed(message) for message in made]
    for message in made:
        message["content"] = _content(message["content"], can)
        if message["role"] == "developer" and "<|channel|>" not in template:  # [1]
            message["role"] = "system"
        if can.objects:  # [4]
            message |= _with_objects(message)
    if not can.system:
        made = _merge_system(made)
    return rewrite(made, template)


def prepare_tools(tools: Sequence[Message] | None) -> list[Fields]:
    """Copies of `tools` with their fields in the usual order. Raises UsageError for what is no list of functions."""
    if tools is None:
        return []
    if isinstance(tools, str | bytes) or not isinstance(tools, Sequence):
        raise UsageError("tools must be a list", "give [{'type': 'function', 'function': {...}}]")
    return [_tool(tool) for tool in tools]


def _tool(tool: Message) -> Fields:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping) or tool.get("type", "function") != "function" or "name" not in function:
        raise UsageError("a tool must be a function with a name", "give {'type': 'function', 'function': {...}}")
    known = {"name": function["name"], "description": function.get("description") or ""}
    return {"type": "function", "function": {**known, "parameters": function.get("parameters") or {}}}


def _fields(message: Message) -> Fields:
    """The fields in the order in which templates that print a message expect them; absent content is "" [5]."""
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        raise UsageError("every message must have a role", "give {'role': 'user', 'content': '...'}")
    content = message.get("content")
    if content is not None and not isinstance(content, str | list | tuple):
        raise UsageError("the content of a message must be text or a list of parts", "give {'content': '...'}")
    made: Fields = {"role": message["role"], "content": list(content) if isinstance(content, tuple) else content or ""}
    made |= {key: message[key] for key in ("reasoning_content", "name", "tool_call_id") if message.get(key)}
    calls = message.get("tool_calls")
    if calls:
        if not isinstance(calls, Sequence) or isinstance(calls, str | bytes):
            raise UsageError("tool_calls must be a list", "")
        made["tool_calls"] = [_call(call) for call in calls]
    return made | {key: value for key, value in message.items() if key not in made and key not in DROPPED}


DROPPED = ("content", "reasoning_content", "name", "tool_call_id", "tool_calls")


def _call(call: object) -> Fields:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(call, Mapping) or not isinstance(function, Mapping) or "name" not in function:
        raise UsageError("a tool call must name a function", "give {'function': {'name': ..., 'arguments': ...}}")
    arguments = function.get("arguments", "")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    made: Fields = {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
    return made | {"id": call["id"]} if call.get("id") else made


def _trimmed(message: Fields) -> Fields:
    def trim(value: object) -> object:
        return value.strip() if isinstance(value, str) else value

    content = message["content"]
    if isinstance(content, list):
        content = [{**part, "text": trim(part.get("text"))} if _is_text(part) else part for part in content]
    trimmed = {key: trim(message[key]) for key in ("reasoning_content",) if key in message}
    return {**message, **trimmed, "content": trim(content)}


def _is_text(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text"


def _content(content: object, can: Abilities) -> object:
    """Parts joined by newlines for templates that only take strings, and the reverse [2]."""
    if isinstance(content, list) and can.strings and not can.typed:
        return "\n".join(_texts(content))
    if isinstance(content, str) and can.typed and not can.strings:
        return [{"type": "text", "text": content}]
    return content


def _texts(parts: Iterable[object]) -> list[str]:
    texts = [str(part.get("text", "")) for part in parts if isinstance(part, Mapping) and part.get("type") == "text"]
    # As llama.cpp joins them: no newline before the first text that is not empty.
    first = next((at for at, text in enumerate(texts) if text), len(texts))
    return texts[first:]


def _with_objects(message: Fields) -> Fields:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return {}
    made = []
    for call in calls:
        function = call["function"]
        try:
            arguments = json.loads(function["arguments"])
        except (ValueError, RecursionError) as error:
            name = str(function["name"])[:80]
            raise UsageError(
                f"the arguments of the call of {name!r} are not valid JSON: {error}", "give an object, or JSON text"
            ) from error
        made.append({**call, "function": {**function, "arguments": arguments}})
    return {"tool_calls": made}


def _merge_system(messages: list[Fields]) -> list[Fields]:
    """A leading system message written into the next one [3]; alone it is left out."""
    if not messages or messages[0]["role"] != "system":
        return messages
    first, rest = messages[0], messages[1:]
    if not rest:
        return []
    return [{**rest[0], "content": _joined(first["content"], rest[0]["content"])}, *rest[1:]]


def _joined(first: object, second: object) -> object:
    if isinstance(first, str) and isinstance(second, str):
        return f"{first}\n{second}"
    parts = [[{"type": "text", "text": part}] if isinstance(part, str) else part for part in (first, second)]
    return [part for found in parts if isinstance(found, list) for part in found]
