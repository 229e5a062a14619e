"""What people do with an outbox, on both databases."""

import unicodedata

import pytest

from tests.outbox.rows import change, key_of, states, stored
from tests.providers.victor.adapter import invoice
from victor_ext import InvalidRequest, Victor
from victor_ext.outbox import EntryState, Outbox
from victor_ext.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.hours]
KEY = key_of(1)


class TestNaming:
    def test_an_entry_is_named_by_its_key_or_by_a_reference_of_its_own(
        self, outbox: Outbox
    ) -> None:
        stored(outbox, invoice(1, client_reference_id="Mü-1"), invoice(2))
        for name in (KEY, "Mü-1", " Mü-1\n", unicodedata.normalize("NFD", "Mü-1")):
            assert outbox.key_of(name) == KEY
        assert outbox.key_of("INV-2") == key_of(2)

    def test_a_reference_of_several_entries_names_none(self, outbox: Outbox) -> None:
        stored(outbox, invoice(1), invoice(2, client_reference_id="INV-1"))
        with pytest.raises(InvalidRequest, match="several entries: write the key of one") as raised:
            outbox.key_of("INV-1")
        assert KEY in str(raised.value)
        assert key_of(2) in str(raised.value)

    def test_a_key_names_its_entry_though_another_one_has_it_as_its_reference(
        self, outbox: Outbox
    ) -> None:
        stored(outbox, invoice(1), invoice(2, client_reference_id=KEY))
        assert outbox.key_of(KEY) == KEY

    @pytest.mark.parametrize("name", ["", "  ", "\t"])
    def test_a_blank_name_is_refused_though_entries_have_no_reference(
        self, outbox: Outbox, name: str
    ) -> None:
        stored(outbox, invoice(1))
        change(outbox, reference="")
        with pytest.raises(InvalidRequest, match="name is blank"):
            outbox.key_of(name)

    def test_a_name_that_is_only_like_that_of_an_entry_names_none(self, outbox: Outbox) -> None:
        stored(outbox, invoice(1041), invoice(1042))
        with pytest.raises(InvalidRequest, match=r"No entry has the key .* inv-1042\.$"):
            outbox.key_of("inv-1042 ")


class TestCancelling:
    def test_what_waits_is_taken_back_and_stays_so_until_somebody_retries_it(
        self, outbox: Outbox, victor: Victor, victor_sandbox: Sandbox
    ) -> None:
        told: list[tuple[str, str | None]] = []
        outbox.on()(lambda _session, event: told.append((event.name, event.entry.resolved_by)))
        stored(outbox, invoice(1))
        cancelled = outbox.cancel("INV-1", by="zoe", why="the order was returned")
        assert cancelled.state == "refused"
        assert cancelled.resolved_by == "zoe"
        assert cancelled.resolved_why == "the order was returned"
        outbox.handle()
        stored(outbox, invoice(1))  # as a program does that was killed
        assert outbox.send(victor) == []
        assert told == [("refused", "zoe")]
        assert cancelled.error == "Cancelled by zoe: the order was returned"
        assert outbox.retry("INV-1").state == "waiting"
        assert states(outbox.send(victor)) == ["sent"]
        assert victor_sandbox.work_done_by_key() == {KEY: 1}

    @pytest.mark.parametrize(
        "state", [state for state in EntryState if state is not EntryState.WAITING]
    )
    def test_what_may_have_been_sent_or_is_over_cannot_be_taken_back(
        self, outbox: Outbox, state: EntryState
    ) -> None:
        stored(outbox, invoice(1))
        change(outbox, state=state.value)
        before = outbox.entries()
        with pytest.raises(InvalidRequest, match=f"nothing was changed: it is {state.value}"):
            outbox.cancel(KEY, by="zoe", why="a test")
        assert outbox.entries() == before

    @pytest.mark.parametrize("empty", ["by", "why"])
    def test_it_is_said_who_takes_it_back_and_why(self, outbox: Outbox, empty: str) -> None:
        stored(outbox, invoice(1))
        with pytest.raises(InvalidRequest, match=f"{empty} is empty"):
            outbox.cancel(KEY, **{"by": "zoe", "why": "a test", empty: " "})
        assert states(outbox.entries()) == ["waiting"]
