"""The client as a user has it: what leaves, what comes back, and that its parts hang together."""

import gc
import json
import socket
import warnings
from collections.abc import Iterator
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
from tests.providers.running import MODES, ONCE, QUICK, Script, run, scripted
from tests.providers.victor.adapter import over, payment
from victor_ext import (
    AsyncVictor,
    BadRequest,
    CallEnded,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    RetryPolicy,
    ServerError,
    Status,
    Victor,
    VictorOAuth,
    idempotency_key_for,
)

pytestmark = pytest.mark.hours
AUTH = VictorOAuth("id-1", "secret-1")
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
KEY = idempotency_key_for("invoice", 1042)


GOOD, BUSY = httpx.Response(200, json=RECEIPT), httpx.Response(503)


def create(victor, **values):
    return victor.payment_requests.create(
        **payment(
            **{
                "amount": Decimal("44.230"),
                "client_reference_id": "INV-1042",
                "due_date": DUE,
                **values,
            }
        )
    )


class TestCreate:
    def test_what_leaves_and_what_comes_back(self, run):
        provider = Script(GOOD)
        more = {"ultimate_creditor": "SampleCo Inc.", "notes": "n"}
        more["amount_modification_allowed"] = False
        made = run(provider, lambda victor: create(victor, **more, idempotency_key=KEY))
        [request] = provider.requests
        assert request.method == "POST"
        host = "https://api.stage.victorfi.com"
        assert str(request.url) == f"{host}/v2/payment-requests/request-payment"
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
            "idempotency-key": KEY,
            "authorization": "Bearer t",
            "content-type": "application/json",
            "accept": "application/json",
        }.items() <= dict(request.headers).items()
        assert (made.id, made.status, made.amount, made.idempotency_key) == (
            "a7ffd43c37c1",
            Status.CREATED,
            Decimal("44.23"),
            KEY,
        )

    def test_without_a_key_each_call_has_one_of_its_own(self, run):
        provider = Script(httpx.ReadTimeout("no answer"), BUSY, GOOD)
        first, second = (run(provider, create).idempotency_key for _ in range(2))
        assert first != second
        keys = [request.headers["idempotency-key"] for request in provider.requests]
        assert keys == [first] * 3 + [second]
        assert len({request.content for request in provider.requests}) == 1


class TestTheProvidersProblems:
    def problems(self, run, body):
        with pytest.raises(BadRequest) as raised:
            run(Script(httpx.Response(400, json=body)), create)
        assert raised.value.outcome is Outcome.REJECTED
        return raised.value

    def test_problems_of_the_first_shape_name_the_field_in_both_spellings(self, run):
        said = {"code": 101, "message": "error.amount.invalid", "field": "paymentDetails.amount"}
        error = self.problems(run, {"status": 0, "data": None, "error": said})
        [problem] = error.problems
        assert (problem.field, problem.provider_field) == (
            "payment_details.amount",
            "paymentDetails.amount",
        )
        assert (problem.code, problem.message) == ("101", "error.amount.invalid")
        assert "status 400: payment_details.amount: error.amount.invalid" in str(error)

    def test_problems_of_the_second_shape_are_one_for_each_error(self, run):
        items = [
            {"objectName": "request", "code": "NotNull", "defaultMessage": "must not be null",
             "codes": ["NotNull.request.dueDateStartDate", "NotNull"]},
            {"objectName": "request", "code": "Size", "arguments": [{}], "field": "notes"},
            {"defaultMessage": "something else"},
            "no object",
        ]  # fmt: skip
        error = self.problems(run, {"name": {}, "boundProperties": [], "allErrors": items})
        assert [(problem.field, problem.code, problem.message) for problem in error.problems] == [
            ("due_date_start_date", "NotNull", "must not be null"),
            ("notes", "Size", "Size"),
            ("", "", "something else"),
        ]


class TestTheGeneratedOperations:
    """They go through the same loop: signed, tried again, with the same errors."""

    @pytest.mark.parametrize("key", ["", "INV-1042", "k" * 129, "two words, and long enough"])
    def test_a_key_that_the_provider_does_not_take_is_refused_as_by_create(self, mode, run, key):
        provider = Script(GOOD)
        arguments = {
            "body": NewRtpRfpPaymentRequest.from_dict(RECEIPT["payment_request"]),
            "idempotency_key": key,
        }
        call = create_request_payment.sync if mode == "blocking" else create_request_payment.asyncio
        with pytest.raises(InvalidRequest, match="Nothing was sent: idempotency_key ") as raised:
            run(provider, lambda victor: call(client=victor.api, **arguments))
        assert [problem.field for problem in raised.value.problems] == ["idempotency_key"]
        assert (raised.value.outcome, provider.requests) == (Outcome.NOT_SENT, [])


class TestChangesOfTheGeneratedClient:
    @pytest.fixture
    def provider(self) -> Script:
        return Script(httpx.Response(200, json={"page": 0, "results": []}))

    @pytest.fixture
    def victor(self, provider: Script) -> Iterator[Victor]:
        with Victor(AUTH, transport=provider.transport, retry=QUICK) as victor:
            yield victor

    def last(self, provider: Script, api) -> httpx.Request:
        list_payment_requests.sync(client=api)
        return provider.requests[-1]

    def test_headers_of_a_changed_client_are_sent_and_the_original_keeps_its_own(
        self, provider, victor
    ):
        own = {"X-Trace": "1", "User-Agent": "mine", "Authorization": "Bearer mine"}
        changed = victor.api.with_headers(own)
        sent = self.last(provider, changed).headers
        assert (sent["x-trace"], sent["user-agent"]) == ("1", "mine")
        assert sent.get_list("authorization") == ["Bearer t"], "a header takes no token's place"
        sent = self.last(provider, victor.api).headers
        assert "x-trace" not in sent
        assert sent["user-agent"].startswith("victor-ext/")

    def test_all_of_them_have_one_loop_and_one_pool(self, provider, victor, monkeypatch):
        """The standard library would lock cookies for an answer, so that a Ctrl-C leaves them
        locked for ever.
        """
        monkeypatch.delattr(CookieJar, "extract_cookies")
        changed = victor.api.with_cookies({"a": "1"}).with_timeout(httpx.Timeout(1.5))
        plain = httpx.Response(200, json={"results": []})
        provider.lines[:] = [plain, BUSY, plain]
        requests = [self.last(provider, api) for api in (victor.api, changed, victor.api)]
        assert (len(provider.requests), len(provider.for_tokens)) == (4, 1)
        assert [each.headers.get("cookie") for each in requests] == [None, "a=1", None]
        assert [each.extensions["timeout"].get("read") for each in requests] == [20.0, 1.5, 20.0]

    def test_a_with_block_leaves_the_client_open(self, mode, provider, victor):
        async def call(victor):
            async with victor.api as api:
                await list_payment_requests.asyncio(client=api)
            return await list_payment_requests.asyncio(client=victor.api)

        if mode == "awaited":
            assert over(mode, provider, (call, call)) is not None
            return
        for _ in range(2):
            with victor.api as api:
                self.last(provider, api)
        assert self.last(provider, victor.api).headers["authorization"] == "Bearer t"

    def test_closing_the_client_closes_them_all(self, provider, victor):
        api, other = victor.api, victor.with_options(deadline=5.0)
        victor.close()
        for client in (api, api.with_headers({"X-A": "1"}), other.api, victor.api):
            with pytest.raises(ConfigurationError, match="closed"):
                list_payment_requests.sync(client=client)
        assert provider.requests == []


def of_script(*lines, **options) -> tuple[Victor, Script]:
    """A client of a script, and the script."""
    return scripted(Victor, {"auth": AUTH}, *(lines or (GOOD,)), **options)


class TestWithOptions:
    def test_tokens_events_and_the_retry_quota_are_shared(self):
        observed = []
        options = {"retry": RetryPolicy(base=0.0, quota=10), "on_event": observed.append}
        victor, script = of_script(BUSY, BUSY, GOOD, BUSY, **options)
        victor.with_options(deadline=5.0).payment_requests.get("a7ffd43c37c1")
        with pytest.raises(ServerError, match="retry quota"):
            victor.payment_requests.get("a7ffd43c37c1")
        assert len(script.for_tokens) == 1
        outcomes = [event.outcome for event in observed if isinstance(event, CallEnded)]
        assert outcomes == [None, Outcome.UNKNOWN]

    def test_another_retry_policy(self):
        victor, script = of_script(BUSY)
        with pytest.raises(ServerError):
            victor.with_options(retry=ONCE).payment_requests.get("a7ffd43c37c1")
        assert len(script.requests) == 1

    def test_closing_the_derived_one_leaves_the_original_open(self):
        victor, script = of_script()
        derived = victor.with_options(deadline=5.0)
        derived.with_options(timeout=1.0).close()
        derived.payment_requests.get("a7ffd43c37c1")
        derived.close()
        with pytest.raises(ConfigurationError, match="closed"):
            derived.payment_requests.get("a7ffd43c37c1")
        victor.payment_requests.get("a7ffd43c37c1")
        assert len(script.requests) == 2


def test_one_connection_serves_a_client_and_all_that_was_derived_from_it(
    mode, victor_sandbox, victor_auth, monkeypatch
):
    connect, addresses = socket.socket.connect, []
    monkeypatch.setattr(
        socket.socket, "connect", lambda own, to: addresses.append(to) or connect(own, to)
    )
    name = str(victor_sandbox.create_inbound("10.00"))
    get = get_payment_request.sync if mode == "blocking" else get_payment_request.asyncio
    calls = (
        lambda victor: victor.payment_requests.get(name),
        lambda victor: victor.with_options(deadline=5.0).payment_requests.get(name),
        lambda victor: get(name, client=victor.api.with_headers({"X-A": "1"})),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(
            (Victor, AsyncVictor)[MODES.index(mode)],
            calls,
            victor_auth,
            base_url=victor_sandbox.url,
        )
        gc.collect()
    assert len(addresses) == 1
