"""What cannot be right is refused here, all of it at once, and nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.providers.velo.adapter import firm, pay, scripted
from victor_ext import InvalidRequest, UnreadableResponse
from victor_ext.providers import Money
from victor_ext.providers.velo import Address, Company, Individual, NewPayee, PaymentChannel, Receipt


def nothing_leaves(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.method} {request.url} was sent")


def nested() -> Any:
    """A list that no message can show."""
    items: list[Any] = []
    for _ in range(20_000):
        items = [items]
    return items


def refused(call: Any) -> dict[str, str]:
    """What was found wrong, by field."""
    with scripted(nothing_leaves)[0] as velo, pytest.raises(InvalidRequest) as caught:
        call(velo)
    return {problem.field: problem.code for problem in caught.value.problems}


REFERENCES = [" INV-1", "INV-1 ", "INV\n1", "INV\x001"]
"""Those that Velo may give back otherwise."""
NO_DAY_BEFORE_OR_AFTER = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
NAIVE: Any = datetime(2026, 3, 4)  # noqa: DTZ001 - what is to be refused
WRONG: list[tuple[Any, list[Any], dict[str, str]]] = [
    (
        lambda velo, each: velo.payouts.submit(each),
        [[], [pay(f"{n}") for n in range(2001)], "INV-1", None, pay(), {"a": 1}], {"payments": "length"},
    ),
    (
        lambda velo, each: velo.payouts.submit(each), [[pay("\xfc"), pay("b"), pay("u\u0308")]],
        {"payments[2].payor_payment_id": "repeated"},
    ),
    (lambda velo, each: velo.payouts.submit([pay("a"), each]), ["no payment"], {"payments[1]": "type"}),
    (lambda velo, each: velo.payouts.submit([pay(transmission_type=each, source_account_name=None)], memo=each), [5],
     {"payments[0].transmission_type": "type", "payments[0].source_account_name": "required", "memo": "type"}),
    (lambda velo, each: velo.payouts.submit([pay()], **each), [{"payout_to_payor_id": "p"}],
     {"payout_to_payor_id": "choice"}),
    (lambda velo, each: velo.payouts.submit([pay(memo=each)]), ["\ud800"], {"payments[0].memo": "characters"}),
    (
        lambda velo, each: velo.payouts.submit([pay(amount=Money(each, "USD"))]), [0, -1, 2**63],
        {"payments[0].amount": "range"},
    ),
    (lambda velo, each: velo.payments.list("p", source_amount_from=each, source_amount_to=5), [6], {
        "source_amount_to": "range"}),
    (lambda velo, each: velo.payouts.list("p", submitted_from=each, submitted_to="2026-03-04"),
     ["2026-03-05", date(2026, 3, 5)], {"submitted_to": "range"}),
    (lambda velo, each: velo.payments.find("INV-1", payor_id="p", since=each, until=each - timedelta(seconds=1)),
     [datetime(2026, 3, 4, tzinfo=UTC)], {"until": "range"}),
    (
        lambda velo, each: velo.payments.list("p", source_amount_from=each), [-1, 2**31, True, "1", 1.0],
        {"source_amount_from": "range"},
    ),
    (
        lambda velo, each: velo.payouts.audited_payments("p", source_amount_from=each), [-1, 2**31],
        {"source_amount_from": "range"},
    ),
    (
        lambda velo, each: velo.payouts.instruct("p-1", stop_if_rates_worse_by=each),
        [-1, 10**400, float("nan"), float("inf"), "1", True], {"stop_if_rates_worse_by": "range"},
    ),
    (lambda velo, each: velo.payouts.wait("p-1", until=each), [None, 5, True, "", (), [None]], {"until": "choice"}),
    (
        lambda velo, each: velo.funding_accounts.wait(each),
        [None, "fa-1", SimpleNamespace(id="fa-1")], {"receipt.id": "required"},
    ),
    (lambda velo, each: velo.funding_accounts.wait(each), [Receipt(nested(), "")], {"receipt.id": "type"}),
    (lambda velo, each: velo.payouts.submit([pay(each)]), REFERENCES, {"payments[0].payor_payment_id": "characters"}),
    (lambda velo, each: velo.payments.find(each, payor_id="p", since=datetime.now(UTC)), REFERENCES,
     {"payor_payment_id": "characters"}),
    (lambda velo, each: velo.webhooks.update("w", authorization_header=each),
     ["long-and-random\n7f3b", "lang-und-zufällig-7f3b"], {"authorization_header": "format"}),
    (lambda velo, each: velo.webhooks.update("w", categories=each), [["a", 5, ""]],
     {"categories[1]": "type", "categories[2]": "length"}),
    (lambda velo, each: velo.payments.find("INV-1", payor_id="p", since=each), NO_DAY_BEFORE_OR_AFTER,
     {"since": "range"}),
    (lambda velo, each: velo.payments.changes("p", since=each), NO_DAY_BEFORE_OR_AFTER, {"since": "range"}),
    (lambda velo, each: velo.payees.list("p", page_size=each, sort="a;b", email=""), [101],
     {"email": "length", "page_size": "range", "sort": "format"}),
    (lambda velo, each: velo.payments.changes("p", since=each, page_size=1001), [NAIVE],
     {"since": "naive", "page_size": "range"}),
    (lambda velo, each: velo.payments.list("p", submitted_from=each, submitted_to=datetime.now(UTC)), ["4.3.2026"],
     {"submitted_from": "type", "submitted_to": "type"}),
    (lambda velo, each: velo.payments.find("", payor_id="p", since=None, until=each), [NAIVE],
     {"payor_payment_id": "length", "since": "type", "until": "naive"}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "values", "problems"), WRONG)
def test_values_that_cannot_be(call: Any, values: list[Any], problems: dict[str, str]) -> None:
    for value in values:
        assert refused(lambda velo, value=value: call(velo, value)) == problems


def test_payees() -> None:
    address = Address(line1="", city="Somewhere", country="usa")
    channel = PaymentChannel(account_name="A", country_code="US", currency="USD", iban="GB33BUKB20201555555555",
                             account_number="123456")  # fmt: skip
    person = Individual(first_name="", last_name="B", date_of_birth="1970")
    wrong = NewPayee(remote_id="", email="x", address=address, individual=person, company=Company(name="ABC"),
                     payment_channel=channel)  # fmt: skip
    none: Any = NewPayee(remote_id="a", email="a@b", address=None, company="ABC")  # type: ignore[arg-type] # on purpose
    assert refused(lambda velo: velo.payees.create("p", [wrong, none])) == {
        "payees[0].remote_id": "length",
        "payees[0].email": "length",
        "payees[0]": "choice",
        "payees[0].address.line1": "length",
        "payees[0].address.country": "format",
        "payees[0].individual.first_name": "length",
        "payees[0].individual.date_of_birth": "type",
        "payees[0].payment_channel": "choice",
        "payees[1].address": "type",
        "payees[1].company": "type",
    }


@pytest.mark.parametrize("channel", [{}, {"account_number": "123456"}, {"routing_number": "123456789"}])
def test_a_channel_needs_one_kind_of_number(channel: Any) -> None:
    made = PaymentChannel(account_name="A", country_code="US", currency="USD", **channel)
    payee = replace(firm("a"), payment_channel=made)
    assert refused(lambda velo: velo.payees.create("p", [payee])) == {"payees[0].payment_channel": "choice"}


def test_a_receipt_without_an_id_is_unreadable_also_where_no_rule_knows_the_path() -> None:
    with pytest.raises(UnreadableResponse, match="the response has no id") as raised:
        Receipt.of(httpx.Response(202))
    assert raised.value.outcome == "accepted"


@pytest.mark.parametrize("born", ["20.05.1970", "1970-13-20"])
def test_a_date_of_birth_is_in_no_message(born: str) -> None:
    person = Individual(first_name="Ada", last_name="Lovelace", date_of_birth=born)
    payee = replace(firm("payee-7"), company=None, individual=person)
    with pytest.raises(InvalidRequest) as raised:
        scripted(httpx.Response(202))[0].payees.create("payor-1", [payee])
    assert born not in str(raised.value)
    assert born not in repr(raised.value.problems)
