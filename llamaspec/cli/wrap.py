"""Word wrap for text that arrives in pieces."""

import shutil
import unicodedata
from collections.abc import Callable, Iterable

Write = Callable[[str, str], None]


def cells(letter: str) -> int:
    """Columns that a character takes on a terminal: none for marks and joiners, two for wide ones.

    >>> cells("a"), cells("日"), cells("\u0301")
    (1, 2, 0)
    """
    if letter < "\u0300":
        return 1
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def wrapped(parts: Iterable[tuple[str, str]], columns: int) -> list[tuple[str, str]]:
    """Pieces of text and style with the line breaks that a width asks for."""
    found: list[tuple[str, str]] = []
    wrap = Wrap(lambda text, style: found.append((text, style)), columns)
    for text, style in parts:
        wrap.feed(text, style)
    wrap.flush()
    return found


class Wrap:
    """Passes text on with a line break before each word that would cross the terminal's edge.

    A word waits until it is complete, or as wide as the line. Wide characters count as two columns and may be parted.
    write: gets text and style. columns: 0 = the terminal's, asked for at every line.
    """

    def __init__(self, write: Write, columns: int = 0) -> None:
        self.write, self.fixed = write, columns
        self.column = 0
        self.word: list[tuple[str, str]] = []
        self.width = 0
        self.break_due = False
        """A blank stood at the edge: the next word begins a line."""

    @property
    def columns(self) -> int:
        """The width of the terminal."""
        return self.fixed or max(shutil.get_terminal_size((80, 24)).columns, 20)

    def feed(self, text: str, style: str = "") -> None:
        """A piece of text in one style."""
        for letter in text:
            size = cells(letter)
            if letter == "\n":
                self.flush()
                self._put(letter, style, 0)
                self.column, self.break_due = 0, False
            elif letter in " \t":
                self.flush()
                self._space(letter, style)
            else:
                if size > 1 or self.width + size > self.columns:
                    self.flush()
                self.word.append((letter, style))
                self.width += size
                if size > 1:
                    self.flush()

    def flush(self) -> None:
        """Writes the word that waits."""
        if not self.word:
            return
        if self.break_due or (self.column and self.column + self.width > self.columns):
            self._put("\n", "", 0)
            self.column, self.break_due = 0, False
        run, style = "", self.word[0][1]
        for letter, its in self.word:
            if its != style:
                self.write(run, style)
                run, style = "", its
            run += letter
        self.write(run, style)
        self.column += self.width
        self.word, self.width = [], 0

    def _space(self, letter: str, style: str) -> None:
        """A blank; one at the edge is dropped, for the line breaks there anyway."""
        size = 8 - self.column % 8 if letter == "\t" else 1
        if self.break_due:
            return
        if self.column + size < self.columns:
            self._put(letter, style, size)
        else:
            self.break_due = self.column > 0

    def _put(self, letter: str, style: str, size: int) -> None:
        self.write(letter, style)
        self.column += size
