"""What each operation of Velo is, for the attempt loop: its table, and the format of errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import httpx

from victor_ext.books import in_major_units
from victor_ext.errors import Outcome, Problem, UnreadableResponse
from victor_ext.flows import following
from victor_ext.ids import reference_of
from victor_ext.privacy import (
    PrivateTexts,
    mask_digits,
    one_line,
    redact_code,
    redact_excerpt,
    texts_within,
)
from victor_ext.runtime.client.records import sent_by
from victor_ext.runtime.core import comparing
from victor_ext.runtime.core.comparing import Comparer, Likeness
from victor_ext.runtime.core.json_values import (
    NOT_JSON,
    is_object,
    json_of,
    list_or_empty,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop.behaviour import Behaviour
from victor_ext.runtime.loop.evidence import (
    Evidence,
    ListPage,
    Members,
    Problems,
    document_complaint,
    reports_error,
)
from victor_ext.runtime.loop.idempotency_keys import NoKey
from victor_ext.runtime.loop.operations import (
    AN_OBJECT,
    TOKEN,
    AskedPayment,
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
from victor_ext.runtime.loop.resending import asked_url

from .checks import day_around

TOKEN_PATH = "/v1/authenticate"  # noqa: S105 - a path, not a secret

# With a digit: Velo's ids are UUIDs, and what has none is a word of a path (`/v3/payouts`, a
# proxy's `/login`).
_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def created_id(response: Any) -> str | None:
    """The id of what was made: the last part of the address in `Location`, or None."""
    location = str(response.headers.get("location", "")).partition("?")[0].partition("#")[0]
    last = location.rstrip("/").rpartition("/")[2]
    return last if _ID.fullmatch(last) else None


def batch_id(response: Any) -> str | None:
    """The id of a batch of payees, in the body or else at the end of `Location`.

    None when it is in neither.
    """
    stated = text_or_empty(object_of(response).get("batchId"))
    return stated if _ID.fullmatch(stated) else created_id(response)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What Velo says of work that it has accepted and not finished (status 202).

    Attributes:
        id: The id of what is being made: the last part of `location`.
        location: Its address, as Velo wrote it.
        retry_after: Seconds to wait before it is read, if Velo says so.
    """

    id: str
    location: str
    retry_after: float | None = None

    @classmethod
    def of(cls, response: Any) -> Receipt:
        """Read the headers of a response.

        Raises `UnreadableResponse` when they do not say what was accepted.
        """
        made = created_id(response)
        # of an operation without a row, such as one that a newer document has moved
        if made is None:
            message = "Velo accepted the request, but the response has no id."
            raise UnreadableResponse(message, outcome=Outcome.ACCEPTED)
        wait = re.fullmatch("[0-9]{1,6}", response.headers.get("retry-after", ""))
        return cls(made, response.headers["location"], float(wait[0]) if wait else None)


def _checked(own: Evidence) -> Evidence:
    """Evidence without a problem in the body, in which neither `own` nor the document misses
    anything.
    """

    def complaint(response: httpx.Response, problems: Problems) -> str | None:
        if problems(response):  # next to a page, it would be the end of a list
            return "its body reports an error"
        return own(response, problems) or document_complaint(response, problems)

    return complaint


def _made(what: str, id_of: Says = created_id) -> Evidence:
    why = f"it does not say which {what} it made (its Location has no id)"
    return _checked(lambda response, _: None if id_of(response) else why)


def _names_made(response: httpx.Response, read: str, id_of: Says = created_id) -> bool:
    """Whether a response names what it made, under any status.

    Its `Location` is the address of the read of that, at the provider; or a batch has its id in the
    body. A redirect, a page of HTML and a body with errors name nothing.
    """
    is_page = json_of(response) is NOT_JSON and bool(response.content)
    if is_page or response.is_redirect or read_problems(response) or reports_error(response):
        return False
    id = id_of(response)
    return id is not None and (id != created_id(response) or _is_address(response, read))


def _is_address(response: httpx.Response, read: str) -> bool:
    """Whether `Location` is at the provider, and below the path of this read.

    Other versions of Velo have another number at the beginning of that path.
    """
    asked = asked_url(response.request)
    try:
        address = asked.join(response.headers.get("location", ""))
    except httpx.InvalidURL:
        return False
    base = _VERSION.split(asked.path, maxsplit=1)[0]
    path = address.path.removeprefix(base).rstrip("/")
    version = _VERSION.match(path)
    above = path[version.end() :].rpartition("/")[0] if version else ""
    return _origin(address) == _origin(asked) and above == read


_VERSION = re.compile("/v[0-9]+/")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _has(*names: str) -> Evidence:
    return _checked(Members(names, "its body has none of the expected members"))


def _no_csv(response: httpx.Response, _: Problems) -> str | None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return (
        None
        if kind in ("application/csv", "text/csv", "application/octet-stream")
        else "its body is not CSV"
    )


_OBJECT = _checked(AN_OBJECT)
_DONE = _checked(
    lambda response, problems: AN_OBJECT(response, problems) if response.content else None
)


_PAGE = ListPage(
    ("content",),
    lambda body: is_object(body.get("page")),
    "its body has no list in `content`",
)


def _read(evidence: Evidence = _OBJECT, repeats: RepeatsId | None = None) -> Operation:
    return Operation(effect=Effect.READS, evidence=evidence, id=repeats, is_empty=_PAGE.is_empty)


def _object(
    client_method: str, evidence: Evidence = _OBJECT, repeats: RepeatsId | None = None
) -> Operation:
    """One object, which this method of the client reads."""
    return replace(_read(evidence, repeats), client_method=client_method)


def _write(effect: Effect, look: str, evidence: Evidence = _DONE, **columns: Any) -> Operation:
    return Operation(
        effect=effect, evidence=evidence, look_up=look and f"with {look}", made=batch_id, **columns
    )


# Believed, what has none would be the end of a list.
_LIST = _read(_checked(_PAGE))
# Of requests that name people or accounts, or hold the header of a webhook.
_PRIVATE = Shown.UNSENT
SETS, MAKES, MOVES_MONEY = Effect.SETS, Effect.MAKES, Effect.MOVES_MONEY

# Reads that show that a write was done, although its response was lost.

PAID = frozenset({"COMPLETED", "INCOMPLETE", "CONFIRMED"})


@dataclass(frozen=True, slots=True)
class _Statuses:
    """What the status of a payout or payment says of a write that changes it; another one says
    nothing.

    Attributes:
        verb: What the write does, as in "cannot be withdrawn".
        before: It leads on from here. Velo answers a second one with a conflict, or it changes
            nothing.
        done: It was done: the status is kept, or goes on only.
        too_late: It is not done any more, unless one that is under way is.
        over: It can never be done.
    """

    verb: str
    before: frozenset[str]
    done: frozenset[str]
    too_late: frozenset[str]
    over: frozenset[str]


_ACCEPTED = frozenset({"ACCEPTED", "QUOTED"})

INSTRUCTION = _Statuses(
    "instructed",
    before=_ACCEPTED,
    done=PAID | {"INSTRUCTED"},
    too_late=frozenset(),
    over=frozenset({"REJECTED", "WITHDRAWN"}),
)
PAYOUT_WITHDRAWAL = _Statuses(
    "withdrawn",
    before=_ACCEPTED,
    done=frozenset({"WITHDRAWN"}),
    too_late=frozenset({"INSTRUCTED", "COMPLETED", "INCOMPLETE"}),
    over=frozenset({"REJECTED", "CONFIRMED"}),
)
PAYMENT_WITHDRAWAL = _Statuses(
    "withdrawn",
    before=frozenset({"ACCEPTED", "UNFUNDED"}),
    done=frozenset({"WITHDRAWN"}),
    too_late=frozenset(),
    over=frozenset({"REJECTED", "CONFIRMED", "RETURNED"}),
)


def _in_state(what: str, statuses: _Statuses) -> Proof:
    """The payout or payment that the path names is read: its status says it."""

    def find(client: Any, call: Any, _since: datetime, _given: Mapping[str, str]) -> Finding:
        record = yield partial(getattr(client, f"{what}s").get, call.ids[0])
        status = record.status
        if status in statuses.done:
            return Done(call.ids[0], status, sent_by(record), is_state=True)
        if status in statuses.over | statuses.too_late:
            why = f"The {what} cannot be {statuses.verb}, since it is {status}."
            return NotDone(why, is_over=status in statuses.over)
        is_now = f"The {what} is {one_line(status)}."
        return NotDone(is_now, can_be_sent=True) if status in statuses.before else is_now

    return Proof(find)


def _submitted(client: Any, call: Any, since: datetime, given: Mapping[str, str]) -> Finding:
    """The one payout with payments that were submitted since then, and have references that were
    sent, and no others: a payout that has a payment more was sent with it.
    """
    sent = _by_reference(object_or_empty(call.body).get("payments"))
    window = client.payments.list(
        given["payor_id"],
        submitted_from=day_around(since, -1),
        sort="submittedDateTime:asc",
        page_size=100,
    )
    payouts = _payouts_of((yield from _items(window)), sent.keys(), since)
    if isinstance(payouts, str):
        return payouts
    if len(payouts) != 1:
        return f"{len(payouts) or 'No'} payouts have payments with its references."
    ((payout_id, submitted_at),) = payouts.items()
    payout = yield partial(client.payouts.get, payout_id)
    listed = yield from _items(client.payouts.payments(payout.id))
    payments = {
        reference_of(payment.payor_payment_id): payment for payment in (*payout.rejected, *listed)
    }
    if payments.keys() != sent.keys():
        return f"Payout {payout.id} has other payments, too, or not all of them."
    memo = object_or_empty(call.body).get("payoutMemo")
    compared: dict[str, Likeness] = {}
    for reference, asked in sent.items():
        values = {"paymentMemo": memo, **asked}
        for name, is_like in _payment_compared(values, payments[reference]):
            compared[f"{name} of {reference}"] = is_like
    body = sent_by(payout)
    return Done(payout.id, payout.status, body, created_at=submitted_at, compared=compared)


def _payouts_of(
    payments: Sequence[Any], references: Collection[str], since: datetime
) -> dict[str, datetime] | str:
    """The payouts whose payments since then all have one of these references, with the time at
    which the first of those was submitted; a text says why it cannot be known.
    """
    submitted: dict[str, datetime] = {}
    with_others: set[str | None] = set()
    for payment in payments:
        payout_id, moment = payment.payout_id, payment.submitted_at
        if reference_of(payment.payor_payment_id) not in references:
            with_others.add(payout_id)
            continue
        if moment is None:
            return (
                f"Payment {payment.id} has one of its references, and does not say when it was "
                "submitted."
            )
        if moment >= since and payout_id:
            submitted[payout_id] = min(moment, submitted.get(payout_id, moment))
    alone = {id: moment for id, moment in submitted.items() if id not in with_others}
    if submitted and not alone:
        return f"Payout {' or '.join(submitted)} has other payments, too, or not all of them."
    return alone


_COMPARED: Mapping[str, tuple[Comparer, str]] = {
    "remoteId": (comparing.same_text, "remote_id"),
    "sourceAccountName": (comparing.same_text, "source_account_name"),
    "paymentMemo": (comparing.same_text, "memo"),
    "transmissionType": (comparing.same_word, "transmission_type"),
    "remoteSystemId": (comparing.same_text, "remote_system_id"),
}
"""How each text of a payment that was sent is compared, and with what of a payment in a payout.

Velo shows no metadata.
"""
_SAID_BY_ALL = frozenset({"remoteId", "sourceAccountName"})
"""A rejected payment says no more than these and its amount."""


def _payment_compared(sent: Mapping[str, Any], found: Any) -> Iterator[tuple[str, Likeness]]:
    """What a payment in a payout says of each value of one that was sent."""
    for name, (compare, field) in _COMPARED.items():
        if name not in sent and name != "paymentMemo":  # Velo chooses it
            continue
        own = "" if sent.get(name) is None else sent[name]
        is_like = comparing.likeness(compare, own, getattr(found, field, None))
        if is_like is not Likeness.UNSAID or name in _SAID_BY_ALL:
            yield name, is_like
    money = found.amount
    asked = (sent.get("amount"), sent.get("currency"))
    if money is None:
        yield "amount", Likeness.UNSAID
    else:
        is_same = (money.minor_units, money.currency) == asked
        yield "amount", Likeness.SAME if is_same else Likeness.OTHER


def _items(listed: Any) -> Generator[Callable[[], Any], Any, list[Any]]:
    pages = listed.pages()
    items: list[Any] = []
    while True:
        page = yield partial(following, pages)
        if page is None:
            return items
        items += page.items


def _by_reference(payments: object) -> dict[str, dict[str, Any]]:
    """The payments that a request has, by their references; without what has none."""
    found: dict[str, dict[str, Any]] = {}
    for payment in map(object_or_empty, list_or_empty(payments)):
        reference = reference_of(payment.get("payorPaymentId"))
        if reference:
            found[reference] = payment
    return found


def _named(request: httpx.Request) -> str:
    """The references of a payout; empty if a payment has none."""
    payments = object_of(request).get("payments")
    references = sorted(_by_reference(payments))
    return " ".join(references) if len(references) == len(list_or_empty(payments)) else ""


def _asked(request: httpx.Request) -> list[AskedPayment]:
    """The payments of a payout. Its id is not theirs."""
    payments = map(object_or_empty, list_or_empty(object_of(request).get("payments")))
    sent = [
        (payment.get("payorPaymentId"), payment.get("amount"), payment.get("currency"))
        for payment in payments
    ]
    return [
        AskedPayment(reference_of(reference) or None, amount, str(currency), has_id=False)
        for reference, minor, currency in sent
        if (amount := in_major_units(minor, currency)) is not None
    ]


_SUBMITTED = Proof(_submitted, needs=("payor_id",), subject=_named)
_INSTRUCTED = _in_state("payout", INSTRUCTION)
_PAYOUT_WITHDRAWN = _in_state("payout", PAYOUT_WITHDRAWAL)
_PAYMENT_WITHDRAWN = _in_state("payment", PAYMENT_WITHDRAWAL)

_FINAL = frozenset({"CONFIRMED", "REJECTED", "WITHDRAWN"})
"""Velo does not say in which order PAID follow each other: the other two may still become another.
"""
_UNTIL_PAID = Follow(lambda velo, _call, id: velo.payouts.get(id), _FINAL)
_UNTIL_ACCEPTED = Follow(
    lambda velo, _call, id: velo.payouts.get(id),
    _FINAL | PAID | {"ACCEPTED", "QUOTED", "INSTRUCTED"},
)
"""A payout that was submitted goes on by another write."""

# Behind the template that a method calls stand other versions of it, which only Velo's own document
# has.
OPERATIONS: Mapping[str, Operation] = {
    f"POST {TOKEN_PATH}": replace(TOKEN, evidence=_has("access_token")),
    "POST /v1/logout": _write(SETS, ""),
    "POST /v4/payees /v3/payees": _write(
        MAKES,
        "payees.list(payor_id, remote_id=...)",
        _made("batch of payees", batch_id),
        proves_work=partial(_names_made, read="payees/batch", id_of=batch_id),
        shown=_PRIVATE,
    ),
    "POST /v4/payees/{}/invite /v3/payees/{}/invite": _write(
        MAKES, "payees.invitations(payor_id, payee_id=...)", shown=_PRIVATE
    ),
    "POST /v4/payees/{}/payeeDetailsUpdate /v3/payees/{}/payeeDetailsUpdate"
    " /v4/payees/{}/remoteIdUpdate /v3/payees/{}/remoteIdUpdate": _write(
        SETS, "payees.get(payee_id)", shown=_PRIVATE
    ),
    "DELETE /v4/payees/{} /v3/payees/{}": _write(SETS, "payees.get(payee_id)"),
    "GET /v4/payees/{} /v3/payees/{}": _object("payees.get", repeats=RepeatsId("payee", "payeeId")),
    "GET /v4/payees/batch/{} /v3/payees/batch/{}": _object("payees.batch", _has("status")),
    "GET /v4/payees /v3/payees": _LIST,
    "GET /v4/payees/deltas /v3/payees/deltas": _LIST,
    "GET /v4/payees/payors/{}/invitationStatus /v3/payees/payors/{}/invitationStatus": _LIST,
    "POST /v3/sourceAccounts/{}/fundingRequest": _write(
        MOVES_MONEY,
        "fundings.changes(payor_id, since=...)",
        _made("funding"),
        proves_work=partial(_names_made, read="fundings"),
    ),
    "GET /v3/sourceAccounts/{} /v2/sourceAccounts/{}": _object(
        "source_accounts.get", repeats=RepeatsId("source account", "id")
    ),
    "GET /v3/sourceAccounts /v2/sourceAccounts": _LIST,
    "POST /v2/fundingAccounts": _write(
        MAKES,
        "funding_accounts.list(payor_id=...)",
        _made("account"),
        proves_work=partial(_names_made, read="fundingAccounts"),
        shown=_PRIVATE,
    ),
    "GET /v2/fundingAccounts/{}": _object(
        "funding_accounts.get", repeats=RepeatsId("funding account", "id")
    ),
    "GET /v2/fundingAccounts": _LIST,
    "GET /v1/fundings/{}": _object("fundings.get", repeats=RepeatsId("funding", "fundingId")),
    "GET /v4/paymentaudit/fundings /v1/paymentaudit/fundings": _LIST,
    "GET /v1/deltas/fundings": _LIST,
    "POST /v3/payouts": _write(
        MAKES,
        "payments.find(payor_payment_id, payor_id=..., since=...)",
        _made("payout"),
        proves_work=partial(_names_made, read="payouts"),
        proof=_SUBMITTED,
        payments=_asked,
        follow=_UNTIL_ACCEPTED,
    ),
    "POST /v3/payouts/{}/quote": _write(SETS, "payouts.get(payout_id)", _OBJECT),
    "POST /v3/payouts/{}": _write(
        MOVES_MONEY, "payouts.get(payout_id)", proof=_INSTRUCTED, follow=_UNTIL_PAID
    ),
    "DELETE /v3/payouts/{}": _write(MOVES_MONEY, "payouts.get(payout_id)", proof=_PAYOUT_WITHDRAWN),
    "POST /v3/payouts/{}/schedule": _write(MOVES_MONEY, "payouts.get(payout_id)"),
    "DELETE /v3/payouts/{}/schedule": _write(MOVES_MONEY, "payouts.get(payout_id)"),
    "GET /v3/payouts/{}": _object(
        "payouts.get", _has("payoutId", "status"), RepeatsId("payout", "payoutId")
    ),
    "GET /v3/payouts/{}/payments": _LIST,
    "GET /v4/paymentaudit/payouts /v3/paymentaudit/payouts": _LIST,
    "GET /v4/paymentaudit/payouts/{} /v3/paymentaudit/payouts/{}": _object(
        "payouts.history", _has("summary", "content")
    ),
    "GET /v4/paymentaudit/payoutStatistics /v1/paymentaudit/payoutStatistics": _object(
        "payouts.statistics", _has("thisMonthPayoutsCount", "thisMonthFailedPaymentsCount")
    ),
    "POST /v1/payments/{}/withdraw": _write(
        MOVES_MONEY, "payments.get(payment_id)", proof=_PAYMENT_WITHDRAWN
    ),
    "GET /v4/paymentaudit/payments/{} /v3/paymentaudit/payments/{}": _object(
        "payments.get", _has("paymentId", "status"), RepeatsId("payment", "paymentId")
    ),
    "GET /v4/paymentaudit/payments /v3/paymentaudit/payments": _LIST,
    "GET /v4/payments/deltas /v1/deltas/payments": _LIST,
    "GET /v4/paymentaudit/transactions /v3/paymentaudit/transactions": _read(_checked(_no_csv)),
    "POST /v1/webhooks": _write(
        MAKES,
        "webhooks.list(payor_id)",
        _made("webhook"),
        proves_work=partial(_names_made, read="webhooks"),
        shown=_PRIVATE,
    ),
    "POST /v1/webhooks/{}": _write(SETS, "webhooks.get(webhook_id)", shown=_PRIVATE),
    "POST /v1/webhooks/{}/ping": _write(SETS, "", _OBJECT),
    "GET /v1/webhooks/{}": _object(
        "webhooks.get", _has("id", "webhookUrl"), RepeatsId("webhook", "id")
    ),
    "GET /v1/webhooks": _LIST,
}


def behaviour_of(environment: str, base_url: httpx.URL, place: str) -> Behaviour:
    return Behaviour(
        name="Velo",
        environment=place,
        operations=Operations(OPERATIONS, base_url, NoKey()),
        problems=read_problems,
        # `correlationId` is what Velo's support asks for; a header may be that of a proxy.
        request_id_headers=(),
        request_id_in_body=correlation_id,
        authentication_hint=f"Environment {environment!r} was asked: check that key and secret "
        "were issued for it.",
    )


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """Velo's one error shape: `errors`, each with `errorCode`, `errorMessage` and the `location` of
    the mistake.

    Data of payees and accounts from the request is not repeated.
    """
    errors = list_or_empty(object_of(response).get("errors"))
    if not errors:
        return ()
    private = _private_texts(response.request)
    problems: list[Problem] = []
    for error in [object_or_empty(item) for item in errors if item]:
        where = mask_digits(text_or_empty(error.get("location")))
        code = private.hide(redact_code(error.get("errorCode")))
        message = redact_excerpt(private.hide(text_or_empty(error.get("errorMessage"))))
        problems.append(
            Problem(where, code, message or "Velo gave no message", provider_field=where or None)
        )
    return problems


def correlation_id(response: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(text_or_empty(object_of(response).get("correlationId"))) or None


_PUBLIC = frozenset(
    {
        "type",
        "payeeType",
        "categories",
        "remoteId",
        "payorId",
        "country",
        "countryCode",
        "currency",
        "language",
    }
)
_WORD = re.compile(r"[^\W_]+")


def _private_texts(request: httpx.Request) -> PrivateTexts:
    """The names, addresses and numbers in a request whose row does not show them, and each word of
    them: Velo names a payee by a part of the name, too.
    """
    row: Operation | None = request.extensions.get(OPERATION)
    if row is not None and row.shown is Shown.EVERYTHING:
        return PrivateTexts(())
    texts = [
        *texts_within(
            json_of(request), lambda place: place.rpartition(".")[2] in _PUBLIC, numbers=False
        )
    ]
    words = [word for text in texts for word in _WORD.findall(text)]
    return PrivateTexts([*texts, *words])
