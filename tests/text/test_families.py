"""What single families of models want besides their template."""

from llamaspec.text.families import finish, rewrite

CALLS = [
    {"id": "1", "function": {"name": "one", "arguments": {}}},
    {"id": "2", "function": {"name": "two", "arguments": {}}},
]
ASKS = {"role": "assistant", "content": "", "tool_calls": CALLS}
USER = {"role": "user", "content": "u"}
V4 = "{% set dsml_token = '|DSML|' %} tool_calls"
GEMMA = "{{ '<|tool_call>call:' }}"


def result(call: str, content: str) -> dict:
    return {"role": "tool", "tool_call_id": call, "content": content}


def test_reasoning_goes_where_the_family_reads_it() -> None:
    message = {"role": "assistant", "content": "a", "reasoning_content": "r"}
    assert rewrite([message], "plain") == [message]
    assert rewrite([message], "<|channel|>") == [{**message, "thinking": "r"}]
    assert "content" not in rewrite([{**message, "tool_calls": CALLS}], "<|channel|>")[0]
    assert rewrite([{**message, "tool_calls": CALLS}], "List of tools: [")[0]["content"] == "a"
    parts = [{"type": "thinking", "thinking": "r"}, {"type": "text", "text": "a"}]
    assert rewrite([message, USER], "[SYSTEM_PROMPT] [THINK]") == [{"role": "assistant", "content": parts}, USER]


def test_results_come_in_the_order_of_the_calls() -> None:
    chat = [ASKS, result("2", "b"), USER, result("1", "a"), {"role": "assistant", "content": "x"}]
    expected = [ASKS, result("1", "a"), USER, result("2", "b"), chat[-1]]
    assert rewrite(chat, V4) == expected
    assert rewrite(chat, V4 + " function_calls") == chat
    assert rewrite(chat[1:], V4) == chat[1:]


def test_a_call_its_results_and_the_answer_are_one_turn() -> None:
    answer = {"role": "assistant", "content": "done"}
    chat = [USER, {**ASKS, "reasoning_content": "r"}, result("1", '{"t": 1}'), result("2", "{no"), answer, USER]
    responses = [{"name": "one", "response": {"t": 1}}, {"name": "two", "response": "{no"}]
    turn = {"role": "assistant", "tool_calls": CALLS, "tool_responses": responses, "content": "done"}
    assert rewrite(chat, GEMMA) == [USER, {**turn, "reasoning_content": "r"}, USER]
    assert rewrite(chat, GEMMA + "{#- OpenAI Chat Completions: -#}") == chat
    again = [ASKS, result("1", "a"), ASKS, result("x", "b"), result("y", "c"), result("z", "d")]
    made = rewrite(again, GEMMA)
    assert [len(message["tool_responses"]) for message in made] == [1, 3]
    assert made[1]["tool_responses"][2]["name"] == "z"


def test_the_end_of_a_prompt() -> None:
    assert finish("a<|return|>", "<|channel|>", add_generation_prompt=False) == "a<|end|>"
    assert finish("a<|return|>", "<|channel|>", add_generation_prompt=True) == "a<|return|>"
    assert finish("a<|return|>", "plain", add_generation_prompt=False) == "a<|return|>"
    assert finish("a<turn|>\n", GEMMA, add_generation_prompt=True) == "a<turn|>\n<|turn>model\n"
    assert finish("a<turn|>\n", GEMMA, add_generation_prompt=False) == "a<turn|>\n"
