"""llama.cpp's grammar, and ours beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.errors import UsageError
from llamaspec.options import RUN, SHOW, parse
from llamaspec.options.parse import config_files


def said(line, env=None, files=()):
    return parse(RUN, line if isinstance(line, list) else line.split(), env or {}, files)


def refused(line, env=None, files=()):
    with pytest.raises(UsageError) as raised:
        said(line, env, files)
    return raised.value


def test_the_main_job():
    groups = said("-m t.gguf -md d.gguf -p hi -n 200 --temp 0 --draft-max 16 --show-timings -no-cnv")
    assert (groups.model.model, groups.model.model_draft) == ("t.gguf", "d.gguf")
    assert (groups.chat.prompt, groups.chat.conversation) == ("hi", False)
    assert (groups.context.n_predict, groups.sampling.temp) == (200, 0.0)
    assert groups.draft.n_max == 16
    assert groups.speculation.types == ("auto",)
    assert groups.log.show_timings is True


def test_multi_letter_names_are_never_clusters():
    groups = said("-md x -ngld 99 -ngl all -no-cnv -sm layer")
    assert (groups.model.model_draft, groups.draft.gpu_layers, groups.placement.gpu_layers) == ("x", 99, "all")
    assert groups.chat.conversation is False


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("-t -1", lambda g: g.placement.threads == -1),
        ("--threads -1", lambda g: g.placement.threads == -1),
        ("--threads=-1", lambda g: g.placement.threads == -1),
        ("-t=-1", lambda g: g.placement.threads == -1),
        ("-ngl=99", lambda g: g.placement.gpu_layers == 99),
        ("--temp -0.5", lambda g: g.sampling.temp == -0.5),
        ("-p -hello", lambda g: g.chat.prompt == "-hello"),
        ("-p -h", lambda g: g.chat.prompt == "-h" and not g.about.help),
        ("-p=a=b", lambda g: g.chat.prompt == "a=b"),
        ("--ctx_size 5", lambda g: g.context.ctx_size == 5),
        ("--ctx_size=5", lambda g: g.context.ctx_size == 5),
        ("-c 5 -c 6", lambda g: g.context.ctx_size == 6),
        ("-fa on", lambda g: g.context.flash_attn == "on"),
        ("-fa off -c 1", lambda g: g.context.flash_attn == "off"),
        ("-fa", lambda g: g.context.flash_attn == "on"),
        ("-fa -m x", lambda g: g.context.flash_attn == "on" and g.model.model == "x"),
        ("-fa -1", lambda g: g.context.flash_attn == "auto"),
        ("-fa=off", lambda g: g.context.flash_attn == "off"),
        ("--jinja --no-jinja", lambda g: g.chat.jinja is False),
        ("--no-jinja --jinja", lambda g: g.chat.jinja is True),
        ("--show-timings=off", lambda g: g.log.show_timings is False),
        ("--no-show-timings=off", lambda g: g.log.show_timings is True),
        ("-r a -r b", lambda g: g.chat.reverse_prompt == ("a", "b")),
        ("-r a,b", lambda g: g.chat.reverse_prompt == ("a,b",)),
        ("-l 1+2 -l 3-inf", lambda g: g.sampling.logit_bias == ((1, 2.0), (3, float("-inf")))),
        ("--sampler-seq kt", lambda g: g.sampling.samplers == ("top_k", "temperature")),
        ("--sampler-seq kt --samplers min_p", lambda g: g.sampling.samplers == ("min_p",)),
        ("--samplers min_p --sampling-seq t", lambda g: g.sampling.samplers == ("temperature",)),
        ("--dry-sequence-breaker x", lambda g: g.sampling.dry_sequence_breakers == ("x",)),
        ("--dry-sequence-breaker none", lambda g: g.sampling.dry_sequence_breakers == ()),
        ("-v", lambda g: g.log.verbosity == 5),
        ("-v -lv 1", lambda g: g.log.verbosity == 1),
        ("-h --bogus", lambda g: g.about.short_help),
        ("--help --bogus", lambda g: g.about.help),
    ],
)  # fmt: skip
def test_hard_cases(line, read):
    assert read(said(line))


@pytest.mark.parametrize("text", ["", " ", "-", "--", "a b", "[red]x", "ü", "\udcff"])
def test_the_next_word_is_the_value_whatever_it_is(text):
    assert said(["-p", text]).chat.prompt == text


@given(st.text())
def test_any_prompt_passes(text):
    assert said(["--prompt", text]).chat.prompt == text
    assert said([f"--prompt={text}"]).chat.prompt == text


@pytest.mark.parametrize(
    ("line", "guess"),
    [
        ("-ngll 3", "-ngl"),
        ("-mmm x", "-mm"),
        ("-cnvx", "-cnv"),
        ("--spec-typ x", "--spec-type"),
        ("--draftmax 3", "--draft-max"),
        ("--ctx_siz=3", "--ctx-size"),
    ],
)
def test_a_typing_mistake_gets_a_suggestion_and_never_a_guess(line, guess):
    error = refused(line)
    assert error.exit_code == 2
    assert error.message.startswith("unknown option -")
    assert f"did you mean {guess}" in error.message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-n", "-n needs a value"),
        ("--spec-replace a", "--spec-replace needs 2 values"),
        ("-n 3abc", "-n: expected a whole number of at least -1, not '3abc'"),
        ("-n 2.9", "-n: expected a whole number"),
        ("-n -5", "-n: expected a whole number of at least -1"),
        ("--temp 0.5x", "--temp: expected a number, not '0.5x'"),
        ("--temp 0,5", "expected a number"),
        ("--temp nan", "expected a number"),
        ("--top-p 1.5", "--top-p: expected a number from 0 to 1"),
        ("--top-k -5", "--top-k: expected"),
        ("--spec-draft-p-min 2", "from 0 to 1"),
        ("--dry-base 0.5", "at least 1"),
        ("--samplers bogus", "unknown sampler 'bogus'; available: penalties"),
        ("--sampler-seq zz", "unknown sampler letter 'z'"),
        ("-fa maybe", "expected on, off or auto"),
        ("-ctk q9", "expected one of"),
        ("-ctk q4_0", "q4_0 is not supported yet; available: auto, f32, f16, bf16, q8_0"),
        ("--spec-type foo", "unknown type 'foo'; available: none, auto, ngram-simple"),
        ("--spec-ngram-simple-size-n 0", "from 1 to 1024"),
        ("--spec-ngram-simple-size-n 1025", "from 1 to 1024"),
        ("--jinja=maybe", "--jinja: expected on or off"),
        ("--override-kv a=int:x", "expected a whole number"),
        ("word", "unexpected word 'word'"),
        ("-no-cnv word", "unexpected word 'word'"),
    ],
)
def test_wrong_words_are_refused(line, words):
    error = refused(line)
    assert words in error.message
    assert error.hint


def test_an_error_shows_the_flags_own_help():
    assert refused("--top-k x").hint.startswith("--top-k K   keep the K most likely")


@pytest.mark.parametrize("line", [["--spec-replace", "T", "D"], ["--spec-replace", "T D"], ["--spec-replace=T D"]])
def test_spec_replace_in_both_generations(line):
    assert said([*line, "-c", "3"]).speculation.replace == (("T", "D"),)
    assert said(line).speculation.replace == (("T", "D"),)


def test_spec_replace_takes_two_words_where_both_have_spaces():
    assert said(["--spec-replace", "a b", "c d", "-c", "3"]).speculation.replace == (("a b", "c d"),)
    twice = said(["--spec-replace", "a", "b", "--spec-replace", "c", "d"]).speculation.replace
    assert twice == (("a", "b"), ("c", "d"))


def test_the_environment_is_below_the_command_line_and_says_so():
    env = {"LLAMA_ARG_CTX_SIZE": "7", "LLAMA_ARG_N_PREDICT": "9", "LLAMA_ARG_BOGUS": "1"}
    groups = said("-c 8", env)
    assert (groups.context.ctx_size, groups.context.n_predict) == (8, 9)
    assert [note.text for note in groups.notes] == [
        "the environment variable LLAMA_ARG_BOGUS is unknown and has no effect",
        "LLAMA_ARG_CTX_SIZE is set, but -c on the command line wins",
    ]


@pytest.mark.parametrize(("word", "value"), [("on", True), ("1", True), ("disabled", False), ("0", False)])
def test_paired_flags_read_words_from_the_environment(word, value):
    assert said("", {"LLAMA_ARG_SHOW_TIMINGS": word}).log.show_timings is value


def test_the_presence_of_a_negative_variable_is_enough():
    assert said("", {"LLAMA_ARG_NO_SHOW_TIMINGS": ""}).log.show_timings is False


def test_bare_switches_act_on_true_words_only():
    assert said("", {"LLAMASPEC_DEBUG": "1"}).log.debug is True
    assert said("", {"LLAMASPEC_DEBUG": "yes please"}).log.debug is False


def test_older_variables_are_read_and_the_new_ones_win():
    assert said("", {"LLAMA_ARG_MODEL_DRAFT": "old"}).model.model_draft == "old"
    env = {"LLAMA_ARG_SPEC_DRAFT_MODEL": "new", "LLAMA_ARG_MODEL_DRAFT": "old"}
    assert said("", env).model.model_draft == "new"
    assert said("", {"LLAMA_ARG_DRAFT_MAX": "7"}).draft.n_max == 7


def test_paths_with_spaces_come_whole_out_of_the_environment():
    assert said("", {"LLAMA_ARG_MODEL": "/a b/c.gguf"}).model.model == "/a b/c.gguf"


def test_a_bad_variable_is_named():
    env = {
        "LLAMA_ARG_CTX_SIZE": "many",
        "LLAMA_ARG_SHOW_TIMINGS": "maybe",
        "LLAMA_ARG_RPC": "x",
        "LLAMA_ARG_TOP_K": "3",
    }
    groups = said("", env)
    assert {note.text.split(":")[0]: note.text.endswith("; the variable is ignored") for note in groups.notes} == {
        "LLAMA_ARG_CTX_SIZE": True, "LLAMA_ARG_SHOW_TIMINGS": True, "LLAMA_ARG_RPC": True,
    }  # fmt: skip
    assert "expected a whole number of at least 0, not 'many'" in " ".join(note.text for note in groups.notes)
    assert (groups.context.ctx_size, groups.sampling.top_k) == (0, 3)


def test_variables_of_other_programs_and_near_misses():
    notes = said("", {"LLAMA_ARG_PORT": "80", "LLAMA_ARG_CTX_SISE": "1"}).notes
    assert [note.text for note in notes] == [
        "the environment variable LLAMA_ARG_CTX_SISE is unknown and has no effect (did you mean LLAMA_ARG_CTX_SIZE?)"
    ]


def test_unknown_keys_of_a_config_file_are_named(tmp_path):
    path = tmp_path / "config.ini"
    path.write_text("[*]\nctx-sise = 3\nport = 80\n")
    assert [note.text for note in said("", {}, (path,)).notes] == [
        f"ctx-sise in {path} is unknown and has no effect (did you mean ctx-size?)"
    ]


@pytest.mark.parametrize("line", ["-m x -md -p hi", "-m -c 3", "-f --temp 1", "--model -h"])
def test_a_flag_is_no_file_name(line):
    assert "needs a file name, and the next word is the flag -" in refused(line).message


@pytest.mark.parametrize("line", ["--bogus", "--zzz", "-qqq"])
def test_a_far_guess_is_not_made(line):
    assert "did you mean" not in refused(line).message


def test_a_number_that_is_too_large_is_told_the_largest():
    assert "expected a whole number from -1 to 2147483647" in refused("-n 2147483648").message


IDLE_DRAFT = "--draft has no effect without a draft model (-md) or --spec-type ngram-mod"


@pytest.mark.parametrize(
    ("line", "notes"),
    [
        ("--draft 32", [IDLE_DRAFT]),
        ("--draft 3 --spec-type suffix", [IDLE_DRAFT]),
        ("--draft 64 --spec-type ngram-mod", []),
        ("--draft 32 -md d", []),
        ("--draft 32 -hfd u/m", []),
        ("--spec-draft-n-min 9 --spec-draft-n-max 3", [
            "--spec-draft-n-min has no effect without a draft model (-md)",
            "--spec-draft-n-max has no effect without a draft model (-md)",
        ]),
        ("--spec-suffix-n-max 3", ["--spec-suffix-n-max has no effect without --spec-type suffix"]),
        ("--spec-suffix-n-max 3 --spec-type suffix", []),
        ("--spec-ngram-size-n 3 --spec-type ngram-map-k", []),
        ("-lcs x", ["-lcs has no effect without --spec-type ngram-cache"]),
        ("--spec-default", []),
        ("-p a -f b", ["-p is ignored, -f is used"]),
        ("-sys a -sysf b", ["-sys is ignored, -sysf is used"]),
    ],
)  # fmt: skip
def test_flags_that_change_nothing_say_so(line, notes):
    assert [note.text for note in said(line).notes if "older" not in note.text] == notes


def test_flags_of_the_environment_may_be_meant_for_other_runs():
    assert said("", {"LLAMA_ARG_SPEC_DRAFT_N_MAX": "3"}).notes == ()


def test_config_files_lie_under_the_environment(tmp_path):
    low, high = tmp_path / "low.ini", tmp_path / "high.ini"
    low.write_text(
        "; comment\n[*]\nn-predict = 2\nctx_size=3\nshow-timings = 0\nunknown-key = 1\nignore-eos\n[server]\nc = 9\n"
    )
    high.write_text("[*]\nctx-size = 4\n")
    groups = said("--temp 1", {"LLAMA_ARG_N_PREDICT": "5"}, (low, high, tmp_path / "none.ini"))
    assert (groups.context.ctx_size, groups.context.n_predict) == (4, 5)
    assert groups.log.show_timings is False
    assert groups.sampling.ignore_eos is True
    assert said("-c 1", {}, (low,)).context.ctx_size == 1


@pytest.mark.parametrize("text", ["[*]\nctx-size = x\n", "ctx-size = 1\n", "[*\n"])
def test_a_damaged_config_file_is_named(tmp_path, text):
    path = tmp_path / "config.ini"
    path.write_text(text)
    assert str(path) in refused("", {}, (path,)).message


def test_config_places():
    assert [str(path) for path in config_files({"XDG_CONFIG_HOME": "/x"})] == [
        "/etc/llama.cpp/config.ini", "/x/llama.cpp/config.ini", "/x/llamaspec/config.ini",
    ]  # fmt: skip
    assert str(config_files({"HOME": "/h"})[1]) == "/h/.config/llama.cpp/config.ini"


def test_help_is_given_even_next_to_rubbish_in_the_environment():
    assert said("--help", {"LLAMA_ARG_CTX_SIZE": "x"}).about.help


def test_a_command_with_an_operand_takes_one():
    assert parse(SHOW, ["x.gguf"], {}, ()).operands == ("x.gguf",)
    with pytest.raises(UsageError, match="unexpected word 'y'"):
        parse(SHOW, ["x", "y"], {}, ())


def test_the_cache_types_on_offer_are_those_there_are():
    from llamaspec.errors import LlamaspecError
    from llamaspec.kernels import kv_types
    from llamaspec.options.context import CACHE_TYPES, LATER_CACHE_TYPES

    for name in CACHE_TYPES[1:]:
        assert kv_types.named(name).name == name
    for name in LATER_CACHE_TYPES:
        with pytest.raises(LlamaspecError):
            kv_types.named(name)
