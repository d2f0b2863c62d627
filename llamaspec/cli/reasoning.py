"""Takes a streamed answer apart: what a model thinks between <think> and </think>, and what it says."""

import sys

from ..options.groups import Groups
from . import terminal

OPEN, CLOSE = "<think>", "</think>"
BEGIN, END = "[Start thinking]\n", "\n[End thinking]\n\n"
"""How reasoning is marked where there are no colours, as llama-cli does it."""
DIM = "2"
"""The style in which reasoning is shown."""


class Reasoning:
    """Feed it pieces of text; it returns pieces with a mark whether they are reasoning.

    inside: the prompt has opened the reasoning already. plain: everything is answer. A tag may come in several pieces.
    """

    def __init__(self, inside: bool = False, plain: bool = False) -> None:
        self.inside = inside and not plain
        self.begun = inside or plain
        self.held = ""
        self.heard = False
        self.marking = False
        self.thought: list[str] = []
        self.said: list[str] = []

    def feed(self, text: str) -> list[tuple[str, bool]]:
        """(text, is reasoning) in order; the end of a piece that may be the start of a tag waits for the next one."""
        found: list[tuple[str, bool]] = []
        text, self.held = self.held + text, ""
        while text:
            if not self.inside and self._over(text):
                self._put(found, text)
                break
            tag = CLOSE if self.inside else OPEN
            at = text.find(tag)
            if at >= 0:
                self._put(found, text[:at])
                text = text[at + len(tag) :]
                self.inside, self.begun = not self.inside, True
                continue
            keep = next((n for n in range(min(len(tag) - 1, len(text)), 0, -1) if tag.startswith(text[-n:])), 0)
            self.held = text[len(text) - keep :] if keep else ""
            self._put(found, text[: len(text) - keep])
            break
        return found

    def finish(self) -> list[tuple[str, bool]]:
        """What was still waiting."""
        found: list[tuple[str, bool]] = []
        text, self.held = self.held, ""
        self._put(found, text)
        return found

    def spoken(self, pieces: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
        """Of pieces in order those of the answer, without the blank lines between the reasoning and it."""
        found: list[tuple[str, bool]] = []
        for text, thought in pieces:
            rest = text if self.heard or not self.thought else text.lstrip("\n")
            if rest and not thought:
                self.heard = True
                found.append((rest, False))
        return found

    def marked(self, pieces: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
        """Pieces in order with a line before and after the reasoning."""
        found: list[tuple[str, bool]] = []
        for text, thought in pieces:
            if thought and not self.marking:
                found.append((BEGIN, True))
                text = text.lstrip("\n")
            elif not thought and self.marking:
                found.append((END, True))
            self.marking = thought
            found += [(text, True)] if thought else self.spoken([(text, False)])
        return found

    @property
    def answer(self) -> str:
        """What was said, without the reasoning and the blank lines behind it."""
        text = "".join(self.said)
        return text.lstrip("\n") if self.thought else text

    @property
    def reasoning(self) -> str:
        """What was thought."""
        return "".join(self.thought).strip("\n")

    def _over(self, text: str) -> bool:
        """Reasoning stands at the beginning of an answer or nowhere: a <think> in the text is just text."""
        start = text.lstrip()[: len(OPEN)]
        return self.begun or bool("".join(self.said).strip()) or not OPEN.startswith(start)

    def _put(self, found: list[tuple[str, bool]], text: str) -> None:
        if text:
            found.append((text, self.inside))
            (self.thought if self.inside else self.said).append(text)


def shown(reasoning: Reasoning, pieces: list[tuple[str, bool]], groups: Groups) -> list[tuple[str, bool]]:
    """The pieces for stdout: all of them on a terminal, with marks without colours; else those of the answer."""
    if not terminal.is_terminal(sys.stdout):
        return reasoning.spoken(pieces)
    return pieces if terminal.colours(groups.log.color, sys.stdout) else reasoning.marked(pieces)
