"""What each operation of the gateway is, for the attempt loop: `OPERATIONS`, the table, and
`behaviour_of`, which has the table.

Before the table come the functions of its columns: the payment that a form asks for, and the hints
how a person looks for it.
"""

from collections.abc import Mapping
from functools import partial

import httpx
from eastpay_api.members import MEMBERS
from eastpay_api.operations import OPERATIONS as DOCUMENT

from victor_ext._privacy import one_line
from victor_ext._runtime.core.json_values import object_of
from victor_ext._runtime.loop.evidence import Members
from victor_ext._runtime.loop.idempotency_keys import NoKeys
from victor_ext._runtime.loop.operations import (
    AskedPayment,
    Behaviour,
    Effect,
    Follow,
    Operation,
    Operations,
    RepeatsId,
    Shown,
    id_in_path,
)
from victor_ext._values.ids import reference_of
from victor_ext.money import from_wire

from ._responses import (
    REPEATS,
    code_in,
    form_of,
    is_id,
    is_result,
    names_checkout,
    names_payment,
    no_result,
    read_problems,
    undecided,
)
from ._result_codes import ResultClass


def _asked_payments(request: httpx.Request) -> list[AskedPayment]:
    """The payment that a form asks for; none if the form has no amount or no currency."""
    form = form_of(request)
    amount = from_wire(form.get("amount"))
    currency = form.get("currency")
    if amount is None or not currency:
        return []
    reference = reference_of(form.get("merchantTransactionId"))
    return [AskedPayment(reference or None, f"{amount:f}", currency)]


# How a person looks for what a request may have made.


def _payment_hint(request: httpx.Request) -> str:
    by_id = "with payments.inquire(id) once its notification names the id"
    return f"{by_id}, or {_office_hint(request)}"


def _step_hint(request: httpx.Request) -> str:
    payment_id = one_line(id_in_path(request))
    return f"with payments.inquire({payment_id!r}), or {_office_hint(request)}"


def _checkout_hint(request: httpx.Request) -> str:
    return f"{_office_hint(request)} (a checkout that no shopper saw lapses after 15 minutes)"


def _office_hint(request: httpx.Request) -> str:
    reference = one_line(form_of(request).get("merchantTransactionId", ""))
    named = f"for merchantTransactionId {reference!r} " if reference else ""
    return f"{named}in the bank's back office"


_FOLLOW = Follow(
    lambda eastpay, _call, id: eastpay.payments.inquire(id),
    {ResultClass.SUCCEEDED.value, ResultClass.REJECTED.value},
    # The code of one result may change; its kind does not.
    lambda payment: payment.result.kind.value,
)
_write = partial(
    Operation, shown=Shown.UNSENT, said=lambda response: code_in(object_of(response)).code
)
_payment = partial(
    _write,
    effect=Effect.MOVES_MONEY,
    evidence=no_result,
    repeats=REPEATS,
    results=is_result,
    undecided=undecided,
    proves_work=names_payment,
    follow=_FOLLOW,
)
_inquiry = partial(Operation, effect=Effect.READS, evidence=no_result, results=is_result)
OPERATIONS: Mapping[str, Operation] = {
    "POST /v3/payments": _payment(payments=_asked_payments, look_up=_payment_hint),
    "POST /v3/payments/{}": _payment(look_up=_step_hint),
    "GET /v3/payments/{}": _inquiry(
        # `POST /v3/payments` responds with this id, too: such a response could come late.
        id=RepeatsId("payment", "id", is_of_reads_alone=False),
    ),
    "POST /v3/checkouts": _write(
        effect=Effect.MAKES,
        evidence=Members(
            ("id",), "its body has no checkout id that can be used", is_id, proof="id"
        ),
        proves_work=names_checkout,
        look_up=_checkout_hint,
    ),
    "GET /v3/checkouts/{}/payment": _inquiry(),
}
"""The operations of a gateway. None takes a key."""


def behaviour_of(base_url: httpx.URL) -> Behaviour:
    """The gateway's behaviour at one bank.

    No operation takes a key: no write that may have been done is repeated.
    """
    return Behaviour(
        name="EastPay",
        environment=str(base_url),
        operations=Operations(
            DOCUMENT, base_url, NoKeys(), OPERATIONS, results=is_result, members=MEMBERS
        ),
        problems=read_problems,
        # "401 invalid authorization header provided", "403 invalid access token provided"
        refused_credentials=frozenset({401, 403}),
        authentication_hint=(
            "The token is fixed: check it in the bank's back office (account data, merchant or "
            "channel), and that it belongs to this host."
        ),
    )
