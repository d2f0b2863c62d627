"""How a token is chosen from the logits."""

from dataclasses import dataclass
from typing import ClassVar

from .flag import Flag, flag, row
from .values import integer, number, token_bias

LETTERS = {
    "e": "penalties", "d": "dry", "s": "top_n_sigma", "k": "top_k", "y": "typ_p", "p": "top_p", "m": "min_p",
    "x": "xtc", "t": "temperature", "a": "adaptive_p",
}  # fmt: skip
"""The letters of --sampler-seq and the names of --samplers, in the default order (adaptive_p only when asked for)."""

OTHER_NAMES = {
    "top-k": "top_k", "top-p": "top_p", "nucleus": "top_p", "min-p": "min_p", "typical-p": "typ_p", "typical": "typ_p",
    "typ-p": "typ_p", "typ": "typ_p", "temp": "temperature", "top-n-sigma": "top_n_sigma", "adaptive-p": "adaptive_p",
}  # fmt: skip

CHAIN = tuple(name for letter, name in LETTERS.items() if letter != "a")


def sampler_names(text: str) -> tuple[str, ...]:
    """Sampler names between semicolons, in the order they run; the empty text is the empty chain.

    >>> sampler_names("top-k; temperature")
    ('top_k', 'temperature')
    """
    words = (word.strip() for word in text.split(";"))
    names = tuple(OTHER_NAMES.get(word, word) for word in words) if text else ()
    for name in names:
        if name not in LETTERS.values():
            raise ValueError(f"unknown sampler '{name[:40]}'; available: {', '.join(LETTERS.values())}")
    return names


def sampler_letters(text: str) -> tuple[str, ...]:
    """Sampler letters, in the order they run.

    >>> sampler_letters("kt")
    ('top_k', 'temperature')
    """
    for letter in text:
        if letter not in LETTERS:
            raise ValueError(f"unknown sampler letter '{letter}'; available: {''.join(LETTERS)}")
    return tuple(LETTERS[letter] for letter in text)


def sequence_breaker(text: str) -> tuple[str, ...]:
    """One breaker of several; none = no breakers at all."""
    return () if text == "none" else (text,)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Sampling."""

    samplers: tuple[str, ...] = flag(
        "--samplers NAMES", "samplers in the order they run, between semicolons",
        default=CHAIN, parse=sampler_names, shown="; ".join(CHAIN),
    )  # fmt: skip
    seed: int = flag(
        "-s, --seed SEED", "random seed; -1 = random (printed)", common=True, default=-1, parse=integer(-1, 2**32 - 1),
    )  # fmt: skip
    temp: float = flag(
        "--temp, --temperature T", "temperature; 0 or less = always the most likely token",
        common=True, default=0.8, parse=number(), env="LLAMA_ARG_TEMPERATURE",
    )  # fmt: skip
    top_k: int = flag(
        "--top-k K", "keep the K most likely tokens; 0 = all",
        common=True, default=40, parse=integer(-1), env="LLAMA_ARG_TOP_K",
    )  # fmt: skip
    top_p: float = flag(
        "--top-p P", "keep the most likely tokens whose probabilities add up to P; 1 = all",
        common=True, default=0.95, parse=number(0, 1), env="LLAMA_ARG_TOP_P",
    )  # fmt: skip
    min_p: float = flag(
        "--min-p P", "drop tokens below P times the highest probability; 0 = none",
        common=True, default=0.05, parse=number(0, 1), env="LLAMA_ARG_MIN_P",
    )  # fmt: skip
    top_n_sigma: float = flag(
        "--top-n-sigma, --top-nsigma N", "keep tokens within N standard deviations of the best logit; -1 = off",
        default=-1.0, parse=number(-1),
    )  # fmt: skip
    xtc_probability: float = flag(
        "--xtc-probability P", "chance that XTC removes the top tokens; 0 = off", default=0.0, parse=number(0, 1),
    )  # fmt: skip
    xtc_threshold: float = flag(
        "--xtc-threshold P", "probability above which XTC may remove a token", default=0.1, parse=number(0, 1),
    )  # fmt: skip
    typical_p: float = flag(
        "--typical-p, --typical P", "locally typical sampling; 1 = off", default=1.0, parse=number(0, 1),
    )  # fmt: skip
    repeat_last_n: int = flag(
        "--repeat-last-n N", "tokens that penalties look back; 0 = off, -1 = context", default=64, parse=integer(-1),
    )  # fmt: skip
    repeat_penalty: float = flag(
        "--repeat-penalty F", "penalty factor of repeated tokens; 1 = off",
        default=1.0, parse=number(0, above=True), env="LLAMA_ARG_REPEAT_PENALTY",
    )  # fmt: skip
    presence_penalty: float = flag(
        "--presence-penalty F", "penalty of tokens that occurred; 0 = off",
        default=0.0, parse=number(), env="LLAMA_ARG_PRESENCE_PENALTY",
    )  # fmt: skip
    frequency_penalty: float = flag(
        "--frequency-penalty F", "penalty per occurrence; 0 = off",
        default=0.0, parse=number(), env="LLAMA_ARG_FREQUENCY_PENALTY",
    )  # fmt: skip
    dry_multiplier: float = flag(
        "--dry-multiplier F", "strength of the DRY repetition penalty; 0 = off", default=0.0, parse=number(0),
    )  # fmt: skip
    dry_base: float = flag("--dry-base F", "base of the DRY penalty", default=1.75, parse=number(1))
    dry_allowed_length: int = flag(
        "--dry-allowed-length N", "repeated length that DRY tolerates", default=2, parse=integer(0),
    )  # fmt: skip
    dry_penalty_last_n: int = flag(
        "--dry-penalty-last-n N", "tokens that DRY looks back; 0 = off, -1 = context", default=64, parse=integer(-1),
    )  # fmt: skip
    dry_sequence_breakers: tuple[str, ...] = flag(
        "--dry-sequence-breaker TEXT", "text that ends a DRY match; the first one replaces the defaults; none = none",
        default=("\n", ":", '"', "*"), parse=sequence_breaker, many=True, shown=r"\n : \" *",
    )  # fmt: skip
    adaptive_target: float = flag(
        "--adaptive-target P", "probability that adaptive-p steers to; below 0 = off",
        default=-1.0, parse=number(-1, 1),
    )  # fmt: skip
    adaptive_decay: float = flag(
        "--adaptive-decay F", "how slowly adaptive-p forgets", default=0.9, parse=number(0, 0.99),
    )  # fmt: skip
    dynatemp_range: float = flag(
        "--dynatemp-range F", "half-width of the dynamic temperature; 0 = off", default=0.0, parse=number(0),
    )  # fmt: skip
    dynatemp_exp: float = flag("--dynatemp-exp F", "exponent of the dynamic temperature", default=1.0, parse=number(0))
    mirostat: int = flag(
        "--mirostat N", "0 = off, 1 or 2 = Mirostat, which replaces the other truncations",
        default=0, parse=integer(0, 2),
    )  # fmt: skip
    mirostat_lr: float = flag("--mirostat-lr F", "Mirostat's learning rate (eta)", default=0.1, parse=number(0))
    mirostat_ent: float = flag("--mirostat-ent F", "Mirostat's target entropy (tau)", default=5.0, parse=number(0))
    logit_bias: tuple[tuple[int, float], ...] = flag(
        "-l, --logit-bias TOKEN_ID(+/-)BIAS", "add to the logit of a token, such as 15043+1 or 15043-inf; repeatable",
        default=(), parse=token_bias, many=True, shown="none",
    )  # fmt: skip
    ignore_eos: bool = flag("--ignore-eos", "never stop at end-of-text tokens", default=False)

    rows: ClassVar[tuple[Flag, ...]] = (
        row(
            "--sampler-seq, --sampling-seq LETTERS", f"--samplers in letters, {''.join(LETTERS)[:-1]}",
            parse=sampler_letters, gives=(("samplers", None),),
        ),
    )  # fmt: skip
