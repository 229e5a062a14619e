"""What a response proves, it proves under every status: a refusal with what only a success has is
unknown, and no write without a key is sent again after it.

The sandbox of each system does the work; something on the way gives its good response another
status.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from victor_api.api.payment_requests import create_request_payment
from victor_api.client import Client
from victor_api.models import NewRtpRfpPaymentRequest

from tests.providers.connected.till import URL, client_class, new_payment, operation
from tests.providers.flexfactor.adapter import id_of
from tests.providers.running import MODES, ONCE, QUICK, Exchange, Script, is_for_token, run
from tests.providers.systems import ADAPTERS
from victor_ext import ClientCredentialsAuth, VictorError, connect, connect_async
from victor_ext.providers.eastpay.operations import operations_of

REFUSALS = (400, 401, 404, 429)
SENT_AGAIN = (401, 429)
PROVES_NOTHING = {
    "velo": {
        "update_payee",
        "rename_payee",
        "invite",
        "delete_payee",
        "withdraw_payment",
        "quote",
        "instruct",
        "withdraw",
        "update_webhook",
    },
    "flexfactor": {"cancel", "external_cancel"},
}
"""Writes whose good response has no body, and nothing in its headers; a quote has an empty list."""
WRITES = [
    pytest.param(system, exchange, id=f"{system}-{exchange.word}-{number}")
    for system, adapter in ADAPTERS.items()
    for number, exchange in enumerate((adapter.WRITE, *adapter.MORE))
    if exchange.writes
]
each_write = pytest.mark.parametrize(("system", "exchange"), WRITES)


@dataclass
class Restated(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A way to a sandbox on which the good responses to writes get another status."""

    status: int
    headers: dict[str, str] = field(default_factory=dict[str, str])
    writes: int = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with httpx.Client(verify=False) as inner:
            response = inner.send(_copy(request, request.read()))
        return self._restated(request, response)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(verify=False) as inner:
            response = await inner.send(_copy(request, await request.aread()))
        return self._restated(request, response)

    def _restated(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        status = response.status_code
        if request.method != "GET" and not is_for_token(request):
            self.writes += 1
            status = self.status if status < 300 else status
        named = {**response.headers, **self.headers}
        return httpx.Response(status, headers=named, content=response.content)


def _copy(request: httpx.Request, content: bytes) -> httpx.Request:
    return httpx.Request(request.method, request.url, headers=request.headers, content=content)


def outcome_of(harness: Any, way: Restated, *calls: Any, **options: Any) -> str:
    """The word for what comes of calls of one client."""
    try:
        harness(*calls, transport=way, **{"retry": QUICK, **options})
    except VictorError as error:
        return str(error.outcome.value)
    return "success"


@each_write
@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_with_what_a_success_has_is_unknown_and_not_sent_again(
    system: str, exchange: Exchange, status: int, harness: Any
) -> None:
    way = Restated(status)
    read = ADAPTERS[system].READ
    read_subject = read.subject(harness)
    subject = exchange.subject(harness)
    # The token is not new: after a 401, another one would be asked for.
    word = outcome_of(
        harness,
        way,
        lambda client: read.call(client, read_subject),
        lambda client: exchange.call(client, subject),
    )
    if exchange.word in PROVES_NOTHING.get(system, ()):
        assert word == "rejected" or status in SENT_AGAIN
        return
    assert word == ("success" if exchange.settles else "unknown")
    assert way.writes == 1 or exchange.keyed
    assert exchange.work(harness, subject) == 1


@each_write
def test_a_key_is_kept_for_the_repeats_of_a_refusal_that_proves_the_work(
    system: str, exchange: Exchange, harness: Any
) -> None:
    if not exchange.keyed or exchange.word in PROVES_NOTHING.get(system, ()):
        pytest.skip("it takes no key, or proves nothing")
    subject, way = exchange.subject(harness), Restated(429, {"retry-after": "0"})
    assert outcome_of(harness, way, lambda client: exchange.call(client, subject)) == "unknown"
    assert way.writes == QUICK.max_attempts
    assert exchange.work(harness, subject) == 1


NO_EVIDENCE = (
    b"",
    b"{}",
    b"null",
    b"<html><body>Too many requests</body></html>",
    b'{"id": null, "orderId": null, "victor_payment_request_id": null}',
    b'{"message": "API rate limit exceeded", "request_id": "4f1a"}',
    b'{"type": "about:blank", "title": "Too Many Requests", "status": 429, "detail": "x"}',
    b'{"success": false, "status": "FAILED", "orderId": "o-1", "id": "x-1"}',
)


@dataclass
class Refused(Restated):
    """A way on which writes are refused, before they come to the sandbox, with this body."""

    body: bytes = b""

    def _restated(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        if request.method == "GET" or is_for_token(request):
            return response
        self.writes += 1
        return httpx.Response(self.status, headers=self.headers, content=self.body)


@each_write
@pytest.mark.parametrize("status", [400, 429])
def test_a_refusal_without_evidence_is_one(
    system: str, exchange: Exchange, status: int, harness: Any
) -> None:
    for body in NO_EVIDENCE:
        subject = exchange.subject(harness)
        way = Refused(status, body=body)
        word = outcome_of(harness, way, lambda client: exchange.call(client, subject), retry=ONCE)  # noqa: B023 - it is called at once
        assert word == "rejected", body


ID = "victor_payment_request_id"
DECLINED = {"code": "800.100.153", "description": "declined"}
NO_SUCH = {"code": "100.300.401", "description": "no such payment"}
NOT_KNOWN = {"code": "800.900.300", "description": "invalid authentication information"}
TOO_MANY = {"code": "800.120.100", "description": "too many requests"}
COMPLETED = "order is completed: cannot be refunded"


def in_state(state: str) -> Callable[[Any], Any]:
    """The body of a refusal that tells the state of the order asked for."""
    return lambda name: {"orderId": id_of(name), "status": state}


def with_result(result: dict[str, str]) -> Callable[[Any], Any]:
    """The body of a refusal with an id, a value that was sent, and this result."""
    return lambda _: {"id": "8ac7", "amount": "92.00", "result": result}


SHAPES: dict[str, tuple[str, int, Callable[[Any], Any], str]] = {
    # word of the exchange, status, the body made of the subject, outcome
    "a payment request beside an error": (
        "victor create",
        400,
        lambda _: {ID: "a7ff", "error": {"message": "late"}},
        "unknown",
    ),
    "an error that repeats the request it is about": (
        "victor respond",
        400,
        lambda id: {ID: id, "error": {"message": "late"}},
        "rejected",
    ),
    "another word than was meant": (
        "victor respond",
        400,
        lambda id: {ID: id, "status": "Failed"},
        "rejected",
    ),
    "the response to another request": (
        "victor respond",
        400,
        lambda _: {ID: "other", "status": "Accepted"},
        "rejected",
    ),
    "a payment of the gateway that was declined": (
        "eastpay pay",
        429,
        lambda _: {"id": "8ac7", "result": DECLINED},
        "unknown",
    ),
    "a payment of the gateway without a result, with what was sent": (
        "eastpay pay",
        429,
        lambda reference: {"id": "8ac7", "merchantTransactionId": reference, "amount": "92.00"},
        "unknown",
    ),
    "an id alone": ("eastpay pay", 429, lambda _: {"id": "8ac7"}, "rejected"),
    "a payment of another reference": (
        "eastpay pay",
        429,
        lambda _: {"id": "8ac7", "merchantTransactionId": "X-1", "result": DECLINED},
        "rejected",
    ),
    "a parameter that the gateway refuses": (
        "eastpay pay",
        400,
        lambda _: {"id": "8ac7", "result": {**NO_SUCH, "parameterErrors": [{"name": "amount"}]}},
        "rejected",
    ),
    "a step about a payment that is not there, with its id": (
        "eastpay follow_up",
        404,
        lambda subject: {"id": subject[1], "paymentType": "CP", "result": NO_SUCH},
        "rejected",
    ),
    "an order that is refused": (
        "flexfactor refund",
        400,
        lambda name: {"success": False, "orderId": id_of(name), "status": "COMPLETED"},
        "rejected",
    ),
    "an order whose refund lists errors": (
        "flexfactor refund",
        400,
        lambda name: {"orderId": id_of(name), "status": "COMPLETED", "errors": ["too much"]},
        "rejected",
    ),
    "a refund that is under way": (
        "flexfactor refund",
        429,
        lambda _: {"success": True, "status": "PENDING"},
        "unknown",
    ),
    **{
        f"a refund that is refused with status {status}, and the order's state": (
            "flexfactor refund",
            status,
            lambda name: {"orderId": id_of(name), "status": "COMPLETED", "message": COMPLETED},
            "rejected",
        )
        for status in (400, 404, 429)
    },
    **{
        f"an order whose refund is refused, in state {state}": (
            "flexfactor refund",
            429,
            in_state(state),
            "rejected",
        )
        for state in ("APPROVED", "COMPLETED", "CAPTURED", "CANCELLED")
    },
    "an order that is refunded": (
        "flexfactor refund",
        429,
        lambda name: {"orderId": id_of(name), "status": "REFUNDED", "message": "ok"},
        "unknown",
    ),
    "an order in the state of a refund, which is refused": (
        "flexfactor refund",
        429,
        lambda name: {
            "orderId": id_of(name),
            "status": "REFUNDED",
            "message": "It cannot be refunded.",
        },
        "rejected",
    ),
    "an order that is cancelled": (
        "flexfactor cancel",
        429,
        lambda name: {"orderId": id_of(name), "status": "CANCELLED"},
        "unknown",
    ),
    "an order whose cancellation is refused": (
        "flexfactor cancel",
        429,
        lambda name: {"orderId": id_of(name), "status": "COMPLETED"},
        "rejected",
    ),
    "words without a code beside a value that was sent": (
        "eastpay pay",
        400,
        lambda _: {"id": "8ac7", "amount": "92.00", "message": "no"},
        "rejected",
    ),
    **{
        f"a payment that was not begun: {result['description']}, {status}": (
            "eastpay pay",
            status,
            with_result(result),
            "rejected",
        )
        for status in (401, 403, 429)
        for result in (NOT_KNOWN, TOO_MANY)
    },
    "a state that names no order": (
        "flexfactor refund",
        429,
        lambda _: {"status": "COMPLETED"},
        "rejected",
    ),
    "a page with errors of the provider": (
        "velo submit",
        400,
        lambda _: {"errors": [{"errorCode": "1", "errorMessage": "no"}], "correlationId": "c-1"},
        "rejected",
    ),
    "a declared payment": (
        "connected create",
        422,
        lambda _: {"id": "pay_1", "status": "created"},
        "unknown",
    ),
    "an error with an id of its own": (
        "connected create",
        422,
        lambda _: {"id": "err_1", "message": "The amount is too high.", "code": "amount"},
        "rejected",
    ),
    "a declared payment with a failure beside it": (
        "connected create",
        422,
        lambda _: {"id": "pay_1", "status": "created", "success": False},
        "rejected",
    ),
}


def exchange_of(named: str) -> Exchange:
    system, word = named.split()
    adapter = ADAPTERS[system]
    found: Exchange = next(each for each in (adapter.WRITE, *adapter.MORE) if each.word == word)
    return found


@pytest.mark.parametrize(
    ("system", "shape"),
    [pytest.param(shape[0].split()[0], shape, id=name) for name, shape in SHAPES.items()],
)
def test_what_shows_the_work_and_what_does_not(
    system: str, shape: tuple[str, int, Callable[[Any], Any], str], harness: Any
) -> None:
    named, status, body_of, outcome = shape
    exchange = exchange_of(named)
    subject = exchange.subject(harness)
    way = Refused(status, body=json.dumps(body_of(subject)).encode())
    word = outcome_of(harness, way, lambda client: exchange.call(client, subject), retry=ONCE)
    assert word == outcome


PROOFS: dict[str, Callable[[Any], Any]] = {
    "victor create": lambda _: {ID: "a7ff", "status": "created"},
    "eastpay pay": lambda reference: {
        "id": "8ac7",
        "merchantTransactionId": reference,
        "result": {"code": "000.000.000"},
    },
    "flexfactor refund": lambda _: {"success": True, "status": "COMPLETED"},
    "connected create": lambda _: {"id": "pay_1", "status": "created"},
}
each_proof = pytest.mark.parametrize(
    ("system", "named"), [(named.split()[0], named) for named in PROOFS]
)


@each_proof
def test_a_body_that_was_cut_proves_what_its_beginning_says(
    system: str, named: str, harness: Any
) -> None:
    exchange = exchange_of(named)
    subject = exchange.subject(harness)
    cut = json.dumps({**PROOFS[named](subject), "rest": 1}).encode()[:-5]
    way = Refused(429, body=cut)
    word = outcome_of(harness, way, lambda client: exchange.call(client, subject), retry=ONCE)
    assert word == "unknown"


@pytest.mark.parametrize("system", ["eastpay"])
def test_a_redirect_that_proves_the_work_is_not_followed(system: str, harness: Any) -> None:
    exchange = exchange_of(f"{system} pay")
    way = Restated(307, {"location": "/eastpay/v3/payments"})
    assert outcome_of(harness, way, lambda client: exchange.call(client, "INV-307")) == "unknown"
    assert way.writes == exchange.work(harness, "INV-307") == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"status": "failed"}, "rejected"),  # an error of this document has a status, too
        ({ID: "a7ff", "status": "failed"}, "unknown"),
        ({ID: None, "status": "failed"}, "rejected"),
        ({ID: " "}, "rejected"),
        ({ID: "a7ff", "message": "no"}, "rejected"),  # no response of this document has one
        ({"payment_request": {}}, "rejected"),
        ({"payment_request": {"payee": {"account_number": "043987673645"}}}, "rejected"),
        ({ID: "a7ff", "payment_request": {"payee": {"account_number": "043"}}}, "unknown"),
        ({ID: "a7ff", "client_reference_id": "INV-2"}, "rejected"),
        ({ID: "a7ff", "client_reference_id": "INV-1", "message": "no"}, "unknown"),
    ],
)
def test_what_an_error_of_the_document_may_have_proves_nothing(
    mode: str, body: dict[str, Any], outcome: str
) -> None:
    script, awaited = Script(httpx.Response(422, json=body)), mode == MODES[1]
    request = NewRtpRfpPaymentRequest.from_dict({"client_reference_id": "INV-1"})

    def call(client: Any) -> Any:
        send = create_request_payment.asyncio if awaited else create_request_payment.sync
        return send(client=client.api, body=request)

    kind = connect_async if awaited else connect
    with pytest.raises(VictorError) as raised:
        run(kind, call, Client, base_url="https://a.example", transport=script.transport, key=None)
    assert (raised.value.outcome.value, len(script.requests)) == (outcome, 1)


PAYMENT = {"amount": 4423, "currency": "EUR", "reference": "INV-1"}
MADE = {"id": "pay_1", **PAYMENT, "status": "accepted"}
OF_TILL: dict[str, tuple[Any, str]] = {
    "all of a payment": (MADE, "unknown"),
    **{
        f"a payment beside {name} {value!r}": ({**MADE, name: value}, "unknown")
        for name, value in (
            ("message", None),
            ("message", ""),
            ("message", "ok"),
            ("message", "SUCCESS"),
            ("message", "Too many requests"),
            ("code", 0),
            ("code", "00"),
            ("type", "payment"),
            ("detail", None),
            ("errors", []),
            ("request_id", "r-1"),
        )
    },
    "an id, and nothing that complains": (
        {"id": "pay_1", "status": "failed", "detail": " ", "message": "ok", "code": 0},
        "unknown",
    ),
    "an id beside a number that is not declared": ({"id": "pay_1", "size": 7}, "unknown"),
    "an id beside an object that is not declared": (
        {"id": "err-1", "about": {"amount": "no"}},
        "rejected",
    ),
    "an id of an error": ({"id": "err-1", "description": "The amount is too high."}, "rejected"),
    "an id of an error in a declared member": (
        {"id": "err-1", "detail": "The amount is too high."},
        "rejected",
    ),
    "an id beside what is not declared": ({"id": "err-1", "request": "r-1"}, "rejected"),
    "an id beside the state of a refusal": ({"id": "err-1", "status": "error"}, "rejected"),
    "a value that was sent, without an id": ({**PAYMENT, "status": "accepted"}, "rejected"),
    "a map of mistakes": (
        {"amount": "must be positive", "currency": "is not one of ours"},
        "rejected",
    ),
    "a map of mistakes with an id": (
        {"id": "err-1", "currency": "EUR", "amount": "must be positive"},
        "rejected",
    ),
    "lists of mistakes": ({"id": "err-1", "amount": ["must be positive"]}, "rejected"),
    "a list of mistakes": ({"tags": ["can't be blank"]}, "rejected"),
    "the state of an error": ({"status": "error"}, "rejected"),
    "the state of a refusal": ({"status": "UNAUTHORIZED"}, "rejected"),
    "a state with messages": ({"status": "invalid", "messages": ["no"]}, "rejected"),
    "a payment that reports an error": ({**MADE, "errors": ["no"]}, "rejected"),
}


def by_function(client: Any, awaited: bool) -> Any:
    module = operation("payments.take_payment")
    take = module.asyncio if awaited else module.sync
    return take(client=client.api, body=new_payment(**PAYMENT))


def by_hand(client: Any, _awaited: bool) -> Any:
    return client.http.post("/v1/payments", json=PAYMENT)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("send", [by_function, by_hand])
@pytest.mark.parametrize("status", [400, 422, 429])
@pytest.mark.parametrize(("body", "outcome"), OF_TILL.values(), ids=OF_TILL.keys())
def test_one_rule_says_what_a_document_proves_also_by_hand(
    body: Any, outcome: str, status: int, send: Callable[[Any, bool], Any], mode: str
) -> None:
    script, awaited = Script(httpx.Response(status, json=body)), mode == MODES[1]
    settings = {"base_url": URL, "transport": script.transport, "key": None, "retry": QUICK}
    kind = connect_async if awaited else connect
    with pytest.raises(VictorError) as raised:
        run(kind, lambda client: send(client, awaited), client_class(), **settings)
    error = raised.value
    is_sent_again = outcome == "rejected" and status == 429
    times = QUICK.max_attempts if is_sent_again else 1
    assert (error.outcome.value, len(script.requests)) == (outcome, times)
    assert not error.problems or outcome == "rejected"


@pytest.mark.parametrize("mode", MODES)
def test_the_mistakes_of_a_refusal_are_problems(mode: str) -> None:
    mistakes = {"amount": "must be positive", "currency": "is not one of ours"}
    script, awaited = Script(httpx.Response(422, json=mistakes)), mode == MODES[1]
    kind = connect_async if awaited else connect
    with pytest.raises(VictorError) as raised:
        run(
            kind,
            lambda client: by_function(client, awaited),
            client_class(),
            base_url=URL,
            transport=script.transport,
            key=None,
        )
    assert [problem.field for problem in raised.value.problems] == ["amount", "currency"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("body", "tokens"), [({"status": "UNAUTHORIZED"}, 2), ({"id": "err-1"}, 1), (MADE, 1)]
)
def test_a_revoked_token_is_renewed_unless_the_body_proves_the_work(
    mode: str, body: Any, tokens: int
) -> None:
    page = {"data": [], "has_more": False}
    lines = [httpx.Response(200, json=page), httpx.Response(401, json=body)]
    script, awaited = Script(*lines), mode == MODES[1]
    auth = ClientCredentialsAuth("/oauth/token", "id", "secret")

    def list_(client: Any) -> Any:
        module = operation("payments.list_payments")
        return (module.asyncio if awaited else module.sync)(client=client.api)

    kind = connect_async if awaited else connect
    with pytest.raises(VictorError):
        run(
            kind,
            (list_, lambda client: by_function(client, awaited)),
            client_class(),
            base_url=URL,
            transport=script.transport,
            key=None,
            auth=auth,
        )
    assert len(script.for_tokens) == tokens


AT_HOME = "{base}/v3/payouts/2aa5d7e0-2ecb-403f-8494-1865ed0454e9"
ADDRESSES = {
    AT_HOME: "unknown",
    "/v3/payouts/9b": "unknown",
    "/v4/payouts/9b": "unknown",
    "/errors/4711": "rejected",
    "/login2": "rejected",
    "https://status.example/errors/429": "rejected",
    "https://status.example/v3/payouts/9b": "rejected",
    "/v3/payees/9b": "rejected",
    "/v3/payouts/9b/payments/1": "rejected",
    "/payouts/9b": "rejected",
    "//[9b": "rejected",
}


@pytest.mark.parametrize("system", ["velo"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
def test_only_the_address_of_its_own_read_names_what_was_made(
    system: str, status: int, harness: Any
) -> None:
    exchange = exchange_of(f"{system} submit")
    errors = b'{"errors": [{"errorCode": "1", "errorMessage": "no"}]}'
    for address, outcome in ADDRESSES.items():
        location = address.format(base=harness.sandbox.url.rstrip("/"))
        for body, wanted in ((b"", outcome), (errors, "rejected")):
            subject = exchange.subject(harness)
            way = Refused(status, {"location": location}, body=body)
            word = outcome_of(harness, way, lambda client: exchange.call(client, subject))  # noqa: B023 - it is called at once
            assert word == wanted, (address, body)
            is_sent_again = wanted == "rejected" and status == 429
            assert way.writes == (QUICK.max_attempts if is_sent_again else 1)


@pytest.mark.parametrize(
    ("body", "proves"),
    [({"id": "8ac7"}, True), ({"id": "8ac7", "message": "no"}, False), ({"message": "no"}, False)],
)
def test_a_checkout_that_is_refused_in_words_proves_nothing(body: Any, proves: bool) -> None:
    row = operations_of(found_by_reference=False)["POST /v3/checkouts"]
    request = httpx.Request("POST", "https://a.example/v3/checkouts")
    assert row.was_done(httpx.Response(429, json=body, request=request)) is proves
