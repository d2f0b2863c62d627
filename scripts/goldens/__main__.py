"""Record reference vectors by driving a real llama.cpp through llama-cpp-python's ctypes interface.

    python scripts/goldens samplers [--vocab VOCAB.gguf] [--out tests/data]
    python scripts/goldens models [NAME ...] [--out tests/data]

Run it with a Python that has `llama-cpp-python` (the package's `peer` extra) and `gguf`. It needs nothing of llamaspec.
`models` writes tiny random models (families.py) under goldens/models, llama.cpp's logits of them under goldens/logits,
and their entries into goldens/index.json; those of other models stay as they are.
"""

import argparse
from pathlib import Path

import models
import samplers


def main() -> None:
    """Parse the command line and record what it names."""
    here = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["samplers", "models"])
    parser.add_argument("names", nargs="*", help="of models; none: all of them")
    parser.add_argument("--out", type=Path, default=here / "tests" / "data")
    vocab = here.parent / "shared" / "data" / "tokenizers" / "vocab-spm-default.gguf"
    parser.add_argument("--vocab", type=Path, default=vocab, help="a self-made vocabulary, for DRY's sequence breakers")
    args = parser.parse_args()
    if args.what == "samplers":
        samplers.record_samplers(args.out / "samplers", args.vocab)
    else:
        models.record(args.out / "goldens", args.names)


if __name__ == "__main__":
    main()
