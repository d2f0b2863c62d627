import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.errors import LlamaspecError
from llamaspec.text.plain import decoded, plain_text


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_text_is_read_as_it_is(text):
    assert decoded(text.encode(), "x") == text


@pytest.mark.parametrize(
    ("data", "words"), [(b"ab\0", "NUL at byte 2"), (b"a\xff", "byte 1 is not UTF-8"), (b"abc\xc3", "byte 3 is not")]
)
def test_other_bytes_are_refused_with_their_place(data, words):
    with pytest.raises(LlamaspecError, match=words):
        decoded(data, "x")


def test_files(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a\r\nb")
    assert plain_text(str(path)) == "a\r\nb"
    assert plain_text(str(path), 4) == "a\r\nb"
    with pytest.raises(LlamaspecError, match="longer than"):
        plain_text(str(path), 3)
    for bad in (str(tmp_path), str(tmp_path / "none"), "a\0b"):
        with pytest.raises(LlamaspecError, match="cannot read"):
            plain_text(bad)
