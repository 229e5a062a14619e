"""`extra_body` and `extra_query`: what they add, what they refuse, and that nothing is lost or
replaced on the way.
"""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from victor_api.api.payment_requests import list_payment_requests

from victor_ext import InvalidRequest
from victor_ext._runtime.client.requests import (
    extra_body_problems,
    extra_query_text,
    with_extra_body,
)

SENT = {"payee": {"account": "043"}, "amount": "44.23", "tags": ["a"], "card.number": "4"}


class Body:
    """The parts of a generated model that these tests need."""

    def __init__(self, members):
        self.members = members

    def to_dict(self):
        return self.members

    @classmethod
    def from_dict(cls, members):
        return cls(members)


def sent_with(extra):
    return with_extra_body(Body(copy.deepcopy(SENT)), extra).to_dict()


def refused(extra):
    with pytest.raises(InvalidRequest) as raised:
        sent_with(extra)
    return [(each.field, each.code) for each in raised.value.problems]


def test_extra_members_are_added_to_the_body_and_to_objects_inside_it():
    extra = {"payee": {"nick": {"a": [1, None]}}, "purpose": "RENT", "flag": True}
    payee = {"account": "043", "nick": {"a": [1, None]}}
    assert sent_with(extra) == {**SENT, "payee": payee, "purpose": "RENT", "flag": True}
    assert sent_with(None) == sent_with({}) == SENT


def test_a_later_change_to_extra_body_does_not_change_the_request():
    extra = {"purpose": {"codes": ["RENT"]}}
    body = sent_with(extra)
    extra["purpose"]["codes"].append("FOOD")
    assert body["purpose"] == {"codes": ["RENT"]}


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        ({"amount": "1"}, [("extra_body.amount", "duplicate")]),
        ({"AMOUNT": "1"}, [("extra_body.AMOUNT", "duplicate")]),
        ({"payee": {"Account": "1"}}, [("extra_body.payee.Account", "duplicate")]),
        (
            {"tags": [], "amount": "1"},
            [("extra_body.tags", "duplicate"), ("extra_body.amount", "duplicate")],
        ),
        ({"payee": None}, [("extra_body.payee", "duplicate")]),
        ({"payee.account": "1"}, [("extra_body.payee.account", "duplicate")]),
        ({"Payee[Account]": "1"}, [("extra_body.Payee[Account]", "duplicate")]),
        ({"card.NUMBER": "1"}, [("extra_body.card.NUMBER", "duplicate")]),
        ({"card": {"number": "1"}}, [("extra_body.card.number", "duplicate")]),
        ({"amount[]": "1"}, [("extra_body.amount[]", "duplicate")]),
        *(
            ({"new": each}, [("extra_body.new", "type")])
            for each in (
                1.5,
                [{"a": b"x"}],
                Decimal("NaN"),
                Decimal("1E+400"),
                {"a": 10**6000},
                "\ud800",
                {7: 1},
            )
        ),
        ({7: 1}, [("extra_body", "name")]),
        (["a"], [("extra_body", "type")]),
    ],
)
def test_extra_members_that_replace_one_or_cannot_be_written_exactly_are_refused(extra, found):
    assert refused(extra) == found


def test_a_refusal_of_extra_body_names_the_argument_and_not_the_value():
    taken = {"payment_details.amount": "amount"}
    [problem] = extra_body_problems({"payment_details": {"amount": "99.99"}}, taken)
    message = (
        "extra_body.payment_details.amount is set already by this method: use the argument amount."
    )
    assert problem.message == message


def test_a_body_that_is_nested_without_end_is_refused():
    endless = {}
    endless["inner"] = endless
    assert [code for _, code in refused({"new": endless})] == ["type"]


class TestQuery:
    def test_an_extra_query_is_written_as_the_wire_has_it(self):
        extra = {
            "purpose": "RENT & food",
            "ids": ["a", 7],
            "paid": True,
            "least": Decimal("1E+2"),
            "left_out": None,
        }
        assert (
            extra_query_text(list_payment_requests, extra)
            == "purpose=RENT%20%26%20food&ids=a&ids=7&paid=true&least=100"
        )
        assert (
            extra_query_text(list_payment_requests, None)
            == extra_query_text(list_payment_requests, {})
            == ""
        )

    @pytest.mark.parametrize(
        ("extra", "found"),
        [
            ({"status": "pending"}, ("extra_query.status", "duplicate")),
            ({"pageSize": 5}, ("extra_query.pageSize", "duplicate")),
            ({"page[]": 5}, ("extra_query.page[]", "duplicate")),
            ({"least": 1.5}, ("extra_query.least", "type")),
            ({"most": {"a": 1}}, ("extra_query.most", "type")),
            ({"text": "\ud800"}, ("extra_query.text", "type")),
            ({"": 1}, ("extra_query", "name")),
            ("a=b", ("extra_query", "type")),
        ],
    )
    def test_an_extra_query_that_cannot_be_sent_is_refused_by_field(self, extra, found):
        with pytest.raises(InvalidRequest) as raised:
            extra_query_text(list_payment_requests, extra)
        assert [(each.field, each.code) for each in raised.value.problems] == [found]
