"""What some families of models want besides their template: messages of another form, another end of the prompt.

Families are known by what stands in their templates, as llama.cpp 0c1e570 knows them (spec/models.md 6).
"""

import json

Fields = dict[str, object]

TRIMMED = "You have access to the following functions in JSONSchema format"  # StepFun: contents without blanks around


def rewrite(messages: list[Fields], template: str) -> list[Fields]:
    """`messages` in the form that the family of `template` reads."""
    if "[SYSTEM_PROMPT]" in template and "[THINK]" in template:  # Ministral, Magistral
        return [_think_parts(message) for message in messages]
    if "<|channel|>" in template:  # gpt-oss
        return [_thinking(message, drop_content=True) for message in messages]
    if "List of tools: [" in template:  # LFM2
        return [_thinking(message, drop_content=False) for message in messages]
    if "dsml_token" in template and "DSML" in template and "function_calls" not in template:  # DeepSeek V4
        return _sort_results(messages)
    if "'<|tool_call>call:'" in template and "{#- OpenAI Chat Completions:" not in template:  # early Gemma 4
        return _join_turns(messages)
    return messages


def finish(prompt: str, template: str, add_generation_prompt: bool) -> str:
    """`prompt` with the end that the family of `template` expects."""
    if "<|channel|>" in template and not add_generation_prompt and prompt.endswith("<|return|>"):  # gpt-oss
        return prompt.removesuffix("<|return|>") + "<|end|>"
    if "'<|tool_call>call:'" in template and add_generation_prompt and prompt.endswith("<turn|>\n"):  # Gemma 4
        return prompt + "<|turn>model\n"
    return prompt


def _thinking(message: Fields, drop_content: bool) -> Fields:
    if "reasoning_content" not in message:
        return message
    made = {**message, "thinking": message["reasoning_content"]}
    if drop_content and message.get("tool_calls"):
        del made["content"]
    return made


def _think_parts(message: Fields) -> Fields:
    """Reasoning as a part of the content, of type `thinking`."""
    if message["role"] not in ("system", "assistant"):
        return message
    made, content = dict(message), message["content"]
    reasoning = made.pop("reasoning_content", None)
    parts: list[object] = [{"type": "thinking", "thinking": reasoning}] if isinstance(reasoning, str) else []
    if isinstance(content, list):
        return made | {"content": parts + content}
    return made | {"content": [*parts, {"type": "text", "text": content}]}


def _calls(message: Fields) -> list[Fields]:
    calls = message.get("tool_calls")
    return calls if message["role"] == "assistant" and isinstance(calls, list) else []


def _sort_results(messages: list[Fields]) -> list[Fields]:
    """Results of tools between two answers in the order in which they were called; other messages stay in place."""
    made, order, run = list(messages), dict[object, int](), list[int]()

    def settle() -> None:
        found = [made[at] for at in run]
        if order:
            found.sort(key=lambda message: order.get(message.get("tool_call_id"), 0))
        for at, message in zip(run, found, strict=True):
            made[at] = message
        run.clear()

    for at, message in enumerate(messages):
        if message["role"] == "tool":
            run.append(at)
        elif message["role"] != "user":
            settle()
            calls = _calls(message)
            order = {call["id"]: n for n, call in enumerate(calls) if "id" in call} if calls else order
    settle()
    return made


def _join_turns(messages: list[Fields]) -> list[Fields]:
    """A call, its results and the answer to them as one message of the model."""
    made: list[Fields] = []
    at = 0
    while at < len(messages):
        first, at = messages[at], at + 1
        calls = _calls(first)
        if not calls:
            made.append(first)
            continue
        turn: Fields = {"role": "assistant", "tool_calls": calls}
        responses: list[Fields] = []
        while at < len(messages) and messages[at]["role"] == "tool":
            responses.append(_response(messages[at], calls, len(responses)))
            at += 1
        if responses:
            turn["tool_responses"] = responses
        if at < len(messages) and messages[at]["role"] == "assistant" and not _calls(messages[at]):
            answer = messages[at]["content"]
            if answer:
                turn["content"] = answer
                at += 1
        if "reasoning_content" in first:
            turn["reasoning_content"] = first["reasoning_content"]
        made.append(turn)
    return made


def _response(message: Fields, calls: list[Fields], number: int) -> Fields:
    content = message["content"]
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            content = message["content"]
    function = calls[number].get("function") if number < len(calls) else None
    name = function.get("name") if isinstance(function, dict) else ""
    return {"name": name or message.get("tool_call_id", ""), "response": content}
