"""--spec-suffix-corpus: a text file in the model's own tokens."""

from ..drafting.corpus import LONGEST
from ..errors import UsageError
from ..text.plain import plain_text
from ..text.tokenizer import Tokenizer

BYTES_PER_TOKEN = 64
"""No text that fits has more; a longer file is refused before it is tokenized."""


def corpus_tokens(path: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a text file, without BOS and EOS, marks such as <|im_end|> read as text.

    Raises LlamaspecError, naming the file, if it is no text, UsageError if it has more than 524,288 tokens.
    """
    text = plain_text(path, BYTES_PER_TOKEN * LONGEST)
    tokens = tokenizer.encode(text, False, False)
    if len(tokens) > LONGEST:
        raise UsageError(
            f"{path} has {len(tokens):,} tokens, but --spec-suffix-corpus may have {LONGEST:,}", "leave parts of it out"
        )
    return tokens
