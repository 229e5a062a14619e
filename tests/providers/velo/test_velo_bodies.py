"""Velo's calls with a body, checked by generated functions, send and refuse what they did.

`requests_before` has the request objects as they were written by hand.
"""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from velo_api import models
from velo_api.typed import arguments

from tests.providers.velo import requests_before as before
from victor_ext import InvalidRequest
from victor_ext.money import Money
from victor_ext.providers.velo import requests as now
from victor_ext.typed import Request
from victor_ext.words import Word

TEXTS = [None, "", " ", "**", "a text", "p-1", "a/b", "..", "\ud800", "tab\t", "US", "USD", "en"]
LENGTHS = [1, 2, 3, 4, 5, 6, 9, 15, 17, 22, 30, 34, 35, 40, 41, 50, 60, 64, 65, 100, 101, 255, 256]
SCALARS = st.sampled_from(
    [
        *TEXTS,
        *("7" * length for length in LENGTHS),
        "x" * 512,
        "x" * 513,
        "+14155550100",
        Word("NEW"),
        "1970-05-20",
        date(1970, 5, 20),
        0,
        44.23,
        True,
        False,
        ["payment"],
        [],
        ["payment", ""],
        Money(4423, "USD"),
        Money(0, "USD"),
        Money(2**63, "USD"),
    ]
)
PARTS = {
    "address": "Address",
    "individual": "Individual",
    "company": "Company",
    "payment_channel": "PaymentChannel",
    "challenge": "Challenge",
}
GOOD: Mapping[str, Any] = {
    "amount": Money(4423, "USD"),
    "payor_payment_id": "INV-1042",
    "line1": "1 Elm Street",
    "city": "Springfield",
    "country": "US",
    "country_code": "US",
    "currency": "USD",
    "first_name": "Ada",
    "last_name": "Example",
    "date_of_birth": "1970-05-20",
    "national_identification": "078051120",
    "title": "Dr",
    "tax_id": "223344556",
    "iban": "GB33BUKB20201555555555",
    "routing_number": "021000021",
    "account_number": "043987673645",
    "authorization_header": "s" * 16,
    "enabled": True,
    "categories": ["payment"],
    "contact_sms_number": "+14155550100",
}


@st.composite
def values_of(draw: st.DrawFn, kind: Any) -> dict[str, Any]:
    """Arguments of a class of before: most of them good, some odd, parts as a description."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        is_required = field.default is dataclasses.MISSING
        if not is_required and draw(st.integers(0, 2)) != 0:
            continue
        if field.name in PARTS and draw(st.integers(0, 9)) != 0:
            part = PARTS[field.name]
            values[field.name] = (part, draw(values_of(getattr(before, part))))
        elif draw(st.integers(0, 3)) != 0:
            values[field.name] = GOOD.get(field.name, "example")
        else:
            values[field.name] = draw(SCALARS)
    return values


def made(module: Any, value: Any) -> Any:
    """A value, with the request objects of a module for their descriptions."""
    if isinstance(value, tuple):
        name, values = value
        return getattr(module, name)(**{key: made(module, each) for key, each in values.items()})
    return [made(module, each) for each in value] if isinstance(value, list) else value


def sent_before(name: str, values: dict[str, Any]) -> Any:
    """The JSON that was sent, by the classes of before."""
    doing, kind, path = BEFORE[name]
    request = kind(**{key: made(before, value) for key, value in values.items()})
    with before.Validation(doing) as validation:
        validation.checked(request)
    if kind is before.PayeeUpdate:
        return models.PayeeUpdate(**before.members_of(request, "payee_id")).to_dict()
    if kind is before.WebhookUpdate:
        return models.WebhookUpdate(**before.members_of(request, *path)).to_dict()
    return request.to_model().to_dict()


BEFORE: Mapping[str, tuple[str, Any, tuple[str, ...]]] = {
    "update_payee": ("The payee", before.PayeeUpdate, ("payee_id",)),
    "create_funding_account": ("The funding account", before.NewFundingAccount, ()),
    "create_webhook": ("The webhook", before.NewWebhook, ()),
    "update_webhook": ("The webhook", before.WebhookUpdate, ("webhook_id",)),
}


def outcome(call: Callable[[], Any]) -> Any:
    """What is sent; or the problems by field and code."""
    try:
        return call()
    except InvalidRequest as error:
        return sorted((problem.field, problem.code) for problem in error.problems)


def plain(value: Any) -> Any:
    """JSON without the types of the objects in it."""
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@pytest.mark.slow
@pytest.mark.parametrize("name", BEFORE)
@given(data=st.data())
def test_a_call_sends_and_refuses_what_it_did(name: str, data: st.DataObject) -> None:
    values = data.draw(values_of(BEFORE[name][1]))

    def sent_now() -> Any:
        request: Request = getattr(arguments, name)(
            **{key: made(now, value) for key, value in values.items()}
        )
        request.arguments()
        return plain(request.body)

    assert outcome(sent_now) == outcome(lambda: plain(sent_before(name, values)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name", "function"),
    [
        ("PaymentInstruction", "payments", arguments.submit_payout),
        ("NewPayee", "payees", arguments.create_payees),
    ],
)
@given(data=st.data())
def test_request_objects_are_sent_and_refused_as_they_were(
    kind: str, name: str, function: Callable[..., Request], data: st.DataObject
) -> None:
    values = data.draw(values_of(getattr(before, kind)))

    def sent_before_() -> Any:
        part = made(before, (kind, values))
        with before.Validation("The call") as validation:
            validation.requests(name, [part], getattr(before, kind))
        return {**plain(part.to_model()), "type": None}

    def sent_now() -> Any:
        part = made(now, (kind, values))
        others = {"payor_id": "p-1"} if kind == "NewPayee" else {}
        request = function(**{name: [part], **others})
        request.arguments()
        return {**plain(request.body[name][0]), "type": None}

    assert outcome(sent_now) == outcome(sent_before_)
