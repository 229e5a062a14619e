"""Take a payment through EastPay, in its sandbox: `python examples/eastpay_checkout.py`."""

from victor_ext import VictorError
from victor_ext.providers import Money
from victor_ext.providers.eastpay import Card, EastPay
from victor_ext.sandbox.eastpay import EastPaySandbox

PRICE = Money.of("92.00", "EGP")


def main() -> str:
    """Run the story; returns the line that sums it up."""
    with EastPaySandbox() as sandbox:
        merchant = sandbox.add_merchant()
        url, entity_id = f"{sandbox.url}/eastpay", merchant.entity_id
        with EastPay(merchant.token, base_url=url, entity_id=entity_id) as eastpay:
            return story(sandbox, eastpay)


def story(sandbox: EastPaySandbox, eastpay: EastPay) -> str:
    """A checkout, a declined card, a time-out of the bank, a lost answer, and a refund."""
    checkout = eastpay.checkouts.prepare(PRICE)
    print(
        f'The page shows <script src="{checkout.widget_url}">, until '
        f"{checkout.lapses_at:%H:%M:%S} UTC."
    )
    paid_id = sandbox.pay_checkout(checkout.id)
    # the notification is a hint: the client inquires
    paid = eastpay.payments.notified(sandbox.notification(paid_id))
    print(f"The shopper has paid: {paid.result.kind}, {paid.result}.")

    card = Card("4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv="999")
    declined = eastpay.payments.debit(PRICE, card=card, merchant_transaction_id="INV-1")
    print(
        f"A card is declined, and that is an answer: {declined.result.kind}, "
        f"{declined.result.meaning}"
    )

    card = Card("4111 1111 1111 1111", expiry_month=12, expiry_year=2030, cvv="123")
    sandbox.decide("INV-2", "100.200.100", then="000.000.000")
    slow = eastpay.payments.debit(PRICE, card=card, merchant_transaction_id="INV-2")
    settled = eastpay.payments.wait(slow.id)
    print(
        f"The bank timed out, which is {slow.result.kind} and no refusal; inquired, it is "
        f"{settled.result.kind}."
    )

    sandbox.inject("lose_answer", operation="pay")
    try:
        eastpay.payments.debit(PRICE, card=card, merchant_transaction_id="INV-3")
    except VictorError as error:
        print(f"An answer is lost, and the outcome is {error.outcome}: {error}")
    # its notification names the id
    known = eastpay.payments.notified(sandbox.notification(sandbox.payment_ids()[-1]))
    print(f"INV-3 {known.result.kind}, and is not charged again.")

    refund = eastpay.payments.refund(settled.id, PRICE, merchant_transaction_id="INV-2-back")
    print(f"INV-2 is paid back: {refund.result.kind}.")
    charges = sandbox.work_done_by_reference()
    if any(charges[invoice] != 1 for invoice in ("INV-2", "INV-3")):
        raise SystemExit("somebody was charged twice")
    return (
        "EastPay: a checkout paid, a decline returned as a result, a time-out and a lost "
        "answer charged once each"
    )


if __name__ == "__main__":
    print(main())
