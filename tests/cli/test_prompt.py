"""Where the first message comes from."""

import pytest

from llamaspec.cli import prompt
from llamaspec.errors import LlamaspecError, UsageError
from llamaspec.options import RUN, parse


def said(*words):
    return parse(RUN, list(words), {}, ())


def test_bytes_that_are_no_text_become_replacement_characters(tmp_path):
    path = tmp_path / "p"
    path.write_bytes(b"a\xffb")
    assert prompt.read_text(str(path)) == "a\ufffdb"


@pytest.mark.parametrize("name", ["", ".", "none", "a\0b"])
def test_unreadable_files_are_named(name):
    with pytest.raises(LlamaspecError, match="cannot read"):
        prompt.read_text(name)


def test_an_endless_file_is_refused(monkeypatch):
    monkeypatch.setattr(prompt, "LONGEST_FILE", 1000)
    with pytest.raises(LlamaspecError, match="longer than"):
        prompt.read_text("/dev/zero")


def test_stop_texts_and_breakers_are_unescaped():
    groups = prompt.prepared(said("-r", r"\n\n", "--dry-sequence-breaker", r"\t"))
    assert groups.chat.reverse_prompt == ("\n\n",)
    assert groups.sampling.dry_sequence_breakers == ("\t",)
    assert prompt.prepared(said("-r", r"\n", "--no-escape")).chat.reverse_prompt == (r"\n",)
    assert prompt.prepared(said("--dry-sequence-breaker", "none")).sampling.dry_sequence_breakers == ()
    assert prompt.prepared(said()) == said()


def test_a_template_file_is_read(tmp_path):
    path = tmp_path / "t.jinja"
    path.write_text("{{ messages }}")
    assert prompt.prepared(said("--chat-template-file", str(path))).chat.chat_template == "{{ messages }}"
    with pytest.raises(UsageError, match="neither Jinja text nor"):
        prompt.prepared(said("--chat-template", "nonsense"))
    assert "<|im_start|>" in prompt.prepared(said("--chat-template", "chatml", "--no-jinja")).chat.chat_template


def test_the_system_message(tmp_path):
    path = tmp_path / "s"
    path.write_text("be kind\n")
    assert prompt.system_message(said("-sysf", str(path))) == "be kind"
    assert prompt.system_message(said("-sys", "x")) == "x"
    assert prompt.system_message(said()) is None


def test_bytes_that_are_no_utf_8_are_remarked(tmp_path, capsys):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"caf\xe9\n")
    assert prompt.first_prompt(said("-f", str(path))) == "caf\ufffd"
    assert f"warning: '{path}' is not UTF-8 from byte 3 on" in capsys.readouterr().err
    assert prompt.first_prompt(said("-f", str(path), "-lv", "1")) == "caf\ufffd"
    assert capsys.readouterr().err == ""
