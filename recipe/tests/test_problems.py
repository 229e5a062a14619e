"""What is wrong with a package: which of it can be accepted."""

import pytest

from victor_spec.checking.problems import Kind, Problem


@pytest.mark.parametrize(
    ("kind", "can_be_accepted"),
    [
        ("left out", True),
        ("missing", True),
        ("wrong", False),
        ("differs", False),
        ("acceptance", False),
    ],
)
def test_a_loss_can_be_accepted_and_says_so(kind: Kind, can_be_accepted: bool) -> None:
    problem = Problem(kind, "paths./orders.get", "answer 200")
    assert problem.acceptable == can_be_accepted
    assert problem.line().endswith("; do without it, and accept it with a reason") == (
        can_be_accepted
    )
