"""Which files the model and its helper come from."""

from dataclasses import dataclass
from typing import ClassVar

from .flag import Flag, flag, row
from .values import hub_name, kv_override, path, web_address


def _preset(name: str, what: str, *gives: tuple[str, str]) -> Flag:
    return row(name, f"preset: download and run {what}", gives=gives)


def _coder(size: str) -> tuple[tuple[str, str], ...]:
    repos = (f"ggml-org/Qwen2.5-Coder-{size}-Q8_0-GGUF", "ggml-org/Qwen2.5-Coder-0.5B-Q8_0-GGUF")
    return (("hf_repo", repos[0]), ("hf_repo_draft", repos[1]))


def _gpt_oss(size: str) -> tuple[tuple[str, str], ...]:
    sampling = (("temp", "1"), ("top_p", "1"), ("top_k", "0"), ("min_p", "0.01"))
    return (("hf_repo", f"ggml-org/gpt-oss-{size}-GGUF"), *sampling)


@dataclass(frozen=True, kw_only=True)
class Model:
    """Model files."""

    model: str = flag(
        "-m, --model FNAME", "GGUF file to load, the first part if it is split",
        common=True, default="", parse=path, env="LLAMA_ARG_MODEL", shown="none",
    )  # fmt: skip
    model_draft: str = flag(
        "-md, --model-draft, --spec-draft-model FNAME",
        "GGUF file of the draft model; enough by itself to turn speculation on",
        common=True, default="", parse=path, env="LLAMA_ARG_MODEL_DRAFT LLAMA_ARG_SPEC_DRAFT_MODEL", shown="none",
    )  # fmt: skip
    hf_repo: str = flag(
        "-hf, -hfr, --hf-repo USER/MODEL[:QUANT]",
        "model of the Hugging Face hub, downloaded once; without QUANT: Q4_K_M, else Q8_0, else its first file",
        common=True, default="", parse=hub_name, env="LLAMA_ARG_HF_REPO", shown="none",
    )  # fmt: skip
    hf_file: str = flag(
        "-hff, --hf-file FILE", "exact file of the repository of -hf",
        default="", parse=path, env="LLAMA_ARG_HF_FILE", shown="none",
    )  # fmt: skip
    hf_repo_draft: str = flag(
        "-hfd, -hfrd, --hf-repo-draft, --spec-draft-hf USER/MODEL[:QUANT]",
        "draft model of the hub; enough by itself to turn speculation on",
        common=True, default="", parse=hub_name, env="LLAMA_ARG_SPEC_DRAFT_HF_REPO LLAMA_ARG_HFD_REPO", shown="none",
    )  # fmt: skip
    model_url: str = flag(
        "-mu, --model-url URL", "address of a GGUF file, downloaded once",
        default="", parse=web_address, env="LLAMA_ARG_MODEL_URL", shown="none",
    )  # fmt: skip
    hf_token: str = flag(
        "-hft, --hf-token TOKEN", "access token of the Hugging Face hub",
        default="", shown="$HF_TOKEN, or that of `hf auth login`", secret=True,
    )  # fmt: skip
    offline: bool = flag(
        "--offline", "never use the network: downloaded files only", default=False, env="LLAMA_ARG_OFFLINE",
    )  # fmt: skip
    override_kv: tuple[tuple[str, int | float | bool | str], ...] = flag(
        "--override-kv KEY=TYPE:VALUE,...", "replace metadata; TYPE is int, float, bool or str; repeatable",
        default=(), parse=kv_override, many=True, shown="none",
    )  # fmt: skip
    vocab_only: bool = flag(
        "--vocab-only", "load metadata and tokenizer only (for the Python API)", default=False,
    )  # fmt: skip

    rows: ClassVar[tuple[Flag, ...]] = (
        _preset("--fim-qwen-7b-spec", "Qwen 2.5 Coder 7B with its 0.5B model drafting", *_coder("7B")),
        _preset("--fim-qwen-14b-spec", "Qwen 2.5 Coder 14B with its 0.5B model drafting", *_coder("14B")),
        _preset("--gpt-oss-20b-default", "gpt-oss 20B with its recommended sampling", *_gpt_oss("20b")),
        _preset("--gpt-oss-120b-default", "gpt-oss 120B with its recommended sampling", *_gpt_oss("120b")),
    )

    @property
    def wanted(self) -> bool:
        """Whether a model is named, as a file or as a download."""
        return bool(self.model or self.hf_repo or self.model_url)

    @property
    def draft_wanted(self) -> bool:
        """Whether a draft model is named."""
        return bool(self.model_draft or self.hf_repo_draft)

    @property
    def remote(self) -> bool:
        """Whether a file has to be found, or fetched, by a name on the network."""
        return bool(self.hf_repo or self.hf_repo_draft or self.model_url or self.hf_file)
