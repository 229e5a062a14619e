"""What people do with an outbox, on both databases."""

import time
import unicodedata

import pytest

from tests.outbox.rows import change, key_of, states, stored
from tests.payments import invoice
from victor_ext import InvalidRequest
from victor_ext.outbox import EntryState

pytestmark = pytest.mark.slow
KEY = key_of(1)


class TestNaming:
    def test_an_entry_is_named_by_its_key_or_by_a_reference_of_its_own(self, outbox):
        """A key comes first, though another entry has it as its reference."""
        stored(outbox, invoice(1, client_reference_id="Mü-1"), invoice(2, client_reference_id=KEY))
        for name in (KEY, "Mü-1", " Mü-1\n", unicodedata.normalize("NFD", "Mü-1")):
            assert outbox.key_of(name) == KEY

    def test_a_reference_of_several_entries_names_none(self, outbox):
        stored(outbox, invoice(1), invoice(2, client_reference_id="INV-1"))
        with pytest.raises(InvalidRequest, match="Several have the reference INV-1") as raised:
            outbox.key_of("INV-1")
        assert KEY in str(raised.value)
        assert [problem.code for problem in raised.value.problems] == ["several"]

    @pytest.mark.parametrize(
        "name", ["inv-1042", "INV-104", "INV-10421", KEY.upper(), KEY[:-1], KEY.replace("-", "")]
    )
    def test_a_name_that_is_only_similar_to_a_reference_or_a_key_is_refused(self, outbox, name):
        stored(outbox, invoice(1, client_reference_id="INV-1042"))
        why = f"Nothing has the key or the reference {name}\\.$"
        with pytest.raises(InvalidRequest, match=why):
            outbox.key_of(name)

    def test_a_blank_name_is_refused_although_an_entry_has_no_reference(self, outbox):
        stored(outbox, invoice(1))
        change(outbox, reference="")
        with pytest.raises(InvalidRequest, match="Nothing has the key"):
            outbox.key_of(" ")


class TestCancelling:
    def test_a_cancelled_entry_is_not_sent_until_somebody_retries_the_entry(
        self, outbox, victor, victor_sandbox
    ):
        told = []
        outbox.on()(lambda _session, event: told.append((event.name, event.entry.resolved_by)))
        stored(outbox, invoice(1))
        cancelled = outbox.cancel("INV-1", by="zoe", why="the order was returned")
        assert cancelled.state == "refused"
        assert cancelled.error == "Cancelled by zoe: the order was returned"
        outbox.handle()
        assert told == [("refused", "zoe")]
        stored(outbox, invoice(1))  # as a program does that was killed
        assert outbox.send(victor) == []
        assert outbox.retry("INV-1").state == "waiting"
        assert states(outbox.send(victor)) == ["sent"]
        assert victor_sandbox.work_done_by_key() == {KEY: 1}

    @pytest.mark.parametrize(
        "state", [state for state in EntryState if state is not EntryState.WAITING]
    )
    def test_an_entry_that_may_have_been_sent_or_has_ended_cannot_be_cancelled(self, outbox, state):
        stored(outbox, invoice(1))
        change(outbox, state=state.value)
        with pytest.raises(
            InvalidRequest, match=f"is {state.value}, not waiting: nothing was changed"
        ):
            outbox.cancel(KEY, by="zoe", why="a test")
        assert states(outbox.entries()) == [state.value]
        with pytest.raises(
            InvalidRequest, match=rf"^INV-1 \(key {KEY}\) is {state.value}, not waiting"
        ):
            outbox.cancel(" INV-1", by="zoe", why="a test")

    @pytest.mark.parametrize("empty", ["by", "why"])
    def test_cancelling_an_entry_requires_a_person_and_a_reason(self, outbox, empty):
        stored(outbox, invoice(1))
        with pytest.raises(InvalidRequest, match=f"{empty} is empty"):
            outbox.cancel(KEY, **{"by": "zoe", "why": "a test", empty: " "})


class TestLookingAgain:
    def test_an_unclear_entry_is_looked_up_again_and_never_sent(
        self, outbox, victor, victor_sandbox
    ):
        """The provider has that of the first one by now."""
        stored(outbox, invoice(1), invoice(2))
        victor.payment_requests.create(**invoice(1))
        sent = {"first_sent_at": time.time() - 5.0, "by_provider_clock": True}
        change(outbox, state="unclear", settle_until=1.0, tries=9, **sent)
        for name in (KEY, "INV-2"):
            assert outbox.look_again(name).state == "settling"
        assert states(outbox.send(victor)) == ["sent"]
        assert states(outbox.entries()) == ["sent", "settling"]
        assert victor_sandbox.work_done_by_key() == {KEY: 1}
