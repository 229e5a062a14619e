"""What the runtime is told of Velo: how its errors look, what a good answer is, where to look after a lost one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeGuard, cast

import httpx

from victor_ext.errors import Problem
from victor_ext.redaction import mask_digits, one_line, redact_excerpt
from victor_ext.runtime.loop.profile import Profile

from .auth import TOKEN_PATH
from .privacy import hiding, names_people
from .settings import ENVIRONMENTS

_NO_MESSAGE = "Velo gave no message"
# With a digit: Velo's ids are UUIDs, and what has none is a word of a path (`/v3/payouts`, a proxy's `/login`).
_AN_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def profile_of(environment: str, base_url: httpx.URL) -> Profile:
    """Velo's profile in one of its environments; messages name the URL where it is not the environment's."""
    elsewhere = "" if base_url == httpx.URL(ENVIRONMENTS[environment]) else f", {base_url}"
    return Profile(
        name="Velo",
        environment=f"{environment}{elsewhere}",
        problems=read_problems,
        unreadable=unreadable,
        mismatch=mismatch,
        may_quote_body=lambda answer: not names_people(answer.request),
        recovery_hint=recovery_hint,
        # `correlationId` is what Velo's support asks for; a header of some proxy's is not.
        request_id_headers=(),
        request_id_in_body=correlation_id,
        authentication_hint=(
            f"Environment {environment!r} was asked: check that key and secret were issued for it. A token that was "
            "revoked meanwhile has been replaced once already."
        ),
    )


def read_problems(answer: httpx.Response) -> Sequence[Problem]:
    """Velo's one error shape: `errors`, each with `errorCode`, `errorMessage` and the `location` of the mistake.

    What the request said of payees and accounts is not repeated.
    """
    errors = _list(_json_object(answer).get("errors"))
    if not errors:
        return ()
    hide = hiding(answer.request)
    return tuple(_problem(_object(item), hide) for item in errors if item)


def _problem(error: dict[str, Any], hide: Callable[[str], str]) -> Problem:
    where = mask_digits(_text(error.get("location")))
    code = error.get("errorCode")
    return Problem(
        field=where,
        code=str(code) if isinstance(code, str | int) else "",
        message=redact_excerpt(hide(_text(error.get("errorMessage")))) or _NO_MESSAGE,
        provider_field=where or None,
    )


def correlation_id(answer: httpx.Response) -> str | None:
    """Velo's id of the exchange, which is in the body of an error."""
    return one_line(_text(_json_object(answer).get("correlationId"))) or None


def created_id(answer: httpx.Response | Any) -> str | None:
    """The id of what an answer made: the last part of the address in its `Location`. None when there is none."""
    location = str(answer.headers.get("location", "")).partition("?")[0].partition("#")[0]
    last = location.rstrip("/").rpartition("/")[2]
    return last if _AN_ID.fullmatch(last) else None


def batch_id(answer: httpx.Response | Any) -> str | None:
    """The id of a batch of payees: in a JSON body, or else at the end of `Location`. None when it is in neither."""
    try:
        said = _text(_object(json.loads(answer.content or b"{}")).get("batchId"))
    except (ValueError, RecursionError):
        said = ""
    return said if _AN_ID.fullmatch(said) else created_id(answer)


def unreadable(answer: httpx.Response) -> str | None:
    """What is wrong with a good answer. Of the operations that are not wrapped here it is asked that they are JSON."""
    if read_problems(answer):
        return "its body reports an error"
    asked = _asked_for(answer.request)
    if asked in _MAKES:
        made = batch_id(answer) if asked == "payees" else created_id(answer)
        return None if made else f"it does not say which {_MAKES[asked]} it made (its Location has no id)"
    if not answer.content:
        return "its body is empty" if answer.request.method == "GET" or asked in _SAYS else None
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() in _NOT_JSON:
        return None
    return _missing(_json(answer), _SAYS.get(asked))


_OWN_IDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v3/payouts/([^/]+)"), "payoutId"),
    (re.compile(r"/v[34]/payees/(?!deltas$)([^/]+)"), "payeeId"),
    (re.compile(r"/v[123]/sourceAccounts/([^/]+)|/v[12]/fundingAccounts/([^/]+)"), "id"),
    (re.compile(r"/v1/fundings/([^/]+)"), "fundingId"),
)
"""What is read by its id, and where the answer repeats it."""


def mismatch(answer: httpx.Response) -> str | None:
    """Says so when what was read is something else than what was asked for, as a cache that mixes answers up has it.

    Taken at its word, a payout would be ACCEPTED, or an account in dollars, that is not.
    """
    if answer.request.method != "GET":
        return None
    path = _path(answer.request)
    for pattern, name in _OWN_IDS:
        asked = pattern.fullmatch(path)
        named = _text(_json_object(answer).get(name)) if asked else ""
        if asked and named and named.casefold() != asked[asked.lastindex or 0].casefold():
            return f"its body is about another one, {one_line(named)}"
    return None


def _missing(body: Any, wanted: tuple[str, ...] | None) -> str | None:
    if body is _NO_JSON:
        return "its body is not JSON"
    if not isinstance(body, dict):
        return "its body is JSON, but no object"
    said = cast("dict[str, Any]", body)
    if wanted and all(said.get(name) is None for name in wanted):
        # Taken at its word, it would be a list that is at its end, or a payout that has no state yet.
        return "its body says nothing of what was asked"
    return None


_NO_JSON = object()
_NOT_JSON = frozenset({"application/csv", "text/csv", "application/octet-stream"})
"""Velo's exports are CSV."""

_MAKES = {"payouts": "payout", "payees": "batch of payees", "fundingRequest": "funding", "fundingAccounts": "account"}
"""Calls that make something, by the last word of their path, and what."""

_MADE = re.compile(r"/v3/(payouts)|/v4/(payees)|/v2/(fundingAccounts)|/v3/sourceAccounts/[^/]+/(fundingRequest)")

_SAYS: dict[str, tuple[str, ...]] = {
    "token": ("access_token",),
    "page": ("content", "page"),
    "payout": ("payoutId", "status"),
    "batch": ("status",),
    "quote": (),
}
"""What an answer has at least one of, by what was asked for. A quote of nothing may say nothing."""


_READS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/v3/payouts/[^/]+"), "payout"),
    (re.compile(r"/v4/payees/batch/[^/]+"), "batch"),
    (re.compile(r"/v[34]/(payees|sourceAccounts|payments)(/deltas)?|/v2/fundingAccounts|/v1/deltas/fundings"), "page"),
    (re.compile(r"/v3/payouts/[^/]+/payments|/v4/paymentaudit/payments"), "page"),
)


def _asked_for(request: httpx.Request) -> str:
    """What the request is about, as far as its answer has to say something of it."""
    path = _path(request)
    if request.method == "POST":
        if path == TOKEN_PATH:
            return "token"
        if re.fullmatch(r"/v3/payouts/[^/]+/quote", path):
            return "quote"
        made = _MADE.fullmatch(path)
        return made[made.lastindex or 0] if made else ""
    if request.method == "GET":
        return next((kind for pattern, kind in _READS if pattern.fullmatch(path)), "")
    return ""


def _path(request: httpx.Request) -> str:
    """The path from its version on, wherever the base URL leads."""
    path = request.url.path
    return path[max(path.find("/v1/"), path.find("/v2/"), path.find("/v3/"), path.find("/v4/"), 0) :]


_WAYS: dict[str, str] = {
    "payouts": "with payments.find(payor_payment_id, payor_id=..., since=...)",
    "payees": "with payees.list(payor_id, remote_id=...)",
    "fundingRequest": "with fundings.changes(payor_id, since=...)",
    "fundingAccounts": "with funding_accounts.list(payor_id=...)",
}


def recovery_hint(request: httpx.Request) -> str:
    """How to find out what became of a write whose answer was lost."""
    asked = _asked_for(request)
    if asked in _WAYS:
        return _WAYS[asked]
    return "with payouts.get(payout_id)" if "/v3/payouts/" in request.url.path else ""


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return _NO_JSON


def _json_object(answer: httpx.Response) -> dict[str, Any]:
    return _object(_json(answer)) if answer.content else {}


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if _is_list(value) else []


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
