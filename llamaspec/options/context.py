"""How long a sequence may become, and how it is worked through."""

from dataclasses import dataclass

from .flag import Status, flag
from .values import integer, on_off_auto

CACHE_TYPES = ("auto", "f32", "f16", "bf16", "q8_0")
LATER_CACHE_TYPES = ("q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")
"""llama.cpp's types for cached keys and values that cannot be used yet."""


def cache_type(text: str) -> str:
    """A storage type of the cache.

    >>> cache_type("q8_0")
    'q8_0'
    """
    if text in LATER_CACHE_TYPES:
        raise ValueError(f"{text} is not supported yet; available: {', '.join(CACHE_TYPES)}")
    if text not in CACHE_TYPES:
        raise ValueError(f"expected one of {', '.join(CACHE_TYPES)}")
    return text


@dataclass(frozen=True, kw_only=True)
class Context:
    """Context and batches."""

    ctx_size: int = flag(
        "-c, --ctx-size N", "context length in tokens; 0 = the length stored in the model",
        common=True, default=0, parse=integer(0), env="LLAMA_ARG_CTX_SIZE",
    )  # fmt: skip
    n_predict: int = flag(
        "-n, --n-predict, --predict N", "maximum number of tokens to generate; -1 = no limit, 0 = only read the prompt",
        common=True, default=-1, parse=integer(-1), env="LLAMA_ARG_N_PREDICT",
    )  # fmt: skip
    batch_size: int = flag(
        "-b, --batch-size N", "maximum number of prompt tokens in one logical batch",
        default=2048, parse=integer(1), env="LLAMA_ARG_BATCH", status=Status.INERT,
    )  # fmt: skip
    ubatch_size: int = flag(
        "-ub, --ubatch-size N", "maximum number of prompt tokens in one forward pass",
        default=512, parse=integer(1), env="LLAMA_ARG_UBATCH",
    )  # fmt: skip
    keep: int = flag(
        "--keep N", "prompt tokens that survive a context shift; -1 = all", default=0, parse=integer(-1),
        status=Status.LATER,
    )  # fmt: skip
    flash_attn: str = flag(
        "-fa, --flash-attn on|off|auto", "fused attention kernels; without a value: on",
        default="auto", parse=on_off_auto, env="LLAMA_ARG_FLASH_ATTN", choices=("on", "off", "auto"), bare="on",
        status=Status.INERT,
    )  # fmt: skip
    cache_type_k: str = flag(
        "-ctk, --cache-type-k TYPE", "storage type of cached keys",
        default="auto", env="LLAMA_ARG_CACHE_TYPE_K", choices=CACHE_TYPES, parse=cache_type,
    )  # fmt: skip
    cache_type_v: str = flag(
        "-ctv, --cache-type-v TYPE", "storage type of cached values",
        default="auto", env="LLAMA_ARG_CACHE_TYPE_V", choices=CACHE_TYPES, parse=cache_type,
    )  # fmt: skip
