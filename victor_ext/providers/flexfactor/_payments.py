"""`flexfactor.evaluate`, `capture` and `transmit`: declined transactions to be rescued, and what
follows.
"""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Any

from flexfactor_api.api.payments import capture, evaluate, transmit
from flexfactor_api.typed import arguments, methods, parts
from flexfactor_api.typed.parts import OrderItem

from victor_ext._privacy import is_sequence
from victor_ext._runtime.client.resources import Resource
from victor_ext._runtime.client.runners import OperationFlow, call, drop_none
from victor_ext._runtime.core import validation
from victor_ext._runtime.core.currencies import code_problem
from victor_ext.money import Money
from victor_ext.typed import Body, Query, Request

from ._checks import check_amount, checked_key, note_card_numbers
from ._records import Capture, Decision, Transmission
from ._system import Merchant


class Card(parts.Card):
    """The card, by a token that stands for its number. A card number in place of any of these is
    refused, unsent.
    """

    __slots__ = ()

    def check(self, check: validation.Validation, place: str) -> None:
        for member in fields_of(self):
            value = getattr(self, member.name)
            note_card_numbers(check, f"{place}.{member.name}", value, about_a_card=True)


_PLACES = {"amount": "transaction.amount", "items": "orderItems"}
"""Where the arguments stand that code by hand sends."""


def _arguments_of(
    check: Query, request: Request, merchant: Merchant, **members: Any
) -> dict[str, Any]:
    """The arguments of `evaluate` or `transmit`, with `members` of the body that no argument sets.

    Raises `InvalidRequest` with all problems.
    """
    amount = request.by_hand["amount"]
    check.problems += request.check.problems
    check_amount(check, amount)
    items = _items_of(check, request.by_hand["items"], amount)
    note_card_numbers(check, "extra_body", request.by_hand["extra_body"])
    check.finish()
    body = request.body
    body["transaction"]["amount"] = amount.minor_units  # cents
    body["transaction"]["currency"] = amount.currency
    body |= drop_none(mid=merchant.mid, siteId=merchant.site_id, **members)
    if items:
        body["orderItems"] = items
    request.places = {**request.places, **_PLACES}
    return request.arguments()


def _items_of(check: Query, items: Any, amount: object) -> list[Body | None]:
    """The lines of an order, checked; their amounts are in the currency of the transaction."""
    if items is None:
        return []
    currency = getattr(amount, "currency", None)
    for place, item in enumerate(items if is_sequence(items) else ()):
        for name in ("amount", "discount", "tax"):
            value = getattr(item, name, None)
            field = f"items[{place}].{name}"
            if not isinstance(value, Money) or code_problem(
                field, value.currency, value.own_decimals
            ):
                continue  # what is wrong with the value itself is noted with the items
            if value.currency != currency:
                message = f"{field} is in {value.currency}, and the transaction is not."
                check.note(field, "currency", message)
    return check.parts("items", items, OrderItem, arguments.PACKAGE.parts["OrderItem"])


class _TransactionFlows(Resource):
    """The flows behind the generated methods."""

    def _evaluate(self, request: Request) -> OperationFlow[Decision]:
        check = Query("evaluate")
        key = checked_key(check, request)
        # Only a transaction that was declined elsewhere is evaluated.
        fixed = {"isDeclined": True, "idempotencyKey": key}
        arguments = _arguments_of(check, request, self._shared.context, **fixed)
        json = yield from call(evaluate, **arguments)
        return Decision(json, idempotency_key=key)

    def _capture(self, request: Request) -> OperationFlow[Capture]:
        amount = request.by_hand["amount"]
        with Query("capture") as check:
            check.problems += request.check.problems
            check_amount(check, amount)
            key = checked_key(check, request)
        body = Body(
            idempotencyKey=key,
            **request.body,
            amount=amount.minor_units,  # cents
            currency=amount.currency,
        )
        json = yield from call(capture, body=body)
        return Capture(json, order_id=request.body["orderId"], amount=amount, idempotency_key=key)

    def _transmit(self, request: Request) -> OperationFlow[Transmission]:
        check = Query("transmit")
        arguments = _arguments_of(check, request, self._shared.context)
        return Transmission((yield from call(transmit, **arguments)))


class Payments(methods.Payments[Decision, Capture, Transmission], _TransactionFlows):
    """Transactions. The client offers these operations as its own.

    A method raises `InvalidRequest` before anything is sent if an argument cannot be right, and
    else `VictorError`: its `outcome` says whether the card may have been charged.
    """


class AsyncPayments(methods.AsyncPayments[Decision, Capture, Transmission], _TransactionFlows):
    """The same operations, awaited."""
