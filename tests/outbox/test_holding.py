"""What a hold stops, and what a restored outbox does not send again."""

import pytest
import sqlalchemy as sa

from tests.outbox.backups import back_up, on_sqlite
from tests.outbox.rows import change, end_claims, execute, key_of, states, statuses, stored
from tests.payments import invoice
from victor_ext import InvalidRequest, Victor

pytestmark = pytest.mark.slow
PERSON = {"by": "zoe", "why": "a test"}


def settle(outbox, victor):
    """Let a worker work until nothing is left to do: leases and the time for look-ups are over."""
    for _ in range(3):
        outbox.send(victor)
        end_claims(outbox)
        change(outbox, settle_until=1.0)


class TestHolding:
    def test_no_entry_is_sent_read_or_handled_while_the_outbox_is_held(
        self, outbox, victor, victor_sandbox, time_travel
    ):
        told = []
        outbox.on()(lambda _session, event: told.append(event.name))
        stored(outbox, invoice(1))
        outbox.send(victor)
        told.clear()
        outbox.hold()
        stored(outbox, invoice(2), invoice(3))
        outbox.cancel("INV-3", **PERSON)
        time_travel.advance(minutes=1)
        assert outbox.send(victor) == outbox.refresh(victor) == outbox.handle() == told == []
        assert states(outbox.entries()) == ["sent", "waiting", "refused"]
        assert outbox.release() is True
        assert states(outbox.send(victor)) == ["sent"]
        assert statuses(outbox.refresh(victor)) == ["completed"]
        outbox.handle()
        assert sorted(told) == ["completed", "created", "refused", "sent"]

    def test_a_call_that_began_before_a_hold_ends_and_its_handlers_wait(
        self, outbox, victor, victor_sandbox
    ):
        told = []
        outbox.on()(lambda _session, event: told.append(event.name))
        stored(outbox, invoice(1))

        def hold(call):
            outbox.hold()
            return Victor.send(victor, call)

        victor.send = hold  # while it sends, it is held
        assert states(outbox.send(victor)) == ["sent"]
        assert outbox.handle() == told == []
        outbox.release()
        outbox.handle()
        assert told == ["sent", "created"]

    def test_an_outbox_knows_since_when_it_is_held(self, outbox):
        assert outbox.held_since() is None
        assert outbox.release() is False
        outbox.hold()
        first = outbox.held_since()
        outbox.hold()
        assert outbox.held_since() == first
        assert outbox.release()
        assert outbox.held_since() is None

    def test_a_hold_marks_the_entries_that_were_stored_before_and_none_that_came_later(
        self, outbox, victor
    ):
        stored(outbox, invoice(1))
        assert outbox.hold() == 1
        with pytest.raises(InvalidRequest, match="is sending, not waiting"):
            outbox.cancel("INV-1", **PERSON)
        stored(outbox, invoice(2), invoice(3))
        outbox.cancel("INV-3", **PERSON)
        assert states(outbox.entries()) == ["sending", "waiting", "refused"]
        outbox.release()
        assert outbox.retry("INV-3").state == "waiting"
        settle(outbox, victor)
        assert states(outbox.entries())[1:] == ["sent", "sent"]

    def test_a_copy_that_was_held_is_held_again_and_all_that_it_has_is_marked(self, outbox):
        """Also what was added, or cancelled, since the first hold."""
        outbox.hold()
        stored(outbox, invoice(1), invoice(2))
        outbox.cancel("INV-2", **PERSON)
        assert [outbox.hold(), outbox.hold()] == [2, 0]
        assert [entry.restored for entry in outbox.entries()] == [True, True]


@on_sqlite
class TestRestoring:
    @pytest.fixture(autouse=True)
    def restored(self, outbox, engine, victor):
        """INV-1 is asked after the backup, INV-2 never; INV-3 was cancelled before it, and is asked
        after it.
        """
        stored(outbox, invoice(9))
        outbox.send(victor)  # a worker knows the provider's time
        stored(outbox, *map(invoice, (1, 2, 3)))
        outbox.cancel("INV-3", **PERSON)
        restore = back_up(engine)
        outbox.cancel("INV-2", **PERSON)
        outbox.retry("INV-3")
        assert len(outbox.send(victor)) == 2
        restore()
        assert outbox.hold() == 3

    def test_an_entry_that_was_sent_since_the_backup_is_found_and_not_sent_again(
        self, outbox, victor, victor_sandbox
    ):
        outbox.release()
        settle(outbox, victor)
        assert states(outbox.entries()) == ["sent", "sent", "unclear", "refused"]
        assert victor_sandbox.work_done_by_key() == {key_of(9): 1, key_of(1): 1, key_of(3): 1}
        outbox.resolve("INV-2", done=False, **PERSON)
        assert outbox.retry("INV-2").state == "waiting"
        settle(outbox, victor)
        assert states(outbox.entries()) == ["sent", "sent", "sent", "refused"]

    def test_a_refused_entry_of_a_restored_outbox_is_looked_up_when_it_is_retried(
        self, outbox, victor, victor_sandbox
    ):
        outbox.release()
        assert outbox.retry("INV-3").state == "sending"
        settle(outbox, victor)
        assert states(outbox.entries())[3] == "sent"
        assert victor_sandbox.work_done_by_key()[key_of(3)] == 1

    def test_the_request_of_a_refused_entry_is_not_taken_for_that_of_another_entry(
        self, outbox, victor
    ):
        """Two instalments: which of them was asked since the backup, nobody can say."""
        table = outbox.table
        call = sa.select(table.c.call).where(table.c.key == key_of(3)).scalar_subquery()
        of_second = sa.update(table).where(table.c.key == key_of(2))
        execute(outbox, of_second.values(call=call, reference="INV-3"))
        outbox.release()
        settle(outbox, victor)
        assert states(outbox.entries())[2] == "unclear"


def test_payout_calls_that_were_sent_since_the_backup_are_found_and_not_sent_again(local):
    """One was submitted, and another one instructed; a third one was taken back."""
    local.submit("INV-1")
    ((_, payout_id),) = local.send()
    local.wait_until_accepted(payout_id)
    local.submit("INV-2", key="the-key-of-the-april-payout")
    local.submit("INV-3", key="the-key-of-a-payout-that-is-lost")
    local.add("payouts.instruct", payout_id, key="the-key-of-the-instruction")
    restore = back_up(local.engine)
    local.cancel("INV-3", **PERSON)
    assert [state for state, _ in local.send()] == ["sent", "sent"]
    restore()
    assert local.hold() == 3
    local.release()
    for _ in range(3):
        local.send()
        local.end_claims(settle_until=1.0)
    assert local.states() == ["sent", "sent", "unclear", "sent"]
    assert (local.calls("submit"), local.calls("instruct")) == (2, 1)
