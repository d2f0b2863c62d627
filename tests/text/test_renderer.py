"""Hostile templates meet the limits of the child process, and the next rendering works."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from llamaspec.errors import LlamaspecError
from llamaspec.text import renderer as module
from llamaspec.text.renderer import Limits, Renderer
from llamaspec.text.template import ChatTemplate

HELLO = [{"role": "user", "content": "Hello"}]
SMALL = Limits(seconds=1, megabytes=256, characters=10_000)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(SMALL)


def works(renderer: Renderer) -> bool:
    return ChatTemplate("{{ messages[0].content }}", renderer=renderer).render(HELLO) == "Hello"


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 9**(9**(9**9)) }}",
        "{{ 'a' * 10**10 }}",
        "{{ 'a' | center(10**10) }}",
        "{{ '%10000000000d' | format(1) }}",
        "{{ 'a\nb' | indent(10**10) }}",
        "{% set n = namespace(s='aaaa') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}",
        "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}12345678{% endfor %}{% endfor %}",
        "{{ 'x' * 10001 }}",
    ],
)
def test_what_hangs_or_grows_is_refused(renderer: Renderer, source: str) -> None:
    with pytest.raises(LlamaspecError, match="chat template fails"):
        ChatTemplate(source, renderer=renderer).render(HELLO)
    assert works(renderer)


def test_memory_is_limited(renderer: Renderer) -> None:
    with pytest.raises(LlamaspecError, match="memory"):
        ChatTemplate("{{ ('a' * 10**9) | length }}", renderer=renderer).render(HELLO)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '{0.__class__}'.format_map({'0': ''}) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ self.__init__ }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__self__.__class__ }}",
        "{{ messages.append.__self__ }}",
        "{% set x = (messages | map(attribute='__class__') | list) %}{{ x }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ ''.encode('cp037') }}",
    ],
)
def test_there_is_no_way_out_of_the_sandbox(renderer: Renderer, source: str) -> None:
    try:
        text = ChatTemplate(source, renderer=renderer).render(HELLO)
    except LlamaspecError:
        return
    assert "class" not in text
    assert "module" not in text


def test_the_child_is_reused_and_started_again_when_it_is_gone(renderer: Renderer) -> None:
    assert works(renderer)
    child = renderer._child
    assert works(renderer)
    assert renderer._child is child
    assert child is not None
    child.kill()
    child.wait()
    assert works(renderer)
    renderer.close()
    assert works(renderer)


def test_a_child_that_was_begun_early_answers_the_first_request() -> None:
    early = Renderer(SMALL)
    early.begin()
    child = early._child
    assert child is not None
    assert works(early)
    assert early._child is child
    early.begin()
    assert early._child is child
    early.close()


def test_a_child_that_is_begun_and_cannot_start_fails_at_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRAM", Path("/nowhere/sandbox.py"))
    late = Renderer(SMALL)
    late.begin()
    with pytest.raises(LlamaspecError, match="does not start"):
        works(late)


def test_threads_share_a_renderer(renderer: Renderer) -> None:
    found: list[str] = []

    def ask(text: str) -> None:
        template = ChatTemplate("{{ messages[0].content }}", renderer=renderer)
        found.append(template.render([{"role": "user", "content": text}]))

    threads = [threading.Thread(target=ask, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [str(n) for n in range(8)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_gets_a_child_of_its_own(renderer: Renderer) -> None:
    assert works(renderer)
    shared = renderer._child
    pid = os.fork()
    if pid == 0:
        os._exit(0 if works(renderer) and renderer._child is not shared else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert works(renderer)


def test_a_child_that_cannot_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PROGRAM", Path("/nowhere/sandbox.py"))
    with pytest.raises(LlamaspecError, match="does not start") as caught:
        works(Renderer(SMALL))
    assert "jinja2" in caught.value.hint


def test_the_program_ends_with_its_parent() -> None:
    """Closing the pipe, as the death of the parent does, ends the child."""
    command = [sys.executable, str(module.PROGRAM)]
    done = subprocess.run(
        command, input='{"megabytes": 256, "seconds": 1}\n', capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"ready": true}\n', "")
