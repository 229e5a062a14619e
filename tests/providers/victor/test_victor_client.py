"""The client as a user has it: what leaves, what comes back, and that its parts hang together."""

import gc
import json
import socket
import warnings
from datetime import UTC, datetime
from decimal import Decimal
from http.cookiejar import CookieJar

import httpx
import pytest
from victor_api.api.payment_requests import (
    create_request_payment,
    get_payment_request,
    list_payment_requests,
)
from victor_api.models import NewRtpRfpPaymentRequest

import victor_ext
from tests.providers.running import MODES, ONCE, QUICK, Script, run
from tests.providers.victor.adapter import ARGUMENTS, Harness, over, payment
from victor_ext import (
    BadRequest,
    CallEnded,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    RetryPolicy,
    ServerError,
    Status,
    Victor,
    idempotency_key_for,
)

DUE = datetime.now(UTC).date()
RECEIPT = {
    "victor_payment_request_id": "a7ffd43c37c1",
    "status": "created",
    "direction": "OUTBOUND",
    "client_reference_id": "INV-1042",
    "payment_request": {
        "payee": {"account_number": "043987673645"},
        "payer": {"victor_counterparty_id": "aHeq349838"},
        "payment_details": {"amount": "44.23", "biller_type": "BUSINESS", "due_date": str(DUE)},
    },
}
GOOD, BUSY = httpx.Response(200, json=RECEIPT), httpx.Response(503)


def create(victor, **values):
    given = payment(client_reference_id="INV-1042", due_date=DUE, **values)
    return victor.payment_requests.create(**given)


def get(victor):
    return victor.payment_requests.get("a7ffd43c37c1")


def test_a_create_sends_the_request_and_its_key_and_returns_the_record(run):
    script, key = Script(GOOD), idempotency_key_for("invoice", 1042)
    more = {"ultimate_creditor": "SampleCo Inc.", "notes": "n", "idempotency_key": key}
    made = run(
        script,
        lambda victor: create(
            victor, amount=Decimal("44.230"), amount_modification_allowed=False, **more
        ),
    )
    [request] = script.requests
    url = "https://api.stage.victorfi.com/v2/payment-requests/request-payment"
    assert (request.method, str(request.url)) == ("POST", url)
    assert json.loads(request.content) == {
        "payee": {"account_number": "043987673645", "ultimate_creditor": "SampleCo Inc."},
        "payer": {"victor_counterparty_id": "aHeq349838"},
        "payment_details": {
            "amount": "44.23", "biller_type": "BUSINESS", "due_date": str(DUE), "notes": "n",
            "amount_modification_allowed": False,
        },
        "client_reference_id": "INV-1042",
    }  # fmt: skip
    agent = f"victor-ext/{victor_ext.__version__} httpx/"
    assert request.headers["user-agent"].startswith(agent)
    assert {
        "idempotency-key": key,
        "authorization": "Bearer t",
        "content-type": "application/json",
        "accept": "application/json",
    }.items() <= dict(request.headers).items()
    assert (made.id, made.status) == ("a7ffd43c37c1", Status.CREATED)
    assert (made.amount, made.idempotency_key) == (Decimal("44.23"), key)


def test_a_create_without_a_key_is_given_one_key_for_all_its_attempts(run):
    script = Script(httpx.ReadTimeout("no answer"), BUSY, GOOD, GOOD)
    first, second = (run(script, create).idempotency_key for _ in range(2))
    assert first != second
    keys = [request.headers["idempotency-key"] for request in script.requests]
    assert keys == [first] * 3 + [second]


def refused(run, body):
    """The error of a create that is refused with this body."""
    with pytest.raises(BadRequest) as raised:
        run(Script(httpx.Response(400, json=body)), create)
    assert raised.value.outcome is Outcome.REJECTED
    return raised.value


def test_problems_of_the_first_shape_name_the_field_in_both_spellings(run):
    said = {"code": 101, "message": "error.amount.invalid", "field": "paymentDetails.amount"}
    error = refused(run, {"status": 0, "data": None, "error": said})
    [problem] = error.problems
    assert (problem.field, problem.provider_field) == (
        "payment_details.amount",
        "paymentDetails.amount",
    )
    assert (problem.code, problem.message) == ("101", "error.amount.invalid")
    assert "status 400: payment_details.amount: error.amount.invalid" in str(error)


def test_problems_of_the_second_shape_are_one_for_each_error(run):
    items = [
        {"objectName": "request", "code": "NotNull", "defaultMessage": "must not be null",
         "codes": ["NotNull.request.dueDateStartDate", "NotNull"]},
        {"objectName": "request", "code": "Size", "arguments": [{}], "field": "notes"},
        {"defaultMessage": "something else"},
        "no object",
    ]  # fmt: skip
    error = refused(run, {"name": {}, "boundProperties": [], "allErrors": items})
    assert [(problem.field, problem.code, problem.message) for problem in error.problems] == [
        ("due_date_start_date", "NotNull", "must not be null"),
        ("notes", "Size", "Size"),
        ("", "", "something else"),
    ]


# The generated operations go through the same loop.


@pytest.fixture
def script():
    return Script(httpx.Response(200, json={"page": 0, "results": []}))


@pytest.fixture
def victor(script):
    with Victor(**ARGUMENTS, transport=script.transport, retry=QUICK) as victor:
        yield victor


def asked(script, api):
    """The request of a list by a generated client."""
    list_payment_requests.sync(client=api)
    return script.requests[-1]


@pytest.mark.parametrize("key", ["", "INV-1042", "k" * 129, "two words, and long enough"])
def test_a_generated_create_refuses_a_key_as_create_does(script, victor, key):
    body = NewRtpRfpPaymentRequest.from_dict(RECEIPT["payment_request"])
    with pytest.raises(InvalidRequest, match="Nothing was sent: idempotency_key ") as raised:
        create_request_payment.sync(client=victor.api, body=body, idempotency_key=key)
    assert [problem.field for problem in raised.value.problems] == ["idempotency_key"]
    assert (raised.value.outcome, script.requests) == (Outcome.NOT_SENT, [])


def test_headers_of_a_changed_client_are_sent_and_the_original_keeps_its_own(script, victor):
    own = {"X-Trace": "1", "User-Agent": "mine", "Authorization": "Bearer mine"}
    sent = asked(script, victor.api.with_headers(own)).headers
    assert (sent["x-trace"], sent["user-agent"]) == ("1", "mine")
    assert sent.get_list("authorization") == ["Bearer t"], "a header takes no token's place"
    sent = asked(script, victor.api).headers
    assert "x-trace" not in sent
    assert sent["user-agent"].startswith("victor-ext/")


def test_cookies_and_timeouts_of_a_changed_client_are_its_own(script, victor, monkeypatch):
    """The standard library would lock cookies for an answer, so that a Ctrl-C leaves them locked
    for ever.
    """
    monkeypatch.delattr(CookieJar, "extract_cookies")
    changed = victor.api.with_cookies({"a": "1"}).with_timeout(httpx.Timeout(1.5))
    requests = [asked(script, api) for api in (changed, victor.api)]
    assert [each.headers.get("cookie") for each in requests] == ["a=1", None]
    assert [each.extensions["timeout"]["read"] for each in requests] == [1.5, 20.0]


def test_a_changed_client_has_the_token_and_the_retries_of_the_client(script, victor):
    script.lines.insert(0, BUSY)
    for api in (victor.api.with_cookies({"a": "1"}), victor.api):
        asked(script, api)
    assert (len(script.requests), len(script.for_tokens)) == (3, 1)


def test_a_with_block_leaves_the_client_open(script, victor):
    with victor.api as api:
        asked(script, api)
    assert asked(script, victor.api).headers["authorization"] == "Bearer t"


def test_an_awaited_with_block_leaves_the_client_open(script):
    async def call(victor):
        async with victor.api as api:
            await list_payment_requests.asyncio(client=api)
        return await list_payment_requests.asyncio(client=victor.api)

    assert over("awaited", script, call) is not None


def test_closing_the_client_closes_all_that_was_derived_from_it(script, victor):
    api, other = victor.api, victor.with_options(deadline=5.0)
    victor.close()
    for client in (api, api.with_headers({"X-A": "1"}), other.api, victor.api):
        with pytest.raises(ConfigurationError, match="closed"):
            list_payment_requests.sync(client=client)
    assert script.requests == []


def test_closing_a_derived_client_leaves_the_original_open(script, victor):
    derived = victor.with_options(deadline=5.0)
    derived.with_options(timeout=1.0).close()
    asked(script, derived.api)
    derived.close()
    with pytest.raises(ConfigurationError, match="closed"):
        asked(script, derived.api)
    asked(script, victor.api)


def test_tokens_events_and_the_retry_quota_are_shared_with_derived_clients():
    observed = []
    script = Script(BUSY, BUSY, GOOD, BUSY)
    options = {"retry": RetryPolicy(base=0.0, quota=10), "on_event": observed.append}
    with Victor(**ARGUMENTS, transport=script.transport, **options) as victor:
        get(victor.with_options(deadline=5.0))
        with pytest.raises(ServerError, match="retry quota"):
            get(victor)
    assert len(script.for_tokens) == 1
    outcomes = [event.outcome for event in observed if isinstance(event, CallEnded)]
    assert outcomes == [None, Outcome.UNKNOWN]


def test_a_derived_client_may_have_another_retry_policy(run):
    script = Script(BUSY)
    with pytest.raises(ServerError):
        run(script, lambda victor: get(victor.with_options(retry=ONCE)))
    assert len(script.requests) == 1


def test_one_connection_serves_a_client_and_all_that_was_derived_from_it(
    mode, victor_sandbox, victor_auth, monkeypatch
):
    connect, addresses = socket.socket.connect, []
    monkeypatch.setattr(
        socket.socket, "connect", lambda own, to: addresses.append(to) or connect(own, to)
    )
    name = str(victor_sandbox.create_inbound("10.00"))
    generated = get_payment_request.sync if mode == "blocking" else get_payment_request.asyncio
    calls = (
        lambda victor: victor.payment_requests.get(name),
        lambda victor: victor.with_options(deadline=5.0).payment_requests.get(name),
        lambda victor: generated(name, client=victor.api.with_headers({"X-A": "1"})),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind = Harness.kinds[MODES.index(mode)]
        assert run(kind, calls, victor_auth, base_url=victor_sandbox.url)
        gc.collect()
    assert len(addresses) == 1
