"""What an entry asks to be paid, as the books of both sides name it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.cli.conftest import bare_command
from tests.cli.victor_command import Command
from tests.histories.calls import OPERATIONS, USD
from tests.outbox.backups import back_up
from tests.outbox.rows import key_of, states, stored
from tests.outbox.test_holding import settle
from tests.providers.systems import ADAPTERS
from tests.providers.victor.adapter import invoice
from victor_ext import InvalidRequest, Victor
from victor_ext.outbox import Outbox
from victor_ext.reconciliation import Reconciliation, Row, reconcile

__all__ = ["bare_command"]
pytestmark = [pytest.mark.pull_request, pytest.mark.hours]
PRICE = f"{USD.amount:f}"
ASKED: Mapping[str, list[tuple[str | None, str, str, bool]]] = {
    "submit": [("R1", PRICE, "USD", False)],
    "submit two": [("R1", PRICE, "USD", False), ("more", PRICE, "USD", False)],
    "debit": [("R1", PRICE, "USD", True)],
    "evaluate": [("INV-R1", PRICE, "USD", True)],
    "instruct": [],
    "refund": [],
    "capture": [],
}


@pytest.mark.parametrize("write", ASKED)
def test_a_write_asks_for_the_payments_that_are_in_it(write: str) -> None:
    operation = OPERATIONS[write]
    args, named = operation.arguments("R1")
    adapter = ADAPTERS[operation.system]
    with adapter.Harness.kinds[0](**adapter.ARGUMENTS) as client:
        call = client.prepare(operation.name, *args, **named)
    assert [tuple(asked) for asked in call.payments] == ASKED[write]
    assert type(call).from_text(call.to_text()) == call


def kinds_of(report: Reconciliation) -> dict[str | None, str]:
    """What became of each payment, by its reference."""
    return {_reference(row): row.kind.value for row in report}


def _reference(row: Row) -> str | None:
    payment = row.ours or row.theirs
    assert payment is not None
    return payment.reference


def test_a_restored_outbox_is_compared_with_the_provider_before_it_is_released(
    outbox: Outbox, engine: sa.Engine, victor: Victor, bare_command: Command, tmp_path: Path
) -> None:
    """The order of the page: hold, compare, release, and look at what is unclear."""
    url = engine.url.render_as_string(hide_password=False)
    stored(outbox, invoice(1), invoice(9))
    outbox.send(victor)
    stored(outbox, invoice(2), invoice(3))
    restore = back_up(engine)
    stored(outbox, invoice(4))
    outbox.cancel("INV-3", by="zoe", why="returned")
    outbox.send(victor)
    restore()

    assert "2 entries may have been sent" in bare_command("outbox", "hold", "--database", url).out
    shown = bare_command("outbox", "status", "--database", url)
    assert shown.status == 1
    assert "held since" in shown.out
    stored(outbox, invoice(5))
    ours = tmp_path / "ours.jsonl"
    ours.write_text(bare_command("outbox", "entries", "--database", url, "--json").out)
    now = datetime.now(UTC)
    with reconcile(victor, ours, start=now - timedelta(hours=1), end=now) as report:
        kinds = kinds_of(report)
    # INV-4 is in the provider's book alone, INV-3 in none, and INV-5 was not asked.
    assert kinds == {
        "INV-1": "matched",
        "INV-9": "matched",
        "INV-2": "matched",
        "INV-3": "unchecked",
        "INV-4": "at_edge",
    }
    assert bare_command("outbox", "release", "--database", url).out == "Released.\n"
    assert bare_command("outbox", "release", "--database", url).status == 1
    settle(outbox, victor)
    unclear = bare_command("outbox", "entries", "--database", url, "--state", "unclear").out
    assert f"{key_of(3)}  INV-3" in unclear
    assert states(outbox.entries()) == [
        "sent",
        "sent",
        "sent",
        "unclear",
        "sent",
    ]


def test_entries_that_were_listed_without_their_key_are_no_book(
    outbox: Outbox, engine: sa.Engine, victor: Victor, bare_command: Command, tmp_path: Path
) -> None:
    """What they ask for is not known: nothing is compared, and nothing is called missing."""
    url = engine.url.render_as_string(hide_password=False)
    storage_key = "the storage key of the tests"
    sealed = Outbox(engine, storage_key=storage_key)
    stored(sealed, invoice(1))
    sealed.send(victor)
    ours, now = tmp_path / "ours.jsonl", datetime.now(UTC)
    window: Any = {"start": now - timedelta(hours=1), "end": now}
    ours.write_text(bare_command("outbox", "entries", "--database", url, "--json").out)
    with (
        pytest.raises(InvalidRequest, match="The entry is encrypted, so its payments are not"),
        reconcile(victor, ours, **window) as report,
    ):
        kinds_of(report)
    words = ("outbox", "entries", "--database", url, "--json")
    ours.write_text(bare_command(*words, VICTOR_OUTBOX_KEY=storage_key).out)
    with reconcile(victor, ours, **window) as report:
        assert kinds_of(report) == {"INV-1": "matched"}
