"""Templates by name, against the texts that llama.cpp's own of the same names write."""

import pytest

from llamaspec.errors import UsageError
from llamaspec.text import named
from llamaspec.text.template import render

TALK = [
    {"role": "system", "content": " Be kind. "},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": " Hi there "},
    {"role": "user", "content": "How are you?"},
]
TURN = "<|START_OF_TURN_TOKEN|>"
WRITTEN = {
    "chatml": "<|im_start|>system\n Be kind. <|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    " Hi there <|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n",
    "llama2": "[INST]  Be kind. \nHello [/INST] Hi there </s>[INST] How are you? [/INST]",
    "llama2-sys": "[INST] <<SYS>>\n Be kind. \n<</SYS>>\n\nHello [/INST] Hi there </s>[INST] How are you? [/INST]",
    "llama2-sys-bos": "[INST] <<SYS>>\n Be kind. \n<</SYS>>\n\nHello [/INST] Hi there </s>"
    "<s>[INST] How are you? [/INST]",
    "llama2-sys-strip": "[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHello [/INST]Hi there</s>[INST] How are you? [/INST]",
    "mistral-v1": " [INST]  Be kind. \n\nHello [/INST]  Hi there </s> [INST] How are you? [/INST]",
    "mistral-v3": "[INST]  Be kind. \n\nHello[/INST] Hi there</s>[INST] How are you?[/INST]",
    "mistral-v3-tekken": "[INST] Be kind. \n\nHello[/INST] Hi there </s>[INST]How are you?[/INST]",
    "mistral-v7": "[SYSTEM_PROMPT]  Be kind. [/SYSTEM_PROMPT][INST] Hello[/INST]  Hi there </s>"
    "[INST] How are you?[/INST]",
    "phi3": "<|system|>\n Be kind. <|end|>\n<|user|>\nHello<|end|>\n<|assistant|>\n Hi there <|end|>\n"
    "<|user|>\nHow are you?<|end|>\n<|assistant|>\n",
    "llama3": "<|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nHi there<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHow are you?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma": "<start_of_turn>user\nBe kind.\n\nHello<end_of_turn>\n<start_of_turn>model\nHi there<end_of_turn>\n"
    "<start_of_turn>user\nHow are you?<end_of_turn>\n<start_of_turn>model\n",
    "openchat": " Be kind. <|end_of_turn|>GPT4 Correct User: Hello<|end_of_turn|>GPT4 Correct Assistant:  Hi there "
    "<|end_of_turn|>GPT4 Correct User: How are you?<|end_of_turn|>GPT4 Correct Assistant:",
    "vicuna": " Be kind. \n\nUSER: Hello\nASSISTANT:  Hi there </s>\nUSER: How are you?\nASSISTANT:",
    "vicuna-orca": "SYSTEM:  Be kind. \nUSER: Hello\nASSISTANT:  Hi there </s>\nUSER: How are you?\nASSISTANT:",
    "orion": "Human:  Be kind. \n\nHello\n\nAssistant: </s> Hi there </s>Human: How are you?\n\nAssistant: </s>",
    "monarch": "system\n Be kind. </s>\n<s>user\nHello</s>\n<s>assistant\n Hi there </s>\n<s>user\nHow are you?</s>\n"
    "<s>assistant\n",
    "command-r": f"{TURN}<|SYSTEM_TOKEN|>Be kind.<|END_OF_TURN_TOKEN|>{TURN}<|USER_TOKEN|>Hello<|END_OF_TURN_TOKEN|>"
    f"{TURN}<|CHATBOT_TOKEN|>Hi there<|END_OF_TURN_TOKEN|>{TURN}<|USER_TOKEN|>How are you?<|END_OF_TURN_TOKEN|>"
    f"{TURN}<|CHATBOT_TOKEN|>",
    "deepseek3": " Be kind. \n\n<｜User｜>Hello<｜Assistant｜> Hi there <｜end▁of▁sentence｜>"
    "<｜User｜>How are you?<｜Assistant｜>",
    "bailing": "<role>SYSTEM</role> Be kind. <role>HUMAN</role>Hello<role>ASSISTANT</role> Hi there "
    "<role>HUMAN</role>How are you?<role>ASSISTANT</role>",
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_a_template_writes_the_format_of_its_name(name):
    assert render(named.source(name), TALK) == WRITTEN[name]


@pytest.mark.parametrize("name", named.names())
def test_every_template_shows_each_message_and_renders_without_a_system_message(name):
    text = render(named.source(name), TALK)
    assert [message["content"] for message in TALK[1:] if message["content"].strip() not in text] == []
    assert "Hello" in render(named.source(name), TALK[1:2])


def test_jinja_text_stays_and_other_words_are_refused():
    assert named.source("{{ messages }}") == "{{ messages }}"
    with pytest.raises(UsageError, match="did you mean llama3") as raised:
        named.source("llama-3")
    assert "chatml" in raised.value.hint
    for text in ("", "nonsense", "../formats/llama3"):
        with pytest.raises(UsageError):
            named.source(text)
