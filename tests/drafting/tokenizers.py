"""Tokenizers of the test data, discovered: real vocabularies where they lie about, self-made ones always."""

from functools import cache
from itertools import permutations

from llamaspec.errors import LlamaspecError
from llamaspec.text.tokenizer import Tokenizer
from llamaspec.weights.file import GGUFFile
from tests import goldens


@cache
def tokenizers(largest: int = 33_000) -> dict[str, Tokenizer]:
    """File name -> tokenizer, of at most so many tokens."""
    found: dict[str, Tokenizer] = {}
    for folder in goldens.folders():
        for path in sorted([*folder.glob("tokenizers/*.gguf"), *folder.glob("goldens/models/*.gguf")]):
            try:
                made = Tokenizer.from_metadata(GGUFFile(path).metadata)
            except LlamaspecError:
                continue  # a kind that comes later
            if made.n_vocab <= largest:
                found.setdefault(path.name, made)
    return found


def writes_all(tokenizer: Tokenizer) -> bool:
    """Whether any text survives it."""
    text = "aZ 0\n~é漢🎉"
    return tokenizer.decode(tokenizer.encode(text, add_special=False), remove_special=True).decode(
        errors="replace"
    ) in (
        text,
        " " + text,
    )


def kinds() -> list[tuple[Tokenizer, Tokenizer]]:
    """Ordered pairs of tokenizers that differ, a few of them: of each kind the smallest, the largest."""
    some: dict[tuple, Tokenizer] = {}
    for made in sorted((t for t in tokenizers().values() if writes_all(t)), key=lambda t: t.n_vocab):
        some.setdefault((made.kind, made.add_bos, made.add_space_prefix, made.n_vocab > 1000), made)
    assert len(some) > 2, "no tokenizers to compare"
    return list(permutations(some.values(), 2))
