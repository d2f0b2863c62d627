"""Which files of a repository a request means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.errors import LlamaspecError
from llamaspec.options.values import hub_name, web_address
from llamaspec.weights.hub import HubName, choose, choose_draft, companion, is_model, parts, tag_of

PATHS = [
    "README.md", "imatrix_unsloth.gguf_file", "M-IQ2_XXS.gguf", "M-Q2_K.gguf", "M-Q2_K_L.gguf", "M-Q4_K_M.gguf",
    "M-Q4_K_S.gguf", "M-Q8_0.gguf", "M-UD-Q2_K_XL.gguf", "M-UD-Q4_K_XL.gguf", "mmproj-F16.gguf", "mtp-M-Q8_0.gguf",
    "BF16/M-BF16-00001-of-00002.gguf", "BF16/M-BF16-00002-of-00002.gguf", "M.imatrix.gguf",
]  # fmt: skip


def chosen(name, paths=PATHS, file=""):
    return choose(HubName.parse(name), paths, file)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("u/M", ["M-Q4_K_M.gguf"]),
        ("u/M:Q8_0", ["M-Q8_0.gguf"]),
        ("u/M:q8_0", ["M-Q8_0.gguf"]),
        ("u/M:Q2_K", ["M-Q2_K.gguf"]),
        ("u/M:UD-Q2_K_XL", ["M-UD-Q2_K_XL.gguf"]),
        ("u/M:Q2_K_XL", ["M-UD-Q2_K_XL.gguf"]),
        ("u/M:BF16", ["BF16/M-BF16-00001-of-00002.gguf", "BF16/M-BF16-00002-of-00002.gguf"]),
    ],
)
def test_tags(name, files):
    assert chosen(name) == files


def test_without_the_usual_quantisations_the_first_model_is_taken():
    assert chosen("u/M", ["mmproj.gguf", "a.gguf", "b.gguf"]) == ["a.gguf"]
    assert chosen("u/M", ["a-Q2_K.gguf", "a-Q8_0.gguf"]) == ["a-Q8_0.gguf"]


def test_an_exact_file_beats_the_tag():
    assert chosen("u/M:Q8_0", file="mtp-M-Q8_0.gguf") == ["mtp-M-Q8_0.gguf"]


@pytest.mark.parametrize(
    ("name", "file", "message", "hint"),
    [
        ("u/M:Q3_K", "", "no file for the quantisation 'Q3_K'", "it has IQ2_XXS, Q2_K, Q2_K_L, Q4_K_M"),
        ("u/M", "x.gguf", "no file 'x.gguf'", "it has IQ2_XXS"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(name, file, message, hint):
    with pytest.raises(LlamaspecError) as raised:
        chosen(name, file=file)
    assert message in raised.value.message
    assert raised.value.hint.startswith(hint)


def test_a_repository_without_models_and_a_split_with_a_hole_are_refused():
    with pytest.raises(LlamaspecError, match="no GGUF model file"):
        chosen("u/M", ["model.safetensors", "mmproj.gguf"])
    with pytest.raises(LlamaspecError, match=r"part 'a-Q8_0-00002-of-00002.gguf' of a split file is missing"):
        chosen("u/M", ["a-Q8_0-00001-of-00002.gguf"])


def test_a_draft_is_a_head_of_the_same_repository_or_a_model_of_another():
    name = HubName.parse("u/M")
    assert choose_draft(name, PATHS, "u/M") == ["mtp-M-Q8_0.gguf"]
    assert choose_draft(name, PATHS, "u/other") == ["M-Q4_K_M.gguf"]
    assert choose_draft(name, ["eagle3-x.gguf"], "") == ["eagle3-x.gguf"]


def test_companions():
    assert companion(PATHS, ["M-Q8_0.gguf"]) == "mtp-M-Q8_0.gguf"
    assert companion(["M-Q8_0.gguf", "M-draft-Q4_0.gguf"], ["M-Q8_0.gguf"]) == "M-draft-Q4_0.gguf"
    assert companion(["M-Q8_0.gguf", "M-Q4_0.gguf"], ["M-Q8_0.gguf"]) == ""


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("M-Q4_K_M.gguf", "Q4_K_M"), ("m.q8_0.gguf", "Q8_0"), ("x/M-UD-IQ1_S-00001-of-00002.gguf", "UD-IQ1_S"),
        ("qwen2.5-0.5b-instruct-fp16.gguf", "FP16"), ("gpt-oss-20b-mxfp4.gguf", "MXFP4"), ("model.gguf", ""),
        ("Qwen3-4B.gguf", ""), ("M-TQ1_0.gguf", "TQ1_0"),
    ],
)  # fmt: skip
def test_tags_of_names(path, tag):
    assert tag_of(path) == tag


def test_heads_and_projectors_are_no_models():
    assert [path for path in PATHS if not is_model(path)] == [
        "README.md", "imatrix_unsloth.gguf_file", "mmproj-F16.gguf", "mtp-M-Q8_0.gguf", "M.imatrix.gguf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "a", "a/b/c", "/b", "a/", "../b", "a/..", "a/b:", "a b/c", "a/b:x/y", "a/b\n", "ä/b", "a/b..c", "-a/b"]
)
def test_names_that_are_none(text):
    with pytest.raises(ValueError, match="expected USER/MODEL"):
        hub_name(text)


@pytest.mark.parametrize("text", ["", "x", "ftp://a/b", "http://", "http://a", "https://u:p@a/b", "file:///etc/passwd"])
def test_addresses_that_are_none(text):
    with pytest.raises(ValueError, match="https://"):
        web_address(text)


@given(st.text(max_size=40), st.integers(1, 99999))
def test_parts_are_as_many_as_the_name_says(stem, count):
    names = parts(f"{stem}-00001-of-{min(count, 300):05d}.gguf")
    assert len(names) == len(set(names)) == min(count, 300)
    assert all(parts(name) == names for name in names[:3])
