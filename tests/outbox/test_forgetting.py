"""What is settled loses its data when its time has come, and nobody is asked again for it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.outbox.test_calls import Store, harness, store, submit, velo_sandbox
from tests.outbox.test_outbox import stored
from tests.providers.victor.adapter import invoice
from victor_ext import InvalidRequest, Victor
from victor_ext.outbox import EntryState, Outbox
from victor_ext.sandbox import Sandbox

__all__ = ["harness", "store", "velo_sandbox"]
pytestmark = [pytest.mark.slow, pytest.mark.hours]
KEY = str(invoice(1)["idempotency_key"])
NOW = timedelta(0)
PERSON = "Zoë"


def settled(outbox: Outbox, engine: sa.Engine, **values: Any) -> None:
    """An invoice that was paid."""
    stored(outbox, invoice(1))
    paid: dict[str, Any] = {
        "state": "sent",
        "request_id": "R-1",
        "status": "completed",
        "ended": True,
        "error": f"{PERSON} has looked.",
        "resolved_by": PERSON,
        "resolved_why": PERSON,
    }
    with engine.begin() as connection:
        connection.execute(sa.update(outbox.table).values({**paid, **values}))


def rows(outbox: Outbox, engine: sa.Engine) -> str:
    """All that is stored, as text."""
    with engine.connect() as connection:
        return str(
            [connection.execute(sa.select(each)).all() for each in (outbox.table, outbox.events)]
        )


def test_of_what_is_settled_nothing_is_left_but_what_protects(
    outbox: Outbox, engine: sa.Engine
) -> None:
    settled(outbox, engine)
    with engine.begin() as connection:
        about = {"provider": "Victor", "name": "completed", "source": "s", "subject": KEY}
        outbox._put(connection, **about, data=f'"{PERSON}"')
        connection.execute(sa.update(outbox.events).values(state="dead", error=PERSON))
    outbox.discard(*[letter.id for letter in outbox.dead_letters()], by=PERSON, why=PERSON)
    secrets = [PERSON, "INV-1", "043987673645", "acceptsRfp"]
    assert all(secret in rows(outbox, engine) for secret in secrets[:2])
    assert outbox.forget(older_than=NOW) == 1
    assert [secret for secret in secrets if secret in rows(outbox, engine)] == []
    (entry,) = outbox.entries()
    assert (entry.idempotency_key, entry.state, entry.request_id, entry.status) == (
        KEY,
        "sent",
        "R-1",
        "completed",
    )
    assert (entry.forgotten, entry.reference, entry.payments) == (True, None, ())
    assert outbox.dead_letters("discarded") == []
    assert outbox.forget(older_than=NOW) == 0


def test_the_same_values_are_the_same_entry_and_others_are_refused(
    outbox: Outbox, engine: sa.Engine, victor: Victor, victor_sandbox: Sandbox
) -> None:
    settled(outbox, engine)
    outbox.forget(older_than=NOW)
    stored(outbox, invoice(1))
    for other in ({"amount": "44.24"}, {"client_reference_id": "INV-2"}, {"notes": "again"}):
        with pytest.raises(InvalidRequest, match="with other arguments") as raised:
            stored(outbox, invoice(1, **other))
        assert raised.value.problems[0].code == "used"
    assert outbox.key_of("INV-1") == KEY
    assert (outbox.send(victor), outbox.refresh(victor), victor_sandbox.requests()) == ([], [], [])


@pytest.mark.parametrize("state", [state.value for state in EntryState])
@pytest.mark.parametrize("values", [{"ended": False}, {"ended": True}, {"restored": True}], ids=str)
def test_what_may_exist_or_has_not_ended_is_never_forgotten(
    outbox: Outbox, engine: sa.Engine, state: str, values: dict[str, Any]
) -> None:
    settled(outbox, engine, state=state, **values)
    is_over = state == "sent" and values != {"ended": False}
    is_over = is_over or (state in ("rejected", "refused") and values != {"restored": True})
    assert outbox.forget(older_than=NOW) == is_over


@pytest.mark.parametrize("state", ["waiting", "dead"])
def test_what_has_an_event_that_was_not_handled_is_not_forgotten(
    outbox: Outbox, engine: sa.Engine, state: str
) -> None:
    settled(outbox, engine)
    with engine.begin() as connection:
        about = {"provider": "Victor", "name": "completed", "source": "s", "subject": KEY}
        outbox._put(connection, **about, data="{}")
        connection.execute(sa.update(outbox.events).values(state=state))
    assert outbox.forget(older_than=NOW) == 0


def test_what_has_changed_since_is_not_forgotten(outbox: Outbox, engine: sa.Engine) -> None:
    settled(outbox, engine, state="unclear")
    with engine.begin() as connection:
        connection.execute(sa.update(outbox.table).values(stored_at=1.0, changed_at=1.0))
    outbox.resolve(KEY, done=True, by="zoe", why="the portal has it")
    outbox.on()(lambda _session, _event: None)
    outbox.handle()
    assert outbox.forget(older_than=timedelta(days=1)) == 0
    assert outbox.forget(older_than=NOW) == 1


def test_what_was_forgotten_cannot_be_sent_again(outbox: Outbox, engine: sa.Engine) -> None:
    settled(outbox, engine, state="rejected")
    outbox.forget(older_than=NOW)
    with pytest.raises(InvalidRequest, match="was forgotten, so nothing was changed"):
        outbox.retry(KEY)


def test_its_protection_has_an_end_of_its_own(outbox: Outbox, engine: sa.Engine) -> None:
    settled(outbox, engine)
    with engine.begin() as connection:
        ago = sa.update(outbox.table).values(changed_at=outbox.table.c.changed_at - 100 * 86_400)
        connection.execute(ago)
    days = timedelta(days=1)
    assert outbox.forget(older_than=90 * days, protect_for=101 * days) == 1
    assert len(outbox.entries()) == 1
    outbox.forget(older_than=90 * days, protect_for=99 * days)
    assert outbox.entries() == []
    for wrong in ({"older_than": -days}, {"older_than": 90 * days, "protect_for": 89 * days}):
        with pytest.raises(InvalidRequest, match=r"is negative|is too short"):
            outbox.forget(**wrong)
    with pytest.raises(InvalidRequest, match="is too short"):
        outbox.forget(older_than=NOW, protect_for=timedelta(hours=23))


def test_a_payout_is_forgotten_and_known_again(store: Store) -> None:
    submit(store)
    store.send()
    assert store._do("forget", older_than=NOW) == 0, "it was not accepted yet"
    store.update(ended=True)
    assert store._do("forget", older_than=NOW) == 1
    submit(store)
    with pytest.raises(InvalidRequest, match="with another call, or with other arguments"):
        store.add(
            "payouts.instruct",
            "3f9c1a52-7d0e-4b53-9d7c-3b6f3a0c9e71",
            key="the-key-of-the-march-payout",
        )
    assert (store.send(), store.harness.calls("submit"), len(store.entries())) == ([], 1, 1)
