"""Text that comes from outside stays where it is put: it makes no header, no line, no other path
and no other host.
"""

from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from tests.payments import payment
from tests.providers.running import ONCE, Script
from victor_ext import Victor, VictorError, VictorOAuth

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


def wrong_with(request):
    """Where it is not a request about one payment request, with headers of ours."""
    target = request.url.raw_path
    path = target.partition(b"?")[0]
    parts = path.removeprefix(PREFIX).split(b"/")
    names = [name.lower() for name, _ in request.headers.raw]
    found = [f"the header {name!r}" for name in names if name not in KNOWN or names.count(name) > 1]
    found += [f"the value {text!r}" for text in request.headers.values() if not text.isprintable()]
    if not path.startswith(PREFIX) or {b"..", b"."} & {*parts} or b"//" in path or len(parts) > 3:
        found.append(f"the path {path!r}")
    if any(byte < 33 or byte > 126 for byte in target) or request.method not in ("GET", "POST"):
        found.append(f"the line {request.method} {target!r}")
    return found


def assert_harmless(call):
    """Make a call with each text. Whatever it raises is for others to look at."""
    script = Script(httpx.Response(200, json={}))
    auth = VictorOAuth("client-id", "not-a-secret")
    with Victor(auth, transport=script.transport, retry=ONCE) as victor:
        for text in NASTY:
            with suppress(VictorError, ValueError, TypeError):
                call(victor, text)
    sent = [*script.requests, *script.for_tokens[1:]]
    assert [wrong for request in sent for wrong in wrong_with(request)] == []
    return script


SAFE_CALLS = {
    **{
        f"create({name})": lambda victor, text, name=name: victor.payment_requests.create(
            **payment(**{name: text})
        )
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


NO_TEXT_IS_GOOD = {
    "get(id)",
    "accept(id)",
    "decline(id)",
    "create(payee_account_number)",
    "create(amount)",
    "create(biller_type)",
    "create(due_date)",
    "list(status)",
    "list(direction)",
    "list(network_type)",
    "list(due_date_start_date)",
}
"""All of the texts are refused there, before anything is sent."""


@pytest.mark.parametrize("name", SAFE_CALLS)
def test_no_argument_turns_a_call_into_another_request(name):
    script = assert_harmless(SAFE_CALLS[name])
    assert (script.requests == []) is (name in NO_TEXT_IS_GOOD)
