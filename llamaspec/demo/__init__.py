"""The embedded demo models: a small target and its draft, so that the first command after install runs offline.

Both were trained by `scripts/train_demo.py` on permissively licensed Python source; their metadata tells how.
They are for the demo, tests and CI, and share one vocabulary and a ChatML template.
"""

from pathlib import Path

from llamaspec.errors import LlamaspecError

_HERE = Path(__file__).resolve().parent


def target() -> Path:
    """Path of the embedded target model. Raises LlamaspecError when the package was installed without it."""
    return _installed("demo-target-q8_0.gguf")


def draft() -> Path:
    """Path of the embedded draft model. Raises LlamaspecError when the package was installed without it."""
    return _installed("demo-draft-q8_0.gguf")


def _installed(name: str) -> Path:
    path = _HERE / name
    if not path.is_file():
        raise LlamaspecError(
            f"the demo model is missing: {path}", "reinstall llamaspec, or name a model of your own with -m FILE"
        )
    return path
