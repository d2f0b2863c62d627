"""Command line, environment and config.ini -> option groups, by llama.cpp's grammar.

A spelling is matched exactly; `_` counts as `-` after a leading `--`; a valued flag takes the next word whatever it
looks like; the last one wins unless a flag adds up. Lowest to highest: defaults, config.ini, environment, command line.
Ours beside it: --flag=value, bare -fa, suggestions, and numbers that are checked to their last character.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UsageError
from . import elsewhere
from .commands import Command
from .flag import Flag, Status, default
from .groups import Entry, Groups, Note, build
from .values import FALSE, TRUE, boolean

ALONE = ("short_help", "help", "version", "completion_bash")
"""Keywords of flags that print something and leave: what follows them is not read, nor the environment."""


def config_files(env: Mapping[str, str]) -> tuple[Path, ...]:
    """Where config.ini may stand, lowest precedence first: llama.cpp's places and ours."""
    home = Path(env.get("XDG_CONFIG_HOME") or Path(env.get("HOME") or "~").expanduser() / ".config")
    return (
        Path("/etc/llama.cpp/config.ini"),
        home / "llama.cpp" / "config.ini",
        home / "llamaspec" / "config.ini",
    )


def parse(
    command: Command, argv: Sequence[str], env: Mapping[str, str] | None = None, files: Sequence[Path] | None = None
) -> Groups:
    """The groups that a command line, an environment and config files stand for.

    env and files default to the process's own. Raises UsageError. Stops at --help and the like.
    """
    env = os.environ if env is None else env
    line = Layer(command)
    operands = line.words(argv)
    if _asks(line):
        return build(command, line.said, (), operands)
    said: dict[str, Entry] = {}
    notes: list[Note] = []
    for path in config_files(env) if files is None else files:
        layer = Layer(command)
        layer.config(path)
        lay(said, layer)
        notes += layer.notes
    layer = Layer(command)
    layer.environment(env)
    lay(said, layer)
    notes += layer.notes
    for key in layer.said.keys() & line.said.keys():
        notes.append(Note(2, f"{layer.source[key]} is set, but {line.source[key]} on the command line wins"))
    lay(said, line)
    return build(command, said, (*notes, *line.notes), operands)


def _asks(layer: "Layer") -> bool:
    return any(key in layer.said for key in ALONE)


def lay(said: dict[str, Entry], layer: "Layer") -> None:
    """Puts a layer on top of what was said before; its flags come last."""
    for key, entry in layer.said.items():
        said.pop(key, None)
        said[key] = entry


class Layer:
    """One source of flags. said: what it says, in order. source: how it was spelled there."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.said: dict[str, Entry] = {}
        self.source: dict[str, str] = {}
        self.notes: list[Note] = []

    def words(self, argv: Sequence[str]) -> tuple[str, ...]:
        """Reads a command line; returns the words that stand alone."""
        operands: list[str] = []
        at = 0
        while at < len(argv):
            word = argv[at]
            at += 1
            if not word.startswith("-") or word == "-" or self._loose(word):
                operands.append(self._operand(word, operands))
                continue
            name, glued = self._split(word)
            flag, on = self._find(name)
            if glued is not None:
                self._glued(flag, on, name, glued)
            elif flag.is_switch:
                self.switch(flag, on, name)
            else:
                at += self._valued(flag, name, argv[at : at + 2])
            if flag.key in ALONE:
                break
        return tuple(operands)

    def _loose(self, word: str) -> bool:
        return self.command.loose and self._split(word)[0] not in self.command.table

    def _operand(self, word: str, before: list[str]) -> str:
        if not self.command.operand or (before and "..." not in self.command.operand):
            raise UsageError(
                f"unexpected word '{word[:80]}'",
                f"{self.command.name} takes {f'one {self.command.operand}' if self.command.operand else 'flags only'}; "
                "a prompt goes after -p, and one of several words between quotes",
            )
        return word

    def _split(self, word: str) -> tuple[str, str | None]:
        """--flag=value -> its parts; underscores become hyphens in the name only."""
        if _hyphens(word) in self.command.table or "=" not in word:
            return _hyphens(word), None
        name, _, value = word.partition("=")
        return _hyphens(name), value

    def _find(self, name: str) -> tuple[Flag, bool]:
        if name in self.command.table:
            return self.command.table[name]
        if program := elsewhere.program(name):
            raise UsageError(
                f"{name} is an option of {program}, which llamaspec does not have", elsewhere.HINTS[program]
            )
        guess = guessed(name, self.command.table)
        hint = f"`llamaspec {self.command.name} --help` lists the options, `llamaspec flags TEXT` searches them"
        raise UsageError(f"unknown option {name[:80]}{guess}", hint)

    def _glued(self, flag: Flag, on: bool, name: str, text: str) -> None:
        if not flag.is_switch:
            self.valued(flag, name, self._pair(flag, text))
            return
        try:
            self.switch(flag, on == boolean(text), name)
        except ValueError as problem:
            raise _bad(flag, name, (text,), problem) from None

    def _valued(self, flag: Flag, name: str, following: Sequence[str]) -> int:
        """Takes a flag's value out of the words that follow; returns how many it took."""
        count = len(flag.metavars)
        if flag.bare is not None and (
            not following or (following[0].startswith("-") and not _fits(flag, following[0]))
        ):
            self.valued(flag, name, (flag.bare,))
            return 0
        # Older llama.cpp pages write the two texts of --spec-replace as one word.
        if count == 2 and following and len(following[0].split(" ")) == 2:
            alone = len(following) < 2 or _hyphens(following[1]) in self.command.table
            if alone:
                self.valued(flag, name, self._pair(flag, following[0]))
                return 1
        if following and count == 1 and is_file_name(flag) and _hyphens(following[0]) in self.command.table:
            raise UsageError(
                f"{name} needs a file name, and the next word is the flag {following[0]}",
                f"a file of that name is given as ./{following[0]}",
            )
        if len(following) < count:
            raise UsageError(f"{name} needs {'a value' if count == 1 else f'{count} values'}", entry(flag))
        self.valued(flag, name, tuple(following[:count]))
        return count

    def _pair(self, flag: Flag, text: str) -> tuple[str, ...]:
        words = tuple(text.split(" ", len(flag.metavars) - 1))
        if len(words) != len(flag.metavars):
            raise UsageError(f"{flag.long} needs {len(flag.metavars)} values", entry(flag))
        return words

    def switch(self, flag: Flag, on: bool, source: str) -> None:
        """Says a flag without a value."""
        self._status(flag, source, "on" if on else "off")
        self._say(flag, source, Entry(((),), on))

    def valued(self, flag: Flag, source: str, words: tuple[str, ...]) -> None:
        """Says a flag with its words."""
        self._status(flag, source, " ".join(words))
        try:
            value = flag.read(*words)
        except ValueError as problem:
            raise _bad(flag, source, words, problem) from None
        before = self.said.get(flag.key)
        if flag.many and before is not None:
            self._say(flag, source, Entry((*before.words, words), before.value + value))
        else:
            self._say(flag, source, Entry((words,), value))

    def _say(self, flag: Flag, source: str, entry: Entry) -> None:
        if flag.status is not Status.LIVE and not flag.field:
            return
        self.said.pop(flag.key, None)
        self.said[flag.key] = replace(entry, name=source)
        self.source[flag.key] = source
        if source in flag.old or (flag.gives and flag.help.startswith("older name")):
            self.notes.append(Note(3, f"{source} is older llama.cpp's name; today {today(flag)}"))

    def _status(self, flag: Flag, source: str, text: str) -> None:
        if flag.status is Status.REFUSED and not (flag.is_switch and text == "off"):
            raise UsageError(f"{source}: {flag.reason}")
        words = default(flag) or "off"
        if words in ("on", "off") and text in (TRUE | FALSE):
            text = "on" if text in TRUE else "off"
        if flag.status is Status.LATER and text not in (str(flag.default), words):
            self.notes.append(Note(2, f"{source} is not supported yet and has no effect"))

    def environment(self, env: Mapping[str, str]) -> None:
        """Reads LLAMA_ARG_*: the first name of a flag is the older one where there are two.

        A variable that is wrong or unknown is ignored with a note: one that was left behind must not stop the program.
        """
        for flag in self.command.flags:
            for name in (*flag.env_off, *flag.env):
                if name in env:
                    try:
                        self._variable(flag, name, env[name])
                    except UsageError as error:
                        self.notes.append(Note(2, f"{error.message}; the variable is ignored"))
        for name in sorted(env):
            if name.startswith("LLAMA_ARG_") and name not in elsewhere.known_variables(self.command):
                guess = guessed(name, elsewhere.known_variables(self.command), 0.8)
                self.notes.append(Note(2, f"the environment variable {name} is unknown and has no effect{guess}"))

    def _variable(self, flag: Flag, name: str, text: str) -> None:
        if name in flag.env_off:
            self.switch(flag, False, name)
        elif not flag.is_switch:
            self.valued(flag, name, self._pair(flag, text))
        elif flag.off:
            self._glued(flag, True, name, text)
        elif text in TRUE:
            self.switch(flag, True, name)

    def config(self, path: Path) -> None:
        """Reads long names and values below [*] in an ini file; a file that is not there says nothing."""
        if not os.path.exists(path):
            return
        import configparser

        reader = configparser.RawConfigParser(strict=False, allow_no_value=True, delimiters=("=",), default_section="")
        reader.optionxform = str  # type: ignore[method-assign,assignment]
        try:
            with path.open(encoding="utf-8", errors="surrogateescape") as lines:
                reader.read_file(lines)
        except (OSError, configparser.Error) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is not an ini file"
            raise UsageError(f"cannot read {path}: {reason}", "correct the file or move it away") from None
        for key, value in reader.items("*") if reader.has_section("*") else ():
            name = _hyphens("--" + key.lstrip("-"))
            if name not in self.command.table:
                if not elsewhere.program(name):
                    guess = guessed(name, self.command.table).replace("--", "")
                    self.notes.append(Note(2, f"{key} in {path} is unknown and has no effect{guess}"))
                continue
            flag, on = self.command.table[name]
            source = f"{key} in {path}"
            if flag.is_switch:
                self._glued(flag, on, source, "on" if value is None else value)
            else:
                self.valued(flag, source, self._pair(flag, value or ""))


def _hyphens(name: str) -> str:
    return name.replace("_", "-") if name.startswith("--") else name


def guessed(name: str, known: Iterable[str], cutoff: float = 0.7) -> str:
    """A spelling that may have been meant, in brackets behind a blank; "" when none is near."""
    import difflib

    bare = {_bare(word): word for word in known}
    near = difflib.get_close_matches(_bare(name), bare, n=1, cutoff=cutoff)
    return f" (did you mean {bare[near[0]]}?)" if near else ""


def _bare(name: str) -> str:
    """A name without what all names begin with."""
    return name.lstrip("-").removeprefix("LLAMA_ARG_")


def is_file_name(flag: Flag) -> bool:
    """Whether its value is the name of a file."""
    return flag.metavars[:1] in (("FNAME",), ("FILE",))


def _fits(flag: Flag, word: str) -> bool:
    try:
        flag.read(word)
    except ValueError:
        return False
    return True


def today(flag: Flag) -> str:
    """The spelling to use now in place of an older one."""
    if not flag.gives:
        return flag.long
    return ", ".join("--" + key.replace("_", "-") for key, _ in flag.gives)


def entry(flag: Flag) -> str:
    """A flag's help on one line."""
    names = ", ".join(flag.on) + (f" / {', '.join(flag.off)}" if flag.off else "")
    return f"{' '.join((names, *flag.metavars))}   {flag.help}".rstrip()


def _bad(flag: Flag, source: str, words: Sequence[Any], problem: ValueError) -> UsageError:
    shown = " ".join(f"'{word[:60]}'" for word in words)
    said = f"{problem}, not {shown}" if str(problem).startswith("expected") else str(problem)
    return UsageError(
        f"{source}: {said}", f"`llamaspec flags {flag.long}` explains it" if "available: " in said else entry(flag)
    )
