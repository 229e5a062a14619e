"""Notifications: only what the provider signed, for this host, just now, is believed; and each only
once.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import formatdate

import httpx
import pytest

from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.flexfactor import Notification, Webhook

HOST = "hooks.shop.example"
KEY = base64.b64encode(b"k" * 64).decode()
NOW = 1_770_000_000.0
BODY = (
    b'{"Event": "order.completed", "OrderId": "o-1", "ExternalOrderId": "INV-1", "IsTestMode": '
    b'false, "IsResent": true, "TimeStamp": "2026-03-04T05:06:07Z"}'
)


def signed(
    body: bytes = BODY,
    *,
    key: str = KEY,
    host: str = HOST,
    at: float = NOW,
    by: str = "5f1c2de2",
    **changes: str,
) -> dict[str, str]:
    """Headers as the provider would send them, changed afterwards."""
    nonce, date = by, formatdate(at, usegmt=True)
    digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
    mac = hmac.new(
        base64.b64decode(key), f"POST\n{nonce};{date};{host};{digest}".encode(), hashlib.sha512
    )
    signature = base64.b64encode(mac.digest()).decode()
    headers = {
        "X-FC-Nonce": nonce,
        "X-FC-Date": date,
        "X-FC-Content-SHA512": digest,
        "X-FC-Authorization": (
            "HMAC-SHA512 "
            f"SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512&Signature={signature}"
        ),
        "Host": "inner.example",
    }
    return {
        name: changes.get(name.lower().removeprefix("x-fc-").replace("-", "_"), headers[name])
        for name in headers
    }


def webhooks(**options) -> Webhook:
    keys = options.pop("keys", [KEY])
    return Webhook(*keys, **{"host": HOST, "now": lambda: NOW, **options})


LOWER = {name.lower(): value for name, value in signed().items()}


@pytest.mark.parametrize(
    "headers",
    [
        signed(),
        LOWER,
        httpx.Headers(LOWER),
        [*LOWER.items()],
        [(name.encode(), value.encode()) for name, value in signed().items()],
    ],
    ids=["mapping", "lower case", "httpx", "pairs", "pairs of bytes"],
)
def test_what_the_provider_signed_is_read(headers):
    read = webhooks().read(BODY, headers)
    assert (read.event, read.order_id, read.external_order_id) == (
        "order.completed",
        "o-1",
        "INV-1",
    )
    assert (read.is_test, read.is_resent, read.data) == (False, True, {})
    assert read.occurred_at == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


UNSIGNED = {name: value for name, value in signed().items() if name != "X-FC-Date"}
OTHER_KEY = base64.b64encode(b"x" * 64).decode()
REFUSED = {
    "signature does not match": [
        signed(key=OTHER_KEY),
        signed(host="inner.example"),
        signed(nonce="other"),
        signed(date=formatdate(NOW + 1, usegmt=True)),
        signed(authorization="HMAC-SHA512 Signature="),
        signed(authorization="HMAC-SHA512 Signature=\xe9\udcff"),
    ],
    "does not match x-fc-content-sha512": [signed(BODY.replace(b"o-1", b"o-2"))],
    "not a signature of the kind": [
        signed(authorization="HMAC-SHA512 SignedHeaders=host&"),
        signed(authorization="none Signature=" + "A" * 88),
    ],
    "semicolon": [signed(nonce="5f1c2de2;x")],
    "has no x-fc-date": [UNSIGNED],
    "has no x-fc-authorization": [
        {},
        signed(authorization="") | {"x-fc-signature": signed()["X-FC-Authorization"]},
    ],
    "301 s old": [signed(at=NOW - 301)],
    "301 s ahead": [signed(at=NOW + 301)],
}


@pytest.mark.parametrize(
    ("words", "headers"), [(words, each) for words, several in REFUSED.items() for each in several]
)
def test_everything_else_is_refused(words, headers):
    with pytest.raises(AuthenticationError, match=words):
        webhooks().read(BODY, headers)


def test_two_keys_while_one_is_replaced_and_the_window_are_the_callers():
    old = base64.b64encode(b"old" * 20).decode()
    for key in (KEY, old):
        assert (
            webhooks(keys=[KEY, old], tolerance=600)
            .read(BODY, signed(key=key, at=NOW - 599))
            .order_id
            == "o-1"
        )
    with pytest.raises(AuthenticationError):
        webhooks(tolerance=1).read(BODY, signed(at=NOW - 2))


@pytest.mark.parametrize(
    "options",
    [
        *({"keys": keys} for keys in ([], [""], [7], [KEY, "no base64!"])),
        *({"keys": keys} for keys in ([base64.b64encode(b"k" * 15).decode()], [KEY, "YWI="])),
        *({"host": host} for host in ("https://hooks.shop.example/x", "")),
        *({"tolerance": seconds} for seconds in (0, float("inf"), True)),
    ],
)
def test_settings_that_cannot_be(options):
    with pytest.raises(ConfigurationError):
        webhooks(**options)


def observe(nonce: str, **members) -> Notification:
    return Notification(
        {"Event": "order.refunded", "OrderId": "o-1", "TimeStamp": "t1", **members}, nonce=nonce
    )


def test_a_repeat_is_known_over_restarts_by_its_fingerprint():
    first, again = observe("n1", IsResent=False), observe("n2", IsResent=True, TimeStamp="t2")
    assert first.fingerprint == again.fingerprint != observe("n1", OrderId="o-2").fingerprint


def test_comparisons_take_constant_time(monkeypatch):
    compared = []
    real = hmac.compare_digest

    def compare(a, b):
        compared.append(len(a))
        return real(a, b)

    monkeypatch.setattr("victor_ext.providers.flexfactor.webhooks.hmac.compare_digest", compare)
    webhooks(keys=[KEY, base64.b64encode(b"old" * 20).decode()]).read(BODY, signed())
    # the digest of the body in base64, and the signature under each of two keys
    assert compared == [
        88,
        64,
        64,
    ]
