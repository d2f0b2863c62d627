import json

from llamaspec.cli.flags import flags
from llamaspec.options import FLAGS, RUN, parse


def run(capsys, *words):
    code = flags(parse(FLAGS, words, {}, ()))
    return code, capsys.readouterr().out


def test_all_of_them(capsys):
    code, out = run(capsys)
    assert code == 0
    assert [flag.long for flag in RUN.flags if flag.long not in out] == []


def test_a_text_is_searched_in_names_keywords_variables_and_help(capsys):
    for text in ("n_gpu_layers_draft", "ngld", "LLAMA_ARG_N_GPU_LAYERS_DRAFT", "layers of the draft"):
        code, out = run(capsys, text)
        assert code == 0
        assert out.startswith("-ngld")
    assert run(capsys, "zzz") == (1, "")


def test_what_does_not_act_says_why(capsys):
    assert "[refused] grammars are not supported yet" in " ".join(run(capsys, "--grammar-file")[1].split())


def test_json(capsys):
    found = json.loads(run(capsys, "--json")[1])
    assert len(found) == len(RUN.flags)
    assert {"names", "keyword", "value", "default", "env", "status", "help"} == set(found[0])
