"""The data of the benchmark of the peers (`benchmarks/peers`): what each API answers, one payment
and pages of them, with as many items and about as many bytes for each client.

The members are those of the API's own models, so that its client decodes typed objects. What would
be null is left out where the API has so many members that its items would be several times as long
as the others'.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

THIS = "@@@@@"
"""Stands for the number of the page, or of the one payment, with five digits."""
NEXT = "#####"
"""Stands for the number of the next page."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """The answers of one API, and how a raw client asks for them.

    Attributes:
        one: The path of one payment, without its number, a `peers.number`.
        many: The path of the list.
        size: The parameter of the list that says how many items a page has.
        cursor: The parameter of the list that says which page.
        payment: Makes the payment with this id.
        page: Puts the items of a page into what the API puts around them.
        fields: Where the five fields stand that are read of each item: a path of keys each.
        items: The path of keys to the items of a page.
        body: What is sent to make a payment.
        made: How `create` and `get` answer one payment.
        headers: What a page has besides, as further headers.
    """

    one: str
    many: str
    size: str
    cursor: str
    payment: Callable[[str], Json]
    page: Callable[[list[Json], int], Any]
    fields: tuple[tuple[str, ...], ...]
    items: tuple[str, ...]
    body: Json
    made: Callable[[Json], Json] = lambda payment: payment
    headers: str = ""

    def single(self) -> bytes:
        """The answer of one payment, with `THIS` for five digits of its number."""
        return json.dumps(self.made(self.payment(f"{THIS}001"))).encode()

    def template(self, size: int) -> bytes:
        """A page of this many payments, with `THIS` and `NEXT` for the numbers of pages."""
        return json.dumps(
            self.page([self.payment(f"{THIS}{n:03d}") for n in range(size)], size)
        ).encode()


def _as_asked(payment: Json) -> Json:
    """Without the words that nobody sends here: an answer that has them is about another
    payment.
    """
    inside = payment["payment_request"]
    del inside["payee"]["ultimate_creditor"], inside["payment_details"]["notes"]
    return payment


def _victor(number: str) -> Json:
    return {
        "victor_payment_request_id": f"R{number}",
        "client_reference_id": f"INV-{number}",
        "error_message": None,
        "direction": "OUTBOUND",
        "status": "pending",
        "payment_network": "RTP",
        "victor_payment_request_parent_id": None,
        "victor_payment_request_child_id": "QNNEVS9JL4",
        "payment_request": {
            "payee": {
                "account_number": "043987673645",
                "ultimate_creditor": "SampleCo Billing Inc.",
            },
            "payer": {"victor_counterparty_id": "aHeq349838"},
            "payment_details": {
                "amount": "44.23",
                "notes": "Notes regarding sample payment.",
                "biller_type": "BUSINESS",
                "due_date": datetime.now(UTC).date().isoformat(),  # of the request that it answers
                "amount_modification_allowed": False,
                "original_amount": "44.23",
                "approval_notes": "Notes regarding accepted request.",
            },
            "approved_at": None,
            "created_at": 1772600000000,
        },
    }


def _victor_documented(number: str) -> Json:
    """The same payment in the words of the document: what the provider sends is refused by a stock
    client.
    """
    told = _victor(number)
    told.update(
        direction="outbound",
        status="pending",
        error_message="",
        victor_payment_request_parent_id="",
    )
    told["payment_request"].update(
        approved_at="2026-03-04T05:33:20Z", created_at="2026-03-04T04:53:20Z"
    )
    return told


_VICTOR_BODY = {
    "payee": {"account_number": "043987673645"},
    "payer": {"victor_counterparty_id": "aHeq349838"},
    "payment_details": {
        "amount": "44.23",
        "biller_type": "BUSINESS",
        "due_date": (datetime.now(UTC).date() + timedelta(days=1)).isoformat(),
    },
    "client_reference_id": "INV-00001001",
}


def _stripe(number: str) -> Json:
    return {
        "id": f"pi_{number}",
        "object": "payment_intent",
        "amount": 4423,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 4423,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always"},
        "canceled_at": None,
        "capture_method": "automatic_async",
        "confirmation_method": "automatic",
        "created": 1772600000,
        "currency": "usd",
        "customer": "cus_NffrFeUfNV2Hib",
        "description": f"INV-{number}",
        "last_payment_error": None,
        "latest_charge": "ch_3MtwBwLkdIwHu7ix0snN0BBk",
        "livemode": False,
        "metadata": {"invoice": f"INV-{number}"},
        "next_action": None,
        "payment_method": "pm_1MtwBwLkdIwHu7ixqyVh0gqf",
        "payment_method_types": ["card", "link"],
        "receipt_email": None,
        "statement_descriptor": None,
        "status": "succeeded",
        "transfer_group": None,
    }


def _modern_treasury(number: str) -> Json:
    return {
        "id": f"po_{number}",
        "object": "payment_order",
        "live_mode": False,
        "type": "rtp",
        "accounting": {"account_id": None, "class_id": None},
        "amount": 4423,
        "counterparty_id": "aHeq349838",
        "created_at": "2026-03-04T04:53:20Z",
        "currency": "USD",
        "description": f"INV-{number}",
        "direction": "credit",
        "effective_date": "2026-03-04",
        "metadata": {"invoice": f"INV-{number}"},
        "nsf_protected": False,
        "originating_account_id": "0f8e3719-3dfd-4613-9bbf-c0333781b59f",
        "originating_account_type": "internal_account",
        "priority": "normal",
        "receiving_account_id": "5acec2ab-987b-46af-8146-cecbfcc6dd37",
        "receiving_account_type": "external_account",
        "reconciliation_status": "unreconciled",
        "reference_numbers": [],
        "status": "pending",
        "transaction_ids": [],
        "updated_at": "2026-03-04T04:53:20Z",
    }


def _increase(number: str) -> Json:
    return {
        "id": f"account_transfer_{number}",
        "account_id": "account_in71c4amph0vgo2qllky",
        "amount": 4423,
        "approval": {"approved_at": "2026-03-04T04:53:20Z", "approved_by": "user@example.com"},
        "cancellation": None,
        "created_at": "2026-03-04T04:53:20Z",
        "created_by": {
            "category": "user",
            "api_key": None,
            "oauth_application": None,
            "user": {"email": "user@example.com"},
        },
        "currency": "USD",
        "description": f"INV-{number}: notes regarding the sample payment",
        "destination_account_id": "account_uf16sut2ct5bevmq3eh",
        "destination_transaction_id": "transaction_j3itv8dtk5o8pw3p1xj4",
        "idempotency_key": None,
        "pending_transaction_id": None,
        "status": "complete",
        "transaction_id": "transaction_uyrp7fld2ium70oa7oi",
        "type": "account_transfer",
    }


def _square(number: str) -> Json:
    money = {"amount": 4423, "currency": "USD"}
    return {
        "id": f"pay_{number}",
        "created_at": "2026-03-04T04:53:20.140Z",
        "updated_at": "2026-03-04T04:53:20.140Z",
        "amount_money": money,
        "total_money": money,
        "approved_money": money,
        "status": "COMPLETED",
        "source_type": "BANK_ACCOUNT",
        "bank_account_details": {
            "bank_name": "Sample Bank",
            "transfer_type": "ACH",
            "account_ownership_type": "INDIVIDUAL",
            "country": "US",
        },
        "location_id": "L88917AVBK2S5",
        "order_id": "d7eKah653Z579f3gVtjlxpSlmUcZY",
        "reference_id": f"INV-{number}",
        "customer_id": "W92WH6P11H4Z77CTET0RNTGFW8",
        "note": "Notes regarding sample payment.",
        "delay_action": "CANCEL",
        "delay_duration": "PT168H",
        "receipt_number": "bP9m",
        "version_token": "Pm1L8p6qWzIpgTyGGT5Ya3V3Yg4Sh0KVMKbHMTeVkTv6o",
    }


def _gocardless(number: str) -> Json:
    return {
        "id": f"PM{number}",
        "created_at": "2026-03-04T04:53:20.140Z",
        "charge_date": "2026-03-06",
        "amount": 4423,
        "description": f"INV-{number}: notes regarding the sample payment",
        "currency": "USD",
        "status": "pending_submission",
        "amount_refunded": 0,
        "reference": f"INV-{number}",
        "metadata": {
            "invoice": f"INV-{number}",
            "payer": "aHeq349838",
            "notes": "Notes regarding sample payment.",
        },
        "fx": {
            "fx_currency": "USD",
            "fx_amount": None,
            "exchange_rate": None,
            "estimated_exchange_rate": "1.1234567890",
        },
        "retry_if_possible": False,
        "faster_ach": False,
        "links": {
            "mandate": "MD0123456789AB",
            "creditor": "CR0123456789AB",
            "subscription": "SB0123456789AB",
        },
    }


def _mollie(number: str) -> Json:
    def link(path: str) -> Json:
        return {"href": f"https://api.example.com/v2/{path}", "type": "application/hal+json"}

    return {
        "resource": "payment",
        "id": f"tr_{number}",
        "mode": "test",
        "createdAt": "2026-03-04T04:53:20+00:00",
        "amount": {"value": "44.23", "currency": "USD"},
        "description": f"INV-{number}",
        "method": "banktransfer",
        "metadata": {"invoice": f"INV-{number}"},
        "status": "open",
        "isCancelable": False,
        "locale": "en_US",
        "profileId": "pfl_QkEhN94Ba",
        "customerId": "cst_kEn1PlbGa",
        "sequenceType": "oneoff",
        "redirectUrl": "https://example.com/redirect",
        "webhookUrl": "https://example.com/webhook",
        "_links": {
            "self": link(f"payments/tr_{number}"),
            "dashboard": link(f"dashboard/tr_{number}"),
        },
    }


def _mollie_page(items: list[Json], size: int) -> Json:
    kind = {"type": "application/hal+json"}
    return {
        "count": size,
        "_embedded": {"payments": items},
        "_links": {
            "self": {"href": f"/payments?limit={size}", **kind},
            "previous": None,
            "next": {"href": f"/payments?from=tr_{NEXT}&limit={size}", **kind},
            "documentation": {
                "href": "https://docs.example.com/list-payments",
                "type": "text/html",
            },
        },
    }


_VICTOR_FIELDS = (
    ("victor_payment_request_id",),
    ("client_reference_id",),
    ("status",),
    ("payment_request", "payment_details", "amount"),
    ("payment_request", "created_at"),
)


def _page_of_victor(items: list[Json], size: int) -> Json:
    return {"page": 0, "page_size": size, "results": items}


SHAPES = {
    "victor": Shape(
        "/v2/payment-requests/R",
        "/v2/payment-requests",
        "page_size",
        "page",
        _victor,
        _page_of_victor,
        _VICTOR_FIELDS,
        ("results",),
        _VICTOR_BODY,
        made=_as_asked,
    ),
    "victor_documented": Shape(
        "/v2/payment-requests/R",
        "/v2/payment-requests",
        "page_size",
        "page",
        _victor_documented,
        _page_of_victor,
        _VICTOR_FIELDS,
        ("results",),
        _VICTOR_BODY,
    ),
    "stripe": Shape(
        "/v1/payment_intents/pi_",
        "/v1/payment_intents",
        "limit",
        "starting_after",
        _stripe,
        lambda items, _: {
            "object": "list",
            "url": "/v1/payment_intents",
            "has_more": True,
            "data": items,
        },
        (("id",), ("amount",), ("currency",), ("status",), ("created",)),
        ("data",),
        {"amount": 4423, "currency": "usd", "description": "INV-00001001"},
    ),
    "modern_treasury": Shape(
        "/api/payment_orders/po_",
        "/api/payment_orders",
        "per_page",
        "after_cursor",
        _modern_treasury,
        lambda items, _: items,
        (("id",), ("amount",), ("currency",), ("status",), ("created_at",)),
        (),
        {
            "amount": 4423,
            "direction": "credit",
            "originating_account_id": "0f8e3719",
            "type": "rtp",
        },
        headers=f"x-after-cursor: {NEXT}\r\nx-per-page: 100\r\n",
    ),
    "increase": Shape(
        "/account_transfers/account_transfer_",
        "/account_transfers",
        "limit",
        "cursor",
        _increase,
        lambda items, _: {"data": items, "next_cursor": NEXT},
        (("id",), ("amount",), ("currency",), ("status",), ("created_at",)),
        ("data",),
        {
            "account_id": "a",
            "amount": 4423,
            "description": "INV-00001001",
            "destination_account_id": "b",
        },
    ),
    "square": Shape(
        "/v2/payments/pay_",
        "/v2/payments",
        "limit",
        "cursor",
        _square,
        lambda items, _: {"payments": items, "cursor": NEXT},
        (
            ("id",),
            ("amount_money", "amount"),
            ("amount_money", "currency"),
            ("status",),
            ("created_at",),
        ),
        ("payments",),
        {
            "source_id": "s",
            "idempotency_key": "k",
            "amount_money": {"amount": 4423, "currency": "USD"},
        },
        made=lambda payment: {"payment": payment},
    ),
    "gocardless": Shape(
        "/payments/PM",
        "/payments",
        "limit",
        "after",
        _gocardless,
        lambda items, size: {
            "payments": items,
            "meta": {"cursors": {"before": None, "after": NEXT}, "limit": size},
        },
        (("id",), ("amount",), ("currency",), ("status",), ("created_at",)),
        ("payments",),
        {"payments": {"amount": 4423, "currency": "USD", "links": {"mandate": "MD0123456789AB"}}},
        made=lambda payment: {"payments": payment},
    ),
    "mollie": Shape(
        "/payments/tr_",
        "/payments",
        "limit",
        "from",
        _mollie,
        _mollie_page,
        (("id",), ("amount", "value"), ("amount", "currency"), ("status",), ("createdAt",)),
        ("_embedded", "payments"),
        {
            "description": "INV-00001001",
            "amount": {"value": "44.23", "currency": "USD"},
            "redirectUrl": "https://example.com",
        },
    ),
}
