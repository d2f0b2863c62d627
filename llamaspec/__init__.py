"""llamaspec: GGUF models with speculative decoding. On the native kernels nothing imports torch."""

from typing import TYPE_CHECKING, Any

from .errors import LlamaspecError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from .drafting.session import Session as DrafterSession
    from .engine.llm import LLM

__version__ = "0.1.0"
__all__ = ["LlamaspecError", "UsageError", "__version__", "demo", "drafter", "load", "render"]


def load(
    model: "str | os.PathLike[str]" = "", *, report: "Callable[[str], None] | None" = None, **keywords: Any
) -> "LLM":
    """Load a GGUF model. keywords: the long flags of the command line with _ for - (`llamaspec flags` lists them).

    In place of a file, hf_repo="user/model:quant" or model_url="https://…" downloads one.
    report: called with a line for whatever was decided or looks odd. Raises LlamaspecError or UsageError.
    """
    from .engine.llm import LLM
    from .options.keywords import from_keywords

    tell = report or (lambda line: None)
    groups = from_keywords(model, **keywords)
    if groups.model.remote:
        from .weights.download import Quiet, with_files

        groups = with_files(groups, Quiet(tell))
    return LLM(groups, tell)


def drafter(names: "str | Sequence[str]", **params: Any) -> "DrafterSession":
    """Drafters over plain token lists, without a model: begin, draft, accept, stats."""
    from .drafting.session import drafter as make

    return make(names, **params)


def render(template: str, messages: "Sequence[dict[str, Any]]", **options: Any) -> str:
    """What a chat template makes of messages, without a model (text.template.render)."""
    from .text.template import render as rendered

    return rendered(template, messages, **options)


def __getattr__(name: str) -> Any:
    if name == "demo":
        import importlib

        return importlib.import_module(".demo", __name__)
    raise AttributeError(f"module 'llamaspec' has no attribute '{name}'")
