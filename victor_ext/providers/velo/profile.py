"""What the runtime needs to know of Velo: its errors, its good responses, and what to read after a lost response."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx

from victor_ext.errors import Outcome, Problem, UnreadableResponse
from victor_ext.privacy import HIDDEN, SHORTEST, mask_digits, one_line, redact_code, redact_excerpt, texts_within
from victor_ext.runtime.client.documented import is_generated
from victor_ext.runtime.core.comparing import about_another
from victor_ext.runtime.core.json_values import (
    is_list,
    json_of,
    list_or_empty,
    no_object_reason,
    object_of,
    object_or_empty,
    text_or_empty,
)
from victor_ext.runtime.loop.evidence import document_complaint
from victor_ext.runtime.loop.profile import Profile

from .settings import ENVIRONMENTS

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
        authentication_hint=f"Environment {environment!r} was asked: check that key and secret were issued for it.",
    )


def read_problems(response: httpx.Response) -> Sequence[Problem]:
    """Velo's one error shape: `errors`, each with `errorCode`, `errorMessage` and the `location` of the mistake.

    Data of payees and accounts from the request is not repeated.
    """
    errors = list_or_empty(object_of(response).get("errors"))
    if not errors:
        return ()
    hide, problems = _hider(response.request), list[Problem]()
    for error in [object_or_empty(item) for item in errors if item]:
        where, code = mask_digits(text_or_empty(error.get("location"))), hide(redact_code(error.get("errorCode")))
        message = redact_excerpt(hide(text_or_empty(error.get("errorMessage")))) or "Velo gave no message"
        problems.append(Problem(where, code, message, provider_field=where or None))
    return problems


def correlation_id(response: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(text_or_empty(object_of(response).get("correlationId"))) or None


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


# Good responses, and what to read after a lost one. The rule of a request is the first that fits its method and path.


class _Rule(NamedTuple):
    """What a request asks for, and what a good response to it has."""

    method: str  # empty means any
    path: str  # from the version on; a group is the id of the object that is read
    evidence: tuple[str, ...] | None = None  # a good response has one of these; empty: any object; None: or no body
    own_id: str = ""  # the member in which the response repeats the id of the path
    makes: str = ""  # what the request makes, whose id is in the response's `Location`
    look: str = ""  # how to find out what a write did whose response was lost


_PAGE = ("content",)
_CSV = ("",)  # no member: the body is an export
_RULES = (
    _Rule("POST", "/v3/payouts/[^/]+/quote", (), look="payouts.get(payout_id)"),
    _Rule("POST", "/v3/payouts", makes="payout", look="payments.find(payor_payment_id, payor_id=..., since=...)"),
    _Rule("POST", "/v4/payees", makes="batch of payees", look="payees.list(payor_id, remote_id=...)"),
    _Rule("POST", "/v2/fundingAccounts", makes="account", look="funding_accounts.list(payor_id=...)"),
    _Rule(
        "POST", "/v3/sourceAccounts/[^/]+/fundingRequest", makes="funding", look="fundings.changes(payor_id, since=...)"
    ),
    _Rule("POST", "/v1/webhooks/[^/]+/ping", ()),
    _Rule("POST", "/v1/webhooks", makes="webhook", look="webhooks.list(payor_id)"),
    _Rule("GET", "/v3/payouts/([^/]+)", ("payoutId", "status"), "payoutId"),
    _Rule("GET", "/v[34]/paymentaudit/payments/([^/]+)", ("paymentId", "status"), "paymentId"),
    _Rule("GET", "/v4/paymentaudit/payouts/[^/]+", ("summary", *_PAGE)),
    _Rule("GET", "/v4/paymentaudit/payoutStatistics", ("thisMonthPayoutsCount", "thisMonthFailedPaymentsCount")),
    _Rule("GET", "/v4/paymentaudit/transactions", _CSV),
    _Rule("GET", "/v1/webhooks/([^/]+)", ("id", "webhookUrl"), "id"),
    _Rule("GET", "/v4/payees/batch/[^/]+", ("status",)),
    _Rule("GET", "/v[34]/(?:payees|sourceAccounts|payments)(?:/deltas)?|/v2/fundingAccounts|/v1/webhooks", _PAGE),
    _Rule("GET", "/v3/payouts/[^/]+/payments|/v4/paymentaudit/(?:payments|payouts|fundings)", _PAGE),
    _Rule("GET", "/v4/payees/payors/[^/]+/invitationStatus|/v1/deltas/fundings", _PAGE),
    _Rule("GET", "/v[34]/payees/([^/]+)", own_id="payeeId"),
    _Rule("GET", "/v[1-3]/(?:source|funding)Accounts/([^/]+)", own_id="id"),
    _Rule("GET", "/v1/fundings/([^/]+)", own_id="fundingId"),
    _Rule("", "/v3/payouts/.+", look="payouts.get(payout_id)"),
    _Rule("", "/v4/payees/[^/]+/invite", look="payees.invitations(payor_id, payee_id=...)"),
    _Rule("", "/v4/payees/[^/]+(?:/payeeDetailsUpdate|/remoteIdUpdate)?", look="payees.get(payee_id)"),
    _Rule("", "/v1/payments/[^/]+/withdraw", look="payments.get(payment_id)"),
    _Rule("", "/v1/webhooks/[^/]+", look="webhooks.get(webhook_id)"),
    _Rule("POST", "/v1/logout"),
)
_OTHER = _Rule("", ".*")
"""For what the client has no method for."""


def created_id(response: Any) -> str | None:
    """The id of what was made: the last part of the address in `Location`, or None."""
    location = str(response.headers.get("location", "")).partition("?")[0].partition("#")[0]
    last = location.rstrip("/").rpartition("/")[2]
    return last if _ID.fullmatch(last) else None


def batch_id(response: Any) -> str | None:
    """The id of a batch of payees, in the body or else at the end of `Location`. None when it is in neither."""
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
        """Read the headers of a response. Raises `UnreadableResponse` when they do not say what was accepted."""
        made = created_id(response)
        if made is None:  # of an operation without a rule, such as one that a newer document has moved
            message = "Velo accepted the request, but the response has no id."
            raise UnreadableResponse(message, outcome=Outcome.ACCEPTED)
        wait = re.fullmatch("[0-9]{1,6}", response.headers.get("retry-after", ""))
        return cls(made, response.headers["location"], float(wait[0]) if wait else None)


def unreadable(response: httpx.Response) -> str | None:
    """What is wrong with a good response. The document alone judges what the client has no method for."""
    rule, _ = _rule_for(response.request)
    if rule is _OTHER and is_generated(response.request):
        return document_complaint(response, read_problems)
    if read_problems(response):  # next to a page, it would be the end of a list
        return "its body reports an error"
    return _missing(response, rule) or document_complaint(response, read_problems)


def _missing(response: httpx.Response, rule: _Rule) -> str | None:
    if rule.makes:
        made = batch_id(response) if rule.makes == "batch of payees" else created_id(response)
        return None if made else f"it does not say which {rule.makes} it made (its Location has no id)"
    if not response.content and response.request.method != "GET" and rule.evidence is None:
        return None
    if rule.evidence is _CSV:
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return None if kind in ("application/csv", "text/csv", "application/octet-stream") else "its body is not CSV"
    reason = no_object_reason(response)
    if reason is not None or not rule.evidence:
        return reason
    # Believed, what has none would be the end of a list, or a payout that has no state yet.
    values = [object_of(response).get(name) for name in rule.evidence]
    if rule.evidence is _PAGE:
        return None if is_list(values[0]) else "its body has no list in `content`"
    return "its body has none of the expected members" if all(value is None for value in values) else None


def mismatch(response: httpx.Response) -> str | None:
    """Which other object a response is about, as one from a cache that mixes responses up; None when it is not."""
    rule, asked = _rule_for(response.request)
    return about_another(asked, object_of(response).get(rule.own_id), "object") if rule.own_id else None


def recovery_hint(request: httpx.Request) -> str:
    """How to find out what a write did whose response was lost."""
    look = _rule_for(request)[0].look
    return f"with {look}" if look else ""


def _rule_for(request: httpx.Request) -> tuple[_Rule, str]:
    """The rule for a request, and the id in its path, if it has one. The path of the base URL may have a version."""
    path, method = request.url.path, request.method
    fits = ((rule, re.fullmatch(f".*(?:{rule.path})", path)) for rule in _RULES if rule.method in ("", method))
    return next(((rule, match[1] if match.re.groups else "") for rule, match in fits if match), (_OTHER, ""))
