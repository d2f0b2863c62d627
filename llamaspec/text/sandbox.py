"""The child process that renders chat templates: run as a program, spoken to over pipes, one JSON object per line.

A template comes with a model file, so it is a stranger's program. It runs in jinja2's sandbox, in a process that has
limits on processor time, memory and output and opens no files; what hangs or grows is killed (spec/reliability.md 1.3).
Nothing of llamaspec is imported here: the program starts in some 60 ms.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, Template, Undefined, nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import SandboxedEnvironment

KEPT_TEMPLATES = 8
ANY_DAY = "2000-01-01"


class GenerationTag(Extension):
    """`{% generation %}` marks what the model wrote, for training; here its body is rendered as it stands."""

    tags = {"generation"}  # noqa: RUF012 - jinja2 declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The nodes of the body."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def refuse(message: object) -> None:
    """raise_exception() of templates."""
    raise TemplateError(str(message))


class Absent(ChainableUndefined):
    """What a template names and nobody gave: nothing, as in llama.cpp, also if looked into or joined to text."""

    __slots__ = ()

    def __getattr__(self, name: str) -> "Absent":
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(obj=self, name=name)

    def __getitem__(self, key: object) -> "Absent":
        return Absent(obj=self, name=str(key))

    def __call__(self, *args: object, **kwargs: object) -> Any:
        if isinstance(self._undefined_obj, Undefined) and self._undefined_name in ("items", "keys", "values"):
            return []
        return super().__call__(*args, **kwargs)

    def __add__(self, other: Any) -> Any:
        return other if isinstance(other, str) else super().__add__(other)

    def __radd__(self, other: Any) -> Any:
        return other if isinstance(other, str) else super().__radd__(other)


def as_json(value: object) -> object:
    """What json.dumps does not know: nothing is null, what `map` and its like give is a list."""
    if isinstance(value, Undefined):
        return None
    if isinstance(value, Iterator):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """The filter as chat templates expect it: plain JSON, nothing escaped for HTML."""
    return json.dumps(
        value, default=as_json, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def environment() -> SandboxedEnvironment:
    """The environment that chat templates are written for."""
    made = SandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, undefined=Absent, extensions=[GenerationTag, "jinja2.ext.loopcontrols"]
    )
    made.filters["tojson"] = tojson
    made.filters["safe"] = str  # jinja2's would have what is joined to it escaped for HTML
    made.globals["raise_exception"] = refuse
    return made


@lru_cache(maxsize=KEPT_TEMPLATES)
def compiled(template: str) -> Template:
    """The template, ready to render."""
    return environment().from_string(template)


def render(template: Template, variables: dict[str, Any], now: str, limit: int) -> str:
    """The rendered text; raises OverflowError beyond `limit` characters."""
    moment = datetime.fromisoformat(now)
    out, length = [], 0
    for part in template.generate({"strftime_now": moment.strftime, **variables}):
        length += len(part)
        if length > limit:
            raise OverflowError(f"it writes more than {limit:,} characters")
        out.append(part)
    return "".join(out)


# -- What a template can take, found by rendering it with values that remember how they were used ----------------------


class SeenText(str):
    """A string that knows whether it was iterated or indexed; as in llama.cpp, a loop over it fails."""

    __slots__ = ("as_array", "asked")

    def __new__(cls, text: str) -> "SeenText":
        """A copy of `text` that nobody has looked at."""
        made = super().__new__(cls, text)
        made.as_array = made.asked = False
        return made

    def __iter__(self) -> Iterator[str]:
        self.as_array = True
        raise TypeError("a loop over a string")

    def __getitem__(self, key: Any) -> str:
        self.as_array = self.as_array or isinstance(key, int)
        return super().__getitem__(key)


class SeenList(list):
    """A list that knows whether it was iterated or indexed."""

    as_array = False
    asked = False

    def __iter__(self) -> Iterator[Any]:
        self.as_array = True
        return super().__iter__()

    def __getitem__(self, key: Any) -> Any:
        self.as_array = self.as_array or isinstance(key, int)
        return super().__getitem__(key)


class SeenDict(dict):
    """A dictionary that knows which of its values were read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.read: set[str] = set()

    def __getitem__(self, key: Any) -> Any:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: Any, default: Any = None) -> Any:
        """As dict.get, remembered."""
        self.read.add(key)
        return super().get(key, default)

    def items(self) -> Any:
        """As dict.items: every value counts as read."""
        self.read.update(self)
        return super().items()

    def values(self) -> Any:
        """As dict.values: every value counts as read."""
        self.read.update(self)
        return super().values()


def is_string(value: object) -> bool:
    """The test `is string`, remembered."""
    if isinstance(value, SeenText | SeenList):
        value.asked = True
    return isinstance(value, str)


def is_iterable(value: object) -> bool:
    """The test `is iterable`, which is no use as an array."""
    return hasattr(type(value), "__iter__")


def unseen_json(value: object, **kwargs: Any) -> str:
    """The filter tojson, which is no use as an array."""
    return tojson(list.copy(value) if isinstance(value, SeenList) else value, **kwargs)


class Probe:
    """Renders one template with remembering values."""

    def __init__(self, template: str, limit: int) -> None:
        made = environment()
        made.tests["string"] = is_string
        made.tests["iterable"] = is_iterable
        made.filters["tojson"] = unseen_json
        self._template, self._limit = made.from_string(template), limit

    def run(self, messages: list[Any], tools: list[Any] | None = None) -> str | None:
        """The rendered text, None where the template fails."""
        variables = {"messages": messages, "tools": tools or [], "bos_token": "", "eos_token": ""}
        try:
            return render(self._template, {**variables, "add_generation_prompt": True}, ANY_DAY, self._limit)
        except MemoryError:
            raise
        except Exception:
            return None

    def content(self) -> tuple[bool, bool]:
        """Whether message contents may be strings, and whether they may be lists of typed parts."""
        text = SeenText("STRING_MARKER")
        found = self.run([{"role": "user", "content": text}])
        strings = found is not None and not (text.as_array and text not in found)
        typed = text.as_array
        if text.asked:
            parts = SeenList()
            found = self.run([{"role": "user", "content": parts}])
            typed = typed or (parts.as_array and found is not None)
        return strings, typed

    def system(self) -> bool:
        """Whether the content of a system message is read."""
        system = SeenDict(role="system", content="System message")
        self.run([system, {"role": "user", "content": "User message"}])
        return "content" in system.read

    def calls(self) -> tuple[bool, bool]:
        """Whether tool calls are read, and whether their arguments should be objects."""
        arguments = SeenDict(arg="value")
        message = call_message(arguments)
        if self.run(conversation(message), tools()) is not None:
            if "tool_calls" not in message.read:
                return False, False
            if "arg" in arguments.read:
                return True, True
        message = call_message('{"arg": "value"}')
        found = self.run(conversation(message), tools())
        return found is not None and "tool_calls" in message.read, False


def call_message(arguments: object) -> SeenDict:
    """An answer that calls a tool."""
    function = {"name": "tool1", "arguments": arguments}
    call = {"id": "call00001", "type": "function", "function": function}
    return SeenDict(role="assistant", content="", tool_calls=[call])


def conversation(call: SeenDict) -> list[Any]:
    """A question, a call, its result, and more."""
    return [
        {"role": "user", "content": "User message"},
        call,
        {"role": "tool", "content": "Tool response", "tool_call_id": "call00001"},
        {"role": "assistant", "content": "The tool response was 'tool response'"},
        {"role": "user", "content": "User message"},
    ]


def tools() -> list[Any]:
    """One tool with one argument."""
    properties = {"arg": {"type": "string", "description": "Arg description"}}
    parameters = {"type": "object", "properties": properties, "required": ["arg"]}
    function = {"name": "tool1", "description": "Tool description", "parameters": parameters}
    return [{"name": "tool", "type": "function", "function": function}]


def warm_up() -> None:
    """Have everything imported that Python and jinja2 import at first use: later no file can be opened."""
    exercise = r"""{% macro m(x) %}{{ x|tojson }}{% endmacro %}
    {% for x in [1] %}{{ m('\\n\u00e9') ~ loop.index }}{% endfor %}
    {{ 'a'|upper|trim|replace('a', 'b') }}{{ strftime_now('%d %b %Y') }}{{ 1|round }}{{ [1]|pprint }}{{ 'x'|urlencode }}
    {{ raise_exception('x') }}"""
    try:
        render(compiled(exercise), {}, ANY_DAY, 1000)
    except TemplateError:
        return


# -- The conversation with the parent ----------------------------------------------------------------------------------


def limit_process(megabytes: int) -> Callable[[int], None]:
    """Take from this process what a template has no use for; gives a function that grants seconds of processor time."""
    try:
        import resource
    except ImportError:  # Windows: the parent's clock is the only limit
        return lambda seconds: None

    def lower(name: str, value: int) -> None:
        try:
            kind = getattr(resource, name)
            hard = resource.getrlimit(kind)[1]
            resource.setrlimit(kind, (value if hard < 0 else min(value, hard), hard))
        except (AttributeError, ValueError, OSError):
            return

    def grant(seconds: int) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        lower("RLIMIT_CPU", int(used.ru_utime + used.ru_stime) + seconds + 1)

    lower("RLIMIT_AS", megabytes << 20)
    for name in ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
        lower(name, 0)
    return grant


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reply to one request: what a template can take, or a rendered prompt."""
    template, limit = request["template"], request["limit"]
    if request["do"] == "probe":
        probe = Probe(template, limit)
        (strings, typed), (calls, objects) = probe.content(), probe.calls()
        return {"strings": strings, "typed": typed, "system": probe.system(), "calls": calls, "objects": objects}
    return {"text": render(compiled(template), request["variables"], request["now"], limit)}


def careful(request: dict[str, Any]) -> dict[str, Any]:
    """As `answer`, with every failure told: a template raises whatever it likes."""
    try:
        return answer(request)
    except MemoryError:
        return {"fatal": "it needs too much memory"}
    except TemplateError as error:
        return {"error": str(error.message or type(error).__name__)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Say that this runs, then answer requests until the parent closes the pipe."""
    setting = json.loads(sys.stdin.readline())
    warm_up()
    grant = limit_process(setting["megabytes"])
    reply: dict[str, Any] = {"ready": True}
    while True:
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
        line = sys.stdin.readline()
        if "fatal" in reply or not line:
            return
        grant(setting["seconds"])
        reply = careful(json.loads(line))


if __name__ == "__main__":
    main()
