"""Which drafters an engine has: from the options to the files on the shelf."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..drafting.drafter import Drafter
from ..drafting.first_of import FirstOf
from ..drafting.vocab import difference
from ..errors import LlamaspecError
from ..models._passes import Passes
from ..options.groups import Groups
from ..shelf import take
from ..text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Draftsman:
    """What drafters may be built from. draft: loads the draft model, once, when a drafter needs it."""

    groups: Groups
    target: Passes
    tokenizer: Tokenizer
    draft: Callable[[], tuple[Passes, Tokenizer]]


def types_of(groups: Groups) -> tuple[str, ...]:
    """--spec-type with "auto" decided: a draft model speculates."""
    types = []
    for name in groups.speculation.types:
        if name != "auto":
            types.append(name)
        elif groups.model.model_draft:
            types.append("draft-simple")
    return tuple(dict.fromkeys(types))


def build(source: Draftsman) -> FirstOf | None:
    """The drafters that the options ask for; None = plain decoding."""
    types = types_of(source.groups)
    return FirstOf([_one(name, source) for name in types]) if types else None


def _one(name: str, source: Draftsman) -> Drafter:
    module = take("drafting.types", name, kind="drafter")
    params = _params(module.Params, name, source.groups)
    if not name.startswith("draft-"):
        return module.Drafter(params, source.groups.speculation.compat != "own")
    passes, tokenizer = source.draft()
    if why := difference(source.tokenizer, tokenizer):
        raise LlamaspecError(
            f"the draft model's vocabulary differs: {why}",
            hint="take a draft of the same model family, or --spec-type ngram-mod, which needs no model",
        )
    return module.Drafter(passes, source.target.model.hparams.n_vocab, params)


def _params(kind: type, name: str, groups: Groups) -> Any:
    """A drafter's Params from the flags that carry its name: --spec-ngram-mod-n-max is n_max of ngram-mod."""
    spec, prefix = groups.speculation, name.replace("-", "_")
    found: dict[str, Any] = {}
    for knob in dataclasses.fields(kind):
        if hasattr(spec, f"{prefix}_{knob.name}"):
            found[knob.name] = getattr(spec, f"{prefix}_{knob.name}")
        elif name.startswith("draft-") and hasattr(groups.draft, knob.name):
            found[knob.name] = getattr(groups.draft, knob.name)
        elif knob.name in ("static", "dynamic") and hasattr(spec, f"lookup_cache_{knob.name}"):
            found[knob.name] = getattr(spec, f"lookup_cache_{knob.name}") or knob.default
    if name.startswith("draft-"):
        found |= {"coupled": spec.compat == "own", "keep_last": spec.compat == "old"}
    return kind(**found)
