"""What is printed token by token is the text of the whole answer, for any cut into tokens."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from llamaspec.text.stream import TextStream, printable


class Cut:
    """A tokenizer whose tokens are given pieces of bytes."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces

    def piece(self, token: int, special: bool = False) -> bytes:
        return self.pieces[token]


def feed(pieces: Sequence[bytes], stop: Sequence[str] = ()) -> tuple[list[str], str | None]:
    stream = TextStream(Cut(pieces), stop)
    out = [stream.push(token) for token in range(len(pieces))]
    return [*out, stream.flush()], stream.stopped


def cut_at(text: str, stop: Sequence[str]) -> tuple[str, str | None]:
    """The stop string that is complete first; of several that end together the longest."""
    for end in range(len(text) + 1):
        complete = [s for s in stop if s and text[:end].endswith(s)]
        if complete:
            found = max(complete, key=len)
            return text[: end - len(found)], found
    return text, None


any_pieces = st.lists(
    st.binary(max_size=4) | st.text("ab\u00e9\U0001f600\u6f22", max_size=3).flatmap(lambda t: st.just(t.encode())),
    max_size=12,
)
stops = st.lists(st.text("ab\u00e9\ufffd", max_size=4), max_size=3)


@given(any_pieces)
def test_without_stop_strings_it_is_the_decoded_text(pieces: list[bytes]) -> None:
    out, stopped = feed(pieces)
    assert "".join(out) == b"".join(pieces).decode(errors="replace")
    assert stopped is None


@given(st.text("ab\u00e9", max_size=20), st.integers(1, 5), stops)
def test_stop_strings_cut_the_text_wherever_tokens_end(text: str, size: int, stop: list[str]) -> None:
    data = text.encode()
    out, stopped = feed([data[at : at + size] for at in range(0, len(data), size)], stop)
    assert ("".join(out), stopped) == cut_at(text, stop)


@given(any_pieces, stops)
def test_stop_strings_in_any_bytes(pieces: list[bytes], stop: list[str]) -> None:
    out, stopped = feed(pieces, stop)
    assert ("".join(out), stopped) == cut_at(b"".join(pieces).decode(errors="replace"), stop)


@given(st.text("ab", max_size=16), stops)
def test_no_more_is_held_back_than_a_stop_string_may_need(text: str, stop: list[str]) -> None:
    stream, printed = TextStream(Cut([c.encode() for c in text]), stop), ""
    for at in range(len(text)):
        printed += stream.push(at)
        if stream.stopped:
            break
        seen = text[: at + 1]
        prefixes = [s[:n] for s in stop for n in range(1, len(s))]
        assert len(seen) - len(printed) == max((len(p) for p in prefixes if seen.endswith(p)), default=0)


def test_a_split_character_waits_for_its_last_byte() -> None:
    data = "\U0001f600!".encode()
    assert feed([data[:1], data[1:3], data[3:4], data[4:]])[0] == ["", "", "\U0001f600", "!", ""]
    assert feed([data[:3]])[0] == ["", "\ufffd"]


def test_nothing_comes_after_a_stop() -> None:
    assert feed([b"a", b"STO", b"P more", b"x"], ["STOP"]) == (["a", "", "", "", ""], "STOP")
    assert feed([b"a", b"STO"], ["STOP"]) == (["a", "", "STO"], None)


def test_a_whole_answer_at_once() -> None:
    assert printable(Cut([b"one ", b"two", b" three"]), [0, 1, 2], [" th"]) == "one two"
