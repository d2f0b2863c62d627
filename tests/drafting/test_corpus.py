"""A corpus to draft from: what is read and what is refused."""

import struct
from array import array

import pytest

from llamaspec.drafting.corpus import LONGEST, read_corpus
from llamaspec.errors import LlamaspecError


def test_a_file_bytes_or_tokens(tmp_path):
    content = struct.pack("<3i", 1, 70000, 3)
    (tmp_path / "corpus.bin").write_bytes(content)
    for source in (tmp_path / "corpus.bin", str(tmp_path / "corpus.bin"), content, [1, 70000, 3]):
        assert list(read_corpus(source)) == [1, 70000, 3]
    assert list(read_corpus(b"")) == []


def test_what_is_refused(tmp_path):
    (tmp_path / "odd.bin").write_bytes(b"hello")
    (tmp_path / "negative.bin").write_bytes(struct.pack("<2i", 1, -3))
    (tmp_path / "long.bin").write_bytes(array("i", [1]).tobytes() * (LONGEST + 1))
    for name in ("odd.bin", "negative.bin", "long.bin", "absent.bin"):
        with pytest.raises(LlamaspecError) as error:
            read_corpus(tmp_path / name)
        assert name in error.value.message
        assert error.value.hint
    with pytest.raises(LlamaspecError) as error:
        read_corpus([1, 2, 300], n_vocab=300)
    assert "300" in error.value.message
    assert len(read_corpus([1, 2, 300], n_vocab=301)) == 3
    with pytest.raises(LlamaspecError):
        read_corpus(range(LONGEST + 1))
