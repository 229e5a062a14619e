"""Any value for any argument, of every client and every method: what comes is an error of ours, or
the call is made.

A bare `OverflowError`, `UnicodeError` or `AttributeError` would lose the outcome and the key, and
be caught by nobody.
"""

import base64
import contextlib
import inspect
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
from victor_api.client import Client

from tests.cases import cases_beside
from tests.providers.arguments import MADE, NOBODY_HOME, TARGETS, Target, nested
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
        ["", " ", "\0", "\ud800", "a\r\nb: c", "%2e%2e", "..", "a/b", "é" * 40, "9" * 5000]
    ),
    st.sampled_from(["-1.234", "1e5", "1" * 400 + ".00", "٣", "NaN", "2026-02-30", "0000-00-00"]),
)
ADDRESS = st.one_of(
    st.sampled_from([f"https://{host}" for host in cases_beside(__file__, "urls")["no hosts"]]),
    st.sampled_from(
        [
            *("https://h:0", "https://h:99999999999", "https://h:-1", "https://\ud800"),
            *("https://[::1", "https://[v1.x]", "https://1.2.3.4.5", "https://\uff41.example"),
            *("https://ß", "https://-", "https://" + "x" * 70_000, "socks5://a..b:1"),
        ]
    ),
    st.text(st.characters(), max_size=20).map(lambda text: f"https://{text}"),
)
MOMENT = st.one_of(
    st.sampled_from([date.min, date.max, FIRST, LAST, timedelta(days=1)]),
    st.builds(
        lambda moment, hours: moment.replace(tzinfo=timezone(timedelta(hours=hours) * 0.999)),
        st.sampled_from([FIRST, LAST]),
        st.sampled_from([-24, -12, 0, 12, 24]),
    ),
)
SINGLE = st.one_of(
    *(st.none(), st.booleans(), WHOLE, REAL, TEXT, ADDRESS, MOMENT, st.binary(max_size=8)),
    st.sampled_from([object(), Victor, RetryPolicy(), httpx.Limits(), Path("\0")]),
    st.sampled_from([httpx.Timeout(1e10), httpx.Timeout(None)]),
    st.sampled_from([Money.of("1.00", "USD"), Money.of(10**15, "JPY"), Money.of("-1", "USD")]),
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
    **{
        kind.__name__: Target(kind, good)
        for kind, good in (
            (VictorJwt, {"api_key": "k", "private_key": "x", "lifetime": None, "reuse": 0.0}),
            (VictorOAuth, {"client_id": "i", "client_secret": "s"}),
            (velo.VeloAuth, {"api_key": "i", "api_secret": "s"}),
            (flexfactor.FlexFactorAuth, {"app_key": "i", "app_secret": "s"}),
            (RetryPolicy, {"max_attempts": 6, "base": 0.5, "cap": 8.0, "quota": 500}),
            (VICTOR.bind, {"client_class": Client}),
            (VICTOR.with_options, {"timeout": 5.0, "retry": ONCE, "extra_body": None}),
            (check_payment_request, {**payment(), "now": NOW}),
            (zulu.parse, {"text": "2026-03-04T05:06:07Z"}),
            (zulu.format, {"moment": NOW}),
            (zulu.from_epoch, {"number": 1}),
            (Money.of, {"amount": "1.00", "currency": "USD"}),
            (velo.read_notification, {"body": b"{}"}),
            (flexfactor.split_code, {"code": 400012}),
            (eastpay.payment_id_of, {"body": b"{}"}),
        )
    },
    "velo.Webhook": Target(first(velo.Webhook), {"key": "long-and-random-7f3b1c9e"}),
    "flexfactor.Webhook": Target(
        first(flexfactor.Webhook), {"key": SIGNED_BY, "host": "h.example", "tolerance": 5.0}
    ),
    "idempotency_key_for": Target(
        lambda **facts: idempotency_key_for(*facts.values()), {"kind": "invoice", "fact": 1}
    ),
    "debit's card": Target(
        lambda **values: pay_with(eastpay.Card(values.pop("number"), **values)),
        {"number": "4111111111111111", "expiry_month": 12, "expiry_year": 2030, "cvv": "123"},
    ),
    "velo's webhook": Target(
        velo.Webhook("long-and-random-7f3b1c9e").read, {"body": b"{}", "authorization": "x"}
    ),
    "flexfactor's webhook": Target(HOOK.read, {"body": b"{}", "headers": {}}),
}
EVERY = {**OTHERS, **TARGETS}


NO_PART_OF_A_PATH = ("", " ", ".", "..", "a\n", "a\0", "\ud800", None, 7)
ELSEWHERE = (
    *("a/b", "../accounts", "a\\b", "a?b=c", "a#b", "a%2Fb", "a b", " a", "a\r\nX: y", "a\x7f"),
    *("a\u2028b", "a\u00a0b", "\u200b", b"a", ["a"]),
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
