"""Notifications: only what the provider signed, for this host, just now, is believed; and each only
once.
"""

import base64
import hashlib
import hmac
from email.utils import formatdate

import httpx
import pytest

from victor_ext import AuthenticationError, ConfigurationError
from victor_ext.providers.flexfactor import Webhook

HOST = "hooks.shop.example"
KEY = base64.b64encode(b"k" * 64).decode()
OLD_KEY = base64.b64encode(b"old" * 20).decode()
NOW = 1_770_000_000.0
BODY = b'{"Event": "order.completed", "OrderId": "o-1", "IsTestMode": false, "IsResent": false}'


def signed(body=BODY, *, key=KEY, host=HOST, at=NOW, by="5f1c2de2"):
    """Headers as the provider would send them; `by` is the nonce."""
    date = formatdate(at, usegmt=True)
    digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
    mac = hmac.digest(
        base64.b64decode(key), f"POST\n{by};{date};{host};{digest}".encode(), "sha512"
    )
    return {
        "x-fc-nonce": by,
        "x-fc-date": date,
        "x-fc-content-sha512": digest,
        "x-fc-authorization": (
            "HMAC-SHA512 SignedHeaders=x-fc-nonce;x-fc-date;host;x-fc-content-sha512&Signature="
            + base64.b64encode(mac).decode()
        ),
        "host": "inner.example",
    }


def webhooks(**options):
    keys = options.pop("keys", [KEY])
    return Webhook(*keys, **{"host": HOST, "now": lambda: NOW, **options})


def test_a_notification_signed_by_the_provider_is_read_from_any_kind_of_headers():
    upper = {name.upper(): value for name, value in signed().items()}
    raw = [(name.encode(), value.encode()) for name, value in signed().items()]
    for headers in (signed(), upper, httpx.Headers(upper), [*upper.items()], raw):
        said = webhooks().read(BODY, headers)
        assert (said.event, said.order_id, said.is_test) == ("order.completed", "o-1", False)


def unsigned(**changes):
    """Headers that were changed after they were signed."""
    return signed() | {f"x-fc-{name}": value for name, value in changes.items()}


REFUSED = {
    "signature does not match": [
        signed(key=base64.b64encode(b"x" * 64).decode()),
        signed(host="inner.example"),
        unsigned(nonce="other"),
        unsigned(date=formatdate(NOW + 1, usegmt=True)),
        unsigned(authorization="HMAC-SHA512 Signature="),
        unsigned(authorization="HMAC-SHA512 Signature=\xe9\udcff"),
        signed(BODY.replace(b"o-1", b"o-2")),
    ],
    "not a signature of the kind": [
        unsigned(authorization="HMAC-SHA512 SignedHeaders=host&"),
        unsigned(authorization="none Signature=" + "A" * 88),
    ],
    "semicolon": [unsigned(nonce="5f1c2de2;x")],
    "has no x-fc-date": [unsigned(date="")],
    "has no x-fc-authorization": [
        {},
        unsigned(authorization="", signature=signed()["x-fc-authorization"]),
    ],
    "301 s old": [signed(at=NOW - 301)],
    "301 s ahead": [signed(at=NOW + 301)],
}


@pytest.mark.parametrize(
    ("words", "headers"), [(words, each) for words, several in REFUSED.items() for each in several]
)
def test_a_notification_that_the_provider_did_not_sign_just_now_is_refused(words, headers):
    with pytest.raises(AuthenticationError, match=words):
        webhooks().read(BODY, headers)


@pytest.mark.parametrize("key", [KEY, OLD_KEY])
def test_two_keys_are_believed_while_one_is_replaced(key):
    assert webhooks(keys=[KEY, OLD_KEY]).read(BODY, signed(key=key)).order_id == "o-1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": []}, "subscriber_key is missing"),
        ({"keys": [""]}, "subscriber_key is empty"),
        ({"keys": [7]}, "subscriber_key must be text"),
        ({"keys": [KEY, "no base64!"]}, "subscriber_key .* is not base64"),
        *(
            ({"host": host}, "host=.* must be the host")
            for host in ("https://hooks.shop.example/x", "")
        ),
        *(
            ({"tolerance": seconds}, "tolerance=.* must be seconds above zero")
            for seconds in (0, float("inf"), True)
        ),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(options, words):
    with pytest.raises(ConfigurationError, match=words):
        webhooks(**options)
