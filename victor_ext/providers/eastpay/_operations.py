"""What each operation of the gateway is, for the attempt loop: the table (`operations_of`), and
`behaviour_of`, which has the table.

After them come the functions of the table's columns: the proof that a payment was made, and the
hints how a person looks for it.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import httpx
from eastpay_api.members import MEMBERS
from eastpay_api.operations import OPERATIONS as DOCUMENT

from victor_ext._privacy import one_line
from victor_ext._runtime.core import comparing
from victor_ext._runtime.core.comparing import moment_of
from victor_ext._runtime.core.json_values import object_of
from victor_ext._runtime.loop.evidence import Members
from victor_ext._runtime.loop.idempotency_keys import NoKeys
from victor_ext._runtime.loop.operations import (
    AskedPayment,
    Behaviour,
    Done,
    Effect,
    Finding,
    Follow,
    Operation,
    Operations,
    Proof,
    RepeatsId,
    Shown,
    id_in_path,
)
from victor_ext.money import from_wire

from ._responses import (
    PAGE,
    REPEATED,
    REPEATS,
    another_reference,
    code_in,
    form_of,
    is_id,
    is_result,
    may_be_result,
    names_checkout,
    names_payment,
    no_page,
    no_result,
    read_problems,
    reference_in,
    undecided,
)
from ._result_codes import ResultClass


def behaviour_of(base_url: httpx.URL, *, found_by_reference: bool) -> Behaviour:
    """The gateway's behaviour at one bank.

    No operation takes a key: no write that may have been done is repeated.
    """
    rows = operations_of(found_by_reference=found_by_reference)
    return Behaviour(
        name="EastPay",
        environment=str(base_url),
        operations=Operations(
            DOCUMENT, base_url, NoKeys(), rows, results=may_be_result, members=MEMBERS
        ),
        problems=read_problems,
        # "401 invalid authorization header provided", "403 invalid access token provided"
        refused_credentials=frozenset({401, 403}),
        authentication_hint=(
            "The token is fixed: check it in the bank's back office (account data, merchant or "
            "channel), and that it belongs to this host."
        ),
    )


_FOLLOW = Follow(
    lambda eastpay, _call, id: eastpay.payments.inquire(id),
    {ResultClass.SUCCEEDED.value, ResultClass.REJECTED.value},
    # The code of one result may change; its kind does not.
    lambda payment: payment.result.kind.value,
)


def operations_of(*, found_by_reference: bool) -> Mapping[str, Operation]:
    """The table of a gateway.

    Args:
        found_by_reference: Whether the bank says that its gateway answers `GET /v3/query`.
    """
    write = partial(Operation, shown=Shown.UNSENT, said=_code_of)
    proof = None
    if found_by_reference:
        proof = Proof(_find_made, subject=reference_in, finds_subject=True)
    payment = partial(
        write,
        effect=Effect.MOVES_MONEY,
        evidence=no_result,
        repeats=REPEATS,
        results=is_result,
        undecided=undecided,
        proves_work=names_payment,
        proof=proof,
        follow=_FOLLOW,
    )
    inquiry = partial(Operation, effect=Effect.READS, evidence=no_result, results=is_result)
    return {
        "POST /v3/payments": payment(
            payments=_asked_payments,
            look_up=partial(_payment_hint, found_by_reference=found_by_reference),
        ),
        "POST /v3/payments/{}": payment(look_up=_step_hint),
        "GET /v3/payments/{}": inquiry(
            # `POST /v3/payments` responds with this id, too: such a response could come late.
            id=RepeatsId("payment", "id", is_of_reads_alone=False),
        ),
        "GET /v3/query": Operation(
            effect=Effect.READS,
            evidence=no_page,
            items_of=PAGE.items_of,
            id=another_reference,
            not_found="This does not prove that there is none: a gateway without this inquiry "
            "responds with 404, too.",
        ),
        "POST /v3/checkouts": write(
            effect=Effect.MAKES,
            evidence=Members(
                ("id",), "its body has no checkout id that can be used", is_id, proof="id"
            ),
            proves_work=names_checkout,
            look_up=_checkout_hint,
        ),
        "GET /v3/checkouts/{}/payment": inquiry(),
    }


def _code_of(response: httpx.Response) -> str:
    return code_in(object_of(response)).code


def _asked_payments(request: httpx.Request) -> list[AskedPayment]:
    """The payment that a form asks for; none if the form has no amount or no currency."""
    form = dict(form_of(request))
    amount = from_wire(form.get("amount"))
    currency = form.get("currency")
    if amount is None or not currency:
        return []
    return [AskedPayment(reference_in(request) or None, f"{amount:f}", currency)]


def _find_made(client: Any, call: Any, since: datetime, _given: Mapping[str, str]) -> Finding:
    """Find what a call made: the only payment or step of the call's kind, with the call's
    reference, since the call may have been sent. A payment that was declined was made, too.
    """
    form = call.values
    payments = yield partial(client.payments.find, form["merchantTransactionId"])
    matches: list[Any] = []
    for payment in payments:
        is_of_its_kind = payment.payment_type in (form.get("paymentType"), "")
        created_at = moment_of(payment.timestamp)
        if is_of_its_kind and (created_at is None or created_at >= since):
            matches.append(payment)
    if len(matches) != 1:
        return (
            f"{len(matches) or 'No'} payments of its kind have its merchantTransactionId since it "
            "may have been sent."
        )
    (match,) = matches
    body = match.to_dict()
    return Done(
        match.id or None,
        match.result.code,
        body,
        created_at=moment_of(match.timestamp),
        compared=comparing.compared(REPEATED, form, body, _NEEDED_VALUES),
    )


_NEEDED_VALUES = ("paymentType", "amount", "currency", "merchantTransactionId")
"""The values of its form that a payment has to repeat, to be the one that was asked for. It may
leave out the others that are compared."""


# How a person looks for what a request may have made.


def _payment_hint(request: httpx.Request, *, found_by_reference: bool) -> str:
    reference = _shown_reference(request)
    method = "inquire(id) once its notification names the id"
    if found_by_reference and reference:
        method = f"find({reference!r})"
    return f"with payments.{method}, or {_office_hint(request)}"


def _step_hint(request: httpx.Request) -> str:
    payment_id = one_line(id_in_path(request))
    return f"with payments.inquire({payment_id!r}), or {_office_hint(request)}"


def _checkout_hint(request: httpx.Request) -> str:
    return f"{_office_hint(request)} (a checkout that no shopper saw lapses after 15 minutes)"


def _office_hint(request: httpx.Request) -> str:
    reference = _shown_reference(request)
    if not reference:
        return "in the bank's back office"
    return f"for merchantTransactionId {reference!r} in the bank's back office"


def _shown_reference(request: httpx.Request) -> str:
    """The merchant's own reference as it was sent, for a message; empty without one."""
    return one_line(dict(form_of(request)).get("merchantTransactionId", ""))
