"""Chat templates against recorded prompts, and what a template may and may not do."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.text.template import CHATML, ChatTemplate, render
from llamaspec.text.tokenizer import Tokenizer
from tests.goldens import folders

# Devstral's template knows no reasoning: where llama.cpp writes it into the message as a part of its own, the answer
# beside it is lost from the prompt. We keep the answer.
DIFFERENT = {("unsloth-mistral-Devstral-Small-2507.jinja", "reasoning_history")}
HELLO = [{"role": "user", "content": "Hello"}]


@dataclass(frozen=True)
class Prompts:
    """The recorded prompts of one template."""

    name: str
    path: Path
    now: datetime
    entries: tuple[tuple[dict, str], ...]


def prompts() -> Iterator[Prompts]:
    seen = set()
    for folder in folders():
        root = folder / "chat"
        if not (root / "goldens_chat.json.gz").is_file():
            continue
        content = json.loads(gzip.decompress((root / "goldens_chat.json.gz").read_bytes()))
        scenarios = {entry["name"]: entry for entry in json.loads((root / "scenarios.json").read_text())}
        for name, entries in content["goldens"].items():
            path = root / "templates" / name
            if name not in seen and path.is_file():
                seen.add(name)
                wanted = tuple((scenarios[entry["name"]], entry["prompt"]) for entry in entries if "prompt" in entry)
                yield Prompts(name, path, datetime.fromisoformat(content["date"]), wanted)


ALL = list(prompts())


def test_prompts_were_found() -> None:
    assert any(found.entries for found in ALL)


@pytest.mark.parametrize("found", ALL, ids=lambda found: found.name)
def test_prompts(found: Prompts) -> None:
    source = found.path.read_text(encoding="utf-8")
    wrong = []
    for scenario, wanted in found.entries:
        given = {key: value for key, value in scenario.items() if key != "name"}
        made = render(source, now=found.now, bos_token="<BOS>", eos_token="<EOS>", **given)
        if made != wanted and (found.name, scenario["name"]) not in DIFFERENT:
            wrong.append((scenario["name"], made, wanted))
    assert not wrong


BPE = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.tokens": ["a", "<s>", "</s>"],
    "tokenizer.ggml.token_type": np.array([1, 3, 3], np.int32),
    "tokenizer.ggml.merges": ["a a"],
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 2,
}
TOOL = {"type": "function", "function": {"name": "f"}}


def test_the_template_of_a_file() -> None:
    tokenizer = Tokenizer.from_metadata(BPE)
    assert ChatTemplate.from_metadata(BPE, tokenizer) is None
    file = {
        **BPE,
        "tokenizer.chat_template": "{{ bos_token }}plain{{ eos_token }}",
        "tokenizer.chat_template.tool_use": "{{ tools[0].function.name }}",
    }
    template = ChatTemplate.from_metadata(file, tokenizer)
    assert template is not None
    assert template.render(HELLO) == "<s>plain</s>"
    assert template.render(HELLO, tools=[TOOL]) == "f"
    with pytest.raises(LlamaspecError, match="not a string"):
        ChatTemplate.from_metadata({**BPE, "tokenizer.chat_template": 7}, tokenizer)


@pytest.mark.parametrize("adds", [True, False])
def test_bos_and_eos_are_not_doubled(adds: bool) -> None:
    tokenizer = Tokenizer.from_metadata(
        {**BPE, "tokenizer.ggml.add_bos_token": adds, "tokenizer.ggml.add_eos_token": adds}
    )
    template = ChatTemplate("{{ bos_token }}a{{ eos_token }}", "<s>", "</s>")
    assert template.encode(template.render(HELLO), tokenizer) == [1, 0, 2]
    assert template.encode("a", tokenizer) == ([1, 0, 2] if adds else [0])


def test_chatml_for_models_without_a_template() -> None:
    chat = [*HELLO, {"role": "assistant", "content": "Hi"}]
    expected = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>\n"
    assert render(CHATML, chat, add_generation_prompt=False) == expected
    tokenizer = Tokenizer.from_metadata(BPE)
    assert ChatTemplate.chatml(tokenizer).render(chat) == expected + "<|im_start|>assistant\n"


def test_what_a_template_is_given() -> None:
    now = datetime(2026, 3, 4, 5, 6)
    source = "{{ datetime }}|{{ date_string }}|{{ strftime_now('%H:%M') }}|{{ enable_thinking }}|{{ colour }}"
    assert render(source, HELLO, now=now, colour="red") == "Mar 04 2026|04 Mar 2026|05:06|True|red"
    asked = "{{ add_generation_prompt is defined }}{{ tools is defined }}"
    assert render(asked, HELLO, add_generation_prompt=False) == "FalseFalse"
    assert render(asked, HELLO, tools=[TOOL]) == "TrueTrue"
    names = "{{ preserve_thinking }}{{ clear_thinking }}{{ drop_thinking }}{{ reasoning_strength }}"
    assert render(names, HELLO, preserve_reasoning=True, reasoning_effort="low") == "TrueFalseFalselow"


def test_the_language_of_templates() -> None:
    assert render("{% generation %}{{ 1 }}{% endgeneration %}", HELLO) == "1"
    assert render("{% for a in [1, 2, 3] %}{% if a == 2 %}{% break %}{% endif %}{{ a }}{% endfor %}", HELLO) == "1"
    assert render("{{ {'b': '<\u00e9>', 'a': [1]} | tojson }}", HELLO) == '{"b": "<\u00e9>", "a": [1]}'
    assert render("{{ {'b': 1, 'a': 2} | tojson(indent=1, sort_keys=true) }}", HELLO) == '{\n "a": 2,\n "b": 1\n}'
    assert render("{{ messages | map(attribute='role') | tojson }}{{ nothing | tojson }}", HELLO) == '["user"]null'
    assert render("[{{ nothing }}{{ nothing.at.all[0] }}{{ 'a' + nothing + 'b' }}]", HELLO) == "[ab]"
    absent = "{% for k, v in messages[0].x.y.items() %}{{ k }}{% endfor %}{{ 1 if nothing.items else 2 }}"
    assert render(absent, HELLO) == "2"
    assert render("{{ '<'|safe + '<' }}{% if messages[0].x is defined %}x{% endif %}", HELLO) == "<<"


def test_messages_of_the_caller_stay_as_they_are() -> None:
    chat = [{"role": "user", "content": "Hello"}]
    assert render("{{ messages.append(1) }}{{ messages | length }}", chat) == "None2"
    assert chat == [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ raise_exception('only \x1b[31mone\n turn') }}", r"only \[31mone turn$"),
        ("{% for %}", "Expected an expression"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ [].pop() }}", "IndexError"),
        ("{{ 'x' | nonsense }}", "nonsense"),
        ("{% include 'x' %}", "TypeError"),
    ],
)
def test_a_template_that_fails(source: str, reason: str) -> None:
    with pytest.raises(LlamaspecError, match=reason) as caught:
        render(source, HELLO)
    assert caught.value.message.isprintable()
    assert "--chat-template" in caught.value.hint


def test_variables_must_be_json() -> None:
    with pytest.raises(UsageError):
        render("x", HELLO, thing=object())
