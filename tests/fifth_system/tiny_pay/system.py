"""What victor_ext asks about TinyPay, and its side of a reconciliation."""

from typing import Any

from victor_ext._systems import System
from victor_ext.providers._books import Book, Theirs, money_of

SYSTEM = System(
    name="tiny",
    title="TinyPay",
    client="tiny_pay.client:Tiny",
    async_client="tiny_pay.client:AsyncTiny",
    book="tiny_pay.system:book_of",
    lists="charges",
    refuses={"environment": "--environment is not for TinyPay, which has one: leave it out."},
)


def book_of(client: Any, *, page_size: int | None) -> Book:
    """The book of a client, blocking or awaited."""

    def read(charge: Any) -> Theirs:
        amount = money_of(f"{charge.cents / 100:.2f}", "USD")
        return Theirs(
            charge.id, charge.reference, amount, amount, "USD", str(charge.is_settled), None
        )

    return Book(
        pages=lambda _: client.charges.list().pages(),
        read=read,
        look_up=client.charges.get,
        currency="USD",
    )
