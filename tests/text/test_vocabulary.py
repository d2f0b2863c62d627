"""Token tables that a file may claim: odd ones work, broken ones are refused with one error class."""

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.errors import LlamaspecError
from llamaspec.text.tokenizer import Tokenizer
from llamaspec.text.vocabulary import Type

NORMAL, CONTROL, BYTE = 1, 3, 6
TOKENS = ["<unk>", "<s>", "</s>", "<0x0A>", "\u2581", "a", "b", "ab"]
SPM = {
    "tokenizer.ggml.model": "llama",
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.scores": np.arange(8, dtype=np.float32),
    "tokenizer.ggml.token_type": np.array([2, 3, 3, 6, 1, 1, 1, 1], np.int32),
}
BPE = {
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.tokens": ["a", "b", "ab", "<|im_end|>"],
    "tokenizer.ggml.token_type": np.array([1, 1, 1, 3], np.int32),
    "tokenizer.ggml.merges": ["a b"],
}


def make(base: Mapping[str, object], **changes: object) -> Tokenizer:
    found = {**base, **{f"tokenizer.ggml.{key}": value for key, value in changes.items()}}
    return Tokenizer.from_metadata({key: value for key, value in found.items() if value is not None})


def test_the_bases_are_sound() -> None:
    assert make(SPM).encode("ab") == [1, 4, 7]
    assert make(BPE).encode("ab<|im_end|>") == [2, 3]


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (SPM, {"tokens": None}),
        (SPM, {"tokens": []}),
        (SPM, {"tokens": "abc"}),
        (SPM, {"tokens": np.arange(8)}),
        (SPM, {"tokens": [1, 2]}),
        (SPM, {"tokens": ["a", "a", "b", "<0x0A>", "c", "d", "e", "f"]}),
        (SPM, {"tokens": ["<unk>", "<s>", "</s>", "<0x-1>", "c", "d", "e", "f"]}),
        (SPM, {"tokens": ["<unk>", "<s>", "</s>", "<0x", "c", "d", "e", "f"]}),
        (SPM, {"scores": np.arange(7, dtype=np.float32)}),
        (SPM, {"scores": ["x"] * 8}),
        (SPM, {"scores": 1.5}),
        (SPM, {"scores": np.full(8, np.nan, np.float32)}),
        (SPM, {"scores": np.ones((8, 1), np.float32)}),
        (SPM, {"token_type": np.ones(7, np.int32)}),
        (SPM, {"token_type": np.ones(8, np.float32)}),
        (SPM, {"token_type": "1" * 8}),
        (SPM, {"token_type": [[1], 2]}),
        (SPM, {"model": None}),
        (SPM, {"model": "none"}),
        (SPM, {"model": 3}),
        (SPM, {"model": "nonsense"}),
        (SPM, {"model": "t5"}),
        (SPM, {"model": "bert"}),
        (SPM, {"add_bos_token": 1}),
        (SPM, {"add_space_prefix": "yes"}),
        (SPM, {"bos_token_id": "1"}),
        (BPE, {"merges": None}),
        (BPE, {"merges": ["a b", "ab"]}),
        (BPE, {"merges": [" b"]}),
        (BPE, {"merges": [b"a b"]}),
        (BPE, {"pre": 7}),
        (BPE, {"pre": "nonsense"}),
        (BPE, {"pre": "kimi-k2"}),
    ],
)
def test_broken_tables_are_refused(base: Mapping[str, object], changes: dict[str, object]) -> None:
    with pytest.raises(LlamaspecError) as caught:
        make(base, **changes)
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_odd_tables_work() -> None:
    assert make(SPM, tokens=[*TOKENS[:5], "", "b", "ab"]).token_text(5) == "[EMPTY_5]"
    assert make(SPM, scores=None, token_type=None).encode("ab") == [1, 4, 7]
    assert make(SPM, scores=np.arange(8, dtype=np.int32)).encode("ab") == [1, 4, 7]
    assert make(SPM, token_type=np.array([2, 3, 3, 6, 1, 99, -4, 1])).token_type(6) == Type.UNDEFINED
    assert make(SPM, bos_token_id=10**9).bos == 1
    missing = make(BPE, pre=None)
    assert any("pre-tokenizer" in warning for warning in missing.warnings)
    assert not make(BPE).warnings


def test_types_decide_what_is_printed() -> None:
    odd = make(SPM, token_type=np.array([2, 3, 3, 6, 1, 5, 4, 1]))
    assert [odd.piece(token) for token in range(8)] == [b"", b"", b"", b"\n", b" ", b"", b"b", b"ab"]
    assert [odd.piece(token, special=True) for token in range(3)] == [b"<unk>", b"<s>", b"</s>"]


def test_a_letter_that_stands_for_no_byte_is_spelled_out() -> None:
    odd = make(BPE, tokens=["a", "b", "\u6f22", "<|im_end|>"])
    assert odd.piece(2) == b"[UNK_BYTE_0xe6bca2\xe6\xbc\xa2]"


def test_a_control_looking_token_is_control() -> None:
    found = make(BPE, token_type=None)
    assert found.token_type(3) & Type.CONTROL
    assert found.eog >= {3}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=9),
    max_leaves=12,
)
keys = ["model", "pre", "tokens", "scores", "token_type", "merges", "bos_token_id", "eos_token_id", "add_bos_token",
        "add_eos_token", "add_space_prefix", "fim_pad_token_id"]  # fmt: skip


@given(st.sampled_from([SPM, BPE]), st.dictionaries(st.sampled_from(keys), values), st.text(max_size=20))
def test_nothing_but_our_own_error_escapes(base: Mapping[str, object], changes: dict[str, object], text: str) -> None:
    try:
        tokenizer = make(base, **changes)
    except LlamaspecError:
        return
    ids = tokenizer.encode(text)
    assert all(0 <= token < tokenizer.n_vocab for token in ids)
    assert isinstance(tokenizer.decode(ids), bytes)
