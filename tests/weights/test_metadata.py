"""Typed reading of metadata, and --override-kv."""

import numpy as np
import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.weights.metadata import Metadata

META = Metadata(
    {
        "general.architecture": "llama",
        "llama.block_count": 4,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": np.array([2, 2, 0, 2], "<u4"),
        "llama.rope.freq_base": 10000.0,
        "llama.attention.causal": True,
        "llama.sliding": np.array([True, False, True, False]),
        "llama.factors": np.array([1.0, 2.0, 4.0, 8.0], "<f4"),
        "llama.nan": float("nan"),
        "llama.minus": -1,
        "tokenizer.ggml.tokens": ["a", "b"],
        "block_count": 7,
    },
    "m.gguf",
)


def test_a_key_is_looked_up_bare_first_and_then_with_the_architecture() -> None:
    assert META.int("block_count") == 7
    assert META.int("llama.block_count") == 4
    assert META.int("attention.head_count") == META.int("llama.attention.head_count") == 8
    assert "attention.head_count" in META
    assert "head_count" not in META
    assert META["attention.head_count"] == META.get("llama.attention.head_count") == 8
    assert META.get("nothing") is None
    assert META.architecture == "llama"
    assert len(META) == 12
    assert 3 not in META


def test_values_come_with_their_type() -> None:
    assert META.float("rope.freq_base") == 10000.0
    assert isinstance(META.float("block_count"), float)
    assert META.bool("attention.causal") is True
    assert META.str("general.architecture") == "llama"
    assert META.strings("tokenizer.ggml.tokens") == ("a", "b")


def test_one_value_or_one_per_layer() -> None:
    assert META.ints("attention.head_count", 3) == (8, 8, 8)
    assert META.ints("attention.head_count_kv", 4) == (2, 2, 0, 2)
    assert META.ints("attention.head_count_kv") == (2, 2, 0, 2)
    assert META.floats("factors", 4) == (1.0, 2.0, 4.0, 8.0)
    assert META.floats("rope.freq_base", 2) == (10000.0, 10000.0)
    assert META.bools("sliding", 4) == (True, False, True, False)
    assert META.ints("attention.head_count", 0) == ()


def test_defaults_stand_in_for_missing_keys_only() -> None:
    assert META.int("nothing", 5) == 5
    assert META.int("nothing", None) is None
    assert META.float("nothing", default=0.5) == 0.5
    assert META.ints("nothing", 4, None) is None
    assert META.strings("nothing", ()) == ()
    with pytest.raises(LlamaspecError):
        META.int("attention.causal", 5)


@pytest.mark.parametrize(
    ("key", "shown"),
    [("feed_forward_length", "llama.feed_forward_length"), ("tokenizer.ggml.pre", "tokenizer.ggml.pre")],
)
def test_a_missing_key_is_named_in_full(key: str, shown: str) -> None:
    with pytest.raises(LlamaspecError) as error:
        META.int(key)
    assert error.value.message == f"m.gguf: metadata key '{shown}' is missing"
    assert error.value.hint


@pytest.mark.parametrize(
    ("read", "key", "expected"),
    [
        (META.int, "rope.freq_base", "a whole number"),
        (META.int, "attention.causal", "a whole number"),
        (META.int, "general.architecture", "a whole number"),
        (META.int, "attention.head_count_kv", "a whole number"),
        (META.int, "minus", "0 or more"),
        (META.float, "general.architecture", "a finite number"),
        (META.float, "attention.causal", "a finite number"),
        (META.float, "nan", "a finite number"),
        (META.bool, "attention.head_count", "true or false"),
        (META.str, "attention.head_count", "a string"),
        (META.str, "tokenizer.ggml.tokens", "a string"),
        (META.strings, "general.architecture", "an array of strings"),
        (META.strings, "factors", "an array of strings"),
        (META.ints, "factors", "a whole number"),
        (META.floats, "sliding", "a finite number"),
        (META.bools, "attention.head_count_kv", "true or false"),
        (lambda key: META.ints(key, 3), "attention.head_count_kv", "one value or 3"),
        (lambda key: META.ints(key, 2**40), "attention.head_count", "at most"),
        (lambda key: META.int(key, high=7), "attention.head_count", "at most 7"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(read, key: str, expected: str) -> None:
    with pytest.raises(LlamaspecError) as error:
        read(key)
    assert error.value.message.startswith(f"m.gguf: metadata key '{META.full(key)}' should be ")
    assert expected in error.value.message
    assert error.value.hint


def test_no_architecture() -> None:
    bare = Metadata({"x": 1}, "m.gguf")
    assert bare.int("x") == 1
    with pytest.raises(LlamaspecError, match=r"'general\.architecture' is missing"):
        _ = bare.architecture
    with pytest.raises(LlamaspecError, match="'y' is missing"):
        bare.int("y")


def test_overrides_replace_and_add_in_a_copy() -> None:
    changed = META.with_overrides(
        [
            ("llama.block_count", 2),
            ("llama.rope.freq_base", 5e5),
            ("llama.attention.causal", False),
            ("tokenizer.ggml.pre", "a=b:c, d"),
            ("new", -3),
        ]
    )
    assert changed.int("llama.block_count") == 2
    assert changed.float("rope.freq_base") == 5e5
    assert changed.bool("attention.causal") is False
    assert changed.str("tokenizer.ggml.pre") == "a=b:c, d"
    assert changed.int("new", low=-5) == -3
    assert changed.source == META.source
    assert META.int("llama.block_count") == 4
    assert "new" not in META
    assert changed.with_overrides([]).int("llama.block_count") == 2


def test_the_last_override_of_a_key_wins() -> None:
    assert META.with_overrides([("k", 1), ("k", 2)]).int("k") == 2
