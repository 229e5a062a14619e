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


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_quick_command_and_a_pipe_show_nothing(stream):
    with shown_on(stream), step("shop.yaml: reading"):
        pass
    assert stream.getvalue() == ""
