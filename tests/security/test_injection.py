"""Text that comes from outside stays where it is put: it makes no header, no line, no other path
and no other host.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from victor_api.api.payment_requests import (
    create_request_payment,
    get_payment_request,
    list_payment_requests,
    respond_to_payment_request,
)
from victor_api.models import (
    NewRtpRfpPaymentRequest,
    RfpInboundPaymentRequestResponseRequestDetails,
)

from tests.faults.raw_sockets import Background
from tests.providers.victor.adapter import payment
from tests.security.recorder import Recorder
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth

pytestmark = pytest.mark.slow
EVIL = "X-Evil: 1"
NASTY = [
    f"a\r\n{EVIL}",
    f"a\n{EVIL}",
    f"a\r{EVIL}",
    f"a\r\n\r\nGET /v2/evil HTTP/1.1\r\n{EVIL}",
    f"%0d%0a{EVIL}",
    f"a\u2028{EVIL}",
    f"a\u0085{EVIL}",
    f"a\x0b{EVIL}",
    "a\x00b",
    "a\x7fb",
    "a\x1b[2J",
    "a\tb",
    " a",
    "a ",
    "",
    "..",
    ".",
    "../auth/token",
    "../../v2/auth/token",
    "a/../../auth/token",
    "a/b",
    "/a",
    "a//b",
    "a%2fb",
    "%2e%2e",
    "a?page=1",
    "a#b",
    "a;b",
    "a\\b",
    "..\\..",
    "//evil.example/a",
    "https://evil.example/a",
    "a@evil.example",
    "\u00e9" * 20,
    "\uff0e\uff0e\uff0f",
    "\U0001d7d9" * 20,
    "\ud800",
    "a\ufeffb",
    "k" * 19 + "\n",
    "k" * 20 + "\r\n",
    "k" * 10_000,
]
KNOWN = {
    b"host",
    b"accept",
    b"accept-encoding",
    b"authorization",
    b"connection",
    b"content-length",
    b"content-type",
    b"user-agent",
    b"idempotency-key",
}
PREFIX = b"/v2/payment-requests"


@pytest.fixture(scope="module")
def server(background: Background) -> Iterator[Recorder]:
    made = Recorder(background)
    yield made
    made.close()


@pytest.fixture(scope="module")
def victor(server: Recorder) -> Iterator[Victor]:
    auth = VictorOAuth("client-id", "not-a-secret")
    with Victor(
        auth, base_url=server.url(), retry=RetryPolicy(max_attempts=1), deadline=10.0
    ) as made:
        made.authorization()
        yield made


def create(victor: Victor, **values: Any) -> Any:
    return victor.payment_requests.create(**payment(**values))


SAFE_CALLS: dict[str, Callable[[Victor, str], Any]] = {
    **{
        f"create({name})": lambda victor, text, name=name: create(victor, **{name: text})
        for name in (
            "idempotency_key",
            "notes",
            "client_reference_id",
            "payer_counterparty_id",
            "ultimate_creditor",
            "payee_account_number",
            "amount",
            "biller_type",
            "due_date",
        )
    },
    "get(id)": lambda victor, text: victor.payment_requests.get(text),
    "accept(id)": lambda victor, text: victor.payment_requests.accept(text, notes="n"),
    "accept(notes)": lambda victor, text: victor.payment_requests.accept("b34783af0", notes=text),
    "decline(id)": lambda victor, text: victor.payment_requests.decline(text, notes="n"),
    **{
        f"list({name})": lambda victor, text, name=name: list(
            victor.payment_requests.list(**{name: text})
        )
        for name in (
            "victor_id",
            "status",
            "direction",
            "network_type",
            "tracking_id",
            "instant_payment_rails_id",
            "victor_payment_request_parent_id",
            "victor_payment_request_child_id",
            "due_date_start_date",
        )
    },
    "find": lambda victor, text: victor.payment_requests.find(
        text, start_datetime=datetime.now(UTC)
    ),
}


def sent_by(server: Recorder, call: Callable[[], Any]) -> list[bytes]:
    """The heads of the requests that a call sent. Whatever it raises is for others to look at."""
    server.record.requests.clear()
    with suppress(VictorError, ValueError, TypeError):
        call()
    return server.heads


def wrong_with(head: bytes) -> list[str]:
    """Where a request is not one request to one payment request, with headers of ours."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    method, target, version = first.split(b" ")
    names = [line.partition(b":")[0].lower() for line in lines]
    path = target.partition(b"?")[0]
    found = [f"the header {name!r}" for name in names if name not in KNOWN]
    found += [f"{name!r} twice" for name in set(names) if names.count(name) > 1]
    if version != b"HTTP/1.1" or method not in (b"GET", b"POST"):
        found.append(f"the line {first!r}")
    if (
        not path.startswith(PREFIX)
        or b".." in path.split(b"/")
        or b"//" in path
        or b"." in path.split(b"/")
    ):
        found.append(f"the path {path!r}")
    if path.removeprefix(PREFIX).count(b"/") > 2 or any(byte < 33 or byte > 126 for byte in target):
        found.append(f"the target {target!r}")
    return found


@pytest.mark.parametrize("name", SAFE_CALLS)
def test_whatever_is_given_to_the_wrapper(name: str, victor: Victor, server: Recorder) -> None:
    for text in NASTY:
        for head in sent_by(server, lambda text=text: SAFE_CALLS[name](victor, text)):
            assert wrong_with(head) == [], (name, text)


def _new(text: str) -> NewRtpRfpPaymentRequest:
    details = {"amount": text, "biller_type": "BUSINESS", "due_date": text, "notes": text}
    parties = {"payee": {"account_number": text}, "payer": {"victor_counterparty_id": text}}
    body = {**parties, "payment_details": details, "client_reference_id": text}
    return NewRtpRfpPaymentRequest.from_dict(body)


ANSWER = RfpInboundPaymentRequestResponseRequestDetails.from_dict(
    {"status": "Accepted", "notes": "n"}
)
GENERATED: dict[str, Callable[[Any, str], Any]] = {
    "get": lambda api, text: get_payment_request.sync_detailed(text, client=api),
    "respond": lambda api, text: respond_to_payment_request.sync_detailed(
        text, client=api, body=ANSWER
    ),
    "create": lambda api, text: create_request_payment.sync_detailed(
        client=api, body=_new(text), idempotency_key=text
    ),
    "list": lambda api, text: list_payment_requests.sync_detailed(
        client=api, victor_id=text, tracking_id=text
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_the_generated_layer_through_our_client(
    name: str, victor: Victor, server: Recorder
) -> None:
    """It checks nothing itself, and its calls go through our transport all the same."""
    for text in NASTY:
        for head in sent_by(server, lambda text=text: GENERATED[name](victor.api, text)):
            assert wrong_with(head) == [], text
    assert sent_by(server, lambda: GENERATED[name](victor.api, "k" * 20)) != []
