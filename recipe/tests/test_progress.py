"""A slow command says on a terminal what it does, and nowhere else."""

import io

import pytest

from victor_spec.progress import Line, shown_on, step


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_slow_command_shows_its_step_on_a_terminal_and_erases_the_line_at_the_end():
    terminal = Terminal()
    line = Line(terminal, seconds=600)
    line.show("shop.yaml: reading")
    assert terminal.getvalue() == ""
    line.begin()
    line.show("\x1b[31mshop.yaml: writing")
    line.close()
    shown = terminal.getvalue().split("\r\x1b[K")
    assert shown == ["", "shop.yaml: reading", "[31mshop.yaml: writing", ""]


@pytest.mark.parametrize(("stream", "is_shown"), [(Terminal, True), (io.StringIO, False)])
def test_a_step_of_a_slow_command_is_shown_on_a_terminal_alone(stream, is_shown, monkeypatch):
    monkeypatch.setattr("threading.Timer.start", lambda timer: timer.function())
    output = stream()
    with shown_on(output), step("shop.yaml: reading"):
        pass
    assert ("shop.yaml: reading" in output.getvalue()) is is_shown
