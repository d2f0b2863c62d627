"""The draft model: how much it drafts and where it runs."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from .context import CACHE_TYPES, cache_type
from .flag import Flag, Status, flag, row
from .values import integer, layers, listed, number, optional_integer

DRAFT_MAX = 1024


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Draft model."""

    n_max: int = flag(
        "--spec-draft-n-max N", "maximum number of tokens that the draft model drafts per step",
        common=True, default=3, parse=integer(0, DRAFT_MAX), env="LLAMA_ARG_SPEC_DRAFT_N_MAX",
    )  # fmt: skip
    n_min: int = flag(
        "--spec-draft-n-min N", "minimum length of a draft that is verified",
        default=0, parse=integer(0, DRAFT_MAX), env="LLAMA_ARG_SPEC_DRAFT_N_MIN",
    )  # fmt: skip
    p_min: float = flag(
        "--spec-draft-p-min P", "stop a draft when its probability falls below this",
        default=0.0, parse=number(0, 1), env="LLAMA_ARG_DRAFT_P_MIN LLAMA_ARG_SPEC_DRAFT_P_MIN", was="--draft-p-min",
    )  # fmt: skip
    p_split: float = flag(
        "--spec-draft-p-split, --draft-p-split P", "draft-tree: branch to a second token that is likelier than this",
        default=0.1, parse=number(0, 1), env="LLAMA_ARG_SPEC_DRAFT_P_SPLIT",
    )  # fmt: skip
    gpu_layers: int | Literal["auto", "all"] = flag(
        "-ngld, --spec-draft-ngl, --gpu-layers-draft, --n-gpu-layers-draft N",
        "layers of the draft model to put on the accelerator: a number, auto or all",
        default="auto", parse=layers, env="LLAMA_ARG_N_GPU_LAYERS_DRAFT",
    )  # fmt: skip
    device: tuple[str, ...] = flag(
        "-devd, --spec-draft-device, --device-draft DEV1,...", "devices that may hold the draft model",
        default=(), parse=listed, shown="same as --device",
    )  # fmt: skip
    ctx_size: int = flag(
        "-cd, --ctx-size-draft N", "context length of the draft model; 0 = same as --ctx-size",
        default=0, parse=integer(0), env="LLAMA_ARG_CTX_SIZE_DRAFT",
    )  # fmt: skip
    threads: int | None = flag(
        "-td, --spec-draft-threads, --threads-draft N", "CPU threads of the draft model while drafting",
        default=None, parse=optional_integer(-1, 4096), shown="same as --threads",
    )  # fmt: skip
    threads_batch: int | None = flag(
        "-tbd, --spec-draft-threads-batch, --threads-batch-draft N",
        "CPU threads of the draft model while reading the prompt",
        default=None, parse=optional_integer(-1, 4096), shown="same as --threads-draft", status=Status.LATER,
    )  # fmt: skip
    cache_type_k: str = flag(
        "-ctkd, --spec-draft-type-k, --cache-type-k-draft TYPE", "storage type of the draft model's cached keys",
        default="auto", env="LLAMA_ARG_SPEC_DRAFT_CACHE_TYPE_K", choices=CACHE_TYPES, parse=cache_type,
    )  # fmt: skip
    cache_type_v: str = flag(
        "-ctvd, --spec-draft-type-v, --cache-type-v-draft TYPE", "storage type of the draft model's cached values",
        default="auto", env="LLAMA_ARG_SPEC_DRAFT_CACHE_TYPE_V", choices=CACHE_TYPES, parse=cache_type,
    )  # fmt: skip

    # Older llama.cpp had one limit for model drafts and ngram-mod; today each has its own.
    rows: ClassVar[tuple[Flag, ...]] = (
        row(
            "--draft-max, --draft, --draft-n N", "older name: --spec-draft-n-max and --spec-ngram-mod-n-max together",
            env="LLAMA_ARG_DRAFT_MAX", parse=integer(0, DRAFT_MAX),
            gives=(("spec_draft_n_max", None), ("spec_ngram_mod_n_max", None)),
        ),
        row(
            "--draft-min, --draft-n-min N", "older name: --spec-draft-n-min and --spec-ngram-mod-n-min together",
            env="LLAMA_ARG_DRAFT_MIN", parse=integer(0, DRAFT_MAX),
            gives=(("spec_draft_n_min", None), ("spec_ngram_mod_n_min", None)),
        ),
    )  # fmt: skip
