"""Which drafters an engine has: from the options to the files on the shelf."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..drafting.drafter import Drafter
from ..drafting.extend import Extended
from ..drafting.first_of import FirstOf
from ..drafting.translate import Shadows, Translated, bridge
from ..drafting.types._model_draft import DraftModel
from ..drafting.vocab import difference
from ..errors import LlamaspecError, UsageError
from ..network.runner import Runner
from ..options.groups import Groups
from ..shelf import take
from ..text.tokenizer import Tokenizer
from .corpus import corpus_tokens


@dataclass(frozen=True)
class DrafterContext:
    """What drafters may be built from. draft: loads the draft model, once, when a drafter needs it.

    report: told what was decided, a line at a time.
    """

    groups: Groups
    target: Runner
    tokenizer: Tokenizer
    draft: Callable[[], tuple[Runner, Tokenizer]]
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


def build(source: DrafterContext) -> FirstOf | None:
    """The drafters that the options ask for; None = plain decoding."""
    types = types_of(source.groups)
    for line in _idle(source.groups, types):
        source.report(line)
    if not types:
        return None
    if "ngram-cache" in types:
        _check_folder(source.groups.speculation.lookup_cache_dynamic)
    with_model = [name for name in types if name.startswith("draft-")]
    n_vocab = source.target.model.hparams.n_vocab
    free = [_model_free(name, source, n_vocab) for name in types if name not in with_model]
    shared = _DraftSide(source) if with_model else None
    longest = source.groups.speculation.extend
    made = [_extended(shared.drafter(name), free, longest) for name in with_model if shared]
    return FirstOf([*free, *made])


def _idle(groups: Groups, types: tuple[str, ...]) -> list[str]:
    """Files that were named for a drafter that does not run."""
    spec = groups.speculation
    files = (
        ("-lcs", spec.lookup_cache_static, "ngram-cache"),
        ("-lcd", spec.lookup_cache_dynamic, "ngram-cache"),
        ("--spec-suffix-corpus", spec.suffix_corpus, "suffix"),
    )
    return [
        f"{flag} has no effect without --spec-type {name}" for flag, file, name in files if file and name not in types
    ]


def _check_folder(dynamic: str) -> None:
    """What a run learnt is written at its end: too late to hear of a spelling mistake."""
    if dynamic and not Path(dynamic).absolute().parent.is_dir():
        raise LlamaspecError(f"cannot write the lookup cache {dynamic} at the end: there is no such folder", "make it")


def _model_free(name: str, source: DrafterContext, n_vocab: int) -> Drafter:
    module = take("drafting.types", name, kind="drafter")
    params = _params(module.Params, name, source.groups)
    if hasattr(params, "n_vocab"):  # files of tokens are checked against the model
        params = dataclasses.replace(params, n_vocab=n_vocab)
    if getattr(params, "corpus", None):
        params = dataclasses.replace(params, corpus=corpus_tokens(params.corpus, source.tokenizer))
    return module.Drafter(params, source.groups.speculation.compat != "own")


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

    def __init__(self, source: DrafterContext) -> None:
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
