"""What an entry asks to be paid, as the books of both sides name it."""

import pytest

from tests.cli.conftest import bare_command
from tests.payments import invoice
from tests.providers.flexfactor.adapter import declined
from tests.providers.running import GUID
from tests.providers.systems import ARGUMENTS, CLIENTS
from tests.providers.velo.adapter import pay

__all__ = ["bare_command"]
pytestmark = pytest.mark.pull_request


@pytest.mark.parametrize(
    ("system", "method", "arguments", "named", "asked"),
    [
        ("velo", "payouts.submit", ([pay("R1"), pay("R2")],), {}, ["R1", "R2"]),
        ("velo", "payouts.instruct", (GUID,), {}, []),
        ("victor", "payment_requests.create", (), invoice(1), ["INV-1"]),
        ("flexfactor", "evaluate", (), declined(order_id="R1"), ["R1"]),
    ],
)
def test_a_write_asks_for_the_payments_that_are_in_it(system, method, arguments, named, asked):
    with CLIENTS[system][0](**ARGUMENTS[system]) as client:
        call = client.prepare(method, *arguments, **named)
    assert [payment.reference for payment in call.payments] == asked
    assert all(payment.amount for payment in call.payments)
    assert type(call).from_text(call.to_text()) == call
