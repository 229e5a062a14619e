"""What another program made with the same reference is no proof of ours: in each system that looks
writes up, and in one of which only the document is known.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import pytest

import tests.providers.velo.adapter as velo
from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.eastpay.adapter import PRICE, card
from tests.providers.running import MODES, run
from tests.providers.systems import of_every_system
from tests.providers.victor.adapter import payment
from victor_ext import ApiClient, AsyncApiClient, Done, InvalidRequest, OperationRow, Proof
from victor_ext.providers import Money

REFERENCE = "INV-1042"
Prepare = Callable[..., Any]


def _victor(client, **changes):
    arguments = payment(client_reference_id=REFERENCE, **changes)
    return client.prepare("payment_requests.create", **arguments)


def _velo(client, **changes):
    return client.prepare("payouts.submit", [velo.pay(REFERENCE, **changes)])


def _eastpay(client, amount: Money = PRICE, kind: str = "debit"):
    name = f"payments.{kind}"
    return client.prepare(name, amount, card=card(), merchant_transaction_id=REFERENCE)


def _tomorrow() -> date:
    """Asked when a test runs: the suite may run over midnight."""
    return datetime.now(UTC).date() + timedelta(days=1)


class Writes(NamedTuple):
    """Prepares a write of a system; `others` are the values of which another payment has one."""

    prepare: Prepare
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
        "eastpay": Writes(
            _eastpay,
            {
                "amount": Money.of("1.00", "EGP"),
                "currency": Money.of("92.00", "USD"),
                "kind": "preauthorise",
            },
        ),
    },
    without=("flexfactor",),
)
EACH = [(system, name) for system, writes in WRITES.items() for name in writes.others]
system_of_each = pytest.mark.parametrize("system", WRITES)


@pytest.fixture
def harness(harness, system: str):
    if system == "eastpay":
        harness.settings["inquiry_by_reference"] = True
    if system == "velo":
        harness.sandbox.add_payee("payee-of-another")
        harness.sandbox.add_source_account("Another account", "USD", 100_000)
    return harness


def prepared(harness, system: str, **changes):
    prepare = WRITES[system].prepare
    return harness(lambda client: SimpleNamespace(call=prepare(client, **changes))).call


def make(harness, call):
    """Send a call, as another program does."""
    harness(lambda client: client.send(call))


def look(harness, call, since: datetime | None = None):
    """Look a call up that was sent at this moment; None: within the last seconds."""
    given = {"payor_id": harness.payor} if call.look_up_needs else {}
    moment = datetime.now(UTC) if since is None else since
    return harness(lambda client: client.look_up(call, since=moment, **given))


@pytest.mark.parametrize(("system", "name"), EACH)
def test_a_payment_with_another_value_is_not_ours(harness, system, name):
    other = WRITES[system].others[name]
    if callable(other):
        other = other()
    changed = {"amount" if name == "currency" else name: other}
    make(harness, prepared(harness, system, **changed))
    seen = look(harness, prepared(harness, system))
    assert isinstance(seen, str), seen
    named = {"remote_id": "remoteId", "source_account_name": "sourceAccountName"}
    named["memo"] = "paymentMemo"
    if name == "kind":
        assert "No payments of its kind" in seen
    else:
        assert f"has another value than was sent: {named.get(name, name)}" in seen


@system_of_each
def test_an_equal_payment_that_was_made_earlier_is_not_ours(harness, system):
    """`Date` has whole seconds, and clocks of two hosts differ a little: ten seconds are none."""
    call, before = prepared(harness, system), datetime.now(UTC).replace(microsecond=0)
    make(harness, call)
    after = datetime.now(UTC)
    ours = look(harness, call, before)
    assert isinstance(ours, Done)
    assert before - timedelta(seconds=1) <= (ours.created_at or before) <= after
    seen = look(harness, call, after + timedelta(seconds=60))
    assert f"{ours.id} has what was sent, but was made earlier" in seen


@system_of_each
@pytest.mark.parametrize("moment", [datetime(2026, 3, 4), None, "2026-03-04"])  # noqa: DTZ001 - it is refused
def test_a_moment_without_a_zone_is_refused(harness, system, moment):
    call = prepared(harness, system)
    given = {"payor_id": harness.payor} if call.look_up_needs else {}
    with pytest.raises(InvalidRequest, match="since"):
        harness(lambda client: client.look_up(call, since=moment, **given))


# A system of which only the document is known: the caller's own proof says what it has read.

SENT_AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
OURS = {"id": "pay_1", "amount": 4423, "currency": "EUR", "reference": REFERENCE}


def shown(mode: str, returns: Callable[[Any, Any], Any], **options):
    """What a look-up of a payment of Till's comes to, whose proof returns this."""

    def find(client, call, _since: datetime, _given):
        yield lambda: client.http.get("/v1/payments")
        return returns(call, dict(OURS))

    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=OURS))
    kind = (ApiClient, AsyncApiClient)[MODES.index(mode)]
    settings = {
        "client": client_class(),
        "base_url": "https://till.example",
        "rows": {"POST /v1/payments": OperationRow(proof=Proof(find, **options))},
        "transport": transport,
    }

    def look(client):
        body = new_payment(amount=4423, reference=REFERENCE)
        call = client.prepare(operation("payments.take_payment"), body=body)
        return client.look_up(call, since=SENT_AT)

    return run(kind, look, **settings)


def made(call, found: dict[str, Any], after: float = 0.0, **changes) -> Done:
    at = SENT_AT + timedelta(seconds=after)
    unsaid = changes.pop("unsaid", ())
    compared = call.compared_with({**found, **changes}, unsaid=unsaid)
    return Done("pay_1", created_at=at, compared=compared)


def made_at(call, found: dict[str, Any], at) -> Done:
    return Done("pay_1", created_at=at, compared=call.compared_with(found))


def test_a_proof_that_says_its_time_and_its_values_is_one(mode):
    for seconds in (-10, 0, 3600):
        assert isinstance(shown(mode, lambda call, found, at=seconds: made(call, found, at)), Done)
    later = {"times_differ": timedelta(minutes=2)}
    assert isinstance(shown(mode, lambda call, found: made(call, found, -100), **later), Done)
    without = shown(mode, lambda call, found: made(call, found, amount=None, unsaid=("amount",)))
    assert isinstance(without, Done)


@pytest.mark.parametrize(
    ("returns", "why"),
    [
        (lambda _call, _found: Done("pay_1"), "was not compared with what was sent: write Done"),
        (lambda call, found: made(call, found, -11), "was made earlier"),
        (lambda call, found: made(call, found, amount=100), "another value than was sent: amount"),
        (lambda call, found: made(call, found, amount=None), "does not say what was sent: amount"),
        (lambda call, found: made(call, found, currency={}), "cannot be read: currency"),
        *(
            (lambda call, found, at=at: made_at(call, found, at), "does not say when it was made")
            for at in (None, SENT_AT.replace(tzinfo=None), "today")
        ),
        (lambda _call, _found: Done("pay_1", is_state=True), "what the path does not name"),
    ],
)
def test_a_proof_that_leaves_a_doubt_is_none(mode, returns, why):
    seen = shown(mode, returns)
    assert isinstance(seen, str)
    assert why in seen
