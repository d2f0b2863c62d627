"""Text <-> tokens against llama.cpp's vectors, and what must hold for any text and any token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaspec.errors import LlamaspecError
from llamaspec.text.tokenizer import Tokenizer
from llamaspec.text.vocabulary import HIDDEN
from tests.text.vectors import Vectors, vectors

ALL = list(vectors())
SUPPORTED = [v for v in ALL if v.supported]
SPECIAL = [v for v in SUPPORTED if v.ids_special]


def named(found: list[Vectors]) -> object:
    return pytest.mark.parametrize("vector", found, ids=lambda v: v.name)


def test_vectors_were_found() -> None:
    assert SUPPORTED
    assert SPECIAL


@named(SUPPORTED)
def test_encode(vector: Vectors) -> None:
    tokenizer = vector.tokenizer()
    found = [tokenizer.encode(text, add_special=False, parse_special=False) for text in vector.texts]
    assert found == vector.entry["ids"]


@named(SPECIAL)
def test_special_tokens_and_whole_texts(vector: Vectors) -> None:
    tokenizer, entry = vector.tokenizer(), vector.entry
    assert [tokenizer.encode(text) for text in vector.texts] == vector.ids_special
    plain = [tokenizer.decode(ids, special=False).hex() for ids in entry["ids"]]
    assert plain == entry["detok_hex"]
    special = [tokenizer.decode(ids, special=True, remove_special=True).hex() for ids in vector.ids_special or ()]
    assert special == entry["detok_special_hex"]


@named([v for v in SUPPORTED if "info" in v.entry])
def test_special_ids(vector: Vectors) -> None:
    info, tokenizer = vector.entry["info"], vector.tokenizer()
    special = tokenizer.special
    found = {
        "n_vocab": tokenizer.n_vocab, "bos": special.bos, "eos": special.eos, "nl": tokenizer.nl,
        "add_bos": tokenizer.add_bos, "add_eos": tokenizer.add_eos, "fim_pre": special.fim_pre,
        "fim_suf": special.fim_suf, "fim_mid": special.fim_mid, "eog": sorted(tokenizer.eog),
    }  # fmt: skip
    assert found == {key: None if info[key] == -1 else info[key] for key in found}
    # Where the file names no EOT and several texts qualify, llama.cpp takes the first in the order of its hash table.
    assert (special.eot is None) == (info["eot"] == -1)
    assert special.eot is None or {special.eot, info["eot"]} <= tokenizer.eog


@named([v for v in ALL if not v.supported])
def test_what_is_not_supported_is_refused(vector: Vectors) -> None:
    with pytest.raises(LlamaspecError, match="not supported yet"):
        vector.tokenizer()


def by_kind(kind: str) -> list[Vectors]:
    found = [v for v in SUPPORTED if v.metadata()["tokenizer.ggml.model"] == kind and v.ids_special]
    assert found, f"no vectors of kind {kind}"
    return found


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return by_kind(request.param)[0].tokenizer()


BYTE_LEVEL = by_kind("gpt2")[0].tokenizer()
SPM = by_kind("llama")[0].tokenizer()
whole_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(whole_text)
def test_byte_level_pieces_give_the_text_back(text: str) -> None:
    ids = BYTE_LEVEL.encode(text, add_special=False, parse_special=False)
    assert b"".join(BYTE_LEVEL.piece(token) for token in ids).decode() == text


@given(whole_text.filter(lambda text: "\u2581" not in text))
def test_spm_gives_the_text_back(text: str) -> None:
    ids = SPM.encode(text, add_special=False, parse_special=False)
    assert SPM.decode(ids).decode() == text
    assert SPM.decode(SPM.encode(text), remove_special=True).decode() in (text, " " + text)


snippets = st.sampled_from([" ", " ", " .", " ,", " ?", " !", "'", " '", "s", "m", "re", "ve", "ll", "t", "a", "."])


@given(st.lists(snippets, max_size=16).map("".join))
def test_whole_texts_are_tidied_in_order(text: str) -> None:
    """The three passes of llama.cpp, one character at a time."""

    def first(data: str) -> str:
        return "".join(c for at, c in enumerate(data) if c != " " or not data.startswith(tuple("?!.,"), at + 1))

    def second(data: str) -> str:
        out, at = "", 0
        while at < len(data):
            lone = data[at : at + 3] == " ' "
            out += "'" if lone else data[at]
            at += 3 if lone else 1
        return out

    def third(data: str) -> str:
        endings = ("'s", "'m", "'re", "'ve")
        return "".join(c for at, c in enumerate(data) if c != " " or not data.startswith(endings, at + 1))

    assert BYTE_LEVEL.clean_spaces
    ids = BYTE_LEVEL.encode(text, add_special=False, parse_special=False)
    assert BYTE_LEVEL.decode(ids).decode() == third(second(first(text)))


def test_control_tokens_show_only_on_request(tokenizer: Tokenizer) -> None:
    hidden = [t for t in range(tokenizer.n_vocab) if tokenizer.token_type(t) & HIDDEN]
    assert hidden
    for token in hidden:
        assert tokenizer.piece(token) == b""
        assert tokenizer.piece(token, special=True) == tokenizer.token_text(token).encode()


def test_control_tokens_are_read_only_on_request(tokenizer: Tokenizer) -> None:
    token = tokenizer.eos
    assert token is not None
    text = f"a{tokenizer.token_text(token)}b"
    assert token in tokenizer.encode(text, add_special=False)
    assert token not in tokenizer.encode(text, add_special=False, parse_special=False)


def test_lone_surrogates_count_as_replacement_characters(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("a\ud800b\udc80") == tokenizer.encode("a\ufffdb\ufffd")
    assert tokenizer.encode("\ud83d\ude00") == tokenizer.encode("\U0001f600")


@pytest.mark.parametrize("token", [-1, 10**9])
def test_ids_outside_of_the_vocabulary(tokenizer: Tokenizer, token: int) -> None:
    for use in (tokenizer.piece, tokenizer.token_text, tokenizer.token_type, lambda t: tokenizer.decode([t])):
        with pytest.raises(LlamaspecError, match="outside of the vocabulary"):
            use(token)


@pytest.mark.parametrize("unit", ["a", " ", "\u00e9", "<|"])
def test_long_texts_take_n_log_n(unit: str) -> None:
    """100,000 characters of one kind; quadratic work would run into the time limit."""
    for tokenizer in (BYTE_LEVEL, SPM):
        text = unit * (100_000 // len(unit))
        ids = tokenizer.encode(text, add_special=False, parse_special=False)
        assert b"".join(tokenizer.piece(t) for t in ids).decode().strip() == text.strip()


def test_phi_3_swallows_blanks_behind_special_tokens() -> None:
    metadata = by_kind("llama")[0].metadata()
    phi = Tokenizer.from_metadata({**metadata, "general.name": "Phi-3 mini"})
    other = Tokenizer.from_metadata({**metadata, "general.name": "vocab"})
    hidden = [t for t in range(phi.n_vocab) if phi.token_type(t) & HIDDEN]
    special = next(t for t in hidden if phi.token_text(t) not in ("<unk>", "<s>"))
    name = phi.token_text(special)
    assert phi.encode(f"{name} \n x", add_special=False) == phi.encode(f"{name}x", add_special=False)
    assert other.encode(f"{name} \n x", add_special=False) != other.encode(f"{name}x", add_special=False)
    assert phi.encode("<s> x", add_special=False) != phi.encode("<s>x", add_special=False)


def test_the_longest_special_is_cut_out_first() -> None:
    """Everywhere, even where a shorter one begins further to the left."""
    base = by_kind("llama")[0].metadata()
    texts = list(base["tokenizer.ggml.tokens"])
    special = ["[a", "a[a]", "a]]]]", "[a]"]
    texts[-4:] = special
    types = base["tokenizer.ggml.token_type"].copy()
    types[-4:] = 4
    made = Tokenizer.from_metadata({**base, "tokenizer.ggml.tokens": texts, "tokenizer.ggml.token_type": types})
    found = [made.token_text(t) for t in made.encode("[a[a]]]]", add_special=False)]
    assert [text for text in found if text in special] == ["[a", "a]]]]"]
    found = [made.token_text(t) for t in made.encode("[a[a][a", add_special=False)]
    assert [text for text in found if text in special] == ["a[a]", "[a"]
