"""Which drafters an engine has: from the options to the files on the shelf."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..drafting.drafter import Drafter
from ..drafting.extend import Extended
from ..drafting.first_of import FirstOf
from ..drafting.translate import Shadows, Translated, bridge
from ..drafting.types._model_draft import DraftModel
from ..drafting.vocab import difference
from ..errors import LlamaspecError, UsageError
from ..models._passes import Passes
from ..options.groups import Groups
from ..shelf import take
from ..text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Draftsman:
    """What drafters may be built from. draft: loads the draft model, once, when a drafter needs it.

    report: told what was decided, a line at a time.
    """

    groups: Groups
    target: Passes
    tokenizer: Tokenizer
    draft: Callable[[], tuple[Passes, Tokenizer]]
    report: Callable[[str], None] = lambda line: None


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
    if not types:
        return None
    with_model = [name for name in types if name.startswith("draft-")]
    n_vocab = source.target.model.hparams.n_vocab
    free = [_model_free(name, source.groups, n_vocab) for name in types if name not in with_model]
    shared = _DraftSide(source) if with_model else None
    longest = source.groups.speculation.extend
    made = [_extended(shared.drafter(name), free, longest) for name in with_model if shared]
    return FirstOf([*free, *made])


def _model_free(name: str, groups: Groups, n_vocab: int) -> Drafter:
    module = take("drafting.types", name, kind="drafter")
    params = _params(module.Params, name, groups)
    if hasattr(params, "n_vocab"):  # files of tokens are checked against the model
        params = dataclasses.replace(params, n_vocab=n_vocab)
    return module.Drafter(params, groups.speculation.compat != "own")


def _extended(drafter: Drafter, free: list[Drafter], longest: int) -> Drafter:
    """--spec-extend: full-length drafts of a model go on with what the drafters without a model see behind them."""
    if not longest:
        return drafter
    followers: list[Any] = [other for other in free if hasattr(other, "after")]
    if not followers:
        raise UsageError(
            "--spec-extend needs a drafter that can continue a draft",
            hint="add one: --spec-type ngram-simple,draft-simple (or ngram-mod, ngram-cache, suffix)",
        )
    return Extended(drafter, followers, longest)


class _DraftSide:
    """The draft model with its cache and, if need be, the translation: one for all drafters that ask it."""

    def __init__(self, source: Draftsman) -> None:
        self.source = source
        passes, tokenizer = source.draft()
        spec, rows = source.groups.speculation, source.target.model.hparams.n_vocab
        why = difference(source.tokenizer, tokenizer)
        if why:
            self._refuse(why)
        elif spec.replace:
            source.report("--spec-replace has no effect: the draft model has the model's own vocabulary")
        known = passes.model.hparams.n_vocab
        stand_in = tokenizer.unk if tokenizer.unk is not None else tokenizer.eos or 0
        self.model = DraftModel(passes, known if why else rows, source.groups.draft.n_max, stand_in)
        self.shadows: Shadows | None = None
        if why:
            between = bridge(source.tokenizer, tokenizer, rows, spec.replace)
            source.report(f"the draft model's vocabulary differs ({why}): {between.note}")
            self.shadows = Shadows(between, self.model.edited)

    def drafter(self, name: str) -> Drafter:
        """One that draws on the draft model."""
        module = take("drafting.types", name, kind="drafter")
        drafter = module.Drafter(self.model, _params(module.Params, name, self.source.groups))
        return Translated(drafter, self.shadows) if self.shadows else drafter

    def _refuse(self, why: str) -> None:
        """Where the user wants no translation, or llama.cpp has none."""
        spec = self.source.groups.speculation
        if spec.strict or spec.compat == "reference":
            flag = "--spec-strict" if spec.strict else "--spec-compat reference"
            raise LlamaspecError(
                f"the draft model's vocabulary differs: {why}",
                hint=f"without {flag} its guesses are translated; or take a draft of the same model family, "
                "or --spec-type ngram-mod, which needs no model",
            )


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
