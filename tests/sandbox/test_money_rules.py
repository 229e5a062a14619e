"""What a sandbox refuses to do with money, of all systems in one table, on the wire."""

import pytest

from tests.cases import cases_beside
from tests.sandbox.desks import desk_of

CASES = cases_beside(__file__, "money_rules")


@pytest.fixture
def desk(system):
    with desk_of(system) as desk:
        yield desk


@pytest.mark.parametrize(
    ("system", "before", "line", "status", "words"),
    [(system, *row) for system, rows in CASES["refused"].items() for row in rows],
)
def test_a_step_against_the_money_rules_is_refused_and_moves_nothing(
    desk, before, line, status, words
):
    for step in before:
        assert not desk.is_refused(desk.step(step)), step
    moved = desk.moved()
    response = desk.step(line)
    assert (response.status_code, desk.is_refused(response)) == (status, True), response.text
    assert words in response.text
    assert desk.moved() == moved


@pytest.mark.parametrize(
    ("system", "lines", "moved"),
    [(system, *row) for system, rows in CASES["allowed"].items() for row in rows],
)
def test_steps_that_the_money_rules_allow_are_accepted_and_add_up(desk, lines, moved):
    """What `moved` counts differs between the systems: money_rules.yaml says it of each."""
    for step in lines:
        response = desk.step(step)
        assert not desk.is_refused(response), (step, response.text)
    assert desk.total() == moved
