"""Any value for any argument, of every client and every method: what comes is an error of ours, or
the call is made.

A bare `OverflowError`, `UnicodeError` or `AttributeError` would lose the outcome and the key, and
be caught by nobody.
"""

import base64
import contextlib
import inspect
import json
import math
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from victor_api import models
from victor_api.api.payment_requests import create_request_payment, list_payment_requests
from victor_api.client import Client

from tests.providers.arguments import MADE, NOBODY_HOME, TARGETS, Target, nested
from tests.providers.flexfactor.test_flexfactor_webhooks import signed, webhooks
from tests.providers.running import ONCE
from tests.providers.systems import ARGUMENTS, CLIENTS
from tests.providers.test_introspection import methods_of
from tests.providers.test_operations_table import NOW, arguments_of
from tests.providers.victor.adapter import payment
from victor_ext import (
    InvalidRequest,
    RetryPolicy,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
    check_payment_request,
    idempotency_key_for,
    zulu,
)
from victor_ext.providers import Money, eastpay, flexfactor, velo

pytestmark = pytest.mark.slow
FIRST, LAST = datetime.min, datetime.max  # noqa: DTZ901 - naive ones are to be refused, too

WHOLE = st.one_of(
    st.integers(-3, 3),
    st.sampled_from(
        [2**31, 2**63, 10**12, 10**20, 10**308, 10**400, -(10**400), 10**5000, -(10**5000)]
    ),
)
REAL = st.one_of(
    st.floats(),
    st.sampled_from([1e-320, 1e9, 1e10, 1e12, 1e18, 1e300, -0.0, math.inf, -math.inf, math.nan]),
    st.sampled_from(
        [Decimal(one) for one in ("NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "-1", "0")]
    ),
    st.just(Fraction(1, 3)),
)
TEXT = st.one_of(
    st.text(st.characters(), max_size=30),  # halves of surrogate pairs included
    st.sampled_from(
        [
            "",
            " ",
            "\0",
            "\ud800",
            "a\r\nb: c",
            "%2e%2e",
            "..",
            "a/b",
            "é" * 40,
            "x" * 5000,
            "9" * 5000,
        ]
    ),
    st.sampled_from(["-1.234", "1e5", "1" * 400 + ".00", "٣", "NaN", "2026-02-30", "0000-00-00"]),
)
ADDRESS = st.one_of(
    st.sampled_from(
        [
            "https://" + "a" * 64 + ".example",
            "https://a..example",
            "https://.example",
            "https://xn--a",
            "https://xn--",
            "https://xn--zzzzzz.com",
            "https://a.xn--zzzzzz",
            "https://h:0",
            "https://h:65536",
            "https://h:99999999999",
            "https://h:-1",
            "https://\ud800",
            "https://h/\ud800",
            "https://[::1",
            "https://[v1.x]",
            "https://é.example",
            "https://" + "a." * 200 + "b",
            "http://127.0.0.1:99999",
            "https://1.2.3.4.5",
            "https://\uff41.example",
            "https://ß",
            "https://\u200b.example",
            "https://-",
            "https://_",
            "https://" + "x" * 70_000,
            "socks5://a..b:1",
            "http://xn--a:1",
        ]
    ),
    st.text(st.characters(), max_size=20).map(lambda text: f"https://{text}"),
)
MOMENT = st.one_of(
    st.sampled_from([date.min, date.max, FIRST, LAST]),
    st.sampled_from([-24, -12, 0, 12, 24]).flatmap(
        lambda hours: st.sampled_from(
            [
                moment.replace(tzinfo=timezone(timedelta(hours=hours) * 0.999))
                for moment in (FIRST, LAST)
            ]
        )
    ),
    st.just(timedelta(days=1)),
)
SINGLE = st.one_of(
    st.none(),
    st.booleans(),
    WHOLE,
    REAL,
    TEXT,
    ADDRESS,
    MOMENT,
    st.binary(max_size=8),
    st.builds(object),
    st.sampled_from(
        [
            Victor,
            RetryPolicy(),
            httpx.Timeout(1e10),
            httpx.Timeout(None),
            httpx.Limits(),
            Path("\0"),
        ]
    ),
    st.sampled_from(
        [
            Money.of("1.00", "USD"),
            Money.of(10**15, "JPY"),
            Money.of("0", "USD"),
            Money.of("-1", "USD"),
        ]
    ),
)
ANYTHING = st.one_of(
    SINGLE,
    st.lists(SINGLE, max_size=3),
    st.lists(SINGLE, max_size=2).map(tuple),
    st.dictionaries(st.one_of(TEXT, st.integers(0, 3)), SINGLE, max_size=2),
)


VICTOR = MADE["victor"]
WIRED: Any = {
    "transport": None,
    "retry": ONCE,
    "timeout": 5.0,
    "deadline": 60.0,
    "on_event": None,
    "max_concurrency": 2,
    "user_agent": "billing/2.3",
    "max_response_bytes": 2**20,
    "proxy": None,
    "verify": True,
    "limits": None,
    "base_url": "https://127.0.0.1:1",
}
SIGNED_BY = base64.b64encode(b"not a secret, " * 4).decode()
HOOK = flexfactor.Webhook(SIGNED_BY, host="hooks.shop.example")


def used(**values: Any) -> Any:
    with Victor(**values) as victor:
        return victor.payment_requests.get("a1")


def first(kind: Any) -> Callable[..., Any]:
    """Calls a class whose first arguments are any number of keys."""
    return lambda **values: kind(values.pop("key"), **values)


OTHERS: dict[str, Target] = {
    "Victor": Target(
        used,
        {
            **WIRED,
            **ARGUMENTS["victor"],
            "transport": NOBODY_HOME.transport,
            "environment": "production",
        },
    ),
    **{
        f"{kind.__name__}'s connections": Target(
            kind,
            {**WIRED, **ARGUMENTS[name]},
            dict.fromkeys(inspect.signature(kind).parameters, frozenset()),
        )
        for name, kinds in CLIENTS.items()
        for kind in (kinds if name == "victor" else kinds[:1])
    },
    "VictorJwt": Target(
        VictorJwt,
        {
            "api_key": "k",
            "private_key": "x",
            "password": None,
            "prefix": "Token",
            "lifetime": None,
            "reuse": 0.0,
        },
    ),
    "VictorOAuth": Target(VictorOAuth, {"client_id": "i", "client_secret": "s"}),
    "VeloAuth": Target(velo.VeloAuth, {"api_key": "i", "api_secret": "s"}),
    "FlexFactorAuth": Target(flexfactor.FlexFactorAuth, {"app_key": "i", "app_secret": "s"}),
    "velo.Webhook": Target(first(velo.Webhook), {"key": "long-and-random-7f3b1c9e"}),
    "flexfactor.Webhook": Target(
        first(flexfactor.Webhook), {"key": SIGNED_BY, "host": "h.example", "tolerance": 5.0}
    ),
    "RetryPolicy": Target(RetryPolicy, {"max_attempts": 6, "base": 0.5, "cap": 8.0, "quota": 500}),
    "bind": Target(VICTOR.bind, {"client_class": Client}),
    "with_options": Target(
        VICTOR.with_options,
        {"timeout": 5.0, "deadline": 60.0, "retry": ONCE, "extra_body": None, "extra_query": None},
    ),
    "check_payment_request": Target(check_payment_request, {**payment(), "now": NOW}),
    "idempotency_key_for": Target(
        lambda **facts: idempotency_key_for(*facts.values()), {"kind": "invoice", "fact": 1}
    ),
    "zulu.parse": Target(zulu.parse, {"text": "2026-03-04T05:06:07Z"}),
    "zulu.format": Target(zulu.format, {"moment": NOW}),
    "zulu.from_epoch": Target(zulu.from_epoch, {"number": 1}),
    "Money.of": Target(Money.of, {"amount": "1.00", "currency": "USD"}),
    "debit's card": Target(
        lambda **values: pay_with(eastpay.Card(values.pop("number"), **values)),
        {
            "number": "4111111111111111",
            "expiry_month": 12,
            "expiry_year": 2030,
            "cvv": "123",
            "holder": "A",
        },
    ),
    "velo's webhook": Target(
        velo.Webhook("long-and-random-7f3b1c9e").read, {"body": b"{}", "authorization": "x"}
    ),
    "read_notification": Target(velo.read_notification, {"body": b"{}"}),
    "flexfactor's webhook": Target(HOOK.read, {"body": b"{}", "headers": {}}),
    "split_code": Target(flexfactor.split_code, {"code": 400012}),
    "payment_id_of": Target(eastpay.payment_id_of, {"body": b"{}"}),
}
EVERY = {**OTHERS, **TARGETS}


NO_PART_OF_A_PATH = ("", " ", ".", "..", "a\n", "a\0", "\ud800", None, 7)
ELSEWHERE = (
    *(
        "a/b",
        "../accounts",
        "a\\b",
        "a?b=c",
        "a#b",
        "a%2Fb",
        "a b",
        " a",
        "a\r\nX: y",
        "a\tb",
        "a\x7f",
        "a\u2028b",
    ),
    *("a\u00a0b", "\u200b", b"a", ["a"]),
)


@pytest.mark.parametrize("system", CLIENTS)
def test_an_id_cannot_lead_elsewhere(system: str) -> None:
    """FlexFactor takes any text that a path can hold, also of an order that is to come, and encodes
    it.
    """
    odd = NO_PART_OF_A_PATH if system == "flexfactor" else (*NO_PART_OF_A_PATH, *ELSEWHERE)
    if system in ("eastpay", "velo"):
        odd = (*odd, "x" * 129, "ä")
    for path, method in methods_of(MADE[system]).items():
        parameters = inspect.signature(method).parameters
        first, *others = parameters
        if path in ("capture", "payment_requests.list") or path.endswith((".find", ".watch")):
            continue  # the id is in the body, or in the query; `watch` reads as `wait` does
        is_id = first.endswith("id") and parameters[first].default is inspect.Parameter.empty
        for name in {first if is_id else "", "order_id"} & {first, *others}:
            for value in odd:
                with pytest.raises(InvalidRequest, match="id"):
                    method(**{**arguments_of(method), name: value})


def pay_with(card: eastpay.Card) -> Any:
    return MADE["eastpay"].payments.debit(
        Money.of("92.00", "EGP"), merchant_transaction_id="INV-1", card=card
    )


@settings(max_examples=100 if "VICTOR_SEARCH" in os.environ else 20)
@given(data=st.data())
@pytest.mark.parametrize("target", EVERY)
def test_any_value_for_any_argument(target: str, data: st.DataObject) -> None:
    called = EVERY[target]
    changes: dict[str, Any] = {}
    for _ in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from(called.arguments))
        changes[name] = data.draw(ANYTHING, label=name)
    if type(changes.get("timeout")) in (int, float) and 0 < changes["timeout"] < 60:
        changes["timeout"] = 0  # nobody waits here
    try:
        called(changes)
    except VictorError as error:
        str(error).encode()  # it can be written to a log


@pytest.mark.pull_request
@pytest.mark.parametrize("name", EVERY)
def test_a_list_that_is_too_deep_for_any_argument(name: str) -> None:
    target = EVERY[name]
    deep = nested(20_000)
    for each in target.arguments:
        for value in (deep, {"a": deep}):
            with contextlib.suppress(VictorError):
                target({each: value})


@settings(max_examples=200)
@given(TEXT, st.sampled_from(["idempotency_key", "filter", "body"]))
def test_any_text_for_a_generated_operation(text: str, place: str) -> None:
    body = models.NewRtpRfpPaymentRequest.from_dict(
        {"payee": {"account_number": text if place == "body" else "1"}}
    )
    try:
        if place == "filter":
            list_payment_requests.sync(client=VICTOR.api, victor_id=text)
        else:
            key = text if place == "idempotency_key" else "k" * 36
            create_request_payment.sync(client=VICTOR.api, body=body, idempotency_key=key)
    except VictorError:
        pass
    except ValueError as error:
        assert not text.isascii() and str(error).startswith(("Idempotency-Key: ", "body: "))  # noqa: PT017 - one of several ends


NAMES = [
    "id",
    "result",
    "sequenceNumber",
    "source",
    "eventId",
    "createdAt",
    "category",
    "Event",
    "OrderId",
    "TimeStamp",
]
POSTED = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())
READS: dict[str, Callable[[bytes], Any]] = {
    "eastpay": eastpay.payment_id_of,
    "flexfactor": lambda body: webhooks().read(body, signed(body)),
    "velo": velo.read_notification,
}


@settings(max_examples=100)
@given(body=st.binary(max_size=80) | POSTED)
@pytest.mark.parametrize("system", READS)
def test_any_body_that_is_posted_is_a_notification_or_is_refused(system: str, body: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        said = READS[system](body)
        assert repr([getattr(said, name) for name in dir(said)])
        if system == "eastpay":
            assert "/" not in said and said.strip(".") and said.isascii()
