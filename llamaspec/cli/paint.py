"""--color-spec: who wrote which token, as colours, and the legend that names them."""

import sys

from ..engine.events import Text
from ..options.groups import Groups
from . import terminal

COLOURS = (("36", "cyan"), ("33", "yellow"), ("35", "magenta"), ("32", "green"), ("34", "blue"), ("31", "red"))
"""The terminal's own colours, so that they suit its background; after them the same ones in italics."""
UNDERLINED, BOLD, ITALIC = "4", "1", "3"
DEEP = 4
"""Tokens from this place of a draft on are bold."""


def printable(event: Text) -> str:
    """The text of an event, without the stand-in for a character that the end of the answer cut in two."""
    return event.text if event.tokens else event.text.rstrip("\ufffd")


class Paint:
    """Writes an answer token by token in the colour of its author.

    The model's own tokens stay plain. Colours alone carry nothing that the weight of the letters does not: a token that
    was drafted first is underlined, from the fourth of its draft on it is bold. Without colours text is written as is.
    """

    def __init__(self, groups: Groups) -> None:
        wanted = groups.speculation.color
        self.on = (
            wanted != "off"
            and not (groups.log.json or groups.chat.json_stream)
            and terminal.colours(wanted, sys.stdout)
        )
        self.tell = groups.log.verbosity > 0
        self.forced = wanted == "on"
        self.authors: dict[str, tuple[str, str]] = {}

    def write(self, event: Text) -> None:
        """A piece of the answer."""
        if self.on:
            terminal.answer(printable(event), self.style(event.by, event.depth))
        else:
            terminal.answer(printable(event))

    def style(self, by: str, depth: int) -> str:
        """The colour of a token; "" for the model's own."""
        if not by:
            return ""
        colour = self._colour(by)[0]
        weight = UNDERLINED if depth <= 1 else BOLD if depth >= DEEP else ""
        return f"{colour};{weight}" if weight else colour

    def legend(self) -> None:
        """A line on stderr that names the authors met so far; nothing where nothing is coloured."""
        if not self.on or not self.tell:
            return
        shown = self.forced or terminal.colours("auto", sys.stderr)
        parts = [("colours: plain = target model", "")]
        for name, (code, word) in self.authors.items():
            parts += [(", ", ""), (f"{word} = {name}", code if shown else "")]
        if self.authors:
            parts += [("; ", ""), ("first of a draft", UNDERLINED if shown else ""), (" is underlined, ", "")]
            parts += [(f"{DEEP}th and later", BOLD if shown else ""), (" are bold", "")]
        else:
            parts += [("; no drafted token was accepted", "")]
        terminal.say_parts(parts)

    def _colour(self, by: str) -> tuple[str, str]:
        """The author's colour and its name, chosen when the author is met first."""
        if by not in self.authors:
            place = len(self.authors)
            code, word = COLOURS[place % len(COLOURS)]
            self.authors[by] = (code, word) if place < len(COLOURS) else (f"{code};{ITALIC}", f"{word} italics")
        return self.authors[by]
