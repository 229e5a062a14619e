"""What a record is; what the error for an unexpected argument says; what an operation returned is
of the class expected.
"""

from __future__ import annotations

import pickle
import pydoc
from datetime import UTC, datetime
from typing import Any, Union

import pytest

from victor_ext import Outcome, UnreadableResponse, expect
from victor_ext.typed import Record, identifier, moment, records, text


class Part(Record):
    __slots__ = ()

    @property
    @text("name", private=True)
    def name(self):
        """The name of a person."""


class Whole(Record):
    __slots__ = ("key",)

    def __init__(self, json: Any, key: str = "") -> None:
        super().__init__(json)
        self.key = key

    @property
    @identifier("id")
    def id(self):
        """The id."""

    @property
    @text("bank", "account", masked=True)
    def account(self):
        """The number of an account."""

    @property
    @moment("at")
    def at(self):
        """When it was made."""

    @property
    @records(lambda: Part, "parts")
    def parts(self):
        """The parts."""


def test_a_field_that_the_provider_sent_cannot_be_set():
    whole: Any = Whole({"id": "w-1"})
    with pytest.raises(
        AttributeError, match="id of Whole is what the provider sent: it cannot be set"
    ):
        whole.id = "w-2"  # the mistake: an assignment in place of a comparison
    assert (whole.id, whole.to_dict()["id"]) == ("w-1", "w-1")


def test_a_record_has_its_parts_and_shows_no_private_field():
    sent = {
        "id": "w-1",
        "bank": {"account": "123456789"},
        "at": "2026-03-04T05:06:07Z",
        "parts": [{"name": "a"}],
    }
    whole = Whole(sent)
    assert whole.at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert [part.name for part in whole.parts] == ["a"]
    assert whole.to_dict()["parts"] == [{"name": "a"}]
    assert whole.raw == sent
    assert "account='*****6789'" in repr(whole)
    assert "parts=<1>" in repr(whole)
    assert repr(whole.parts[0]) == "Part()"
    assert pydoc.render_doc(Part, renderer=pydoc.plaintext).count("The name of a person.") == 1


def test_records_are_equal_by_all_that_they_hold():
    json = {"id": "w-1"}
    assert Whole(json, "k") == Whole(json, "k")
    assert Whole(json, "k") != Whole(json, "other")
    assert Whole(json, "k") != Whole({"id": "w-2"}, "k")
    assert hash(Whole(json)) == hash(Whole(json))


class Card:
    pass


class Problem:
    pass


CARD = Card()
CARDS = [Card(), Card()]


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
def test_a_result_of_the_expected_class_is_returned_as_it_is(kind, result):
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
def test_a_result_of_another_class_is_an_error_with_the_outcome_accepted(kind, result, told):
    with pytest.raises(
        UnreadableResponse, match=f"The provider accepted the call, but it {told}"
    ) as raised:
        expect(kind, result)
    assert raised.value.outcome is Outcome.ACCEPTED
    assert "Look a write up at the provider before you repeat it." in str(
        pickle.loads(pickle.dumps(raised.value))
    )
