"""What the runtime needs to know of Velo: its errors, its good responses, and what to read after a lost response."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import httpx

from victor_ext.errors import Conflict, Outcome, Problem, VictorError
from victor_ext.ids import is_same_id
from victor_ext.privacy import HIDDEN, SHORTEST, mask_digits, one_line, redact_code, redact_excerpt, texts_within
from victor_ext.runtime.client.documented import document_complaint, is_generated
from victor_ext.runtime.core.json_values import (
    json_of,
    list_or_empty,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.loop.profile import Profile

from .auth import TOKEN_PATH
from .settings import ENVIRONMENTS

_NO_MESSAGE = "Velo gave no message"
# With a digit: Velo's ids are UUIDs, and what has none is a word of a path (`/v3/payouts`, a proxy's `/login`).
_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def profile_of(environment: str, base_url: httpx.URL) -> Profile:
    """Velo's profile in one of its environments; messages name the URL where it is not the environment's."""
    elsewhere = "" if base_url == httpx.URL(ENVIRONMENTS[environment]) else f", {base_url}"
    return Profile(
        name="Velo",
        environment=f"{environment}{elsewhere}",
        problems=read_problems,
        unreadable=unreadable,
        mismatch=mismatch,
        may_quote_body=lambda response: not _names_people(response.request),
        recovery_hint=recovery_hint,
        # `correlationId` is what Velo's support asks for; a header may be that of a proxy.
        request_id_headers=(),
        request_id_in_body=correlation_id,
        authentication_hint=(
            f"Environment {environment!r} was asked: check that key and secret were issued for it. A token that was "
            "revoked meanwhile has been replaced once already."
        ),
    )


# Errors.


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """Velo's one error shape: `errors`, each with `errorCode`, `errorMessage` and the `location` of the mistake.

    Data of payees and accounts from the request is not repeated.
    """
    errors = list_or_empty(object_of(response).get("errors"))
    if not errors:
        return ()
    hide = _hider(response.request)
    return tuple(_problem(object_or_empty(item), hide) for item in errors if item)


def _problem(error: dict[str, Any], hide: Callable[[str], str]) -> Problem:
    where = mask_digits(text_or_empty(error.get("location")))
    return Problem(
        field=where,
        code=hide(redact_code(error.get("errorCode"))),
        message=redact_excerpt(hide(text_or_empty(error.get("errorMessage")))) or _NO_MESSAGE,
        provider_field=where or None,
    )


def correlation_id(response: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(text_or_empty(object_of(response).get("correlationId"))) or None


# Private data of a request, which a response may repeat.


_NAMES_PEOPLE = re.compile(r"/v4/payees|/v2/fundingAccounts|/v1/webhooks")
"""Requests that name people or accounts, or hold the header of a webhook."""
_PUBLIC = frozenset(
    {"type", "payeeType", "categories", "remoteId", "payorId", "country", "countryCode", "currency", "language"}
)
_WORD = re.compile(rf"[^\W_]{{{SHORTEST},}}")


def _names_people(request: httpx.Request) -> bool:
    """Whether a request names payees or accounts: then no message quotes the start of the response's body."""
    return request.method == "POST" and _NAMES_PEOPLE.search(request.url.path) is not None


def _hider(request: httpx.Request) -> Callable[[str], str]:
    """Replaces in a text the words of the names, addresses and numbers in the request."""
    if not _names_people(request):
        return lambda text: text
    # Word by word, because a request may name 2,000 payees and the response may complain of each.
    texts = texts_within(json_of(request), lambda place: place.rpartition(".")[2] in _PUBLIC)
    words = {word.casefold() for text in texts for word in _WORD.findall(text)}
    return lambda text: _WORD.sub(lambda match: HIDDEN if match[0].casefold() in words else match[0], text)


# Good responses. What matters is what a request asks for: the first pattern that fits its method and path.


_ASKS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("POST", re.compile(re.escape(TOKEN_PATH)), "token"),
    ("POST", re.compile(r"/v3/payouts/[^/]+/quote"), "quote"),
    ("POST", re.compile(r"/v3/payouts"), "new payout"),
    ("POST", re.compile(r"/v4/payees"), "new batch of payees"),
    ("POST", re.compile(r"/v2/fundingAccounts"), "new account"),
    ("POST", re.compile(r"/v3/sourceAccounts/[^/]+/fundingRequest"), "new funding"),
    ("POST", re.compile(r"/v1/webhooks/[^/]+/ping"), "ping"),
    ("POST", re.compile(r"/v1/webhooks"), "new webhook"),
    ("GET", re.compile(r"/v3/payouts/[^/]+"), "payout"),
    ("GET", re.compile(r"/v4/paymentaudit/payments/[^/]+"), "payment"),
    ("GET", re.compile(r"/v4/paymentaudit/payouts/[^/]+"), "history"),
    ("GET", re.compile(r"/v4/paymentaudit/payoutStatistics"), "statistics"),
    ("GET", re.compile(r"/v4/paymentaudit/transactions"), "export"),
    ("GET", re.compile(r"/v1/webhooks/[^/]+"), "webhook"),
    ("GET", re.compile(r"/v4/payees/batch/[^/]+"), "batch"),
    ("GET", re.compile(r"/v[34]/(payees|sourceAccounts|payments)(/deltas)?"), "page"),
    ("GET", re.compile(r"/v2/fundingAccounts|/v1/deltas/fundings"), "page"),
    ("GET", re.compile(r"/v3/payouts/[^/]+/payments|/v4/paymentaudit/(payments|payouts|fundings)"), "page"),
    ("GET", re.compile(r"/v4/payees/payors/[^/]+/invitationStatus|/v1/webhooks"), "page"),
)

_EVIDENCE: dict[str, tuple[str, ...]] = {
    "token": ("access_token",),
    "page": ("content", "page"),
    "payout": ("payoutId", "status"),
    "batch": ("status",),
    "quote": (),
    "payment": ("paymentId", "status"),
    "history": ("summary", "content", "page"),
    "statistics": ("thisMonthPayoutsCount", "thisMonthFailedPaymentsCount"),
    "webhook": ("id", "webhookUrl"),
    "ping": (),
}
"""The members of which a response has at least one, by what was asked for. A quote and a ping may be
empty."""

_WRAPPED = frozenset({
    "authenticate", "logout", "create_payees", "get_payee", "get_payee_batch", "list_payee_changes", "list_payees",
    "delete_payee", "update_payee", "update_payee_remote_id", "invite_payee", "list_payee_invitations",
    "create_funding_account", "get_funding", "get_funding_account", "list_funding_accounts", "list_funding_changes",
    "list_fundings", "list_payment_changes", "list_payments", "get_payment", "withdraw_payment",
    "export_transactions", "list_payouts", "get_payout_history", "get_payout_statistics", "get_payout",
    "instruct_payout", "list_payout_payments", "quote_payout", "submit_payout", "withdraw_payout",
    "get_source_account", "list_source_accounts", "request_funding", "create_webhook", "get_webhook",
    "list_webhooks", "ping_webhook", "update_webhook",
})  # fmt: skip
"""The operations, by the names of their generated modules, that the rules of this module are for."""

_LOOK: dict[str, str] = {
    "new payout": "with payments.find(payor_payment_id, payor_id=..., since=...)",
    "new batch of payees": "with payees.list(payor_id, remote_id=...)",
    "new funding": "with fundings.changes(payor_id, since=...)",
    "new account": "with funding_accounts.list(payor_id=...)",
    "new webhook": "with webhooks.list(payor_id)",
}
"""How to find what a request made, when its response was lost."""

_READ: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v3/payouts/.+"), "with payouts.get(payout_id)"),
    (re.compile(r"/v4/payees/[^/]+/invite"), "with payees.invitations(payor_id, payee_id=...)"),
    (re.compile(r"/v4/payees/[^/]+(/payeeDetailsUpdate|/remoteIdUpdate)?"), "with payees.get(payee_id)"),
    (re.compile(r"/v1/payments/[^/]+/withdraw"), "with payments.get(payment_id)"),
    (re.compile(r"/v1/webhooks/[^/]+"), "with webhooks.get(webhook_id)"),
)
"""How to read what a request changes."""

_NOT_JSON = frozenset({"application/csv", "text/csv", "application/octet-stream"})
"""Content types of Velo's exports."""

_OWN_IDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v3/payouts/([^/]+)"), "payoutId"),
    (re.compile(r"/v[34]/payees/(?!deltas$)([^/]+)"), "payeeId"),
    (re.compile(r"/v[123]/sourceAccounts/([^/]+)|/v[12]/fundingAccounts/([^/]+)"), "id"),
    (re.compile(r"/v1/fundings/([^/]+)"), "fundingId"),
    (re.compile(r"/v[34]/paymentaudit/payments/([^/]+)"), "paymentId"),
    (re.compile(r"/v1/webhooks/([^/]+)"), "id"),
)
"""Objects that are read by their id, and the member in which the response repeats it."""


def created_id(response: Any) -> str | None:
    """The id of what was made: the last part of the address in `Location`, or None."""
    location = str(response.headers.get("location", "")).partition("?")[0].partition("#")[0]
    last = location.rstrip("/").rpartition("/")[2]
    return last if _ID.fullmatch(last) else None


def batch_id(response: Any) -> str | None:
    """The id of a batch of payees, in the body or else at the end of `Location`. None when it is in neither."""
    stated = text_or_empty(object_of(response).get("batchId"))
    return stated if _ID.fullmatch(stated) else created_id(response)


def unreadable(response: httpx.Response) -> str | None:
    """What is wrong with a good response. Operations that are not wrapped here are judged by the document alone."""
    asked = _asked_for(response.request)
    if asked not in _LOOK and is_generated(response.request, *_WRAPPED):
        return document_complaint(response, read_problems)
    if read_problems(response):
        return "its body reports an error"
    return _missing(response, asked) or document_complaint(response, read_problems)


def _missing(response: httpx.Response, asked: str) -> str | None:
    """What a good response lacks of what its request asked for, or None."""
    if asked in _LOOK:
        made = batch_id(response) if asked == "new batch of payees" else created_id(response)
        return None if made else f"it does not say which {asked.removeprefix('new ')} it made (its Location has no id)"
    if not response.content and response.request.method != "GET" and asked not in _EVIDENCE:
        return None
    is_export = response.headers.get("content-type", "").partition(";")[0].strip().lower() in _NOT_JSON
    if asked == "export":
        return None if is_export else "its body is not CSV"
    if response.content and is_export:
        return None
    reason = no_object_reason(response)
    wanted = _EVIDENCE.get(asked)
    if reason is None and wanted and all(object_of(response).get(name) is None for name in wanted):
        # Believed, it would be the end of a list, or a payout that has no state yet.
        return "its body has none of the expected members"
    return reason


def mismatch(response: httpx.Response) -> str | None:
    """Which other object a response is about, as one from a cache that mixes responses up; None when it is not.

    Believed, a payout would be ACCEPTED, or an account would hold dollars, that is another one.
    """
    if response.request.method != "GET":
        return None
    path = _path(response.request)
    for pattern, name in _OWN_IDS:
        asked = pattern.fullmatch(path)
        named = text_or_empty(object_of(response).get(name)) if asked else ""
        if asked and named and not is_same_id(named, asked[asked.lastindex or 0]):
            return f"its body is about another object, {one_line(named)}"
    return None


def could_be_done(error: VictorError) -> bool:
    """Whether this call may have done the work. A conflict is with the work of another one: Velo refuses duplicates."""
    return error.outcome in (Outcome.UNKNOWN, Outcome.ACCEPTED) and not isinstance(error, Conflict)


def recovery_hint(request: httpx.Request) -> str:
    """How to find out what a write did whose response was lost."""
    path = _path(request)
    return _LOOK.get(_asked_for(request)) or next((look for at, look in _READ if at.fullmatch(path)), "")


def _asked_for(request: httpx.Request) -> str:
    path = _path(request)
    return next((what for method, at, what in _ASKS if method == request.method and at.fullmatch(path)), "")


def _path(request: httpx.Request) -> str:
    """The path from its version on, without the path of the base URL."""
    path = request.url.path
    return path[max(path.find("/v1/"), path.find("/v2/"), path.find("/v3/"), path.find("/v4/"), 0) :]
