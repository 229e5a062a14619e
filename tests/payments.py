"""A good request for payment, in each form that tests need. What a newer document requires is added
here, to `GOOD`.
"""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain

from victor_ext import idempotency_key_for

GOOD = {
    "payee_account_number": "043987673645",
    "payer_counterparty_id": "aHeq349838",
    "amount": "44.23",
    "biller_type": "BUSINESS",
}


def today():
    """The due date: the day in UTC."""
    return datetime.now(UTC).date()


def payment(**changes):
    """The arguments of a request for payment that is due today."""
    return {**GOOD, "due_date": today(), **changes}


def invoice(number=1042, **changes):
    """The same, with the reference and the key of an invoice."""
    named = {
        "client_reference_id": f"INV-{number}",
        "idempotency_key": idempotency_key_for("invoice", number),
    }
    return {
        **payment(payer_counterparty_id="acceptsRfp", amount=Decimal("44.23")),
        **named,
        **changes,
    }


def cells(**changes):
    """The arguments as cells of a row, or of a program's text."""
    return {name: str(value) for name, value in payment(**changes).items()}


def create_words(**changes):
    """The arguments as the words of a command: `victor rfp create ...`."""
    values = cells(**changes).items()
    options = (("--" + name.replace("_", "-"), cell) for name, cell in values)
    return ["rfp", "create", *chain.from_iterable(options)]


def wire_body(**changes):
    """The arguments as JSON on the wire."""
    details = cells() | changes
    return {
        "payee": {"account_number": details.pop("payee_account_number")},
        "payer": {"victor_counterparty_id": details.pop("payer_counterparty_id")},
        "payment_details": details,
    }
