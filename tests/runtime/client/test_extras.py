"""`extra_body` and `extra_query`: what they add, what they refuse, and that nothing is lost or
replaced on the way.
"""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest

from victor_ext._runtime.client.requests import add_extra, with_query
from victor_ext._runtime.core.validation import Validation

SENT = {"payee": {"account": "043"}, "amount": "44.23", "tags": ["a"], "card.number": "4"}
PLACES = {"total": "amount", "nick": "payee.nick", "street": "home.street"}


def sent_with(extra):
    """The body with these members, and what is wrong with them."""
    check, body = Validation(), copy.deepcopy(SENT)
    add_extra(check, "extra_body", extra, body, PLACES)
    return body, [(problem.field, problem.code) for problem in check.problems]


def test_extra_members_are_added_to_the_body_and_to_objects_inside_it():
    extra = {"Payee": {"mood": {"a": [1, None, {"b": (2,)}]}}, "purpose": "RENT", "home": {}}
    payee = {"account": "043", "mood": {"a": [1, None, {"b": [2]}]}}
    body = {**SENT, "payee": payee, "purpose": "RENT", "home": {}}
    assert sent_with(extra) == (body, [])
    assert sent_with({}) == (SENT, [])


def test_a_later_change_to_extra_body_does_not_change_the_request():
    extra = {"purpose": {"codes": ["RENT"]}}
    body, _ = sent_with(extra)
    extra["purpose"]["codes"].append("FOOD")
    assert body["purpose"] == {"codes": ["RENT"]}


@pytest.mark.parametrize(
    "extra",
    [
        {"amount": "1"},
        {"AMOUNT": "1"},
        {"payee": {"Account": "1"}},
        {"payee": {"nick": "x"}},
        {"home": {"Street": "x"}},
        {"tags": []},
        {"payee": None},
        {"payee.nick": "1"},
        {"Payee[Nick]": "1"},
        {"card.NUMBER": "1"},
        {"amount[]": "1"},
    ],
)
def test_a_member_that_is_sent_or_has_an_argument_is_refused_in_any_spelling(extra):
    body, problems = sent_with(extra)
    assert [code for _, code in problems] == ["duplicate"]
    assert {name: body[name] for name in SENT} == SENT


def test_all_members_that_are_refused_are_named_and_no_value_is():
    check = Validation()
    extra = {"payee": {"account": "99"}, "amount": "99", "new": 1}
    add_extra(check, "extra_body", extra, copy.deepcopy(SENT), PLACES)
    assert [problem.message for problem in check.problems] == [
        "extra_body.payee.account is what this method sends itself: leave it out here.",
        "extra_body.amount is what this method sends as total: leave it out here.",
    ]


ENDLESS = {}
ENDLESS["inner"] = ENDLESS


@pytest.mark.parametrize("value", [1.5, [{"a": 0.1}], {"b": b"x"}, {7: 1}, ENDLESS], ids=repr)
def test_a_float_and_what_is_no_json_is_refused(value):
    body, [(field, code)] = sent_with({"new": value})
    assert (body, code) == (SENT, "type")
    assert field.startswith("extra_body.new")


@pytest.mark.parametrize("extra", ["a=b", ["a"], {7: 1}])
def test_what_is_no_dict_of_names_is_refused(extra):
    assert sent_with(extra) == (SENT, [("extra_body", "type")])


def test_an_extra_query_is_written_as_the_wire_has_it():
    extra = {
        "purpose": "RENT & food",
        "ids": ["a", 7],
        "paid": True,
        "least": Decimal("1E+2"),
        "left_out": None,
    }
    text = "purpose=RENT%20%26%20food&ids=a&ids=7&paid=true&least=100"
    assert with_query("/a", extra) == f"/a?{text}"
    assert with_query("/a?b=c", extra) == f"/a?b=c&{text}"
    assert with_query("/a", {"left_out": None}) == "/a"
