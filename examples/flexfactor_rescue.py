"""Rescue declined card payments with FlexFactor, in its sandbox:
`python examples/flexfactor_rescue.py`.
"""

from datetime import UTC, datetime
from typing import Any

from victor_ext import BadRequest, Conflict, VictorError, idempotency_key_for
from victor_ext.providers import Money
from victor_ext.providers.flexfactor import (
    Address,
    Card,
    FlexFactor,
    FlexFactorAuth,
    FlexFactorToken,
    Payer,
    Transaction,
    Webhook,
)
from victor_ext.sandbox.flexfactor import FlexFactorSandbox

HOST = "hooks.shop.example"
PRICE = Money.of("44.23", "USD")
CARD = Card("tok_of_a_card", expiration_month=4, expiration_year=2031, last4="4242")


def declined(order_id: str) -> dict[str, Any]:
    """What the shop knows of a payment that its own processor has just declined."""
    return {
        "order_id": order_id,
        "amount": PRICE,
        "transaction": Transaction(
            f"t-{order_id}", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), response_code="05"
        ),
        "payer": Payer("ada@example.com"),
        "card": CARD,
        "billing": Address(
            "Ada", "Lovelace", city="Springfield", zip_code="01234", country_code="US"
        ),
        "customer_ip": "203.0.113.7",
        "idempotency_key": idempotency_key_for("rescue", order_id),
    }


def main() -> str:
    """Run the story; returns the line that sums it up."""
    with FlexFactorSandbox() as sandbox:
        app_key, app_secret, mid = sandbox.add_client()
        sandbox.add_card(token=CARD.token)
        with FlexFactor(
            FlexFactorAuth(app_key, app_secret), mid=mid, base_url=sandbox.url
        ) as flexfactor:
            summary = story(sandbox, flexfactor)
        with FlexFactor(
            FlexFactorToken(sandbox.add_token()), mid=mid, base_url=sandbox.url
        ) as flexfactor:
            print(
                f"With a token that is ready, {sum(1 for _ in flexfactor.orders.list())} orders "
                "are listed."
            )
        return summary


def story(sandbox: FlexFactorSandbox, flexfactor: FlexFactor) -> str:
    """A rescue through a lost answer, a challenge, a refund that a 200 refuses, and a
    notification.
    """
    sandbox.inject("lose_answer", operation="evaluate")
    rescued = flexfactor.evaluate(**declined("INV-1"))
    print(f"The first answer is lost; asked again with the same key, INV-1 is {rescued.status}.")

    sandbox.decide("CHALLENGE")
    challenged = flexfactor.evaluate(**declined("INV-2"))
    print(
        f"INV-2 is {challenged.status}: success is {challenged.success}, and approved is "
        f"{challenged.approved}."
    )
    sandbox.settle("INV-2", "APPROVED")
    headers, body = sandbox.notification("INV-2", "order.completed", host=HOST)
    notification = Webhook(sandbox.subscriber_key(), host=HOST).read(body, headers)
    # a notification is a hint: the order is what counts
    order = flexfactor.orders.get(str(notification.order_id))
    print(f"A signed notification says {notification.event}, and the order is {order.status_name}.")

    sandbox.decide("DECLINED")
    try:
        flexfactor.orders.wait(
            str(flexfactor.evaluate(**declined("INV-3")).order_id), until="COMPLETED"
        )
    except Conflict as error:
        print(f"INV-3 is declined here too, so that nobody waits for it: {error}")

    order_id = str(rescued.order_id)
    refund = flexfactor.orders.refund(order_id, Money.of("4.23", "USD"))
    print(f"{refund.amount} of INV-1 are given back: {refund.status}.")
    try:
        flexfactor.orders.refund(order_id, PRICE)
    except BadRequest as error:
        print(
            f"The rest is less than the whole. Status {error.status_code}, and yet refused: "
            f"{error.problems[0].message}"
        )

    sandbox.inject("lose_answer", operation="refund")
    try:
        flexfactor.orders.refund(order_id, Money.of("1.00", "USD"))
    except VictorError as error:
        print(
            "A refund's answer is lost. It has no key, so it is not sent again: the outcome is "
            f"{error.outcome}."
        )

    record, charges = sandbox.order_record("INV-1"), sandbox.work_done_by_reference()
    if charges["INV-1"] != 1 or record["refunded"] != 523:
        raise SystemExit("somebody was charged or refunded twice")
    return (
        "FlexFactor: a declined card rescued once through a lost answer, and a refund refused "
        "with status 200 reported"
    )


if __name__ == "__main__":
    print(main())
