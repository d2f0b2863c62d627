"""What a drafter may be built from: the target, and a draft model that is loaded when the first drafter asks for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ..errors import LlamaspecError

if TYPE_CHECKING:
    from ..network.runner import Runner
    from ..text.tokenizer import Tokenizer
    from ..weights.file import GGUFFile
    from .draft_model import DraftModel
    from .drafter import Drafter
    from .translate import Shadows, Translated

    D = TypeVar("D", bound=Drafter)


@dataclass
class DrafterContext:
    """Where a drafter's surroundings come from. Over plain token lists there are only n_vocab and compat.

    n_vocab: ids that histories may hold, 0 = unknown. compat: as --spec-compat. strict, replace: as --spec-strict and
    --spec-replace. load_draft: loads the model of -md. open_head: opens the file of a trained draft head.
    report: told what was decided, a line at a time.
    """

    n_vocab: int = 0
    compat: str = "own"
    target: "Runner | None" = None
    tokenizer: "Tokenizer | None" = None
    load_draft: "Callable[[], tuple[Runner, Tokenizer]] | None" = None
    open_head: "Callable[[], GGUFFile] | None" = None
    strict: bool = False
    replace: tuple[tuple[str, str], ...] = ()
    report: Callable[[str], None] = lambda line: None
    _model: "DraftModel | None" = field(default=None, init=False)
    _shadows: "Shadows | None" = field(default=None, init=False)

    def draft_model(self, longest: int) -> "DraftModel":
        """The draft model with its cache, one for all drafters that draw on it. longest: the caller's longest draft."""
        if self._model is None:
            self._model = self._loaded()
        self._model.longest = max(self._model.longest, longest)
        return self._model

    def translated(self, drafter: "D") -> "D | Translated":
        """A drafter that draws on `draft_model`, in the target's vocabulary."""
        from .translate import Translated

        return drafter if self._shadows is None else Translated(drafter, self._shadows)

    def head_file(self) -> "GGUFFile":
        """The file of the trained draft head. Raises UsageError if none was named."""
        assert self.open_head is not None
        return self.open_head()

    def _loaded(self) -> "DraftModel":
        from .draft_model import DraftModel
        from .translate import Shadows, bridge
        from .vocab import difference

        assert self.load_draft is not None
        assert self.tokenizer is not None
        runner, tokenizer = self.load_draft()
        why = difference(self.tokenizer, tokenizer)
        if not why and self.replace:
            self.report("--spec-replace has no effect: the draft model has the model's own vocabulary")
        if why and (self.strict or self.compat == "reference"):
            raise _refused(why, "--spec-strict" if self.strict else "--spec-compat reference")
        stand_in = tokenizer.unk if tokenizer.unk is not None else tokenizer.eos or 0
        model = DraftModel(runner, runner.model.hparams.n_vocab if why else self.n_vocab, 0, stand_in)
        if why:
            between = bridge(self.tokenizer, tokenizer, self.n_vocab, self.replace)
            self.report(f"the draft model's vocabulary differs ({why}): {between.note}")
            self._shadows = Shadows(between, model.edited)
        return model


def _refused(why: str, flag: str) -> LlamaspecError:
    return LlamaspecError(
        f"the draft model's vocabulary differs: {why}",
        hint=f"without {flag} its drafts are translated; or take a draft of the same model family, "
        "or --spec-type ngram-mod, which needs no model",
    )
