"""Pre-tokenizers: how byte-level BPE cuts a text into words before it merges, by `tokenizer.ggml.pre`.

A pre-tokenizer is a chain of expressions. Each one cuts every piece that it is given: a match is a piece, what lies
between two matches is a piece. Names, expressions and defaults are those of llama.cpp 0c1e570, so that the ids are its
ids (spec/models.md 5.2); gpt-4o and tekken are its approximation of the original expressions, on purpose.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llamaspec.errors import LlamaspecError

CONTRACTION = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
LOWER_CONTRACTION = r"'s|'t|'re|'ve|'m|'ll|'d"
WORD = r"[^\r\n\p{L}\p{N}]?\p{L}+"
SYMBOLS = r" ?[^\s\p{L}\p{N}]+"
LINES = r"\s*[\r\n]+"
BLANKS = r"\s+(?!\S)|\s+"
DIGIT = r"\p{N}"
TRIPLE = r"\p{N}{1,3}"

# No final `|\s+`: the one blank that is left over lies between two matches and becomes a piece of its own.
GPT2 = rf"{LOWER_CONTRACTION}| ?\p{{L}}+| ?\p{{N}}+|{SYMBOLS}|\s+(?!\S)"
LLAMA3 = rf"{CONTRACTION}|{WORD}|{TRIPLE}|{SYMBOLS}[\r\n]*|{LINES}|{BLANKS}"
QWEN2 = rf"{CONTRACTION}|{WORD}|{DIGIT}|{SYMBOLS}[\r\n]*|{LINES}|{BLANKS}"
QWEN35 = (
    rf"{CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|{DIGIT}"
    rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{LINES}|{BLANKS}"
)


def _cased(letters: str, ending: str, digits: str) -> str:
    """An expression that cuts where the case changes; llama.cpp's reading of the o200k family.

    `letters` is the class of what may stand in a word; "not a lower-case ASCII letter" stands for upper case.
    """
    upper, lower = rf"((?=[{letters}])([^a-z]))", rf"((?=[{letters}])([^A-Z]))"
    start = r"[^\r\n\p{L}\p{N}]?"
    return (
        rf"{start}{upper}*{lower}+{ending}|{start}{upper}+{lower}*{ending}"
        rf"|{digits}|{SYMBOLS}[\r\n/]*|{LINES}|{BLANKS}"
    )


ASCII_PUNCTUATION_WORD = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
HAN_KANA = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"
DEEPSEEK_WORD = rf"{ASCII_PUNCTUATION_WORD}|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+"
# Letters that have a case, as DeepSeek LLM lists them.
CASED_LETTERS = (
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373"
    "\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
    "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77"
    "\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d"
    "\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb"
    "\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128"
    "\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4"
    "\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf"
    "\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3"
    "\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
# llama.cpp reads blanks beyond ASCII as a vertical tab here, so U+3000 and those inside of U+0800..U+4E00 are left out.
DEEPSEEK_PUNCTUATION = "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3001-\u3002]+"
DEEPSEEK_HAN = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff&&[^\\s]]+"
BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
NEWLINES = r"[^\n]+|[\n]+"


@dataclass(frozen=True)
class Pre:
    """One pre-tokenizer and the defaults that come with its name.

    patterns: applied one after the other. ignore_merges: a word that is a token is taken whole.
    clean_spaces: detokenising a whole text drops blanks before punctuation. no_bos: there is no default BOS id.
    raw: symbols are characters, not byte letters, and bytes are tokens `<0xXX>`. blank: a space is written U+2581.
    whole_newlines: a run of newlines that is a token is taken whole. force_bos: the file cannot switch BOS off.
    """

    patterns: tuple[str, ...]
    ignore_merges: bool = False
    add_bos: bool = False
    clean_spaces: bool = True
    no_bos: bool = False
    raw: bool = False
    blank: bool = False
    whole_newlines: bool = False
    force_bos: bool = False


# SPM cuts nothing; its defaults stand here with the others.
SPM = Pre((), add_bos=True, clean_spaces=False, blank=True)

_GPT2 = Pre((GPT2,))
_STARCODER = Pre((DIGIT, GPT2))
_LLAMA3 = Pre((LLAMA3,), ignore_merges=True, add_bos=True)
_QWEN2 = Pre((QWEN2,), clean_spaces=False)
_BLOOM = Pre((BLOOM,))
_DEEPSEEK3 = Pre(
    (TRIPLE, HAN_KANA, rf"{DEEPSEEK_WORD}| ?[\p{{P}}\p{{S}}]+[\r\n]*|{LINES}|{BLANKS}"), clean_spaces=False
)
_GPT4O = Pre((_cased(r"\p{L}", CONTRACTION + "?", TRIPLE),), clean_spaces=False)
_BAILING = Pre(
    (rf"'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|{WORD}|{DIGIT}|{SYMBOLS}[\r\n]*|\s*[\r\n]|{BLANKS}",),
    clean_spaces=False,
)
_GEMMA4 = Pre((NEWLINES,), raw=True, blank=True, whole_newlines=True, force_bos=True)

_FAMILIES: tuple[tuple[str, Pre], ...] = (
    (
        "default",
        Pre((r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")),
    ),
    ("llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", _LLAMA3),
    ("dbrx smaug-bpe", Pre((LLAMA3,))),
    ("chatglm-bpe", Pre((LLAMA3,), no_bos=True)),
    ("glm4 glm5", Pre((LLAMA3,), no_bos=True, ignore_merges=True)),
    (
        "minicpm5",
        Pre((TRIPLE, rf"{CONTRACTION}|{WORD}|\p{{N}}+|{SYMBOLS}[\r\n]*|{LINES}|{BLANKS}"), ignore_merges=True),
    ),
    (
        "jais-2",
        Pre(
            (
                rf"{CONTRACTION}|{WORD}|{TRIPLE}|{SYMBOLS}[\r\n]*|{LINES}|"
                + "|".join(rf"\s{{{n}}}(?!\S)" for n in ("512", "256", "128", "64", "32", "16", "8", "4", "1,2"))
                + r"|\s{1}",
            )
        ),
    ),
    ("qwen2 deepseek-r1-qwen kormo f2llmv2 hunyuan solar-open grok-2", _QWEN2),
    ("stablelm2 megrez", replace(_QWEN2, clean_spaces=True)),
    ("qwen35", Pre((QWEN35,), clean_spaces=False)),
    ("ufakzeka", Pre((rf"{WORD}|{DIGIT}|{SYMBOLS}[\r\n]*|{LINES}|{BLANKS}",), clean_spaces=False)),
    ("laguna", Pre((NEWLINES, QWEN2), clean_spaces=False)),
    (
        "seed-coder",
        Pre((rf"{CONTRACTION}|{WORD}|{DIGIT}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{LINES}|{BLANKS}",), clean_spaces=False),
    ),
    ("bailingmoe bailingmoe2 llada-moe", _BAILING),
    (
        "exaone-moe",
        Pre(
            (
                rf"{CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|{DIGIT}"
                rf"|{SYMBOLS}[\r\n/]?|\s*[\r\n]|{BLANKS}",
            )
        ),
    ),
    (
        "gpt-2 phi-2 jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe gigachat a.x-4.0 mellum"
        " modern-bert exaone4 mpt olmo jais",
        _GPT2,
    ),
    ("trillion granite-docling", replace(_GPT2, clean_spaces=False)),
    ("starcoder refact codeshell exaone minerva-7b mellum2", _STARCODER),
    ("command-r smollm", replace(_STARCODER, clean_spaces=False)),
    ("falcon", Pre((r"[\p{P}\$\+<=>\^~\|`]+", GPT2, r"[0-9][0-9][0-9]"))),
    ("bloom gpt3-finnish", _BLOOM),
    ("poro-chat", replace(_BLOOM, clean_spaces=False)),
    ("viking", Pre((BLOOM, DIGIT), clean_spaces=False)),
    ("gpt-4o llama4 kanana2 talkie minimax-m2", _GPT4O),
    ("tekken", Pre((_cased(r"\p{L}", "", DIGIT),), ignore_merges=True, add_bos=True, clean_spaces=False)),
    (
        "granite-embed-multi-97m",
        Pre((_cased(r"\p{L}\p{M}", CONTRACTION + "?", TRIPLE),), ignore_merges=True, clean_spaces=False),
    ),
    (
        "chameleon",
        Pre(
            (
                r"<sentinel:[0-9]+>",
                r"(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
                r"([\t\n]|    |  )",
                DIGIT,
                r"[\p{P}!-/:-@\[-`{-~]",
                GPT2,
            ),
            add_bos=True,
            clean_spaces=False,
        ),
    ),
    (
        "deepseek-llm",
        Pre(
            (
                r"[\r\n]",
                rf"\s?[{CASED_LETTERS}]+",
                DEEPSEEK_PUNCTUATION,
                r"(?<!\s)\s+\z",  # the same as \s+$, without trying every blank of a long run
                DEEPSEEK_HAN,
                r"\p{N}+",
            ),
            clean_spaces=False,
        ),
    ),
    (
        "deepseek-coder",
        Pre((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", DEEPSEEK_HAN, DIGIT), clean_spaces=False),
    ),
    ("deepseek-v3 hunyuan-dense joyai-llm hy_v4", _DEEPSEEK3),
    (
        "spark2_5",
        Pre((TRIPLE, HAN_KANA, rf"{DEEPSEEK_WORD}| ?[\p{{P}}\p{{S}}]+|[\r\n]|{BLANKS}", DIGIT), clean_spaces=False),
    ),
    ("gemma4 granite-embed-multi-311m", _GEMMA4),
    ("sarvam-moe", Pre((NEWLINES,), raw=True, blank=True, clean_spaces=False)),
    ("whitespace", Pre((r"\S+",), raw=True)),
)

PRES: dict[str, Pre] = {name: pre for names, pre in _FAMILIES for name in names.split()}

# Names that llama.cpp knows and that need more than expressions (digit groups from the right, Han outside of classes,
# upper and lower case told apart by its engine in a way of its own).
LATER = frozenset({"kimi-k2", "afmoe", "youtu", "superbpe", "tiny_aya", "cohere2moe"})


def names() -> Iterable[str]:
    """The pre-tokenizers that work."""
    return PRES.keys()


def take(name: str) -> Pre:
    """The pre-tokenizer called `name`. Raises LlamaspecError for a name that is unknown or not supported yet."""
    if name in PRES:
        return PRES[name]
    if name in LATER:
        raise LlamaspecError(
            f"the pre-tokenizer {name!r} is not supported yet",
            "use another model, or force a close relative with --override-kv tokenizer.ggml.pre=str:NAME",
        )
    raise LlamaspecError(
        f"unknown pre-tokenizer {name[:80]!r} (tokenizer.ggml.pre)",
        "the file may be newer than this version; --override-kv tokenizer.ggml.pre=str:NAME forces a known one",
    )
