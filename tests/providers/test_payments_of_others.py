"""What another program made with the same reference is no proof of ours: in each system that looks
writes up, and in one of which only the document is known.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import httpx
import pytest

import tests.providers.velo.adapter as velo
from tests.payments import payment
from tests.providers.connected.till import Caller, new_payment, operation
from tests.providers.running import Script
from tests.providers.systems import of_every_system
from victor_ext import Done, OperationRow, Proof
from victor_ext.providers import Money

REFERENCE = "INV-1042"


def _victor(client, **changes):
    arguments = payment(client_reference_id=REFERENCE, **changes)
    return client.prepare("payment_requests.create", **arguments)


def _velo(client, **changes):
    return client.prepare("payouts.submit", [velo.pay(REFERENCE, **changes)])


def _tomorrow():
    """Asked when a test runs: the suite may run over midnight."""
    return datetime.now(UTC).date() + timedelta(days=1)


class Writes(NamedTuple):
    """Prepares a write of a system; `others` are the values of which another payment has one."""

    prepare: Callable[..., Any]
    others: dict[str, Any]


WRITES = of_every_system(
    __name__,
    {
        "victor": Writes(
            _victor,
            {
                "amount": "1.00",
                "payer_counterparty_id": "another",
                "payee_account_number": "043987673646",
                "due_date": _tomorrow,
                "notes": "of another program",
            },
        ),
        "velo": Writes(
            _velo,
            {
                "amount": Money.of("1.00", "USD"),
                "remote_id": "payee-of-another",
                "source_account_name": "Another account",
                "memo": "of another program",
            },
        ),
    },
    without=("eastpay", "flexfactor"),
)
EACH = [(system, name) for system, writes in WRITES.items() for name in writes.others]
system_of_each = pytest.mark.parametrize("system", WRITES)


@pytest.fixture
def harness(harness, system):
    if system == "velo":
        harness.sandbox.add_payee("payee-of-another")
        harness.sandbox.add_source_account("Another account", "USD", 100_000)
    return harness


def prepared(harness, system, **changes):
    prepare = WRITES[system].prepare
    return harness(lambda client: prepare(client, **changes))


def make(harness, call):
    """Send a call, as another program does."""
    harness.ask("send", call)


def look(harness, call, since=None):
    """Look a call up that was sent at this moment; None: within the last seconds."""
    given = {"payor_id": harness.payor} if call.look_up_needs else {}
    moment = datetime.now(UTC) if since is None else since
    return harness.ask("look_up", call, since=moment, **given)


@pytest.mark.parametrize(("system", "name"), EACH)
def test_a_payment_with_another_value_is_no_proof_of_our_payment(harness, system, name):
    other = WRITES[system].others[name]
    if callable(other):
        other = other()
    changed = {"amount" if name == "currency" else name: other}
    make(harness, prepared(harness, system, **changed))
    seen = look(harness, prepared(harness, system))
    assert isinstance(seen, str), seen
    named = {"remote_id": "remoteId", "source_account_name": "sourceAccountName"}
    named["memo"] = "paymentMemo"
    assert f"has another value than was sent: {named.get(name, name)}" in seen


@system_of_each
def test_an_equal_payment_that_was_made_earlier_is_no_proof_of_our_payment(harness, system):
    """`Date` has whole seconds, and clocks of two hosts differ a little: ten seconds are none."""
    call, before = prepared(harness, system), datetime.now(UTC).replace(microsecond=0)
    make(harness, call)
    after = datetime.now(UTC)
    ours = look(harness, call, before)
    assert isinstance(ours, Done)
    assert before - timedelta(seconds=1) <= ours.created_at <= after
    seen = look(harness, call, after + timedelta(seconds=60))
    assert f"{ours.id} has what was sent, but was made earlier" in seen


# A system of which only the document is known: the caller's own proof says what it has read.

SENT_AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
OURS = {"id": "pay_1", "amount": 4423, "currency": "EUR", "reference": REFERENCE}


def shown(mode, returns, **options):
    """What a look-up of a payment of Till's comes to, whose proof returns this of its call."""

    def find(client, call, _since, _given):
        yield lambda: client.http.get("/v1/payments")
        return returns(call)

    rows = {"POST /v1/payments": OperationRow(proof=Proof(find, **options))}

    def look(client):
        body = new_payment(amount=4423, reference=REFERENCE)
        call = client.prepare(operation("payments.take_payment"), body=body)
        return client.look_up(call, since=SENT_AT)

    return Caller(mode, Script(httpx.Response(200, json=OURS)), rows=rows).run(look)


def made(after=0.0, at=None, unsaid=(), **changes):
    """A proof that says what was made so long after it was sent, with these values changed."""
    at = SENT_AT + timedelta(seconds=after) if at is None else at
    return lambda call: Done(
        "pay_1", created_at=at or None, compared=call.compared_with(OURS | changes, unsaid=unsaid)
    )


@pytest.mark.parametrize(
    ("returns", "options"),
    [
        *((made(seconds), {}) for seconds in (-10, 0, 3600)),
        (made(-100), {"times_differ": timedelta(minutes=2)}),
        (made(amount=None, unsaid=("amount",)), {}),
    ],
)
def test_a_proof_with_its_time_and_the_values_that_were_sent_is_accepted(mode, returns, options):
    assert isinstance(shown(mode, returns, **options), Done)


@pytest.mark.parametrize(
    ("returns", "why"),
    [
        (lambda _: Done("pay_1"), "was not compared with what was sent: write Done"),
        (made(-11), "was made earlier"),
        (made(amount=100), "another value than was sent: amount"),
        (made(amount=None), "does not say what was sent: amount"),
        (made(currency={}), "cannot be read: currency"),
        *(
            (made(at=at), "does not say when it was made")
            for at in ("", SENT_AT.replace(tzinfo=None), "today")
        ),
        (lambda _: Done("pay_1", is_state=True), "what the path does not name"),
    ],
)
def test_a_proof_without_a_matching_time_or_value_is_no_proof(mode, returns, why):
    assert why in str(shown(mode, returns))
    assert not isinstance(shown(mode, returns), Done)
