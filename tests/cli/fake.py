"""The command line with a parrot for an engine: `python -m tests.cli.fake …` answers without a model or torch.

The parrot says the prompt's words in capitals, one event per word. Some prompts make it misbehave: see `misbehave`.
"""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from llamaspec.cli import run
from llamaspec.drafting.stats import Counters, Report, Request
from llamaspec.engine.events import Event, Progress, Stop, Text, Timings
from llamaspec.errors import LlamaspecError
from llamaspec.options import Groups, override

TIMINGS = Timings(prompt_n=4, prompt_s=0.5, predicted_n=10, predicted_s=2.0, draft_n=8, draft_n_accepted=6, steps=4)


def drafting() -> Report:
    """Numbers of one answer with one drafter."""
    counters = Counters("ngram-mod", {"n-max": 64}, calls_begin=1, calls_draft=4, gen_drafts=2, gen_tokens=8)
    counters.kept(4)
    counters.kept(2)
    return Report(Request(8, 6, 2, [2, 2, 1, 1]), (counters,), 64)


@dataclass
class Parrot:
    """What cli asks of an LLM."""

    groups: Groups
    has_template: bool = True
    n_ctx: int = 512
    asked: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """Nothing was learnt."""

    def tokenize(self, text: str) -> list[int]:
        """A token per character."""
        return [ord(letter) for letter in text]

    def detokenize(self, ids: list[int]) -> bytes:
        """Its bytes."""
        return "".join(map(chr, ids)).encode()

    def render(self, messages: list[dict[str, str]], **options: Any) -> str:
        """What the template makes of a conversation."""
        return "".join(f"<{message['role']}>{message['content']}" for message in messages)

    def chat(self, messages: list[dict[str, str]], **words: Any) -> Iterator[Event]:
        """Parrots the last message."""
        self.asked.append(("chat", [dict(message) for message in messages], words))
        return self._parrot(messages[-1]["content"], **words)

    def stream(self, prompt: str, **words: Any) -> Iterator[Event]:
        """Parrots the prompt."""
        self.asked.append(("stream", prompt, words))
        return self._parrot(prompt, **words)

    def _parrot(self, text: str, **words: Any) -> Iterator[Event]:
        groups = override(self.groups, **words)
        yield Progress(1, 1)
        limit = groups.context.n_predict
        said = text.upper().split(" ")
        for place, word in enumerate(said if limit < 0 else said[:limit]):
            misbehave(word)
            yield Text((" " if place else "") + word, (place,))
        speculates = bool(groups.speculation.types and groups.speculation.types != ("auto",))
        yield Stop("eos", TIMINGS, drafting() if speculates else None, (2, 3))


def misbehave(word: str) -> None:
    """What can happen in the middle of an answer."""
    if word == "^C":
        os.kill(os.getpid(), signal.SIGINT)
    elif word == "^T":
        os.kill(os.getpid(), signal.SIGTERM)
    elif word == "CRASH":
        raise RuntimeError("the parrot\nis dead")
    elif word == "REFUSE":
        raise LlamaspecError("the parrot \x1b[31mrefuses", hint="give it a nut")
    elif word == "SLEEP":
        time.sleep(60)


def load(groups: Groups, quiet: bool = False) -> Parrot:
    """In place of cli.run.load."""
    return Parrot(groups, has_template="plain" not in groups.model.model)


if __name__ == "__main__":
    from llamaspec.cli.app import main

    run.load = load  # type: ignore[assignment]
    main()
