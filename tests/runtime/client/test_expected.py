"""`expect`: the result of a generated operation as one class."""

from __future__ import annotations

import pickle
from typing import Any, Union

import pytest

from victor_ext import Outcome, UnreadableResponse, expect


class Card:
    pass


class Problem:
    pass


CARD, CARDS = Card(), [Card(), Card()]


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        (Card, CARD),
        (list, CARDS),
        (list[Card], CARDS),
        (list[Card], []),
        (list[list[int]], [[1], []]),
        (dict[str, Any], {"a": 1}),
        (list[Any], [1, "a"]),
        (str, "text"),
        (Card | Problem, CARD),
        (Union[Card, Problem], CARD),  # noqa: UP007 - what is tested
    ],
)
def test_the_result_is_returned_as_it_is(kind: Any, result: object) -> None:
    assert expect(kind, result) is result


@pytest.mark.parametrize(
    ("kind", "result", "told"),
    [
        (Card, None, "returned nothing, not Card"),
        (Card, Problem(), "returned Problem, not Card"),
        (list[Card], CARD, r"returned Card, not list\[.*Card\]"),
        (list[Card], [Card(), Problem()], r"returned list, not list\[.*Card\]"),
        (Card | Problem, "text", "returned str, not"),
    ],
)
def test_another_class_is_no_failure_of_the_call(kind: Any, result: object, told: str) -> None:
    with pytest.raises(UnreadableResponse, match=f"The provider accepted the call, but it {told}") as raised:
        expect(kind, result)
    assert raised.value.outcome is Outcome.ACCEPTED
    assert "Do not repeat it" in str(pickle.loads(pickle.dumps(raised.value)))
