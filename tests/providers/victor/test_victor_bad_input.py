"""What a user gets wrong: each is a VictorError that names the argument, what was wrong and what to write, and
nothing is sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_httpx import HTTPXMock

from victor_ext import (
    AsyncVictor,
    AuthenticationError,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    RetryPolicy,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
)

OAUTH = VictorOAuth("id-1", "secret-1")


async def nobody_awaits(event: object) -> None:
    """What nobody would await."""


GOOD = {
    "payee_account_number": "043987673645",
    "payer_counterparty_id": "aHeq349838",
    "amount": Decimal("44.23"),
    "biller_type": "BUSINESS",
}
NAIVE = datetime(2026, 3, 4)  # noqa: DTZ001 - that is the point
AWARE = datetime(2026, 3, 4, tzinfo=UTC)


def _nothing_may_be_sent(request: httpx.Request) -> httpx.Response:
    pytest.fail(f"{request.method} {request.url} was sent")


def _read(result: Any) -> None:
    if hasattr(result, "pages"):
        list(result)


async def _aread(call: Callable[[], Any]) -> None:
    result = call()
    if hasattr(result, "pages"):
        [item async for item in result]
    else:
        await result


def blocking(call: Callable[[Any], Any], **options: Any) -> VictorError:
    """What a call of the blocking client raises."""
    with Victor(OAUTH, transport=httpx.MockTransport(_nothing_may_be_sent), **options) as victor:
        with pytest.raises(VictorError) as raised:
            _read(call(victor))
        return raised.value


def awaited(call: Callable[[Any], Any], **options: Any) -> VictorError:
    """What the same call of the awaited client raises."""

    async def run() -> VictorError:
        async with AsyncVictor(OAUTH, transport=httpx.MockTransport(_nothing_may_be_sent), **options) as victor:
            with pytest.raises(VictorError) as raised:
                await _aread(lambda: call(victor))
            return raised.value

    return asyncio.run(run())


both = pytest.mark.parametrize("run", [blocking, awaited])


def create(**values: Any) -> Callable[[Any], Any]:
    today = datetime.now(UTC).date()
    return lambda victor: victor.payment_requests.create(**{**GOOD, "due_date": today, **values})


def ahead(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


CALLS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a float amount": (create(amount=44.23), "amount", r"is a float.*write Decimal\('44.23'\)"),
    "no amount": (create(amount=None), "amount", r"is missing: write Decimal\('44.23'\)"),
    "a key of 19 characters": (
        create(idempotency_key="k" * 19),
        "idempotency_key",
        r"19 characters.*20 to 128.*idempotency_key_for",
    ),
    "an account as a number": (
        create(payee_account_number=43987673645),
        "payee_account_number",
        "put it in quotes, leading zeros and all",
    ),
    "a date in the past": (create(due_date=ahead(-3)), "due_date", r"in the past: .* write \d{4}-\d\d-\d\d or \d"),
    "a date 3 days ahead": (
        create(due_date=ahead(3)),
        "due_date",
        r"at most 24 hours ahead.*write \d{4}-\d\d-\d\d or \d{4}-\d\d-\d\d\.",
    ),
    "a datetime for a date": (
        create(due_date=AWARE),
        "due_date",
        r"is a datetime and must be a date: pass a date, such as date\(2026, 3, 4\)",
    ),
    "an unknown biller": (create(biller_type="business"), "biller_type", "must be one of: BUSINESS, CONSUMER"),
    "a creditor of a consumer": (
        create(biller_type="CONSUMER", ultimate_creditor="A"),
        "ultimate_creditor",
        "leave it out",
    ),
    "an id with a slash": (lambda v: v.payment_requests.get("a/b"), "id", "an id has no slash, space, line break"),
    "an empty id": (lambda v: v.payment_requests.get(""), "id", "is empty: give the id of a payment request"),
    "accept without notes": (
        lambda v: v.payment_requests.accept("a1", notes=""),
        "notes",
        "is missing: give it a value",
    ),
    "accept for nothing": (
        lambda v: v.payment_requests.accept("a1", notes="n", modified_amount=0),
        "modified_amount",
        "above zero",
    ),
    "decline with too many words": (
        lambda v: v.payment_requests.decline("a1", notes="n" * 151),
        "notes",
        "151 characters",
    ),
    "a naive datetime": (
        lambda v: v.payment_requests.list(start_datetime=NAIVE),
        "start_datetime",
        r"naive datetime.*write datetime\(\.\.\., tzinfo=UTC\)",
    ),
    "a date for a datetime": (
        lambda v: v.payment_requests.list(end_datetime=date(2026, 3, 4)),
        "end_datetime",
        "a date alone is not a moment",
    ),
    "page_size=0": (
        lambda v: v.payment_requests.list(page_size=0),
        "page_size",
        "is 0 and must be a whole number, 1 or more",
    ),
    "an unknown status": (
        lambda v: v.payment_requests.list(status="paid"),
        "status",
        "must be one of: accepted, completed",
    ),
    "an empty filter": (lambda v: v.payment_requests.list(victor_id=""), "victor_id", "must be text that is not empty"),
    "find without a window": (
        lambda v: v.payment_requests.find("INV-1042", start_datetime=None),
        "start_datetime",
        r"is missing: write datetime\(",
    ),
    "find in a window that ends before it begins": (
        lambda v: v.payment_requests.find("INV-1042", start_datetime=AWARE, end_datetime=AWARE - timedelta(1)),
        "end_datetime",
        "is before start_datetime.*swap them",
    ),
    "wait for the unknown": (
        lambda v: v.payment_requests.wait("a1", until="paid"),
        "until",
        "must be one or more of: created",
    ),
    "wait for minus a second": (
        lambda v: v.payment_requests.wait("a1", timeout=-1),
        "timeout",
        "must be seconds, 0 or more",
    ),
}


@both
@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_bad_input(name, run):
    call, field, words = CALLS[name]
    error = run(call)
    assert type(error) is InvalidRequest
    assert isinstance(error, ValueError)
    assert [problem.field for problem in error.problems] == [field]
    assert re.search(words, str(error)), str(error)
    assert re.search(rf"\b{field}\b", str(error)), str(error)
    assert (error.outcome, error.attempts, error.request, error.status_code) == (Outcome.NOT_SENT, 0, None, None)


@both
def test_everything_is_said_at_once(run):
    error = run(create(amount=44.23, due_date="soon", payee_account_number="x", idempotency_key="short"))
    assert [problem.field for problem in error.problems] == [
        "payee_account_number",
        "amount",
        "due_date",
        "idempotency_key",
    ]
    assert str(error).startswith("The payment request was not sent: payee_account_number has 1 characters")


@both
@pytest.mark.parametrize("call", [
    create(amount="-1.234"), lambda victor: victor.payment_requests.accept("a1", notes="n", modified_amount="-1.234"),
])  # fmt: skip
def test_everything_about_an_amount_is_said_at_once(call, run):
    error = run(call)
    assert [problem.code for problem in error.problems] == ["range", "decimals"]
    assert "is '-1.234' and must be above zero; " in str(error)
    assert "is '-1.234': write at most two decimals; nothing is rounded for you." in str(error)


@both
def test_everything_about_a_search_is_said_at_once(run):
    error = run(lambda v: v.payment_requests.find("", start_datetime=NAIVE, end_datetime=date(2026, 3, 4)))
    assert [problem.field for problem in error.problems] == ["client_reference_id", "start_datetime", "end_datetime"]
    assert str(error).startswith("The search was not sent: client_reference_id is missing")


def _elliptic() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


CLIENTS: dict[str, tuple[Callable[[], Any], str]] = {
    "a wrong key file": (
        lambda: VictorJwt("k", "/no/such/key.pem"),
        r"private_key: the file '/no/such/key\.pem' cannot be read",
    ),
    "an unreadable PEM": (
        lambda: VictorJwt("k", "-----BEGIN PRIVATE KEY-----\nx"),
        "private_key cannot be read as a private key; give an RSA",
    ),
    "an EC key": (lambda: VictorJwt("k", _elliptic()), "private_key is not an RSA private key but E.*RS512 needs RSA"),
    "no key": (lambda: VictorJwt("k", None), "Pass private_key, or sign for a key that is kept elsewhere"),
    "an unknown environment": (
        lambda: Victor(OAUTH, environment="prod"),
        "environment='prod' is unknown: write 'staging' or 'production'",
    ),
    "a base URL without a scheme": (
        lambda: Victor(OAUTH, base_url="api.victorfi.com"),
        "base_url .* must be absolute: write https://",
    ),
    "a base URL with http": (
        lambda: Victor(OAUTH, base_url="http://api.victorfi.com"),
        "base_url .* unencrypted: write https://",
    ),
    "no verification": (
        lambda: Victor(OAUTH, verify=False),
        "verify=False would accept anybody as api.stage.victorfi.com: pass",
    ),
    "no CA bundle": (
        lambda: Victor(OAUTH, verify="/no/such.pem"),
        "verify='/no/such.pem' is not the path of a CA bundle",
    ),
    "no proxy": (lambda: Victor(OAUTH, proxy="nonsense"), "proxy .* write http://host:port"),
    "no limits": (lambda: Victor(OAUTH, limits=5), r"limits must be httpx.Limits\(...\), not int"),
    "credentials not made": (lambda: Victor(VictorJwt), r"auth must be VictorJwt\(.*\) or .*, not the class itself"),
    "events awaited": (lambda: Victor(OAUTH, on_event=nobody_awaits), r"on_event must be a plain function"),
    "no credentials": (lambda: Victor("key"), r"auth must be VictorJwt\(.*\) or VictorOAuth\(.*\), not str"),
    "no policy": (lambda: Victor(OAUTH, retry=3), r"retry must be RetryPolicy\(...\), not int"),
    "no policy at all": (lambda: Victor(OAUTH, retry=None), r"retry must be RetryPolicy\(...\), not NoneType"),
    "no attempts": (
        lambda: Victor(OAUTH, retry=RetryPolicy(max_attempts=0)),
        r"max_attempts=0\): give 1 \(no retries\) or more",
    ),
    "timeout=0": (lambda: Victor(OAUTH, timeout=0), "timeout=0 must be seconds above zero"),
    "timeout=-1": (lambda: Victor(OAUTH, timeout=-1), "timeout=-1 must be seconds above zero"),
    "an infinite timeout": (lambda: Victor(OAUTH, timeout=float("inf")), "timeout=inf must be seconds above zero"),
    "a timeout in words": (lambda: Victor(OAUTH, timeout="5s"), "timeout='5s' must be seconds above zero"),
    "deadline=0": (lambda: Victor(OAUTH, deadline=0), "deadline=0 must be seconds above zero: None sets no bound"),
    "no deadline": (lambda: Victor(OAUTH, deadline=float("nan")), "deadline=nan must be seconds above zero"),
    "a timeout longer than any lock": (
        lambda: Victor(OAUTH, timeout=1e10),
        r"timeout=10{10}\.0 must .*at most 2592000",
    ),
    "a stage of it": (
        lambda: Victor(OAUTH, timeout=httpx.Timeout(5.0, read=1e10)),
        r"timeout=httpx\.Timeout\(\.\.\.\): read=10{10}\.0 must be seconds above zero, or None \(at most 2592000",
    ),
    "a stage that is none": (lambda: Victor(OAUTH, timeout=httpx.Timeout("5s")), "connect='5s' must be seconds above"),
    "a deadline longer than any lock": (
        lambda: Victor(OAUTH, deadline=1e10),
        r"deadline=10{10}\.0 must be seconds above zero \(at most 2592000, which is 30 days\): None sets no bound",
    ),
    "a deadline longer than any float": (lambda: Victor(OAUTH, deadline=10**400), "deadline=1000.* must be seconds"),
    "the same of other options": (lambda: Victor(OAUTH).with_options(deadline=1e10), "deadline=10{10}.0 must be"),
    "a wait longer than any float": (lambda: RetryPolicy(cap=10**400), r"RetryPolicy\(cap=1000.*: give seconds"),
    "a wait longer than any sleep": (lambda: RetryPolicy(base=1e10), r"base=10{10}\.0\): give seconds, 0 or more, up"),
    "no connections": (lambda: Victor(OAUTH, limits=httpx.Limits(max_connections=0)), "max_connections=0 must be"),
    "a password of another type": (lambda: VictorJwt("k", "x", password=7), "password must be text or bytes, not int"),
    "no callback": (lambda: Victor(OAUTH, on_event="print"), "on_event must be callable with one event, not str"),
    "an awaited transport": (
        lambda: Victor(OAUTH, transport=httpx.AsyncHTTPTransport()),
        "transport must be an httpx.BaseTransport, not httpx.AsyncHTTPTransport",
    ),
    "a client for a transport": (
        lambda: Victor(OAUTH, transport=httpx.Client()),
        "transport must be an httpx.BaseTransport, not httpx.Client",
    ),
    "a blocking transport": (
        lambda: AsyncVictor(OAUTH, transport=httpx.HTTPTransport()),
        "transport must be an httpx.AsyncBaseTransport, not httpx.HTTPTransport: leave it out, or pass",
    ),
    "other options": (lambda: Victor(OAUTH).with_options(timeout=0), "timeout=0 must be"),
    "another deadline": (lambda: Victor(OAUTH).with_options(deadline="x"), "deadline='x' must be"),
    "another policy": (lambda: Victor(OAUTH).with_options(retry=2), "retry must be RetryPolicy"),
    "the same awaited": (lambda: AsyncVictor(OAUTH).with_options(retry=2), "retry must be RetryPolicy"),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_that_cannot_work(name):
    make, words = CLIENTS[name]
    with pytest.raises(ConfigurationError, match=words) as raised:
        make()
    assert isinstance(raised.value, VictorError)
    assert isinstance(raised.value, ValueError)
    assert raised.value.outcome is Outcome.NOT_SENT
    assert str(raised.value).endswith((".", ".)"))


def test_a_variable_that_is_missing(monkeypatch):
    for name in ("API_KEY", "PRIVATE_KEY", "PRIVATE_KEY_FILE", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"VICTOR_{name}", raising=False)
    for client in (Victor, AsyncVictor):
        with pytest.raises(ConfigurationError, match="VICTOR_API_KEY and VICTOR_PRIVATE_KEY are not set"):
            client.from_env()


USES = {
    "get": lambda victor: victor.payment_requests.get("b34783af0"),
    "create": create(),
    "list": lambda victor: victor.payment_requests.list(),
    "accept": lambda victor: victor.payment_requests.accept("b34783af0", notes="n"),
    "authorization": lambda victor: victor.authorization(),
    "other options": lambda victor: victor.with_options(deadline=5.0).payment_requests.get("b34783af0"),
}


@pytest.mark.parametrize("name", USES)
def test_a_used_up_client(name):
    victor = Victor(OAUTH, transport=httpx.MockTransport(_nothing_may_be_sent))
    victor.close()
    with pytest.raises(ConfigurationError, match="This client has been closed: make a new one") as raised:
        _read(USES[name](victor))
    assert raised.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("name", USES)
def test_a_used_up_client_awaited(name):
    async def run():
        victor = AsyncVictor(OAUTH, transport=httpx.MockTransport(_nothing_may_be_sent))
        await victor.close()
        with pytest.raises(ConfigurationError, match="This client has been closed: make a new one"):
            await _aread(lambda: USES[name](victor))

    asyncio.run(run())


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_401_says_which_environment_was_asked_and_what_to_check(httpx_mock: HTTPXMock, environment, victor_key_pair):
    httpx_mock.add_response(401, json={"message": "no"})  # once: it is not asked again
    auth = VictorJwt("key-1", victor_key_pair[0])
    victor = Victor(auth, environment=environment, transport=httpx.HTTPTransport(verify=False))
    with pytest.raises(AuthenticationError) as raised:
        victor.payment_requests.get("b34783af0")
    message = str(raised.value)
    assert f"Environment '{environment}' was asked" in message
    assert "keys of one environment are not valid in the other" in message
    assert "the private key belongs to the API key" in message
    assert "this machine's clock" in message
