"""The byte-level BPE vocabulary both demo models share, split the way llama.cpp's "qwen2" pre-tokenizer splits."""

from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from train_demo.corpus import Corpus

SIZE = 4096
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
END_OF_TEXT, TURN_START, TURN_END = range(3)
PRE = "qwen2"
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def build(corpus: Corpus, cache: Path) -> Tokenizer:
    """Train the vocabulary on the corpus, or read it back from `cache`."""
    kept = cache / "tokenizer.json"
    if kept.exists():
        return Tokenizer.from_file(str(kept))
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(_SPLIT), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus.files[::2], trainer)
    if tokenizer.get_vocab_size() != SIZE:
        raise SystemExit(f"vocabulary has {tokenizer.get_vocab_size()} tokens, not {SIZE}")
    part = kept.with_suffix(".part")
    tokenizer.save(str(part))
    part.replace(kept)
    return tokenizer


def streams(corpus: Corpus, tokenizer: Tokenizer, cache: Path) -> tuple[np.ndarray, np.ndarray]:
    """Token ids uint16 of all files and of all conversations, each document ended by <|endoftext|>."""
    return tuple(  # pyright: ignore[reportReturnType]
        _stream(documents, tokenizer, cache / f"{name}.npy")
        for name, documents in (("files", corpus.files), ("chats", corpus.chats))
    )


def _stream(documents: list[str], tokenizer: Tokenizer, kept: Path) -> np.ndarray:
    if not kept.exists():
        order = np.random.default_rng(0).permutation(len(documents))
        encoded = tokenizer.encode_batch([documents[i] for i in order], add_special_tokens=False)
        ids = np.concatenate([np.array([*e.ids, END_OF_TEXT], dtype=np.uint16) for e in encoded])
        part = kept.with_suffix(".part.npy")
        np.save(part, ids)
        part.replace(kept)
    return np.load(kept)
