"""The client as a user has it: what leaves, what comes back, and that its parts hang together."""

import gc
import json
import socket
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from http.cookiejar import CookieJar
from typing import Any

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
blocking, awaited = (partial(over, mode) for mode in MODES)


class Provider(Script):
    """Answers from a script, or with a receipt."""

    def __init__(self, *lines: Any) -> None:
        super().__init__(*(lines or (httpx.Response(200, json=RECEIPT),)))


def create(victor: Any, **values: Any) -> Any:
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
        provider = Provider()
        more = {
            "ultimate_creditor": "SampleCo Inc.",
            "amount_modification_allowed": False,
            "notes": "n",
        }
        made = run(provider, lambda victor: create(victor, **more, idempotency_key=KEY))
        [request] = provider.requests
        assert request.method == "POST"
        assert (
            str(request.url) == "https://api.stage.victorfi.com/v2/payment-requests/request-payment"
        )
        assert json.loads(request.content) == {
            "payee": {"account_number": "043987673645", "ultimate_creditor": "SampleCo Inc."},
            "payer": {"victor_counterparty_id": "aHeq349838"},
            "payment_details": {
                "amount": "44.23", "biller_type": "BUSINESS", "due_date": str(DUE), "notes": "n",
                "amount_modification_allowed": False,
            },
            "client_reference_id": "INV-1042",
        }  # fmt: skip
        assert request.headers["idempotency-key"] == KEY
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["content-type"] == "application/json"
        assert request.headers["accept"] == "application/json"
        assert request.headers["user-agent"].startswith(
            f"victor-ext/{victor_ext.__version__} httpx/"
        )
        assert (made.id, made.status, made.amount) == (
            "a7ffd43c37c1",
            Status.CREATED,
            Decimal("44.23"),
        )
        assert made.idempotency_key == KEY

    def test_without_a_key_each_call_has_one_of_its_own(self, run):
        good = httpx.Response(200, json=RECEIPT)
        provider = Provider(httpx.ReadTimeout("no answer"), httpx.Response(503), good, good)
        first, second = (run(provider, create).idempotency_key for _ in range(2))
        assert first != second
        assert {uuid.UUID(first).version, uuid.UUID(second).version} == {4}
        assert [request.headers["idempotency-key"] for request in provider.requests] == [
            first
        ] * 3 + [second]
        assert len({request.content for request in provider.requests}) == 1


class TestTheProvidersProblems:
    def problems(self, run, body):
        with pytest.raises(BadRequest) as raised:
            run(Provider(httpx.Response(400, json=body)), create)
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
        provider = Provider(httpx.Response(200, json=RECEIPT))
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
    def provider(self) -> Provider:
        return Provider(httpx.Response(200, json={"page": 0, "results": []}))

    @pytest.fixture
    def victor(self, provider: Provider) -> Iterator[Victor]:
        with Victor(AUTH, transport=httpx.MockTransport(provider), retry=QUICK) as victor:
            yield victor

    def last(self, provider: Provider, api: Any) -> httpx.Request:
        list_payment_requests.sync(client=api)
        return provider.requests[-1]

    def test_headers_of_a_changed_client_are_sent_and_the_original_keeps_its_own(
        self, provider, victor
    ):
        changed = victor.api.with_headers(
            {"X-Trace": "1", "User-Agent": "mine", "Authorization": "Bearer mine"}
        )
        both = changed.with_headers({"x-trace": "2", "X-Other": "3"})
        for api, trace, agent in (
            (changed, ["1"], "mine"),
            (both, ["2"], "mine"),
            (changed, ["1"], "mine"),
        ):
            headers = self.last(provider, api).headers
            assert (headers.get_list("x-trace"), headers["user-agent"]) == (trace, agent)
            assert (headers["accept"], headers.get("x-other")) == (
                "application/json",
                "3" if api is both else None,
            )
        assert self.last(provider, victor.api).headers["user-agent"].startswith("victor-ext/")
        assert "x-trace" not in self.last(provider, victor.api).headers
        tokens = {tuple(request.headers.get_list("authorization")) for request in provider.requests}
        assert tokens == {("Bearer t",)}, "a header cannot take the place of the token"

    def test_cookies_timeouts_and_all_on_one_loop_and_one_pool(self, provider, victor, monkeypatch):
        """The standard library would lock cookies for an answer, so that a Ctrl-C leaves them
        locked for ever.
        """
        monkeypatch.delattr(CookieJar, "extract_cookies")
        changed = (
            victor.api.with_headers({"X-A": "1"}).with_cookies({"a": "1"}).with_cookies({"b": "2"})
        )
        changed = changed.with_timeout(httpx.Timeout(1.5))
        plain = httpx.Response(200, json={"results": []})
        provider.lines[:] = [plain, httpx.Response(503), plain]
        requests = [self.last(provider, api) for api in (victor.api, changed, victor.api)]
        assert len(provider.requests) == 4
        assert [each.headers.get("cookie") for each in requests] == [None, "a=1; b=2", None]
        assert [each.headers.get("x-a") for each in requests] == [None, "1", None]
        assert [each.extensions["timeout"].get("read") for each in requests] == [20.0, 1.5, 20.0]
        assert len(provider.for_tokens) == 1

    def test_a_with_block_leaves_the_client_open(self, provider, victor):
        for _ in range(2):
            with victor.api as api, api.with_headers({"X-A": "1"}) as changed:
                self.last(provider, changed)
        assert self.last(provider, victor.api).headers["authorization"] == "Bearer t"
        assert victor.payment_requests.list(page_size=5).pages() is not None

    def test_so_does_an_awaited_one(self, provider):
        async def call(victor):
            async with victor.api as api:
                await list_payment_requests.asyncio(client=api)
            return await list_payment_requests.asyncio(client=victor.api)

        assert awaited(provider, (call, call)) is not None

    def test_closing_the_client_closes_them_all(self, provider, victor):
        api = victor.api
        changed = api.with_headers({"X-A": "1"})
        other = victor.with_options(deadline=5.0)
        victor.close()
        for client in (api, changed, other.api, victor.api.with_timeout(httpx.Timeout(1))):
            with pytest.raises(ConfigurationError, match="closed"):
                list_payment_requests.sync(client=client)
        assert provider.requests == []


class TestWithOptions:
    def test_tokens_events_and_the_retry_quota_are_shared(self):
        observed: list[Any] = []
        provider = Provider(
            httpx.Response(503), httpx.Response(503), httpx.Response(200, json=RECEIPT)
        )
        transport = httpx.MockTransport(provider)
        policy = RetryPolicy(base=0.0, quota=10)
        with Victor(AUTH, transport=transport, retry=policy, on_event=observed.append) as victor:
            victor.with_options(deadline=5.0).payment_requests.get("a7ffd43c37c1")
            provider.lines[:] = [httpx.Response(503)]
            with pytest.raises(ServerError, match="retry quota"):
                victor.payment_requests.get("a7ffd43c37c1")
        assert len(provider.for_tokens) == 1
        assert [event.outcome for event in observed if isinstance(event, CallEnded)] == [
            None,
            Outcome.UNKNOWN,
        ]

    def test_another_retry_policy(self):
        provider = Provider(httpx.Response(503))
        with pytest.raises(ServerError):
            blocking(
                provider,
                lambda victor: victor.with_options(retry=ONCE).payment_requests.get("a7ffd43c37c1"),
            )
        assert len(provider.requests) == 1

    def test_closing_the_derived_one_leaves_the_original_open(self):
        provider = Provider()
        with Victor(AUTH, transport=httpx.MockTransport(provider)) as victor:
            derived = victor.with_options(deadline=5.0)
            derived.with_options(timeout=1.0).close()
            derived.payment_requests.get("a7ffd43c37c1")
            derived.close()
            with pytest.raises(ConfigurationError, match="closed"):
                derived.payment_requests.get("a7ffd43c37c1")
            victor.payment_requests.get("a7ffd43c37c1")
        assert len(provider.requests) == 2


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


def test_a_request_to_another_origin_is_refused_by_name() -> None:
    requests: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(204)

    with (
        Victor(auth=VictorOAuth("id", "secret"), transport=httpx.MockTransport(note)) as victor,
        pytest.raises(
            ConfigurationError, match=r"A request to https://files\.pay\.example was stopped"
        ),
    ):
        victor.api.get_httpx_client().get("https://files.pay.example/files/a")
    assert requests == []
