"""Messages in the form that a template expects."""

import pytest

from llamaspec.errors import UsageError
from llamaspec.text.messages import Abilities, prepare, prepare_tools

PLAIN, OBJECTS = Abilities(), Abilities(objects=True)
PARTS = [{"type": "text", "text": "one"}, {"type": "image"}, {"type": "text", "text": "two"}]


def one(message: dict, template: str = "", can: Abilities = PLAIN) -> dict:
    (made,) = prepare([message], template, can)
    return made


def test_fields_come_in_a_fixed_order_and_content_is_always_there() -> None:
    call = {"id": "1", "function": {"arguments": {"a": "\u00e9"}, "name": "f"}}
    made = one({"tool_calls": [call], "colour": 1, "name": "n", "content": None, "role": "assistant"})
    assert list(made) == ["role", "content", "name", "tool_calls", "colour"]
    assert made["content"] == ""
    assert made["tool_calls"] == [
        {"type": "function", "function": {"name": "f", "arguments": '{"a": "\u00e9"}'}, "id": "1"}
    ]


def test_empty_fields_are_left_out() -> None:
    made = one({"role": "assistant", "content": "x", "reasoning_content": "", "tool_calls": [], "name": None})
    assert made == {"role": "assistant", "content": "x"}


def test_developer_is_system_but_for_the_family_that_knows_it() -> None:
    assert one({"role": "developer", "content": "x"})["role"] == "system"
    assert one({"role": "developer", "content": "x"}, "<|channel|>")["role"] == "developer"


def test_parts_and_strings() -> None:
    message = {"role": "user", "content": PARTS}
    assert one(message)["content"] == "one\ntwo"
    assert one(message, can=Abilities(typed=True))["content"] == PARTS
    typed = Abilities(strings=False, typed=True)
    assert one({"role": "user", "content": "x"}, can=typed)["content"] == [{"type": "text", "text": "x"}]


def test_a_system_message_that_is_not_supported_joins_the_next_one() -> None:
    can = Abilities(system=False)
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert prepare(chat, "", can) == [{"role": "user", "content": "s\nu"}]
    assert prepare(chat[:1], "", can) == []
    assert prepare(chat, "", PLAIN) == chat
    typed = [chat[0], {"role": "user", "content": PARTS[:1]}]
    found = prepare(typed, "", Abilities(strings=True, typed=True, system=False))
    assert found == [{"role": "user", "content": [{"type": "text", "text": "s"}, PARTS[0]]}]


def test_arguments_become_objects_where_the_template_wants_them() -> None:
    call = {"function": {"name": "f", "arguments": '{"a": 1}'}}
    assert one({"role": "assistant", "tool_calls": [call]})["tool_calls"][0]["function"]["arguments"] == '{"a": 1}'
    made = one({"role": "assistant", "tool_calls": [call]}, can=OBJECTS)
    assert made["tool_calls"][0]["function"]["arguments"] == {"a": 1}


def test_contents_are_stripped_for_one_family() -> None:
    template = "You have access to the following functions in JSONSchema format"
    message = {"role": "assistant", "content": " x\n", "reasoning_content": " r "}
    assert one(message, template) == {"role": "assistant", "content": "x", "reasoning_content": "r"}
    parts = {"role": "user", "content": [{"type": "text", "text": " x "}]}
    assert one(parts, template)["content"] == "x"


@pytest.mark.parametrize(
    "messages",
    [
        "hello", None, 3, ["hello"], [{}], [{"role": 1}], [{"role": "user", "content": 3}],
        [{"role": "assistant", "tool_calls": "x"}], [{"role": "assistant", "tool_calls": [1]}],
        [{"role": "assistant", "tool_calls": [{"function": {}}]}],
        [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}],
    ],
)  # fmt: skip
def test_what_is_no_list_of_messages(messages: object) -> None:
    with pytest.raises(UsageError):
        prepare(messages, "", OBJECTS)


def test_tools() -> None:
    assert prepare_tools(None) == []
    assert prepare_tools([{"function": {"parameters": {"type": "object"}, "name": "f"}}]) == [
        {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}
    ]
    for wrong in ("f", [1], [{"function": {}}], [{"type": "x", "function": {"name": "f"}}]):
        with pytest.raises(UsageError):
            prepare_tools(wrong)
