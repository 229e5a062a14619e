"""What each operation of Velo is, for the attempt loop: the table (`OPERATIONS`), and
`behaviour_of`, which has the table.

Before the table come the ids in responses (`created_id`), the evidence of success, the
makers of rows, and the statuses of payouts and payments (`INSTRUCTION`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import httpx
from velo_api.members import MEMBERS
from velo_api.operations import OPERATIONS as DOCUMENT

from victor_ext._privacy import one_line
from victor_ext._runtime.client.records import sent_by
from victor_ext._runtime.core.json_values import (
    is_object,
    list_or_empty,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext._runtime.loop.evidence import (
    Evidence,
    ListPage,
    Problems,
    document_complaint,
)
from victor_ext._runtime.loop.idempotency_keys import NoKeys
from victor_ext._runtime.loop.operations import (
    AN_OBJECT,
    TOKEN,
    AskedPayment,
    Behaviour,
    Done,
    Effect,
    Finding,
    Follow,
    NotDone,
    Operation,
    Operations,
    Proof,
    RepeatsId,
    Says,
    Shown,
)
from victor_ext._values.ids import reference_of
from victor_ext.providers._books import in_major_units

from ._problems import correlation_id, read_problems
from ._proofs import SUBMITTED

TOKEN_PATH = "/v1/authenticate"  # noqa: S105 - a path, not a secret

# An id has a digit: Velo's ids are UUIDs, and a text without a digit is a word of a path
# (`/v3/payouts`, a proxy's `/login`).
_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def created_id(response: Any) -> str | None:
    """The id of what was made: the last part of the address in `Location`; None: that is no id."""
    location = str(response.headers.get("location", "")).partition("?")[0].partition("#")[0]
    last = location.rstrip("/").rpartition("/")[2]
    return last if _ID.fullmatch(last) else None


def batch_id(response: Any) -> str | None:
    """The id of a batch of payees, in the body or else at the end of `Location`; None: it is in
    neither.
    """
    return text_or_empty(object_of(response).get("batchId")) or created_id(response)


_PAGE = ListPage(
    ("content",),
    lambda body: is_object(body.get("page")),
    "its body has no list in `content`",
)
# A body without a page would be taken for the end of a list.
_LIST = Operation(effect=Effect.READS, evidence=_PAGE, items_of=_PAGE.items_of)


def _read(what: str, id: str) -> Operation:
    """The row of a read of one object, `what` in messages, whose member `id` has its id."""
    return Operation(effect=Effect.READS, id=RepeatsId(what, id))


def _has_worked(response: httpx.Response, problems: Problems) -> str | None:
    """Why a good response to a write is neither empty nor what the document declares, or None."""
    is_other = AN_OBJECT(response, problems) if response.content else None
    return is_other or document_complaint(response, problems)


def _write(
    effect: Effect, look_up: str, evidence: Evidence = _has_worked, **columns: Any
) -> Operation:
    """The row of a write; `look_up` is the method that shows what became of it."""
    return Operation(effect=effect, look_up=f"with {look_up}", evidence=evidence, **columns)


def _create(
    effect: Effect, look_up: str, what: str, id_of: Says = created_id, **columns: Any
) -> Operation:
    """The row of a write that makes something, `what` in messages: a response has its id."""

    def complaint(response: httpx.Response, problems: Problems) -> str | None:
        if problems(response):
            return "its body reports an error"
        return None if id_of(response) else f"it does not say which {what} it made"

    def has_id(response: httpx.Response) -> bool:
        return id_of(response) is not None

    return _write(effect, look_up, complaint, made=id_of, proves_work=has_id, **columns)


# For requests that name people or accounts.
_PRIVATE = Shown.UNSENT
SETS = Effect.SETS
MAKES = Effect.MAKES
MOVES_MONEY = Effect.MOVES_MONEY

# The statuses of payouts and payments show that a write was done, although its response was lost.

PAID = frozenset({"COMPLETED", "INCOMPLETE", "CONFIRMED"})


@dataclass(frozen=True, slots=True)
class _Statuses:
    """What the status of a payout or payment says of a write that changes the status. A status in
    none of these sets says nothing.

    Attributes:
        before: The write can be done. To do it twice is safe: Velo answers the second with a
            conflict, or it changes nothing.
        done: The write was done. The status stays, or only goes on.
        over: The write can never be done.
    """

    before: frozenset[str]
    done: frozenset[str]
    over: frozenset[str]


_ACCEPTED = frozenset({"ACCEPTED", "QUOTED"})

INSTRUCTION = _Statuses(
    before=_ACCEPTED,
    done=PAID | {"INSTRUCTED"},
    over=frozenset({"REJECTED", "WITHDRAWN"}),
)
PAYOUT_WITHDRAWAL = _Statuses(
    before=_ACCEPTED,
    done=frozenset({"WITHDRAWN"}),
    over=frozenset({"REJECTED", "CONFIRMED"}),
)
PAYMENT_WITHDRAWAL = _Statuses(
    before=frozenset({"ACCEPTED", "UNFUNDED"}),
    done=frozenset({"WITHDRAWN"}),
    over=frozenset({"REJECTED", "CONFIRMED", "RETURNED"}),
)


def _proof_by_status(what: str, statuses: _Statuses) -> Proof:
    """The read of the payout or payment that the path of a write names: its status shows whether
    the write was done. `what` is `payout` or `payment`.
    """

    def find(client: Any, call: Any, _since: datetime, _given: Mapping[str, str]) -> Finding:
        record = yield partial(getattr(client, f"{what}s").get, call.ids[0])
        status = record.status
        if status in statuses.done:
            return Done(call.ids[0], status, sent_by(record), is_state=True)
        why = f"The {what} is {one_line(status)}."
        if status in statuses.over:
            return NotDone(why, is_over=True)
        return NotDone(why, can_be_sent=True) if status in statuses.before else why

    return Proof(find)


def _asked_payments(request: httpx.Request) -> list[AskedPayment]:
    """The payments that a payout asks for. The id of the response is the payout's, not theirs."""
    asked: list[AskedPayment] = []
    for payment in map(object_or_empty, list_or_empty(object_of(request).get("payments"))):
        currency = payment.get("currency")
        amount = in_major_units(payment.get("amount"), currency)
        if amount is not None:
            reference = reference_of(payment.get("payorPaymentId")) or None
            asked.append(AskedPayment(reference, amount, str(currency), has_id=False))
    return asked


_FINAL = frozenset({"CONFIRMED", "REJECTED", "WITHDRAWN"})
"""The statuses of a payout after which no other comes. Velo does not say in which order the
statuses in `PAID` follow each other, so that only `CONFIRMED` of these is final.
"""
_UNTIL_PAID = Follow(lambda velo, _call, id: velo.payouts.get(id), _FINAL)
_UNTIL_ACCEPTED = Follow(
    lambda velo, _call, id: velo.payouts.get(id),
    _FINAL | PAID | {"ACCEPTED", "QUOTED", "INSTRUCTED"},
)
"""A payout that was submitted is followed until it is accepted: another write leads it on."""

OPERATIONS: Mapping[str, Operation] = {
    f"POST {TOKEN_PATH}": TOKEN,
    "POST /v4/payees": _create(
        MAKES,
        "payees.list(payor_id, remote_id=...)",
        "batch of payees",
        id_of=batch_id,
        shown=_PRIVATE,
    ),
    "POST /v4/payees/{}/payeeDetailsUpdate": _write(SETS, "payees.get(payee_id)", shown=_PRIVATE),
    "DELETE /v4/payees/{}": _write(SETS, "payees.get(payee_id)"),
    "GET /v4/payees/{}": _read("payee", "payeeId"),
    "GET /v4/payees/batch/{}": Operation(effect=Effect.READS),
    "GET /v4/payees": _LIST,
    "POST /v3/sourceAccounts/{}/fundingRequest": _create(
        MOVES_MONEY, "fundings.changes(payor_id, since=...)", "funding"
    ),
    "GET /v3/sourceAccounts/{}": _read("source account", "id"),
    "GET /v3/sourceAccounts": _LIST,
    "GET /v2/fundingAccounts": _LIST,
    "GET /v1/fundings/{}": _read("funding", "fundingId"),
    "GET /v1/deltas/fundings": _LIST,
    "POST /v3/payouts": _create(
        MAKES,
        "payments.find(payor_payment_id, payor_id=..., since=...)",
        "payout",
        proof=SUBMITTED,
        payments=_asked_payments,
        follow=_UNTIL_ACCEPTED,
    ),
    "POST /v3/payouts/{}/quote": _write(SETS, "payouts.get(payout_id)"),
    "POST /v3/payouts/{}": _write(
        MOVES_MONEY,
        "payouts.get(payout_id)",
        proof=_proof_by_status("payout", INSTRUCTION),
        follow=_UNTIL_PAID,
    ),
    "DELETE /v3/payouts/{}": _write(
        MOVES_MONEY, "payouts.get(payout_id)", proof=_proof_by_status("payout", PAYOUT_WITHDRAWAL)
    ),
    "GET /v3/payouts/{}": _read("payout", "payoutId"),
    "GET /v3/payouts/{}/payments": _LIST,
    "GET /v4/paymentaudit/payouts": _LIST,
    "GET /v4/paymentaudit/payouts/{}": _LIST,
    "POST /v1/payments/{}/withdraw": _write(
        MOVES_MONEY,
        "payments.get(payment_id)",
        proof=_proof_by_status("payment", PAYMENT_WITHDRAWAL),
    ),
    "GET /v4/paymentaudit/payments/{}": _read("payment", "paymentId"),
    "GET /v4/paymentaudit/payments": _LIST,
}


def behaviour_of(environment: str, base_url: httpx.URL, place: str) -> Behaviour:
    """Velo's behaviour in an environment; `place` is how messages name it."""
    return Behaviour(
        name="Velo",
        environment=place,
        operations=Operations(DOCUMENT, base_url, NoKeys(), OPERATIONS, members=MEMBERS),
        problems=read_problems,
        # `correlationId` is what Velo's support asks for; a header may be that of a proxy.
        request_id_headers=(),
        request_id_in_body=correlation_id,
        authentication_hint=f"Environment {environment!r} was asked: check that key and secret "
        "were issued for it.",
    )
