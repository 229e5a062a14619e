"""The seven questions. Those that write ask for 0.01 or 0.02, and only of Victor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Any, cast
from uuid import uuid4

import httpx

from victor_ext import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailed,
    PaymentRequest,
    Victor,
    VictorError,
    errors,
    idempotency_key_for,
    zulu,
)
from victor_ext._clocks import TOLERATED_SKEW

LIST = "/v2/payment-requests"
_ID = "victor_payment_request_id"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
"""An id that no provider has given."""
LOOKS = (0, 1, 2, 4, 8, 16, 32)
"""Seconds before each look for a new request."""
_LARGE_PAGE = 1000
_FAR_PAGE = 1_000_000
_NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class Exchange:
    """One call: what was sent, and what came.

    Attributes:
        sent: The call in words, such as `create 0.01`.
        status: The HTTP status; None: no response came.
        id: The id of the payment request in the response; None: it has none.
        error: The message of the client's error; None: there was none.
        intermediary: Who seems to have responded in place of the provider; None: the provider did.
    """

    sent: str
    status: int | None = None
    id: str | None = None
    error: str | None = None
    intermediary: str | None = None

    @property
    def refusal(self) -> str:
        """What a response without an id is called in a finding: a provider that has no time shows
        nothing.
        """
        if self.status is None or self.status == 429 or self.status in errors.TRANSIENT_STATUSES:
            return _NOT_SHOWN
        if self.intermediary is not None:
            return f"{_NOT_SHOWN}: {self.intermediary}"
        if self.status < 300:
            return "accepted, without an id"
        return f"refused with {self.status}"


@dataclass(frozen=True)
class Finding:
    """What a question has shown.

    Attributes:
        question: What was asked.
        seen: What the provider does; `not shown`: no response says it.
        assumed: What this package takes for granted; None: nothing.
        exchanges: The calls that show it.
    """

    question: str
    seen: str
    assumed: str | None
    exchanges: tuple[Exchange, ...]

    @property
    def is_shown(self) -> bool:
        """Whether any response says it."""
        return not self.seen.startswith(_NOT_SHOWN)

    @property
    def differs(self) -> bool:
        """Whether the provider does something else than is assumed."""
        return self.is_shown and self.assumed not in (None, self.seen)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON data."""
        return asdict(self) | {"differs": self.differs}


@dataclass(frozen=True)
class Payment:
    """Who asks whom for 0.01.

    Attributes:
        payee: The account number of the payee.
        payer: The counterparty id of the payer.
        day: The day whose key is repeated: that of an earlier run, to learn whether a key of that
            day is still kept. None: no key is.
        host: The host that is written to, if it is neither the provider's staging nor this machine:
            that of a gateway of your own.
    """

    payee: str
    payer: str
    day: date | None = None
    host: str | None = None

    def refusal(self, client: Any) -> str | None:
        """Why nothing may be written to the place of a client; None: it may."""
        if not isinstance(client, Victor):
            return f"only Victor is written to, and this client is of {client.provider}."
        if client.environment == "production":
            return "nothing is written in production."
        host = httpx.URL(client.base_url).host
        staging = {httpx.URL(url).host for url in client.system.urls["staging"]}
        if host in staging or host == self.host or _is_this_machine(host):
            return None
        return (
            f"{host} is not the provider's staging. If it is not production, name it: `host`, or "
            "--environment staging in the command."
        )


def ask(client: Any, payment: Payment | None = None) -> Iterator[Finding]:
    """Ask a provider the questions, one after another.

    Args:
        client: A client with blocking calls, of any system. A client of Victor is also asked what
            becomes of keys, if there is a `payment`; each of its writes asks for 0.01 or 0.02.
        payment: Who asks whom; None: nothing is written.

    Raises:
        ConfigurationError: The payment is for production, another system or an unknown host.
        InvalidRequest: The payee or the payer cannot be one.
        ConnectionFailed: The provider is not there.
        VictorError: The credentials are refused.
    """
    if payment is not None:
        yield same_key(client, payment)
        yield from other_body(client, payment)
        if payment.day is not None:
            yield key_kept(client, payment, payment.day)
        yield listed_after(client, payment)
    yield from unknown_id(client)
    yield from pages(client)
    if isinstance(client, Victor):
        yield window_ends(client)
    yield clock(client)


def same_key(victor: Victor, payment: Payment) -> Finding:
    """What does the same key do with the same body: is it the same request?

    The key is that of today. `key_kept` repeats it on a later day.
    """
    key, arguments = _of_day(payment, zulu.now().date())
    first = _create(victor, payment, "create 0.01", key, **arguments)
    repeat = _create(victor, payment, "the same key and body", key, **arguments)
    return _of_repeat("the same key and body", first, repeat, "the same request")


def other_body(victor: Victor, payment: Payment) -> Iterator[Finding]:
    """What does the same key do with another body, and what do two creates at once?"""
    key, arguments = _fresh(payment)
    first = _create(victor, payment, "create 0.01", key, **arguments)
    other = arguments | {"amount": Decimal("0.02")}
    repeat = _create(victor, payment, "the same key, 0.02", key, **other)
    yield _of_repeat("the same key, another body", first, repeat, "refused with 409")

    key, arguments = _fresh(payment)
    with ThreadPoolExecutor(2) as threads:
        calls = [
            threads.submit(_create, victor, payment, "create 0.01, at once", key, **arguments)
            for _ in range(2)
        ]
    both = tuple(call.result() for call in calls)
    yield Finding("two creates at once, with one key", _of_both(both), "one request", both)


def key_kept(victor: Victor, payment: Payment, day: date) -> Finding:
    """Is a key of this day still kept? It decides `--key-retention`.

    On that day, `same_key` has used it for this payee and payer. If the provider has forgotten the
    key, the repeat makes another request, or is refused, since its due date is that day.
    """
    question = f"a key of {day}"
    key, arguments = _of_day(payment, day)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    reference = arguments["client_reference_id"]
    try:
        matches = victor.payment_requests.find(
            reference, start_datetime=start, end_datetime=start + timedelta(days=1)
        )
    except VictorError as error:
        return Finding(question, _NOT_SHOWN, None, (_failed(f"find {reference}", error),))
    if not matches:
        none = Exchange(f"find {reference}", 200)
        return Finding(question, f"{_NOT_SHOWN}: no request of that day", None, (none,))
    found = Exchange(f"find {reference}", 200, matches[0].id)
    made_at = matches[0].created_at
    if made_at is not None:
        question = f"{question}, {(zulu.now() - made_at) // timedelta(hours=1)} hours old"
    repeat = _create(victor, payment, f"the key of {day}", key, **arguments)
    return Finding(question, _of_old_key(repeat, matches), None, (found, repeat))


def _of_old_key(repeat: Exchange, matches: Sequence[PaymentRequest]) -> str:
    """What a repeat on a later day shows of its key. `matches` are the requests of its day."""
    if repeat.id is not None:
        is_kept = repeat.id in {match.id for match in matches}
        return "kept" if is_kept else "forgotten: ANOTHER REQUEST"
    if repeat.status == 409:
        return f"kept: {repeat.refusal}"
    if repeat.status in (400, 422):
        return f"{repeat.refusal}: forgotten, or the due date is checked first"
    return repeat.refusal


def unknown_id(client: Any) -> Iterator[Finding]:
    """Which status and shape has the response to an id that does not exist?"""
    for template in _paths_of(client):
        if "{}" in template:
            yield _as_it_is(client, "an unknown id", template)


def pages(client: Any) -> Iterator[Finding]:
    """Which number has the first page, what is past the end, and how large may a page be?

    A client of another system is asked for each list as it is: its pages are chosen otherwise.
    """
    if not isinstance(client, Victor):
        yield from _lists(client)
        return
    reads = [_read(client, LIST, page=number, page_size=1) for number in (0, 1, 0)]
    exchanges = tuple(exchange for _, exchange in reads)
    zero, one, again = (_ids_of(response) for response, _ in reads)
    seen = _NOT_SHOWN
    if exchanges[0].status in (400, 404, 422):
        zero = again = []
    # Else a request has come meanwhile, or there are too few.
    if one and zero is not None and zero == again:
        is_one = not zero or zero == one
        seen = "1" if is_one else "0"
    yield Finding("the number of the first page", seen, "0", exchanges)

    response, exchange = _read(client, LIST, page=_FAR_PAGE)
    ids = _ids_of(response)
    seen = exchange.refusal
    if exchange.status == 200:
        seen = _NOT_SHOWN if ids is None else "a page with items" if ids else "an empty page"
    yield Finding("a page past the end", seen, "an empty page", (exchange,))

    reads = [_read(client, LIST, page=number, page_size=_LARGE_PAGE) for number in (0, 1)]
    (large, exchange), (following, _) = reads
    ids = _ids_of(large)
    seen = exchange.refusal
    if exchange.status == 200:
        seen = _NOT_SHOWN if ids is None else f"{len(ids)} items"
        # A first page 1 is also given for 0, and a last page may be given for what follows it.
        if ids is not None and _ids_of(following) in (None, [], ids):
            seen = f"{seen} or more"
    yield Finding(f"a page of {_LARGE_PAGE}", seen, None, tuple(each for _, each in reads))


def _lists(client: Any) -> Iterator[Finding]:
    for path in _paths_of(client):
        if "{}" not in path:
            yield _as_it_is(client, "a list", path)


def _paths_of(client: Any) -> list[str]:
    """The path templates of the reads of a system: `/v3/payees/{}`."""
    return [operation.partition(" ")[2] for operation in client.reads]


def _as_it_is(client: Any, question: str, template: str) -> Finding:
    """The status of a read with an id that does not exist, if it has one, and the members of its
    body.
    """
    response, exchange = _read(client, template.replace("{}", UNKNOWN_ID))
    seen = exchange.refusal
    members = _members_of(response)
    # Of JSON that somebody else may have written, the shape is what is asked for.
    if response is not None and (members or not seen.startswith(_NOT_SHOWN)):
        shape = f"an object with {', '.join(sorted(members))}" if members else "no JSON object"
        seen = f"{response.status_code}, {shape}"
    return Finding(f"{question}: {template}", seen, None, (exchange,))


def listed_after(
    victor: Victor, payment: Payment, sleep: Callable[[float], None] = time.sleep
) -> Finding:
    """After how many seconds is a new request listed?"""
    key, arguments = _fresh(payment)
    made = _create(victor, payment, "create 0.01", key, **arguments)
    exchanges = [made]
    if made.id is None:
        return Finding("a new request is listed", _NOT_SHOWN, None, (made,))
    waited = 0
    for pause in LOOKS:
        sleep(pause)
        waited += pause
        response, exchange = _read(victor, LIST, victor_id=made.id)
        exchanges.append(exchange)
        if made.id in (_ids_of(response) or []):
            seen = "at once" if waited == 0 else f"after about {waited} s"
            break
    else:
        seen = f"not after {waited} s"
    return Finding("a new request is listed", seen, None, tuple(exchanges))


def window_ends(victor: Victor) -> Finding:
    """Which ends belong to a window of time: is a request listed whose time is the start, or the
    end?
    """
    question = "a window has both ends"
    try:
        request = next(iter(victor.payment_requests.list(page_size=1)), None)
    except VictorError as error:
        return Finding(question, _NOT_SHOWN, None, (_failed(f"GET {LIST}", error),))
    if request is None or request.created_at is None:
        return Finding(question, _NOT_SHOWN, None, ())
    at, second = request.created_at, timedelta(seconds=1)
    windows = {
        "both sides": (at - second, at + second),
        "start": (at, at + second),
        "end": (at - second, at),
        "another time": (at - 3 * second, at - 2 * second),
    }
    exchanges: list[Exchange] = []
    names: list[str] = []
    for name, (start, end) in windows.items():
        times = {"start_datetime": zulu.format(start), "end_datetime": zulu.format(end)}
        response, exchange = _read(victor, LIST, victor_id=request.id, **times)
        exchanges.append(exchange)
        if exchange.status != 200:
            return Finding(question, _NOT_SHOWN, None, tuple(exchanges))
        if request.id in (_ids_of(response) or []):
            names.append(name)
    is_filtered = "both sides" in names and "another time" not in names
    ends = [name for name in names if name in ("start", "end")]
    # A time that was cut to seconds is not the moment of the request.
    is_exact = len(ends) == 2 or (at.microsecond > 0 and zulu.parse(zulu.format(at)) == at)
    seen = " and ".join(ends) or "neither"
    if not (is_filtered and is_exact):
        seen = _NOT_SHOWN
    return Finding(question, seen, "start and end", tuple(exchanges))


def clock(client: Any) -> Finding:
    """How far is the provider's clock ahead of ours?"""
    question = "the provider's clock"
    with suppress(VictorError):
        client.ask_time()
    now = client.provider_time()
    if not now.is_known:
        return Finding(question, _NOT_SHOWN, None, ())
    ahead = now.moment - datetime.now(UTC)
    seen = "as ours"
    if abs(ahead).total_seconds() > TOLERATED_SKEW:
        direction = "ahead" if ahead > timedelta(0) else "behind"
        seen = f"{abs(ahead).total_seconds():.0f} s {direction}"
    return Finding(question, seen, "as ours", ())


# One call


def _of_day(payment: Payment, day: date) -> tuple[str, dict[str, Any]]:
    """The key of a day, and what is asked with it: the same whenever it is made again."""
    key = idempotency_key_for("conform", day, payment.payee, payment.payer)
    return key, _arguments(payment, f"conform-{day}-{key[:8]}", day)


def _fresh(payment: Payment) -> tuple[str, dict[str, Any]]:
    """A key that was never used, and what is asked with it."""
    key = str(uuid4())
    return key, _arguments(payment, f"conform-{key[:8]}", zulu.now().date())


def _arguments(payment: Payment, reference: str, due: date) -> dict[str, Any]:
    return {
        "payee_account_number": payment.payee,
        "payer_counterparty_id": payment.payer,
        "amount": Decimal("0.01"),
        "biller_type": "BUSINESS",
        "due_date": due,
        "client_reference_id": reference,
    }


def _create(victor: Victor, payment: Payment, sent: str, key: str, **arguments: Any) -> Exchange:
    """Create a request. It is sent by hand: the method refuses a response about another payment,
    and here that response is what is asked for.
    """
    refusal = payment.refusal(victor)
    if refusal is not None:
        raise ConfigurationError(f"payment: {refusal} Without it, all that reads is asked.")
    call = victor.prepare("payment_requests.create", **arguments, idempotency_key=key)
    return _sent(victor, sent, call.method, call.url, content=call.content, headers=call.headers)[1]


def _read(client: Any, path: str, **query: str | int) -> tuple[httpx.Response | None, Exchange]:
    """GET a path below the base URL."""
    words = "&".join(f"{name}={value}" for name, value in query.items())
    sent = f"GET {path}?{words}" if words else f"GET {path}"
    return _sent(client, sent, "GET", path, params=query or None)


def _sent(
    client: Any, sent: str, method: str, path: str, **options: Any
) -> tuple[httpx.Response | None, Exchange]:
    """Send one request; the response is None where none came. Raises as `_failed` does."""
    try:
        response = client.http.request(method, path, **options)
    except VictorError as error:
        return error.response, _failed(sent, error)
    return response, Exchange(sent, response.status_code, _id_in(_members_of(response)))


def _failed(sent: str, error: VictorError) -> Exchange:
    """A call that failed. Raises the error if no other call would be answered: the credentials are
    refused, or the provider is not there.
    """
    if isinstance(error, AuthenticationError | ConnectionFailed):
        raise error
    # The call itself is shown beside it.
    reason = error.summary.partition(" failed: ")[2] or error.summary
    return Exchange(sent, error.status_code, error=reason, intermediary=error.intermediary)


def _of_repeat(question: str, first: Exchange, repeat: Exchange, assumed: str) -> Finding:
    """What a second create under a key has done."""
    if first.id is None:
        seen = _NOT_SHOWN
    elif repeat.id == first.id:
        seen = "the same request"
    elif repeat.id is not None:
        seen = "ANOTHER REQUEST"
    else:
        seen = repeat.refusal
    return Finding(question, seen, assumed, (first, repeat))


def _of_both(both: tuple[Exchange, ...]) -> str:
    ids = {exchange.id for exchange in both if exchange.id is not None}
    if len(ids) > 1:
        return "TWO REQUESTS"
    others = [exchange.refusal for exchange in both if exchange.id is None]
    is_shown = ids and all(refusal.startswith("refused") for refusal in others)
    return "one request" if is_shown else _NOT_SHOWN


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


# A response


def _members_of(response: httpx.Response | None) -> dict[str, Any]:
    """The members of a body; none, if it is no JSON object."""
    if response is None:
        return {}
    try:
        body: object = response.json()
    except ValueError:
        return {}
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def _id_in(item: object) -> str | None:
    """The id of a payment request, in an item of a list or in the members of a response."""
    value = cast("dict[str, Any]", item).get(_ID) if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None


def _ids_of(response: httpx.Response | None) -> list[str] | None:
    """The ids of the items of a page; None, if it is no page."""
    items: object = _members_of(response).get("results")
    if response is None or not response.is_success or not isinstance(items, list):
        return None
    ids = map(_id_in, cast("Sequence[Any]", items))
    return [id for id in ids if id is not None]
