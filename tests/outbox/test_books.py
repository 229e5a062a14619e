"""What an entry asks to be paid, as the books of both sides name it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import bare_command
from tests.outbox.backups import back_up, on_sqlite
from tests.outbox.rows import stored
from tests.providers.flexfactor.adapter import declined
from tests.providers.running import GUID
from tests.providers.systems import ARGUMENTS, CLIENTS
from tests.providers.velo.adapter import pay
from tests.providers.victor.adapter import invoice
from victor_ext import InvalidRequest
from victor_ext.outbox import Outbox
from victor_ext.reconciliation import reconcile

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


def kinds_of(victor, ours):
    """What became of each payment, by its reference."""
    now = datetime.now(UTC)
    with reconcile(victor, ours, start=now - timedelta(hours=1), end=now) as report:
        return {str((row.ours or row.theirs).reference): row.kind.value for row in report}


@pytest.fixture
def listed(engine, bare_command, tmp_path):
    """Writes what `victor outbox entries --json` prints."""

    def write(**variables):
        url = engine.url.render_as_string(hide_password=False)
        ran = bare_command("outbox", "entries", "--database", url, "--json", **variables)
        ours = tmp_path / "ours.jsonl"
        ours.write_text(ran.out)
        return ours

    return write


@on_sqlite
def test_a_restored_outbox_is_compared_with_the_provider_before_it_is_released(
    outbox, engine, victor, listed
):
    """Since the backup, INV-4 was stored, INV-3 was cancelled, and what was left was sent; since
    the hold, INV-5 was stored. INV-4 is in the provider's book alone, INV-3 in none, and INV-5 was
    not asked.
    """
    stored(outbox, invoice(1), invoice(9))
    outbox.send(victor)
    stored(outbox, invoice(2), invoice(3))
    restore = back_up(engine)
    stored(outbox, invoice(4))
    outbox.cancel("INV-3", by="zoe", why="returned")
    outbox.send(victor)
    restore()
    assert outbox.hold().marked == 2
    stored(outbox, invoice(5))
    assert kinds_of(victor, listed()) == {
        "INV-1": "matched",
        "INV-9": "matched",
        "INV-2": "matched",
        "INV-3": "unchecked",
        "INV-4": "at_edge",
    }


def test_entries_that_were_listed_without_the_storage_key_are_refused_as_a_book(
    engine, outbox, victor, listed
):
    """What they ask for is not known: nothing is compared, and nothing is called missing."""
    storage_key = "the storage key of the tests"
    sealed = Outbox(engine, storage_key=storage_key)
    stored(sealed, invoice(1))
    sealed.send(victor)
    with pytest.raises(InvalidRequest, match="The entry is encrypted, so its payments are not"):
        kinds_of(victor, listed())
    assert kinds_of(victor, listed(VICTOR_OUTBOX_KEY=storage_key)) == {"INV-1": "matched"}
