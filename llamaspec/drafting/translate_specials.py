"""Which special token of one vocabulary stands for which of another: by its text, by its role, by what it ends."""

from collections.abc import Iterable

from ..text.tokenizer import Tokenizer
from ..text.vocabulary import LITERAL

ROLES = (
    "bos", "eos", "eot", "eom", "unk", "pad", "fim_pre", "fim_suf", "fim_mid", "fim_pad", "fim_rep", "fim_sep",
)  # fmt: skip


def counterparts(source: Tokenizer, other: Tokenizer) -> dict[int, int]:
    """Special tokens of `source` -> those of `other` that mean the same; ones without an equal are left out."""
    ids, types = other.vocabulary.ids, other.vocabulary.types
    found: dict[int, int] = {}
    for token in source.vocabulary.specials():
        same = ids.get(source.token_text(token))
        if same is not None and types[same] & LITERAL:
            found[token] = same
    for role in ROLES:
        ours, theirs = getattr(source.special, role), getattr(other.special, role)
        if ours is not None and theirs is not None:
            found.setdefault(ours, theirs)
    end = other.eot if other.eot is not None else other.eos
    if end is not None:
        for token in source.eog:
            found.setdefault(token, end)
    return found


def piece(tokenizer: Tokenizer, token: int, special: bool = False) -> bytes:
    """Tokenizer.piece; nothing for ids that only the model's matrices have."""
    return tokenizer.piece(token, special) if 0 <= token < tokenizer.n_vocab else b""


def byte_tokens(tokenizer: Tokenizer) -> dict[int, int]:
    """Byte -> the token that stands for it alone, where there is one."""
    return {data[0]: token for token, data in _pieces(tokenizer, range(tokenizer.n_vocab)) if len(data) == 1}


def by_piece(tokenizer: Tokenizer) -> dict[bytes, int]:
    """Bytes -> the token that writes them; a byte token only where no other does. Special tokens are left out."""
    hidden = set(tokenizer.vocabulary.specials())
    found: dict[bytes, int] = {}
    late: list[tuple[int, bytes]] = []
    for token, data in _pieces(tokenizer, (t for t in range(tokenizer.n_vocab) if t not in hidden)):
        if len(data) == 1 and len(tokenizer.token_text(token)) > 2:  # <0x41> beside A
            late.append((token, data))
        else:
            found.setdefault(data, token)
    for token, data in late:
        found.setdefault(data, token)
    return found


def _pieces(tokenizer: Tokenizer, tokens: Iterable[int]) -> Iterable[tuple[int, bytes]]:
    return ((token, data) for token in tokens if (data := tokenizer.piece(token)))
