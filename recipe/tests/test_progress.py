"""A slow command says on a terminal what it does, and nowhere else."""

import io

import pytest

from victor_spec import progress
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


@pytest.mark.parametrize(
    ("stream", "is_slow", "is_shown"),
    [(Terminal, True, True), (Terminal, False, False), (io.StringIO, True, False)],
    ids=["slow", "quick", "slow, to a pipe"],
)
def test_a_step_is_shown_of_a_slow_command_on_a_terminal_alone(stream, is_slow, is_shown):
    output = stream()
    with shown_on(output), step("shop.yaml: reading"):
        for line in progress._lines if is_slow else ():
            line.begin()
    assert ("shop.yaml: reading" in output.getvalue()) is is_shown
    assert is_shown or output.getvalue() == ""
