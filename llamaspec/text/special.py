"""Special tokens: begin, end, fill-in-the-middle, and the set that ends a generation.

Ids come from `tokenizer.ggml.*_token_id`; what a file leaves out is found by its text, as llama.cpp 0c1e570 does it
(spec/models.md 5.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from llamaspec.errors import LlamaspecError

EOT_TEXTS = (
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>", "<EOT>", "_<EOT>",
    "[EOT]", "<｜end▁of▁sentence｜>", "<end_of_utterance>",
)  # fmt: skip
TEXTS: dict[str, tuple[str, ...]] = {
    "eot": EOT_TEXTS,
    "eom": ("<|eom_id|>",),
    "fim_pre": (
        "<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>",
        "<|prefix|>",
    ),
    "fim_suf": (
        "<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>",
        "<|suffix|>",
    ),
    "fim_mid": (
        "<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>",
        "<|middle|>",
    ),
    "fim_pad": ("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]"),
    "fim_rep": ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"),
    "fim_sep": ("<|file_sep|>",),
}  # fmt: skip
END_TEXTS = (
    *EOT_TEXTS, "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "</s>", "<|eom_id|>", "[EOS]", "<eos>", "<turn|>",
    "<|tool_response>", "[e~[",
)  # fmt: skip
HARMONY_TEXTS = ("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>")

# Later keys win; the last three are the old spellings.
KEYS = (
    ("bos", "bos"), ("eos", "eos"), ("eot", "eot"), ("eom", "eom"), ("unk", "unknown"), ("sep", "seperator"),
    ("pad", "padding"), ("mask", "mask"), ("fim_pre", "fim_pre"), ("fim_suf", "fim_suf"), ("fim_mid", "fim_mid"),
    ("fim_pad", "fim_pad"), ("fim_rep", "fim_rep"), ("fim_sep", "fim_sep"), ("fim_pre", "prefix"),
    ("fim_suf", "suffix"), ("fim_mid", "middle"),
)  # fmt: skip


@dataclass
class Special:
    """Ids of the special tokens, None where the model has none; `eog` ends a generation."""

    bos: int | None = None
    eos: int | None = None
    eot: int | None = None
    eom: int | None = None
    unk: int | None = None
    sep: int | None = None
    pad: int | None = None
    mask: int | None = None
    fim_pre: int | None = None
    fim_suf: int | None = None
    fim_mid: int | None = None
    fim_pad: int | None = None
    fim_rep: int | None = None
    fim_sep: int | None = None
    eog: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Retyped:
    """Tokens whose type the texts override: now control, now user-defined, now normal."""

    control: frozenset[int]
    user_defined: frozenset[int]
    normal: frozenset[int]


def read(metadata: Mapping[str, object], defaults: Special, size: int) -> tuple[Special, list[str]]:
    """The ids that the file names, over `defaults`; ids outside of the vocabulary are left out with a warning.

    Raises LlamaspecError for an id that is no integer.
    """
    special, warnings = defaults, []
    for name in (entry.name for entry in fields(Special) if entry.name != "eog"):
        default = getattr(special, name)
        if default is not None and default >= size:
            setattr(special, name, None)
    for name, spelling in KEYS:
        key = f"tokenizer.ggml.{spelling}_token_id"
        value = metadata.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise LlamaspecError(f"{key} is not a token id", "the file is damaged or was written by a faulty converter")
        if 0 <= value < size:
            setattr(special, name, value)
        else:
            warnings.append(f"{key} = {value} is outside of the vocabulary of {size} tokens and ignored")
    return special, warnings


def complete(special: Special, ids: Mapping[str, int]) -> Retyped:
    """Find by text what `special` lacks, fill `special.eog`, and say which tokens change their type."""
    control: set[int] = set()
    for name, texts in TEXTS.items():
        if getattr(special, name) is None:
            token = next((ids[text] for text in texts if text in ids), None)
            if token is not None:
                setattr(special, name, token)
                control.add(token)
    by_text = {text: ids[text] for text in END_TEXTS if text in ids}
    control.update(by_text.values())
    named = (special.eos, special.eot, special.eom, special.fim_pad, special.fim_rep, special.fim_sep)
    ends = set(by_text.values()) | {token for token in named if token is not None}
    user_defined = {ids[text] for text in HARMONY_TEXTS if text in ids}
    normal: set[int] = set()

    def ending(*texts: str) -> bool:
        return any(ids.get(text) in ends for text in texts)

    calls = ending("<|call|>", "<|calls|>")
    if calls and ending("<|return|>", "<|flush|>") and ending("<|end|>"):
        ends.discard(ids["<|end|>"])
        user_defined.add(ids["<|end|>"])
    if ending("<|tool_response>", "<|plamo:eos|>") and ending("</s>"):
        ends.discard(ids["</s>"])
        normal.add(ids["</s>"])
    special.eog = frozenset(ends)
    return Retyped(frozenset(control), frozenset(user_defined), frozenset(normal))
