"""A loaded model and everything one can ask of it: the Python API, and what the commands stand on."""

import dataclasses
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..drafting.context import DrafterContext
from ..drafting.first_of import FirstOf
from ..errors import LlamaspecError, UsageError
from ..kernels import native
from ..kernels.dispatch import need_torch
from ..kernels.kv_types import F32
from ..network.runner import Runner
from ..options.groups import Groups
from ..options.keywords import override
from ..options.sampling import Sampling
from ..sampling.chain import Chain
from ..sampling.params import SamplerParams
from ..text.template import KEY as TEMPLATE_KEY
from ..text.template import ChatTemplate
from ..text.tokenizer import Tokenizer
from ..weights.file import GGUFFile
from ..weights.metadata import Metadata
from .answer import AnswerOptions
from .drafters import drafters_of
from .events import Completion, Event, Stop, Text
from .judge import judge
from .load import Watch, architecture, load_model
from .plan import ModelRequest, plan
from .session import Session
from .step import loop_for
from .transcript import Transcript

if TYPE_CHECKING:
    from torch import Tensor

Report = Callable[[str], None]


class LLM:
    """A target model, its tokenizer, and the drafters that speed it up.

    report: told, a line at a time, what was decided and what is odd about the files. watch: told how far loading is.
    Every answer continues from the cache of the one before it as far as the prompts agree. Not for several threads at
    once.
    """

    def __init__(
        self, groups: Groups, report: Report = lambda line: None, watch: Watch = lambda done, total: None
    ) -> None:
        self.groups, self.report, self.watch = groups, report, watch
        self.drafter: FirstOf | None = None
        self.file = GGUFFile(groups.model.model)
        self.metadata = self.file.metadata.with_overrides(groups.model.override_kv)
        self.tokenizer = Tokenizer.from_metadata(self.metadata)
        for line in self.tokenizer.warnings:
            report(line)
        if not groups.model.vocab_only:
            self._load()

    def close(self) -> None:
        """Keep what drafters learnt: the file of -lcd is written anew, whole or not at all. May be called again.

        Raises LlamaspecError if that fails; the old file is still there then, and another try may succeed.
        """
        if self.drafter is not None:
            self.drafter.save([self.session.slot] if self.session.slot.tokens else [])

    def __enter__(self) -> "LLM":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _load(self) -> None:
        self.target = self._model(self.file, self.metadata, self._wish(draft=False))
        self.n_ctx = self.target.cache.context
        on_cpu = self.target.model.device.is_host
        if on_cpu and self.groups.placement.kernels == "auto" and not native.available():
            self.report(f"slow: {native.why_not()}")
        self._check_vocabulary(self.target, self.tokenizer, self.file)
        spec = self.groups.speculation
        context = DrafterContext(
            self.target.model.hparams.n_vocab, spec.compat, self.target, self.tokenizer, self._load_draft,
            self._draft_file, spec.strict, spec.replace, self.report,
        )  # fmt: skip
        self.drafter = drafters_of(self.groups, context)
        decides = judge(spec, self.drafter, self.report)
        self.session = Session(loop_for(self.target, self.drafter, decides), self.tokenizer)

    def _wish(self, draft: bool) -> ModelRequest:
        groups, place = self.groups, self.groups.placement
        if not draft:
            return ModelRequest(
                groups.model.model, place.device, place.gpu_layers, groups.context.ctx_size,
                (groups.context.cache_type_k, groups.context.cache_type_v), place.kernels, place.threads,
                prompt_rows=groups.context.ubatch_size,
            )  # fmt: skip
        return ModelRequest(
            groups.model.model_draft, groups.draft.device or place.device, groups.draft.gpu_layers,
            groups.draft.ctx_size or self.n_ctx,
            (groups.draft.cache_type_k, groups.draft.cache_type_v), place.kernels,
            place.threads if groups.draft.threads is None else groups.draft.threads,
            prompt_rows=groups.context.ubatch_size,
        )  # fmt: skip

    def _model(self, file: GGUFFile, metadata: Metadata, wish: ModelRequest, exact: bool = True) -> Runner:
        decided = plan(file, metadata, architecture(file), wish)
        for line in decided.why:
            self.report(line)
        return load_model(decided, exact, self.watch)

    def _load_draft(self) -> tuple[Runner, Tokenizer]:
        file = self._draft_file()
        passes = self._model(file, file.metadata, self._wish(draft=True), exact=False)
        tokenizer = Tokenizer.from_metadata(file.metadata)
        ours, theirs = (model.model.hparams for model in (self.target, passes))
        if theirs.n_layer * theirs.n_embd**2 > ours.n_layer * ours.n_embd**2:
            self.report("the draft model is larger than the target: expect a slowdown")
        return passes, tokenizer

    def _draft_file(self) -> GGUFFile:
        if not self.groups.model.model_draft:
            raise UsageError("a draft model is needed", hint="give its GGUF file with -md")
        return GGUFFile(self.groups.model.model_draft)

    @staticmethod
    def _check_vocabulary(passes: Runner, tokenizer: Tokenizer, file: GGUFFile) -> None:
        rows = passes.model.hparams.n_vocab
        if rows < tokenizer.n_vocab:
            raise LlamaspecError(
                f"{file.path}: the tokenizer has {tokenizer.n_vocab} tokens, the embedding only {rows} rows",
                hint="the tensors and the metadata of this file do not belong together",
            )

    # -- words and tokens ---------------------------------------------------------------------------------------------

    def tokenize(self, text: str, add_special: bool = True, parse_special: bool = True) -> list[int]:
        """Ids of a text. add_special: BOS and EOS where the model wants them. parse_special: read `<|im_end|>` etc."""
        return self.tokenizer.encode(text, add_special, parse_special)

    def detokenize(self, ids: Sequence[int], special: bool = True, remove_special: bool = False) -> bytes:
        """The bytes of a whole text. special: write control tokens. remove_special: without BOS and EOS."""
        return self.tokenizer.decode(ids, special, remove_special)

    @cached_property
    def template(self) -> ChatTemplate:
        """The chat template in force: --chat-template, else the model's, else ChatML."""
        own = {TEMPLATE_KEY: self.groups.chat.chat_template} if self.groups.chat.chat_template else {}
        found = ChatTemplate.from_metadata({**self.metadata, **own}, self.tokenizer)
        return found or ChatTemplate.chatml(self.tokenizer)

    @cached_property
    def transcript(self) -> Transcript:
        """The ids of the conversation that `chat` continues."""
        return Transcript(self.template, self.tokenizer)

    @property
    def has_template(self) -> bool:
        """Whether the user or the file names a chat template."""
        return bool(self.groups.chat.chat_template) or TEMPLATE_KEY in self.metadata

    def render(self, messages: Sequence[Mapping[str, Any]], **options: Any) -> str:
        """The prompt that the chat template makes of messages (text.template.ChatTemplate.render)."""
        return self.template.render(messages, **{**self.groups.chat.template_words, **options})

    # -- answers ------------------------------------------------------------------------------------------------------

    def logits(self, ids: Sequence[int]) -> "Tensor":
        """ids -> [n, n_vocab] float32, a torch tensor, teacher-forced: row i follows ids[i].

        On a CPU they are the reference's, computed in float32 from the dequantised weights, whatever kernels answer:
        what a fast path's error is measured against (decisions.md 4). A conversation goes on undisturbed. Raises
        LlamaspecError where PyTorch is not installed.
        """
        self._check_ids(ids)
        if len(ids) > self.n_ctx:
            raise LlamaspecError(f"{len(ids)} tokens do not fit the context of {self.n_ctx}", hint="raise ctx_size")
        need_torch("a comparison with the reference's logits")
        import torch

        with self._reference.model.kernels.computing():
            self._reference.cache.truncate(0, 0)
            return torch.as_tensor(self._reference.logits(0, list(ids)))

    @cached_property
    def _reference(self) -> Runner:
        model = self.target.model
        if model.kernels.exact:
            return Runner(model, model.new_cache(1, self.n_ctx, F32))
        wish = dataclasses.replace(
            self._wish(draft=False), n_ctx=self.n_ctx, cache_types=("f32", "f32"), backend="reference"
        )
        return self._model(self.file, self.metadata, wish)

    def stream(self, prompt: str | Sequence[int], **overrides: Any) -> Iterator[Event]:
        """Continue a raw text or ids, event by event; the last one is Stop. overrides: flags for this answer."""
        ids = self.tokenize(prompt) if isinstance(prompt, str) else list(prompt)
        if not ids and self.tokenizer.bos is not None:
            ids = [self.tokenizer.bos]
        self._check_ids(ids)
        return self.session.answer(ids, self._wanted(overrides))

    def chat(self, messages: Iterable[Mapping[str, Any]], **overrides: Any) -> Iterator[Event]:
        """Answer a conversation through the chat template, event by event.

        What was generated before and stands in the messages word for word keeps its ids, and so its place in the cache.
        """
        ids = self.transcript.encode(self.render(list(messages)))
        return self._heard(self.session.answer(ids, self._wanted(overrides)))

    def _heard(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events; however they end, the transcript learns what was generated."""
        try:
            yield from events
        finally:
            self.transcript.answered(self.session.generated)

    def complete(self, prompt: str | Sequence[int], **overrides: Any) -> Completion:
        """Continue a raw text or ids -> the whole answer."""
        text: list[str] = []
        for event in self.stream(prompt, **overrides):
            if isinstance(event, Text):
                text.append(event.text)
            elif isinstance(event, Stop):
                return Completion("".join(text), list(event.tokens), event.reason, event.timings, event.drafting)
        raise AssertionError("an answer ends with Stop")

    def _check_ids(self, ids: Sequence[int]) -> None:
        rows = self.target.model.hparams.n_vocab if not self.groups.model.vocab_only else 0
        if not rows:
            raise UsageError("only the vocabulary was loaded", hint="load without vocab_only")
        for token in ids:
            if not 0 <= token < rows:
                raise UsageError(f"token {token} is not in the vocabulary", hint=f"ids are 0 to {rows - 1}")

    def _wanted(self, overrides: dict[str, Any]) -> AnswerOptions:
        """The answer that the options and the caller's overrides describe."""
        stop_at_eog = overrides.pop("stop_at_eog", True)
        groups = override(self.groups, **overrides) if overrides else self.groups
        sampling, eog = groups.sampling, self.tokenizer.eog
        chain = Chain.build(_params(sampling), self.tokenizer, sorted(eog) if sampling.ignore_eos else ())
        seed = sampling.seed
        if seed < 0:
            seed = secrets.randbelow(2**32)
            if not chain.greedy:
                self.report(f"random seed {seed} (repeat with --seed {seed})")
        return AnswerOptions(
            chain=chain,
            seed=seed,
            n_predict=groups.context.n_predict,
            stop=groups.chat.reverse_prompt,
            ends=eog if stop_at_eog else frozenset(),
            special=groups.chat.special,
        )


def _params(sampling: Sampling) -> SamplerParams:
    """The option group in the sampling floor's own words."""
    values = {field.name: getattr(sampling, field.name) for field in dataclasses.fields(sampling)}
    del values["seed"], values["ignore_eos"]  # of the noise, and of the chain's banned tokens
    return SamplerParams(dry_sequence_breaker=values.pop("dry_sequence_breakers"), **values)
