"""Any value for any argument, of every client and every method: what comes is an error of ours, or
the call is made.

A bare `OverflowError`, `UnicodeError` or `AttributeError` would lose the outcome and the key, and
be caught by nobody.
"""

import math
import os
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.payments import payment
from tests.providers.arguments import MADE, NOBODY_HOME, TARGETS, Target
from tests.providers.running import ONCE
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import RetryPolicy, Victor, VictorError, VictorJwt, check_payment_request
from victor_ext.providers import Money, eastpay

pytestmark = pytest.mark.slow
FIRST, LAST = datetime.min, datetime.max  # noqa: DTZ901 - naive ones are to be refused, too
LARGE = [2**31, 2**63, 10**12, 10**308, 10**400, -(10**400), 10**5000]
WHOLE = st.integers(-3, 3) | st.sampled_from(LARGE)
DECIMALS = ("NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "-1", "0")
REAL = (
    st.floats()
    | st.sampled_from([1e-320, 1e10, 1e18, 1e300, -0.0, math.inf, math.nan, Fraction(1, 3)])
    | st.sampled_from([Decimal(each) for each in DECIMALS])
)
ODD_TEXTS = [
    *("", " ", "\0", "\ud800", "a\r\nb: c", "%2e%2e", "..", "a/b", "é" * 40, "9" * 5000),
    *("-1.234", "1e5", "1" * 400 + ".00", "٣", "NaN", "2026-02-30", "0000-00-00"),
]
# halves of surrogate pairs included
TEXT = st.text(st.characters(), max_size=30) | st.sampled_from(ODD_TEXTS)
MOMENT = st.sampled_from([date.min, date.max, FIRST, LAST, timedelta(days=1)]) | st.builds(
    lambda moment, hours: moment.replace(tzinfo=timezone(timedelta(hours=hours) * 0.999)),
    st.sampled_from([FIRST, LAST]),
    st.sampled_from([-24, -12, 0, 12, 24]),
)
OBJECTS = [object(), Victor, RetryPolicy(), httpx.Limits(), Path("\0"), httpx.Timeout(1e10)]
MONEY = [Money.of("1.00", "USD"), Money.of(10**15, "JPY"), Money.of("-1", "USD")]
SINGLE = st.one_of(
    *(st.none(), st.booleans(), WHOLE, REAL, TEXT, MOMENT, st.binary(max_size=8)),
    *(TEXT.map(lambda text: f"https://{text}"), st.sampled_from([*OBJECTS, *MONEY])),
)
ANYTHING = st.one_of(
    SINGLE,
    st.lists(SINGLE, max_size=3),
    st.lists(SINGLE, max_size=2).map(tuple),
    st.dictionaries(TEXT | st.integers(0, 3), SINGLE, max_size=2),
)


def used(**values):
    with Victor(**values) as victor:
        return victor.payment_requests.get("a1")


def pay(**values):
    return MADE["eastpay"].payments.debit(
        Money.of("92.00", "EGP"), merchant_transaction_id="INV-1", card=eastpay.Card(**values)
    )


WIRED = {
    "transport": None,
    "retry": ONCE,
    "timeout": 5.0,
    "deadline": 60.0,
    "on_event": None,
    "user_agent": "billing/2.3",
    "max_response_bytes": 2**20,
    "proxy": None,
    "verify": True,
    "limits": None,
    "base_url": "https://127.0.0.1:1",
}
SENT_NOWHERE = {"transport": NOBODY_HOME.transport, "environment": "production"}
OTHERS = {
    "Victor": Target(used, {**WIRED, **ARGUMENTS["victor"], **SENT_NOWHERE}),
    **{
        f"{kind.__name__}'s options": Target(kind, {**WIRED, **ARGUMENTS[system]})
        for system, kinds in CLIENTS.items()
        for kind in kinds
    },
    **{
        kind.__name__: Target(kind, good)
        for kind, good in (
            (VictorJwt, {"api_key": "k", "private_key": "x", "lifetime": None, "reuse": 0.0}),
            (RetryPolicy, {"max_attempts": 6, "base": 0.5, "cap": 8.0, "quota": 500}),
            (MADE["victor"].with_options, {"timeout": 5.0, "retry": ONCE}),
            (check_payment_request, payment()),
        )
    },
    "debit's card": Target(
        pay, {"number": "4111111111111111", "expiry_month": 12, "expiry_year": 2030, "cvv": "123"}
    ),
}
EVERY = {**OTHERS, **TARGETS}


@settings(max_examples=100 if "VICTOR_SEARCH" in os.environ else 20)
@given(data=st.data())
@pytest.mark.parametrize("target", EVERY)
def test_any_value_for_any_argument_raises_nothing_but_an_error_of_ours(target, data):
    called = EVERY[target]
    changes = {}
    for _ in range(data.draw(st.integers(1, 2))):
        name = data.draw(st.sampled_from(called.arguments))
        changes[name] = data.draw(ANYTHING, label=name)
    if type(changes.get("timeout")) in (int, float) and 0 < changes["timeout"] < 60:
        changes["timeout"] = 0  # nobody waits here
    try:
        called(changes)
    except VictorError as error:
        str(error).encode()  # it can be written to a log
