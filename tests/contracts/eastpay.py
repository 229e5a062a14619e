"""How EastPay's operations are called, with every argument."""

from tests.contracts.calling import Call
from tests.contracts.contract import ONCE, Contract
from victor_ext.providers import Money
from victor_ext.providers.eastpay import Card, CardToken, EastPay

PRICE = Money.of("92.00", "EGP")
PAGE = "https://shop.example/after"
PAID = {"result.code": "000.200.100"}
MADE = {**PAID, "amount": "92.00", "currency": "EGP", "entityId": "EB000001"}


def client(transport) -> EastPay:
    return EastPay(
        "no-token-at-all-no-token-at-all-00",
        base_url="https://pay.bank.example/gateway",
        entity_id="EB000001",
        entity_type_in_inquiries=True,
        transport=transport,
        retry=ONCE,
    )


CARD = Card("4111111111111111", expiry_month=12, expiry_year=2030, cvv="123", holder="Ada Example")
DEBIT = {
    "amount": PRICE,
    "merchant_transaction_id": "INV-1042",
    "notification_url": PAGE,
    "shopper_result_url": PAGE,
}
CALLS = {
    "createPayment": Call(
        "payments.debit",
        ({**DEBIT, "card": CARD}, {**DEBIT, "card": CardToken("a-token")}),
        {**MADE, "merchantTransactionId": "INV-1042", "paymentType": "DB"},
    ),
    "inquirePayment": Call.of(
        "payments.inquire", payment_id="payment-1", answer={**PAID, "id": "payment-1"}
    ),
    "followUpPayment": Call.of(
        "payments.refund",
        amount=PRICE,
        merchant_transaction_id="INV-1042-R",
        notification_url=PAGE,
        answer={**MADE, "merchantTransactionId": "INV-1042-R", "paymentType": "RF"},
    ),
    "prepareCheckout": Call.of(
        "checkouts.prepare",
        amount=PRICE,
        merchant_transaction_id="INV-1042",
        notification_url=PAGE,
        shopper_result_url=PAGE,
        answer=PAID,
    ),
    "getCheckoutPayment": Call.of("checkouts.status", answer=PAID),
}

CONTRACT = Contract(
    "eastpay",
    client,
    CALLS,
    not_read=dict.fromkeys(
        ("Checkout.buildNumber", "Checkout.ndc", "Checkout.timestamp"),
        "For the gateway's support; `to_dict()` has them.",
    ),
    unrelated=frozenset({"Checkout.lapses_at"}),
)
