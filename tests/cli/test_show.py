"""Facts of a model file, and hostile texts in it."""

import json

import pytest

from llamaspec import shelf
from llamaspec.cli.show import show
from llamaspec.options import SHOW, parse
from tests.goldens import models

FILES = [golden.model for golden in models() if golden.model.is_file()]


def run(capsys, *words):
    assert show(parse(SHOW, [str(word) for word in words], {}, ())) == 0
    return capsys.readouterr().out


def test_there_is_a_model():
    assert FILES


@pytest.mark.parametrize("path", FILES[:6], ids=lambda path: path.name)
def test_facts_agree_with_gguf_reader(capsys, path):
    from gguf import GGUFReader

    reader = GGUFReader(str(path))
    found = json.loads(run(capsys, path, "--json"))
    if found.get("parts", 1) == 1:
        assert found["tensors"] == len(reader.tensors)
        assert found["parameters"] == sum(int(tensor.n_elements) for tensor in reader.tensors)
        assert found["bytes"] == path.stat().st_size
        types = {tensor.tensor_type.name for tensor in reader.tensors}
        assert set(found["types"]) == types
    field = reader.get_field("general.architecture")
    assert field is not None
    assert found["architecture"] == field.contents()
    tokens = reader.get_field("tokenizer.ggml.tokens")
    assert found.get("vocabulary") == (len(tokens.data) if tokens else None)
    heads = reader.get_field(f"{found['architecture']}.attention.head_count_kv")
    assert found.get("kv heads") == (heads.contents() if heads else None)
    table = run(capsys, "-m", path)
    assert str(found["architecture"]) in table
    assert f"{found['parameters']:,}" in table


def test_architectures_are_the_shelf(capsys):
    found = json.loads(run(capsys, "--architectures", "--json"))
    assert tuple(found) == shelf.names("models")
    assert all(text and len(text) < 120 for text in found.values())
    table = run(capsys, "--architectures")
    assert all(name in table for name in found)
    assert "Gemma 3" in table


def test_texts_of_a_file_are_neither_markup_nor_control(capsys, tmp_path):
    from gguf import GGUFWriter

    path = tmp_path / "x.gguf"
    writer = GGUFWriter(str(path), "llama")
    writer.add_name("[bold]:smile:\x1b[2J\nsecond " + "x" * 300)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    out = run(capsys, path)
    assert "[bold]:smile:␛[2J␤second" in out
    assert "\x1b" not in out
