"""`llamaspec man [COMMAND]` and `llamaspec completion SHELL`: what scripts/generate.py writes, without its files."""

from ..errors import UsageError
from ..options.commands import COMMANDS
from ..options.groups import Groups
from . import terminal


def man(groups: Groups) -> int:
    """A manual page in roff: llamaspec(1), or that of a command."""
    from .. import __version__
    from ..options.render.man import man_text, verb_text

    if not groups.operands:
        terminal.answer(man_text(__version__))
        return 0
    name = groups.operands[0].removeprefix("llamaspec-")
    command = next((command for command in COMMANDS if command.name == name), None)
    if command is None:
        raise UsageError(f"unknown command '{name[:80]}'", f"commands are {', '.join(each.name for each in COMMANDS)}")
    terminal.answer(verb_text(command, __version__))
    return 0


def completion(groups: Groups) -> int:
    """The script that teaches a shell to complete llamaspec's words."""
    from ..options.render.bash import bash_text
    from ..options.render.fish import fish_text
    from ..options.render.zsh import zsh_text

    scripts = {"bash": bash_text, "zsh": zsh_text, "fish": fish_text}
    shell = groups.operands[0] if groups.operands else ""
    if shell not in scripts:
        raise UsageError(
            f"there is no completion for the shell '{shell[:40]}'" if shell else "completion needs the name of a shell",
            f"llamaspec completion {' | '.join(scripts)}",
        )
    terminal.answer(scripts[shell]())
    return 0
