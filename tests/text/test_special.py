"""Special ids from keys and from texts."""

import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.text.special import Special, complete, read


def ends(*texts: str, **named: int) -> tuple[set[str], dict[str, int]]:
    ids = {text: token for token, text in enumerate(texts)}
    special = Special(**named)
    complete(special, ids)
    return {texts[token] for token in special.eog}, ids


def test_later_spellings_win_and_ids_that_do_not_exist_are_left_out() -> None:
    keys = {"bos_token_id": 3, "fim_pre_token_id": 4, "prefix_token_id": 5, "eos_token_id": 99, "eot_token_id": -1}
    found, warnings = read({f"tokenizer.ggml.{k}": v for k, v in keys.items()}, Special(bos=1, eos=2, unk=50), 10)
    assert (found.bos, found.eos, found.eot, found.unk, found.fim_pre) == (3, 2, None, None, 5)
    assert len(warnings) == 2


@pytest.mark.parametrize("value", ["1", 1.0, True, [1]])
def test_an_id_that_is_no_integer(value: object) -> None:
    with pytest.raises(LlamaspecError, match="eos_token_id"):
        read({"tokenizer.ggml.eos_token_id": value}, Special(), 10)


def test_ends_are_found_by_text_and_by_key() -> None:
    assert ends("a", "<|eot_id|>", "</s>", "<|file_sep|>", eos=0)[0] == {"a", "<|eot_id|>", "</s>", "<|file_sep|>"}
    assert ends("a", "<|fim_pad|>", "<|fim_prefix|>")[0] == {"<|fim_pad|>"}


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (("<|end|>", "<|return|>", "<|call|>"), False),
        (("<|end|>", "<|calls|>", "<|flush|>"), False),
        (("<|end|>", "<|call|>"), True),
        (("<|end|>", "<|return|>", "<|flush|>"), True),
    ],
)
def test_end_is_no_end_where_calls_are_ends(texts: tuple[str, ...], kept: bool) -> None:
    assert ("<|end|>" in ends(*texts)[0]) == kept


def test_the_normal_token_of_models_with_tool_responses() -> None:
    assert "</s>" not in ends("</s>", "<|tool_response>")[0]
    assert "</s>" not in ends("</s>", "<|plamo:eos|>", eos=1)[0]
    assert "</s>" in ends("</s>", "<|plamo:eos|>")[0]


def test_types_that_texts_override() -> None:
    texts = ("<|end|>", "<|return|>", "<|call|>", "<|channel|>", "<|im_end|>", "a")
    ids = {text: token for token, text in enumerate(texts)}
    changes = complete(Special(), ids)
    assert changes.user_defined == {ids["<|channel|>"], ids["<|end|>"]}
    assert {ids["<|im_end|>"], ids["<|return|>"], ids["<|call|>"]} <= changes.control
    assert ids["a"] not in changes.control | changes.user_defined | changes.normal
