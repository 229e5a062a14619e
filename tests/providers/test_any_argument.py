"""Any value for any argument, of every client and every method: what comes is an error of ours, or the call is made.

A bare `OverflowError`, `UnicodeError` or `AttributeError` would lose the outcome and the key, and be caught by nobody.
"""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
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

from victor_ext import (
    AsyncVictor,
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

MID = "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FIRST, LAST = datetime.min, datetime.max  # noqa: DTZ901 - naive ones are to be refused, too

WHOLE = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**63, 10**12, 10**20, 10**308, 10**400, -(10**400), 10**5000, -(10**5000)]),
)
REAL = st.one_of(
    st.floats(),
    st.sampled_from([1e-320, 1e9, 1e10, 1e12, 1e18, 1e300, -0.0, math.inf, -math.inf, math.nan]),
    st.sampled_from([Decimal(one) for one in ("NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "-1", "0")]),
    st.just(Fraction(1, 3)),
)
TEXT = st.one_of(
    st.text(st.characters(), max_size=30),  # halves of surrogate pairs included
    st.sampled_from(["", " ", "\0", "\ud800", "a\r\nb: c", "%2e%2e", "..", "a/b", "é" * 40, "x" * 5000, "9" * 5000]),
    st.sampled_from(["-1.234", "1e5", "1" * 400 + ".00", "٣", "NaN", "2026-02-30", "0000-00-00"]),
)
ADDRESS = st.one_of(
    st.sampled_from([
        "https://" + "a" * 64 + ".example", "https://a..example", "https://.example", "https://xn--a", "https://xn--",
        "https://xn--zzzzzz.com", "https://a.xn--zzzzzz", "https://h:0", "https://h:65536", "https://h:99999999999",
        "https://h:-1", "https://\ud800", "https://h/\ud800", "https://[::1", "https://[v1.x]", "https://é.example",
        "https://" + "a." * 200 + "b", "http://127.0.0.1:99999", "https://1.2.3.4.5", "https://\uff41.example", "https://ß",
        "https://\u200b.example", "https://-", "https://_", "https://" + "x" * 70_000, "socks5://a..b:1", "http://xn--a:1",
    ]),
    st.text(st.characters(), max_size=20).map(lambda text: f"https://{text}"),
)  # fmt: skip
MOMENT = st.one_of(
    st.sampled_from([date.min, date.max, FIRST, LAST]),
    st.sampled_from([-24, -12, 0, 12, 24]).flatmap(
        lambda hours: st.sampled_from(
            [moment.replace(tzinfo=timezone(timedelta(hours=hours) * 0.999)) for moment in (FIRST, LAST)]
        )
    ),
    st.just(timedelta(days=1)),
)
SINGLE = st.one_of(
    st.none(), st.booleans(), WHOLE, REAL, TEXT, ADDRESS, MOMENT, st.binary(max_size=8), st.builds(object),
    st.sampled_from([Victor, RetryPolicy(), httpx.Timeout(1e10), httpx.Timeout(None), httpx.Limits(), Path("\0")]),
    st.sampled_from([Money.of("1.00", "USD"), Money.of(10**15, "JPY"), Money.of("0", "USD"), Money.of("-1", "USD")]),
)  # fmt: skip
ANYTHING = st.one_of(
    SINGLE,
    st.lists(SINGLE, max_size=3),
    st.lists(SINGLE, max_size=2).map(tuple),
    st.dictionaries(st.one_of(TEXT, st.integers(0, 3)), SINGLE, max_size=2),
)


def nobody_home(request: httpx.Request) -> httpx.Response:
    """Gives out tokens, and knows nothing else: no call waits for anything."""
    if request.url.path.endswith(("/token", "/authenticate")):
        return httpx.Response(200, json={"access_token": "t", "accessToken": "t", "token_type": "bearer"})
    return httpx.Response(404)


SENT_WITH = httpx.MockTransport(nobody_home)
ONCE = RetryPolicy(max_attempts=1)
OAUTH = VictorOAuth("id-1", "not-a-secret")
KEYS = velo.VeloAuth("key-1", "not-a-secret")
APP = flexfactor.FlexFactorAuth("key-1", "not-a-secret")
BANK: Any = {"base_url": "https://pay.bank.example", "entity_id": "EB000001"}

SIGNED_BY = base64.b64encode(b"not a secret, " * 4).decode()
HOOK = flexfactor.Webhook(SIGNED_BY, host="hooks.shop.example")
VICTOR = Victor(OAUTH, transport=SENT_WITH, retry=ONCE)
VELO = velo.Velo(KEYS, transport=SENT_WITH, retry=ONCE)
FLEXFACTOR = flexfactor.FlexFactor(APP, mid=MID, transport=SENT_WITH, retry=ONCE)
EASTPAY = eastpay.EastPay("t" * 40, **BANK, transport=SENT_WITH, retry=ONCE)


@dataclass(frozen=True)
class Target:
    """Something that is called, and arguments that are good."""

    call: Callable[..., Any]
    arguments: Mapping[str, Any]

    def __call__(self, changes: Mapping[str, Any]) -> None:
        result = self.call(**{**self.arguments, **changes})
        if hasattr(result, "pages"):
            list(result)


MADE: Any = {
    "transport": SENT_WITH,
    "retry": ONCE,
    "timeout": 5.0,
    "deadline": 60.0,
    "on_event": None,
    "max_concurrency": 2,
    "user_agent": "billing/2.3",
    "max_response_bytes": 2**20,
}
WIRED: Any = {
    **MADE, "transport": None, "proxy": None, "verify": True, "limits": None, "base_url": "https://127.0.0.1:1",
}  # fmt: skip
PAYMENT: Any = {
    "payee_account_number": "043987673645", "payer_counterparty_id": "aHeq349838", "amount": Decimal("44.23"),
    "biller_type": "BUSINESS", "due_date": None, "ultimate_creditor": "Acme", "amount_modification_allowed": True,
    "notes": "n", "client_reference_id": "INV-1", "idempotency_key": "k" * 36, "extra_body": {"purpose": "RENT"},
}  # fmt: skip
LISTED: Any = dict.fromkeys([
    "status", "direction", "start_datetime", "end_datetime", "victor_id", "due_date_start_date", "due_date_end_date",
    "approval_start_datetime", "approval_end_datetime", "victor_payment_request_parent_id",
    "victor_payment_request_child_id", "network_type", "tracking_id", "instant_payment_rails_id", "page_size",
    "extra_query",
]) | {"page": 0}  # fmt: skip
INSTRUCTION: Any = {
    "remote_id": "payee-7", "amount": Money.of("44.23", "USD"), "source_account_name": "USD account",
    "payor_payment_id": "INV-1", "memo": None, "transmission_type": None, "metadata": None,
}  # fmt: skip
PAYEE: Any = {
    "remote_id": "payee-7", "email": "ada@example.com",
    "individual": velo.Individual(first_name="Ada", last_name="Lovelace", date_of_birth=date(1990, 1, 1)),
    "address": velo.Address(line1="1 Main St", city="Springfield", country="US"), "company": None,
    "payment_channel": None, "language": None,
}  # fmt: skip
TRANSACTION: Any = {
    "id": "t-1", "occurred_at": NOW, "response_code": None, "response_code_source": None, "type": None,
    "avs_result": None, "cvv_result": None, "cavv_result": None, "card_not_present": True, "utc_offset": None,
}  # fmt: skip
ORDERED: Any = {
    "order_id": "INV-1", "amount": Money.of("44.23", "USD"), "transaction": flexfactor.Transaction("t-1", NOW),
    "payer": flexfactor.Payer("ada@example.com"), "card": flexfactor.Card("tok_4242"), "billing": None,
    "shipping": None, "items": (), "recurring": None, "subscription": None, "fields": None, "extra_body": None,
}  # fmt: skip
CHARGE: Any = {
    "amount": Money.of("92.00", "EGP"), "merchant_transaction_id": "INV-1", "card": None, "payment_brand": None,
    "notification_url": None, "shopper_result_url": None, "parameters": None,
}  # fmt: skip
FOLLOWED: Any = {
    "payment_id": "p-1", "amount": Money.of("92.00", "EGP"), "merchant_transaction_id": "INV-1",
    "notification_url": None, "parameters": None,
}  # fmt: skip


def used(**values: Any) -> Any:
    with Victor(**values) as victor:
        return victor.payment_requests.get("a1")


def velos_webhook(key: Any) -> Any:
    return velo.Webhook(key)


def flexfactors_webhook(key: Any, **values: Any) -> Any:
    return flexfactor.Webhook(key, **values)


CONSTRUCTORS: dict[str, Target] = {
    "Victor": Target(used, {**MADE, "auth": OAUTH, "environment": "production", "base_url": None}),
    "Victor's connections": Target(Victor, {**WIRED, "auth": OAUTH}),
    "AsyncVictor's connections": Target(AsyncVictor, {**WIRED, "auth": OAUTH}),
    "Velo": Target(velo.Velo, {**WIRED, "auth": KEYS, "environment": "sandbox"}),
    "FlexFactor": Target(
        flexfactor.FlexFactor,
        {**WIRED, "auth": APP, "mid": MID, "site_id": None, "environment": "sandbox", "hosts": "flexfactor"},
    ),
    "EastPay": Target(
        eastpay.EastPay, {**WIRED, "token": "t" * 40, "entity_id": "EB000001", "entity_type": "MERCHANT"}
    ),
    "VictorJwt": Target(
        VictorJwt,
        {"api_key": "k", "private_key": "x", "password": None, "prefix": "Token", "lifetime": None, "reuse": 0.0},
    ),
    "VictorOAuth": Target(VictorOAuth, {"client_id": "i", "client_secret": "s"}),
    "VeloAuth": Target(velo.VeloAuth, {"api_key": "i", "api_secret": "s"}),
    "FlexFactorAuth": Target(flexfactor.FlexFactorAuth, {"app_key": "i", "app_secret": "s"}),
    "velo.Webhook": Target(velos_webhook, {"key": "long-and-random-7f3b1c9e"}),
    "flexfactor.Webhook": Target(flexfactors_webhook, {"key": SIGNED_BY, "host": "h.example", "tolerance": 5.0}),
    "RetryPolicy": Target(RetryPolicy, {"max_attempts": 6, "base": 0.5, "cap": 8.0, "quota": 500}),
    "with_changes": Target(RetryPolicy().with_changes, {"max_attempts": 6, "base": 0.5, "cap": 8.0, "quota": 500}),
    "bind": Target(VICTOR.bind, {"client_class": Client}),
    "with_options": Target(
        VICTOR.with_options, {"timeout": 5.0, "deadline": 60.0, "retry": ONCE, "extra_body": None, "extra_query": None}
    ),
}


def submit(**values: Any) -> Any:
    return VELO.payouts.submit([velo.PaymentInstruction(**values)])


def invite(**values: Any) -> Any:
    return VELO.payees.create("payor-1", [velo.NewPayee(**values)])


def charge(number: Any, **values: Any) -> Any:
    return EASTPAY.payments.debit(
        Money.of("92.00", "EGP"), merchant_transaction_id="INV-1", card=eastpay.Card(number, **values)
    )


def evaluated(part: type, name: str) -> Callable[..., Any]:
    return lambda **values: FLEXFACTOR.evaluate(**{**ORDERED, name: part(**values)})


METHODS: dict[str, Target] = {
    "create": Target(VICTOR.payment_requests.create, PAYMENT),
    "check_payment_request": Target(check_payment_request, PAYMENT),
    "get": Target(VICTOR.payment_requests.get, {"id": "a1", "extra_query": None}),
    "list": Target(VICTOR.payment_requests.list, LISTED),
    "accept": Target(
        VICTOR.payment_requests.accept, {"id": "a1", "notes": "n", "modified_amount": None, "extra_body": None}
    ),
    "decline": Target(VICTOR.payment_requests.decline, {"id": "a1", "notes": "n", "extra_body": None}),
    "find": Target(
        VICTOR.payment_requests.find, {"client_reference_id": "I", "start_datetime": NOW, "end_datetime": None,
         "extra_query": None}
    ),
    "wait": Target(VICTOR.payment_requests.wait, {"id": "a1", "until": None, "timeout": 1.0}),
    "idempotency_key_for": Target(lambda **facts: idempotency_key_for(*facts.values()), {"kind": "invoice", "fact": 1}),
    "zulu.parse": Target(zulu.parse, {"text": "2026-03-04T05:06:07Z"}),
    "zulu.format": Target(zulu.format, {"moment": NOW}),
    "zulu.from_epoch": Target(zulu.from_epoch, {"number": 1}),
    "Money.of": Target(Money.of, {"amount": "1.00", "currency": "USD"}),
    "payees.create": Target(invite, PAYEE),
    "payees.get": Target(VELO.payees.get, {"payee_id": "p", "sensitive": None}),
    "payees.batch": Target(VELO.payees.batch, {"batch_id": "p"}),
    "payees.wait_for_batch": Target(VELO.payees.wait_for_batch, {"batch_id": "p", "timeout": 1.0}),
    "payees.changes": Target(VELO.payees.changes, {"payor_id": "p", "since": NOW, "page_size": None}),
    "payees.list": Target(VELO.payees.list, dict.fromkeys([
        "remote_id", "email", "display_name", "onboarded_status", "payee_type", "disabled", "sort", "page_size",
    ]) | {"payor_id": "p"}),
    "fund": Target(VELO.source_accounts.fund, {
        "source_account_id": "s", "funding_account_id": "f", "amount": Money.of("1.00", "USD"),
    }),
    "source_accounts.list": Target(
        VELO.source_accounts.list, dict.fromkeys(["payor_id", "physical_account_name", "account_type", "page_size"])
    ),
    "funding_accounts.create": Target(VELO.funding_accounts.create, {
        "payor_id": "p", "name": "n", "account_type": "FBO", "account_name": "a", "account_number": "1",
        "routing_number": "2", "currency": "USD",
    }),
    "payouts.submit": Target(submit, INSTRUCTION),
    "payouts.submit itself": Target(VELO.payouts.submit, {
        "payments": [velo.PaymentInstruction(**INSTRUCTION)], "memo": None, "payout_from_payor_id": None,
    }),
    "payouts.instruct": Target(VELO.payouts.instruct, {"payout_id": "p", "stop_if_rates_worse_by": None}),
    "payouts.wait": Target(VELO.payouts.wait, {"payout_id": "p", "until": "ACCEPTED", "timeout": 1.0}),
    "payouts.payments": Target(VELO.payouts.payments, {"payout_id": "p", "status": None, "page_size": None}),
    "payments.find": Target(
        VELO.payments.find, {"payor_payment_id": "i", "payor_id": "p", "since": NOW, "until": None}
    ),
    "payments.list": Target(
        VELO.payments.list, dict.fromkeys(["submitted_from", "submitted_to", "sort", "page_size"]) | {"payor_id": "p"}
    ),
    "payees.update": Target(VELO.payees.update, dict.fromkeys([
        "address", "individual", "company", "payee_type", "language", "contact_sms_number", "challenge",
    ]) | {"payee_id": "p", "email": "a@b.example"}),
    "payees.update with a challenge": Target(
        lambda **values: VELO.payees.update("p", challenge=velo.Challenge(**values)),
        {"value": "12345", "description": "d"},
    ),
    "payees.update_remote_id": Target(
        VELO.payees.update_remote_id, {"payee_id": "p", "payor_id": "p", "remote_id": "r"}
    ),
    "payees.invite": Target(VELO.payees.invite, {"payee_id": "p", "payor_id": "p"}),
    "payees.invitations": Target(
        VELO.payees.invitations, dict.fromkeys(["payee_id", "invitation_status", "page_size"]) | {"payor_id": "p"}
    ),
    "payouts.list": Target(VELO.payouts.list, dict.fromkeys([
        "status", "memo", "submitted_from", "scheduled_to", "sort", "page_size",
    ]) | {"payor_id": "p"}),
    "payouts.audited_payments": Target(
        VELO.payouts.audited_payments, dict.fromkeys(["status", "submitted_to", "sensitive"]) | {"payout_id": "p"}
    ),
    "payouts.history": Target(VELO.payouts.history, {"payout_id": "p"}),
    "payments.get": Target(VELO.payments.get, {"payment_id": "p", "sensitive": None}),
    "payments.withdraw": Target(VELO.payments.withdraw, {"payment_id": "p", "reason": "Not due"}),
    "payments.export": Target(
        VELO.payments.export, {"payor_id": "p", "start": None, "end": None, "include": "payorOnly"}
    ),
    "fundings.list": Target(
        VELO.fundings.list, dict.fromkeys(["source_account_name", "sort", "page_size"]) | {"payor_id": "p"}
    ),
    "webhooks.create": Target(VELO.webhooks.create, {
        "payor_id": "p", "url": "https://h.example", "authorization_header": "long-and-random-7f3b1c9e",
        "categories": None, "enabled": True,
    }),
    "webhooks.update": Target(VELO.webhooks.update, {
        "webhook_id": "w", "url": None, "authorization_header": None, "categories": None, "enabled": True,
    }),
    "evaluate": Target(FLEXFACTOR.evaluate, {
        **ORDERED, "customer_ip": None, "sense_key": None, "merchant_initiated": None, "expires_at": None,
        "idempotency_key": None,
    }),
    "evaluate's transaction": Target(evaluated(flexfactor.Transaction, "transaction"), TRANSACTION),
    "evaluate's payer": Target(
        evaluated(flexfactor.Payer, "payer"), {"email": "a@b.example", "id": None, "phone": None, "birthdate": None}
    ),
    "evaluate's card": Target(evaluated(flexfactor.Card, "card"), {
        "token": "t", "expiration_month": None, "expiration_year": None, "holder_name": None, "bin": None,
        "last4": None,
    }),
    "transmit": Target(FLEXFACTOR.transmit, {**ORDERED, "declined": False, "merchant_initiated": False}),
    "capture": Target(FLEXFACTOR.capture, {
        "order_id": MID, "amount": Money.of("1.00", "USD"), "idempotency_key": None,
    }),
    "refund": Target(FLEXFACTOR.orders.refund, {"order_id": MID, "amount": Money.of("1.00", "USD"), "message": None}),
    "cancel": Target(FLEXFACTOR.orders.cancel, {"order_id": MID, "idempotency_key": None}),
    "external_cancel": Target(FLEXFACTOR.orders.external_cancel, {"external_order_id": "i", "idempotency_key": None}),
    "orders.get": Target(FLEXFACTOR.orders.get, {"order_id": MID}),
    "orders.list": Target(FLEXFACTOR.orders.list, dict.fromkeys([
        "query", "status", "start", "end", "mid", "order_by", "sort", "page_size",
    ]) | {"page": 1}),
    "orders.wait": Target(FLEXFACTOR.orders.wait, {"order_id": MID, "until": None, "timeout": 1.0}),
    "debit": Target(EASTPAY.payments.debit, CHARGE),
    "debit's card": Target(charge, {
        "number": "4111111111111111", "expiry_month": 12, "expiry_year": 2030, "cvv": "123", "holder": "A",
    }),
    "eastpay's capture": Target(EASTPAY.payments.capture, FOLLOWED),
    "eastpay's refund": Target(EASTPAY.payments.refund, {**FOLLOWED, "original_transaction_id": None}),
    "eastpay's reverse": Target(EASTPAY.payments.reverse, FOLLOWED),
    "inquire": Target(EASTPAY.payments.inquire, {"payment_id": "p"}),
    "notified": Target(EASTPAY.payments.notified, {"body": b"{}"}),
    "eastpay's wait": Target(EASTPAY.payments.wait, {"payment_id": "p", "timeout": 1.0}),
    "prepare": Target(EASTPAY.checkouts.prepare, {
        "amount": Money.of("1.00", "USD"), "payment_type": "DB", "merchant_transaction_id": None, "merchant_id": None,
        "checkout_type": None, "notification_url": None, "shopper_result_url": None, "parameters": None,
    }),
    "checkout status": Target(EASTPAY.checkouts.status, {"checkout_id": "c"}),
    "velo's webhook": Target(velo.Webhook("long-and-random-7f3b1c9e").read, {"body": b"{}", "authorization": "x"}),
    "read_notification": Target(velo.read_notification, {"body": b"{}"}),
    "flexfactor's webhook": Target(HOOK.read, {"body": b"{}", "headers": {}}),
    "split_code": Target(flexfactor.split_code, {"code": 400012}),
    "payment_id_of": Target(eastpay.payment_id_of, {"body": b"{}"}),
    "widget_url": Target(EASTPAY.checkouts.widget_url, {"checkout_id": "c"}),
}  # fmt: skip


@settings(max_examples=100)
@given(st.data())
@pytest.mark.parametrize("name", [*CONSTRUCTORS, *METHODS])
def test_any_value_for_any_argument(name: str, data: st.DataObject) -> None:
    target = {**CONSTRUCTORS, **METHODS}[name]
    changes: dict[str, Any] = {}
    for _ in range(data.draw(st.integers(1, 2))):
        argument = data.draw(st.sampled_from(sorted(target.arguments)))
        changes[argument] = data.draw(ANYTHING, label=argument)
    try:
        target(changes)
    except VictorError as error:
        str(error).encode()  # it can be written to a log


def nested(levels: int) -> list[Any]:
    """A list in a list in a list: whoever shows, copies or compares it runs out of stack."""
    items: list[Any] = []
    for _ in range(levels):
        items = [items]
    return items


@pytest.mark.parametrize("name", [*CONSTRUCTORS, *METHODS])
def test_a_list_that_is_too_deep_for_any_argument(name: str) -> None:
    target = {**CONSTRUCTORS, **METHODS}[name]
    deep = nested(100_000)
    for argument in target.arguments:
        for value in (deep, {"a": deep}):
            with contextlib.suppress(VictorError):
                target({argument: value})


@settings(max_examples=200)
@given(TEXT, st.sampled_from(["idempotency_key", "filter", "body"]))
def test_any_text_for_a_generated_operation(text: str, place: str) -> None:
    body = models.NewRtpRfpPaymentRequest.from_dict({"payee": {"account_number": text if place == "body" else "1"}})
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
