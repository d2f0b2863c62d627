"""Which files the model and its helper come from."""

from dataclasses import dataclass

from .flag import flag
from .values import kv_override, path


@dataclass(frozen=True, kw_only=True)
class Model:
    """Model files."""

    model: str = flag(
        "-m, --model FNAME", "GGUF file to load, the first part if it is split",
        default="", parse=path, env="LLAMA_ARG_MODEL", shown="none",
    )  # fmt: skip
    model_draft: str = flag(
        "-md, --model-draft, --spec-draft-model FNAME", "GGUF file of the draft model; given alone it speculates",
        default="", parse=path, env="LLAMA_ARG_MODEL_DRAFT LLAMA_ARG_SPEC_DRAFT_MODEL", shown="none",
    )  # fmt: skip
    override_kv: tuple[tuple[str, int | float | bool | str], ...] = flag(
        "--override-kv KEY=TYPE:VALUE,...", "replace metadata; TYPE is int, float, bool or str; repeatable",
        default=(), parse=kv_override, many=True, shown="none",
    )  # fmt: skip
    vocab_only: bool = flag(
        "--vocab-only", "load metadata and tokenizer only (for the Python API)", default=False,
    )  # fmt: skip
