"""Which drafters guess, and how the ones without a model do it."""

from dataclasses import dataclass
from typing import ClassVar

from .. import shelf
from .flag import Flag, flag, row
from .values import integer, number, numbers, on_off_auto, pair, path

TYPES = (
    "ngram-simple", "ngram-map-k", "ngram-map-k4v", "ngram-mod", "ngram-cache",
    "draft-simple", "draft-eagle3", "draft-mtp", "draft-dflash", "draft-dspark",
)  # fmt: skip
"""llama.cpp's drafters in the order in which they are asked; the first non-empty draft is taken."""
OWN = ("suffix", "recycling", "draft-tree")
"""Drafters that only exist here."""


def known(built: tuple[str, ...]) -> tuple[str, ...]:
    """Drafters on the shelf, llama.cpp's first, in the order in which they are asked."""
    return (*(name for name in TYPES if name in built), *(name for name in built if name not in TYPES))


AVAILABLE = known(tuple(name.replace("_", "-") for name in shelf.names("drafting.types")))
"""Drafters that this version has."""


def spec_types(text: str) -> tuple[str, ...]:
    """A comma list of drafters; none in the list makes it just ("none",), auto stands for what -md needs.

    A name that llama.cpp does not have may still be on the shelf drafting/types.
    """
    names = text.split(",")
    for name in names:
        if name in ("none", "auto", *AVAILABLE):
            continue
        problem = f"{name} is not supported yet" if name in TYPES else f"unknown type '{name[:40]}'"
        raise ValueError(f"{problem}; available: none, auto, {', '.join(AVAILABLE)}")
    if "none" in names:
        return ("none",)
    return tuple(names)


def _size(drafter: str, what: str, default: int) -> int:
    letter = {"lookup": "size-n", "draft": "size-m", "hits": "min-hits"}[what]
    text = {
        "lookup": f"number of tokens that must repeat before {drafter} drafts",
        "draft": f"maximum number of tokens that {drafter} drafts",
        "hits": f"how often those tokens must have occurred before {drafter} drafts",
    }[what]
    return flag(f"--spec-{drafter}-{letter} N", text, default=default, parse=integer(1, 1024))


@dataclass(frozen=True, kw_only=True)
class Speculation:
    """Speculation."""

    types: tuple[str, ...] = flag(
        "--spec-type TYPE,...",
        "drafters in order of priority; a later one is used only when the earlier ones have no draft; repeatable: "
        f"none, auto (draft-simple when -md is given), {', '.join(AVAILABLE)}",
        common=True, default=("auto",), parse=spec_types, env="LLAMA_ARG_SPEC_TYPE", many=True,
        choices=("none", "auto", *AVAILABLE),
    )  # fmt: skip
    ngram_simple_size_n: int = _size("ngram-simple", "lookup", 12)
    ngram_simple_size_m: int = _size("ngram-simple", "draft", 48)
    ngram_simple_min_hits: int = _size("ngram-simple", "hits", 1)
    ngram_map_k_size_n: int = _size("ngram-map-k", "lookup", 12)
    ngram_map_k_size_m: int = _size("ngram-map-k", "draft", 48)
    ngram_map_k_min_hits: int = _size("ngram-map-k", "hits", 1)
    ngram_map_k4v_size_n: int = _size("ngram-map-k4v", "lookup", 12)
    ngram_map_k4v_size_m: int = _size("ngram-map-k4v", "draft", 48)
    ngram_map_k4v_min_hits: int = _size("ngram-map-k4v", "hits", 1)
    ngram_mod_n_match: int = flag(
        "--spec-ngram-mod-n-match N", "number of tokens that ngram-mod looks up", default=24, parse=integer(1, 1024),
    )  # fmt: skip
    ngram_mod_n_min: int = flag(
        "--spec-ngram-mod-n-min N",
        "minimum length of an ngram-mod draft that is used", default=48, parse=integer(0, 1024),
    )  # fmt: skip
    ngram_mod_n_max: int = flag(
        "--spec-ngram-mod-n-max N",
        "maximum number of tokens that ngram-mod drafts", default=64, parse=integer(0, 1024),
    )  # fmt: skip
    ngram_cache_n_max: int = flag(
        "--spec-ngram-cache-n-max N",
        "maximum number of tokens that ngram-cache drafts", default=8, parse=integer(1, 1024),
    )  # fmt: skip
    lookup_cache_static: str = flag(
        "-lcs, --lookup-cache-static FNAME", "n-gram file that ngram-cache reads (lookup-create: writes)",
        default="", parse=path, shown="none",
    )  # fmt: skip
    lookup_cache_dynamic: str = flag(
        "-lcd, --lookup-cache-dynamic FNAME", "n-gram file that ngram-cache reads at start and rewrites at exit",
        default="", parse=path, shown="none",
    )  # fmt: skip
    suffix_n_max: int = flag(
        "--spec-suffix-n-max N", "maximum number of tokens that suffix drafts", default=15, parse=integer(1, 1024),
    )  # fmt: skip
    suffix_min_match: int = flag(
        "--spec-suffix-min-match N", "tokens that must repeat before suffix drafts", default=1, parse=integer(1, 1024),
    )  # fmt: skip
    suffix_p_min: float = flag(
        "--spec-suffix-p-min P", "stop a suffix draft when its probability falls below this",
        default=0.15, parse=number(0, 1),
    )  # fmt: skip
    suffix_corpus: str = flag(
        "--spec-suffix-corpus FNAME", "text file in which suffix looks besides the prompt and the answer",
        default="", parse=path, shown="none",
    )  # fmt: skip
    recycling_n_max: int = flag(
        "--spec-recycling-n-max N", "maximum number of tokens in a tree of recycling", default=15, parse=integer(1, 63),
    )  # fmt: skip
    recycling_depth: int = flag(
        "--spec-recycling-depth N", "levels of a tree of recycling", default=6, parse=integer(1, 63),
    )  # fmt: skip
    draft_tree_nodes: int = flag(
        "--spec-draft-tree-nodes N",
        "maximum number of tokens in a tree of draft-tree", default=15, parse=integer(1, 63),
    )  # fmt: skip
    extend: int = flag(
        "--spec-extend N", "let n-gram drafters continue a draft model's full-length drafts up to N tokens; 0 = off",
        default=0, parse=integer(0, 1024),
    )  # fmt: skip
    replace: tuple[tuple[str, str], ...] = flag(
        "--spec-replace TARGET DRAFT", "replace TARGET text by DRAFT text before the draft model sees it; repeatable",
        default=(), parse=pair, many=True, shown="none",
    )  # fmt: skip
    strict: bool = flag(
        "--spec-strict", "refuse a draft model whose vocabulary differs from the model's", default=False,
    )  # fmt: skip
    stats: str = flag(
        "--spec-stats new|old|json", "form of the statistics lines on stderr", default="new",
        choices=("new", "old", "json"),
    )  # fmt: skip
    color: str = flag(
        "--color-spec on|off|auto",
        "colour tokens by the drafter that proposed them; without a value: auto (on a terminal)",
        common=True, default="off", parse=on_off_auto, choices=("on", "off", "auto"), bare="auto",
    )  # fmt: skip
    synth_len: float | None = flag(
        "--spec-synth-len L",
        "benchmarks: accept drafts by chance, L tokens per step on average; the text is not valid",
        default=None, parse=number(1), env="LLAMA_ARG_SPEC_SYNTH_LEN", shown="off",
    )  # fmt: skip
    synth_rates: tuple[float, ...] = flag(
        "--spec-synth-rates P0,P1,...",
        "benchmarks: accept drafts by chance, the first i + 1 tokens with probability Pi; the text is not valid",
        default=(), parse=numbers(0, 1), env="LLAMA_ARG_SPEC_SYNTH_RATES", shown="off",
    )  # fmt: skip
    compat: str = flag(
        "--spec-compat own|reference|old",
        "reference: draft as llama.cpp does, including its bugs; old: also older llama.cpp's defaults (16 / 0 / 0.75) "
        "and p-min rule",
        default="own", choices=("own", "reference", "old"),
    )  # fmt: skip

    rows: ClassVar[tuple[Flag, ...]] = (
        row(
            "--spec-ngram-size-n N", "older name: lookup length of every n-gram drafter", parse=integer(1, 1024),
            gives=(
                ("spec_ngram_simple_size_n", None), ("spec_ngram_map_k_size_n", None),
                ("spec_ngram_map_k4v_size_n", None), ("spec_ngram_mod_n_match", None),
            ),
        ),
        row(
            "--spec-ngram-size-m N", "older name: draft length of ngram-simple and ngram-map", parse=integer(1, 1024),
            gives=(
                ("spec_ngram_simple_size_m", None), ("spec_ngram_map_k_size_m", None),
                ("spec_ngram_map_k4v_size_m", None),
            ),
        ),
        row(
            "--spec-ngram-min-hits N", "older name: min-hits of ngram-simple and ngram-map", parse=integer(1, 1024),
            gives=(
                ("spec_ngram_simple_min_hits", None), ("spec_ngram_map_k_min_hits", None),
                ("spec_ngram_map_k4v_min_hits", None),
            ),
        ),
        row(
            "--spec-default", "the same as --spec-type ngram-mod with match 24, drafts of 48 to 64 tokens",
            gives=(
                ("spec_type", "ngram-mod"), ("spec_ngram_mod_n_match", "24"), ("spec_ngram_mod_n_min", "48"),
                ("spec_ngram_mod_n_max", "64"),
            ),
        ),
    )  # fmt: skip
