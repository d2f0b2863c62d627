"""What a template can take, found by rendering it with probes."""

import pytest

from llamaspec.text.sandbox import Probe

TURNS = "{% for m in messages %}{{ m.role }}{{ m.content }}{% endfor %}"
PARTS = "{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}"
BOTH = (
    "{% for m in messages %}{% if m.content is string %}{{ m.content }}"
    "{% else %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endif %}{% endfor %}"
)
LETTERS = "{% for m in messages %}{% for letter in m.content %}{{ letter }}{% endfor %}{% endfor %}"
LOOKS = (
    "{% for m in messages %}{% if m.content is not string and m.content is iterable %}x{% endif %}"
    "{{ m.content }}{% endfor %}"
)
CALLS = "{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}{{ CALL }}{% endfor %}{% endfor %}"


def probe(source: str) -> Probe:
    return Probe(source, 10_000)


@pytest.mark.parametrize(
    ("source", "strings", "typed"),
    [
        (TURNS, True, False),
        (PARTS, False, True),
        (LETTERS, False, True),
        (BOTH, True, True),
        (LOOKS, True, False),
        ("x", True, False),
    ],
)
def test_contents(source: str, strings: bool, typed: bool) -> None:
    assert probe(source).content() == (strings, typed)


def test_system_messages() -> None:
    assert probe(TURNS).system()
    assert not probe("{% for m in messages if m.role != 'system' %}{{ m.content }}{% endfor %}").system()
    assert not probe("{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}" + TURNS).system()


@pytest.mark.parametrize(
    ("call", "calls", "objects"),
    [
        ("c.function.name", True, False),
        ("c.function.arguments | tojson", True, True),
        ("c.function.arguments.items() | list", True, True),
        ("c.function.arguments['arg']", True, True),
        ("'text ' + c.function.arguments", True, False),
        ("raise_exception('no')", False, False),
    ],
)
def test_tool_calls(call: str, calls: bool, objects: bool) -> None:
    assert probe(CALLS.replace("CALL", call)).calls() == (calls, objects)


def test_templates_without_tool_calls() -> None:
    assert probe(TURNS).calls() == (False, False)
