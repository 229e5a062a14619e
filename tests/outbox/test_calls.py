"""Writes of other systems in the outbox: sent once, looked up after a lost response, and unclear if
that fails.
"""

import json
import re
import sqlite3
import time
from contextlib import closing, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
import sqlalchemy as sa
from django.conf import settings
from django.core.management import call_command
from sqlalchemy.orm import Session
from velo_api.types import UNSET

from tests.outbox.backups import back_up
from tests.outbox.kinds import Box, Provider, dated, refused, tables_of
from tests.outbox.payouts import KEY, Payouts
from tests.outbox.rows import change, states
from tests.providers.connected.till import client_class, new_payment, operation, till_members
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.running import GUID, ONCE, Script
from tests.providers.velo.adapter import pay
from tests.providers.victor.adapter import invoice
from victor_ext import (
    BasicAuth,
    BearerAuth,
    ConfigurationError,
    Done,
    HeaderKey,
    InvalidRequest,
    NotDone,
    NotFound,
    OperationRow,
    PermissionDenied,
    PreparedCall,
    Promise,
    Proof,
    RateLimited,
    StatusError,
    TimedOut,
    VictorError,
    connect,
)
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox
from victor_ext.outbox._digests import content_of
from victor_ext.outbox.django import DjangoOutbox
from victor_ext.providers import Money, velo
from victor_ext.providers.eastpay import Card, CardToken, EastPay

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("lose", [Payouts.lose, Payouts.replace], ids=["lost", "replaced"])
def test_a_payout_is_submitted_and_instructed_once(payouts, lose):
    """Each response is lost, or replaced by a gateway; the reads show what was done."""
    lose(payouts, "submit")
    payouts.submit()
    payouts.submit()  # as a program does that was killed after its commit
    assert payouts.state() == "waiting"
    ((state, payout_id),) = payouts.send()
    assert state == "sent"
    assert payouts.calls("submit") == 1
    assert payouts.harness.work("INV-1042") == 1
    payouts.wait_until_accepted(payout_id)
    lose(payouts, "instruct")
    payouts.add("payouts.instruct", payout_id, key="the-key-of-the-instruction")
    assert payouts.send() == [("sent", payout_id)]
    assert payouts.calls("instruct") == 1
    assert payouts.send() == []
    entry = payouts.entries()[1]
    assert entry.operation == "payouts.instruct"
    assert entry.provider == "Velo"
    assert entry.client_reference_id is None


def test_a_payout_that_no_look_up_shows_in_time_is_unclear_and_never_sent_again(payouts):
    """The worker ended between its claim and the request: nothing of it was sent, and no read can
    prove that.
    """
    payouts.submit()
    payouts.end_claims(state="sending", first_sent_at=time.time(), by_provider_clock=True)
    assert payouts.send() == []
    assert payouts.state() == "settling"
    payouts.end_claims(settle_until=1.0)
    assert payouts.send() == [("unclear", None)]
    assert "No payouts have payments with its references" in payouts.error()
    payouts.end_claims()
    assert payouts.send() == []
    assert payouts.calls("submit") == 0


def test_a_page_in_place_of_a_look_up_settles_nothing(local):
    local.replace("submit")
    local.replace("list_payments", status=404, times=2)
    local.submit()
    for _ in range(2):
        with pytest.raises(StatusError, match=r"404 Not Found \(an HTML page"):
            local.send()
        assert local.state() == "settling"
        local.end_claims()
    assert [state for state, _ in local.send()] == ["sent"]
    assert local.calls("submit") == 1


def test_a_page_in_place_of_the_last_look_up_leaves_a_payout_unclear(local):
    """Its payout is not sent again: a person has to look."""
    local.replace("submit")
    local.replace("list_payments", status=404, times=3)
    local.submit()
    with pytest.raises(StatusError):
        local.send()
    local.end_claims(settle_until=1.0)
    assert local.send() == [("unclear", None)]
    assert "The look-up failed" in local.error()
    local.end_claims()
    assert (local.send(), local.calls("submit")) == ([], 1)


def test_ten_pages_in_a_row_stop_payouts_and_each_is_settled_by_a_look_up(local):
    """Also if a look-up shows meanwhile that each was done."""
    local.options = {"workers": 1}
    local.replace("submit", times=None)
    for number in range(12):
        local.submit(f"INV-{number}", key=f"the-key-of-the-payout-{number}")
    with pytest.raises(StatusError):
        local.send()
    assert local.calls("submit") == 10
    assert set(local.states()[:10]) <= {"sent", "settling"}
    assert local.states()[10:] == ["waiting"] * 2
    local.harness.sandbox.clear_faults()
    local.end_claims()
    local.send()
    assert (local.states(), local.calls("submit")) == (["sent"] * 12, 12)


@pytest.mark.parametrize(
    ("changes", "seconds", "why"),
    [
        ({"amount": Money.of("1.00", "USD")}, 0.0, "another value than was sent: amount"),
        ({"remote_id": "payee-of-another"}, 0.0, "another value than was sent: remoteId"),
        ({}, 60.0, "was made earlier"),
    ],
)
def test_a_payout_of_another_program_with_the_same_reference_is_not_taken_for_our_own(
    local, changes, seconds, why
):
    """Our own never arrives: nothing may instruct what the other program has submitted."""
    sandbox = local.harness.sandbox
    sandbox.add_payee("payee-of-another")
    sandbox.set_clock_skew(-seconds)
    other = local.harness.submit(pay(**changes))
    sandbox.set_clock_skew(0)
    local.submit()
    local.lose("submit", "cut_request")
    assert local.send() == []
    local.end_claims(settle_until=1.0)
    assert local.send() == [("unclear", None)]
    assert other in local.error()
    assert why in local.error()


@pytest.mark.parametrize(("of_another", "of_this"), [("2 3", "1 2"), ("2", "1 2"), ("3 4", "1 2")])
def test_of_two_lost_payouts_with_one_reference_none_is_taken_for_the_other(
    local, of_another, of_this
):
    """The other one never arrived, and nobody knows that."""
    local.submit(*of_another.split())
    local.lose("submit", "cut_request")
    assert local.send() == []
    local.submit(*of_this.split(), key="the-key-of-the-second-payout")
    local.lose("submit")
    if "2" not in of_another:
        assert [state for state, _ in local.send()] == ["sent"]
        return
    assert local.send() == []
    assert "another payment has the same reference" in local.error(1)
    local.end_claims(settle_until=1.0)
    assert local.send() == [("unclear", None)] * 2


def test_a_payout_of_many_payments_is_stored_and_found_by_each_reference(payouts):
    """Their references are longer than what an index of PostgreSQL takes."""
    references = [str(uuid5(NAMESPACE_URL, str(number))) for number in range(300)]
    payouts.submit(*references)
    payouts.lose("submit", "cut_request")
    assert payouts.send() == []
    payouts.submit(references[0], key="the-key-of-the-second-payout")
    payouts.lose("submit")
    assert payouts.send() == []
    assert "another payment has the same reference" in payouts.error(1)
    (reference,) = {entry.reference for entry in payouts.entries()[:1]}
    assert reference.split() == sorted(references)
    assert payouts.key_of(reference) == KEY


def test_payouts_that_share_one_reference_are_not_under_way_at_once(local):
    under_way = []

    def note(event):
        if type(event).__name__ == "CallStarted" and event.method == "POST":
            sending = [each.reference for each in local.entries("sending")]
            under_way.append(" ".join(sending).split())

    for number, references in enumerate(("1 2", "2 3", "3 4", "2")):
        local.submit(*references.split(), key=f"the-key-of-the-payout-{number}")
    local.settings |= {"on_event": note}
    local.send()
    assert local.states() == ["sent"] * 4
    assert len(under_way) == 4
    assert all(len(references) == len({*references}) for references in under_way)


@pytest.fixture
def lost_instruction(local):
    """The id of an accepted payout, whose instruction did not reach the provider."""
    payout = local.harness.submit(pay())
    local.wait_until_accepted(payout)
    local.lose("instruct", "cut_request")
    local.add("payouts.instruct", payout)
    assert local.send() == []
    assert local.state() == "settling"
    return payout


def test_a_lost_instruction_of_a_payout_that_was_withdrawn_is_rejected(local, lost_instruction):
    """Its state says at once that it can never be done."""
    local.harness(lambda velo: velo.payouts.withdraw(lost_instruction))
    local.end_claims()
    assert local.send() == [("rejected", None)]
    assert "cannot be instructed, since it is WITHDRAWN" in local.error()
    local.end_claims()
    assert local.send() == []
    assert local.calls("instruct") == 1


def test_an_instruction_without_a_response_may_still_be_under_way(local, lost_instruction):
    assert "may still be under way" in local.error()


def test_a_lost_instruction_becomes_unclear_and_is_sent_again_once_a_person_says_it_was_not_done(
    local, lost_instruction
):
    long_ago = 1.0
    local.end_claims(settle_until=long_ago)
    assert local.send() == [("unclear", None)]
    lost = "The payout is ACCEPTED. So it was lost, and can be sent again."
    assert lost in local.error()
    local.resolve(KEY, done=False, by="Zoë", why="it is ACCEPTED")
    local.retry(KEY)
    assert local.send() == [("sent", lost_instruction)]
    assert local.calls("instruct") == 2


def test_a_call_that_can_be_neither_repeated_nor_found_needs_at_most_once(local):
    own = {"payor_id": local.harness.payor}
    invite = partial(local.add, "payees.invite", local.harness.payee, **own)
    with pytest.raises(InvalidRequest, match="pass at_most_once=True"):
        invite()
    with pytest.raises(InvalidRequest, match=r"pass look_up_by=\{'payor_id': \.\.\.\}"):
        local.add("payouts.submit", [pay()])
    invite(at_most_once=True)
    local.lose("invite")
    assert local.send() == [("unclear", None)], "there is nothing to wait for"
    local.end_claims()
    assert local.send() == []
    assert local.calls("invite") == 1


@pytest.mark.parametrize(
    "look_up_by", [{"payor_id": "\u00a0"}, {"payor_id": 5}, {"payor_id": "P", "since": "now"}, "P"]
)
def test_a_value_that_no_look_up_can_use_is_refused_by_name(local, look_up_by):
    with pytest.raises(InvalidRequest, match="look_up_by"):
        local.add("payouts.submit", [pay()], look_up_by=look_up_by)
    assert local.entries() == []


def test_the_message_about_a_write_of_a_connected_api_advises_a_proof(sqlite):
    remedy = r"connect\(rows=\{'POST /v1/payments': OperationRow\(proof=Proof\(find\)\)\}\)"
    with pytest.raises(InvalidRequest, match=f"pass at_most_once=True.*{remedy}"):
        Till(sqlite, rows={"POST /v1/payments": OperationRow(takes_key=False)}).pay()


def test_an_entry_whose_time_to_be_sent_has_passed_is_refused_and_not_sent(local):
    now = datetime.now(UTC)
    local.submit(send_before=now + timedelta(hours=1))
    local.harness.sandbox.set_clock_skew(7_200.0)  # the provider's clock counts
    assert local.send() == [("refused", None)]
    assert local.calls("submit") == 0
    assert "its time to be sent had passed" in local.error()
    for moment in (now.replace(tzinfo=None), now - timedelta(seconds=1)):
        with pytest.raises(InvalidRequest, match="send_before"):
            local.submit(key="another-key-for-the-outbox", send_before=moment)
    local.harness.sandbox.set_clock_skew(0.0)


@pytest.mark.parametrize(
    ("operation", "argument", "payor", "difference"),
    [
        ("payouts.submit", [pay("INV-2")], None, "other values of payments"),
        ("payouts.submit", [pay()], "another payor", "another call"),
        ("payouts.withdraw", "payout-1", None, "another call"),
    ],
    ids=["other payments", "another look-up", "another operation"],
)
def test_one_key_cannot_be_used_for_two_different_calls(
    local, operation, argument, payor, difference
):
    local.submit()
    with pytest.raises(InvalidRequest, match=f"is in the outbox with {difference}"):
        local.add(operation, argument, look_up_by={"payor_id": payor or local.harness.payor})
    assert [entry.operation for entry in local.entries()] == ["payouts.submit"]


def test_two_calls_that_differ_only_by_the_boundary_of_a_form_are_equal():
    def content(boundary, text="a text"):
        call = PreparedCall(
            name="upload",
            operation="POST /v1/files",
            promise=Promise.AT_MOST_ONCE,
            method="POST",
            url="/v1/files",
            headers={"content-type": f"multipart/form-data; boundary={boundary}"},
            content=f"--{boundary}\r\n{text}\r\n--{boundary}--".encode(),
        )
        return content_of(call.to_text())

    assert content("1f2e") == content("ab03")
    assert content("1f2e", "another text") != content("1f2e")


@pytest.mark.parametrize(
    ("before", "within", "at_once", "in_all"),
    [(10.0, 10.0, 1, 1), (63.0, 0.0, 0, 0), (50.0, 20.0, 0, 1), (50.0, 13.0, 0, 1)],
)
def test_a_worker_that_slept_longer_than_a_call_takes_sends_no_call_that_may_count_as_lost(
    local, sqlite, monkeypatch, before, within, at_once, in_all
):
    """It sleeps between its mark and the decision to call, or within the call, for longer than its
    client's deadline in all. The next pass decides anew.
    """
    clock, asleep = time.time, []
    monkeypatch.setattr(time, "time", lambda: clock() + sum(asleep))

    def marked(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE victor_outbox SET") and not asleep:
            asleep.append(before)

    def note(event):
        if type(event).__name__ == "CallStarted" and event.method == "POST":
            asleep.append(within)

    local.settings = {"retry": ONCE, "on_event": note}
    local.submit()
    sa.event.listen(sqlite, "after_cursor_execute", marked)
    with suppress(TimedOut):
        local.send()
    assert local.calls("submit") == at_once
    local.settings = {"retry": ONCE}
    local.end_claims()
    local.send()
    assert local.calls("submit") == in_all


@pytest.mark.parametrize(("slept", "calls"), [(61.0, 1), (63.0, 0)])
def test_no_call_begins_after_its_lease_however_young_the_decision_to_make_it_is(
    sqlite, monkeypatch, slept, calls
):
    """Not even one with a key, which a worker may always send again. The clocks stand still from
    the mark on, but for the sleep after it.
    """
    provider, marks = Provider(), []
    box = Box("blocking", sqlite, provider.client)
    box.add(**invoice(1))

    def marked(_connection, _cursor, statement, *_):
        if not statement.startswith("UPDATE victor_outbox SET") or marks:
            return
        marks.append(statement)
        local, monotonic = time.time() + slept, time.monotonic()
        monkeypatch.setattr(time, "time", lambda: local)
        for module in (
            "time",
            "victor_ext._runtime.core.clock",
            "victor_ext._runtime.loop.attempts",
        ):
            monkeypatch.setattr(f"{module}.monotonic", lambda: monotonic)

    sa.event.listen(sqlite, "after_cursor_execute", marked)
    box.send()
    assert len(provider.keys) == calls


def test_only_the_entries_of_the_clients_provider_are_sent(local):
    local.submit()
    change(local, provider="Another")
    assert local.send() == []
    assert local.state() == "waiting"


# Payments of an API of the caller's own


LOST = httpx.ReadError("it was cut")


def keyed(script, **options):
    """A client of an API that takes a key for payments, and has no `ping`."""
    usual = {
        "transport": script.transport,
        "retry": ONCE,
        "key": HeaderKey(),
        "base_url": "https://till.test",
    }
    return connect(client_class(), name="Till", **{**usual, **options})


class Till(Outbox):
    """An outbox of payments. The provider is asked for its time, and then answers with these
    lines.
    """

    def __init__(self, engine, *lines, workers=16, **options):
        self.script = Script(dated(404), *lines)
        super().__init__(engine, keyed(self.script, **options), workers=workers)

    def pay(self, key=GUID, reference="INV-1", message=None, amount=1, **terms):
        take_payment = operation("payments.take_payment")
        said = {} if message is None else {"message": message}
        body = new_payment(amount=amount, reference=reference, **said)
        with self._engine.begin() as connection:
            self.add_call(connection, take_payment, body=body, idempotency_key=key, **terms)

    def with_a_payment(self, **terms):
        self.pay(**terms)
        return self

    def pass_on(self, **values):
        """One pass after the leases are over; the states of what has come to a result."""
        change(self, due_at=0.0, **values)
        return states(self.send())

    def entry_and_error(self):
        """The state of its payment, and what is said of it."""
        (entry,) = self.entries()
        return entry.state.value, entry.error or ""

    def requested(self, method):
        """The paths of its requests with a method."""
        return [request.url.path for request in self.script.requests if request.method == method]


NO = {"title": "Invalid", "detail": "The amount is too small."}
MADE = {"id": "p-1", "amount": 1, "currency": "EUR", "reference": "INV-1", "message": None}


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (429, {**MADE, "code": "00"}, "unclear"),
        (400, MADE, "unclear"),
        (400, NO, "rejected"),
    ],
)
def test_a_refusal_that_shows_that_the_work_was_done_does_not_reject_the_entry(
    sqlite, status, body, state
):
    outbox = Till(sqlite, dated(status, json=body), key=None).with_a_payment(at_most_once=True)
    with pytest.raises(RateLimited) if status == 429 else nullcontext():
        outbox.send()
    assert states(outbox.entries()) == [state]
    assert outbox.pass_on() == []
    assert len(outbox.requested("POST")) == 1


@pytest.mark.parametrize("key", [HeaderKey(), None])
def test_an_entry_that_the_provider_refuses_is_rejected_and_sent_again_only_by_hand(sqlite, key):
    refusals, told = (402, 404, 405, 410, 412, 413, 415, 451), []
    made = (dated(201, json={"id": id}) for id in ("p", "q"))
    responses = (refused(status, NO) for status in (*refusals, 403))
    outbox = Till(sqlite, *responses, *made, key=key, workers=1)
    for number in range(len(refusals) + 1):
        outbox.pay(f"the-key-of-payment-{number}", f"INV-{number}", at_most_once=True)
    outbox.on("rejected")(lambda _session, event: told.append(event.entry.error))
    with pytest.raises(PermissionDenied):  # it waits: others may be permitted tomorrow
        outbox.send()
    assert [int(re.findall(r"status (\d+)", text)[0]) for text in told] == [*refusals]
    assert outbox.send() == []
    assert outbox.pass_on() == ["sent"]
    outbox.retry("the-key-of-payment-0")
    assert states(outbox.send()) == ["sent"]


def test_entries_that_meet_ten_refusals_in_a_row_wait_and_are_sent_again(sqlite):
    """The address may be wrong. Without a key, too: what was refused is not in doubt."""
    made = (dated(201, json={"id": f"p-{number}"}) for number in range(11))
    outbox = Till(sqlite, *[refused(404, NO)] * 10, *made, key=None, workers=1)
    for number in range(11):
        outbox.pay(f"the-key-of-payment-{number}", f"INV-{number}", at_most_once=True)
    with pytest.raises(NotFound):
        outbox.send()
    assert states(outbox.send()) == ["sent"] * 11


def check_that_what_was_read_is_not_sent_after(engine, put_back_after):
    """Another worker sends the second of two payments during the call of the first one.

    Args:
        engine: Of the database.
        put_back_after: Calls a function, and then puts back a copy that lacks what it has stored.
    """
    other = Till(engine, dated(201, json={"id": "p-2"}), key=None)

    def be_put_back(_request):
        put_back_after(other.send)
        return dated(201, json={"id": "p-1"})

    again = dated(201, json={"id": "p-again"})
    outbox = Till(engine, be_put_back, again, key=None, workers=1)
    for number in (1, 2):
        outbox.pay(f"the-key-of-payment-{number}", f"INV-{number}", at_most_once=True)
    outbox.send()
    assert len(other.requested("POST")) == 1
    assert outbox.pass_on() == ["unclear"]
    assert len(outbox.requested("POST")) == 1


def test_a_mark_is_stored_though_another_connection_writes_whenever_it_can(sqlite):
    """SQLite refuses the write of a transaction that has begun with a read of what is older."""
    path = sqlite.url.database
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL; CREATE TABLE invoices (number)")
    engine = sa.create_engine(sqlite.url)
    sa.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    outbox = Till(engine, dated(201, json={"id": "p-1"}), key=None)
    outbox.with_a_payment(at_most_once=True)

    @sa.event.listens_for(engine, "before_cursor_execute")
    def write_elsewhere(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE victor_outbox SET"):
            with closing(sqlite3.connect(path, timeout=0)) as other, suppress(sqlite3.Error):
                other.execute("INSERT INTO invoices VALUES (1)")
                other.commit()

    assert states(outbox.send()) == ["sent"]
    engine.dispose()


def test_an_entry_that_was_deleted_while_it_was_sent_is_told_with_what_it_made(sqlite):
    def be_deleted(_request):
        with sqlite.begin() as connection:
            connection.execute(sa.text("DELETE FROM victor_outbox"))
        return dated(201, json={"id": "p-1"})

    outbox = Till(sqlite, be_deleted, key=None).with_a_payment(at_most_once=True)
    with pytest.raises(Exception, match=rf"{GUID} was deleted while it was sent.*id p-1"):
        outbox.send()


def test_what_was_read_before_the_database_was_put_back_is_not_sent_after(sqlite):
    def put_back_after(send):
        restore = back_up(sqlite)
        send()
        restore()

    check_that_what_was_read_is_not_sent_after(sqlite, put_back_after)


def test_the_providers_time_is_asked_for_where_there_is_no_ping(sqlite):
    """So the age of the key is known after a crash: the write is repeated under it, not given
    up.
    """
    first = Till(sqlite, LOST).with_a_payment()
    assert first.send() == []
    script = Script(dated(401), dated(201, json={"id": "pay_1"}))
    change(first, due_at=0.0)
    (entry,) = first.send(keyed(script))
    assert entry.state == "sent"
    assert entry.request_id == "pay_1"
    for requests in (first.script.requests, script.requests):
        assert [request.url.path for request in requests] == ["/", "/v1/payments"]
        assert requests[1].headers["idempotency-key"] == GUID


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ({"auth": BearerAuth("one")}, {"auth": BearerAuth("one")}, "sent"),
        ({"auth": BearerAuth("one")}, {"auth": BearerAuth("other")}, "unclear"),
        ({"auth": BasicAuth("one", "a")}, {"auth": BasicAuth("one", "b")}, "sent"),
        ({"auth": BearerAuth(lambda: "one")}, {"auth": BearerAuth(lambda: "one")}, "unclear"),
        ({"auth": BearerAuth(lambda: "a"), "caller": "1"}, {"caller": "1"}, "sent"),
        ({"auth": BearerAuth(lambda: "a"), "caller": "1"}, {"caller": "2"}, "unclear"),
    ],
    ids=[
        "one token",
        "another token",
        "one user",
        "a function",
        "one caller",
        "another caller",
    ],
)
def test_a_write_of_connect_is_repeated_by_its_own_account_alone(sqlite, one, other, state):
    """A provider may keep the keys of each account apart, also of one that a person lets send."""
    assert Till(sqlite, LOST, **one).with_a_payment().send() == []
    other = Till(sqlite, dated(201, json={"id": "p"}), **other)
    other.adopt(other.client)
    assert other.pass_on() == [state]


@pytest.mark.parametrize(
    ("data", "id", "reads"),
    [({"ref": "r-1"}, "r-1", ["/v1/payments/r-1"]), ({}, None, [])],
    ids=["there", "not there"],
)
def test_a_payment_is_followed_only_by_the_member_of_its_id_that_the_settings_name(
    sqlite, monkeypatch, data, id, reads
):
    """Without it, the response is a result, and cannot be followed."""
    tables = till_members()
    monkeypatch.setitem(tables["Payment"], "data", "Data")
    monkeypatch.setitem(tables, "Data", {"ref": "text"})
    row = OperationRow(final={"paid"}, made="data.ref")
    made = {"id": "another", "amount": 1, "data": data}
    responses = dated(201, json=made), dated(200, json={**made, "status": "paid"})
    outbox = Till(sqlite, *responses, rows={"POST /v1/payments": row}).with_a_payment()
    (entry,) = outbox.send()
    assert (entry.state, entry.request_id) == ("sent", id)
    assert ("The response has no " in (entry.error or "")) is (id is None)
    assert [each.status for each in outbox.refresh()] == ["paid"] * len(reads)
    assert outbox.requested("GET")[1:] == reads


@pytest.mark.parametrize("caller", ["", 4711])
def test_an_account_without_a_name_is_refused(caller):
    with pytest.raises(ConfigurationError, match="caller must name an account"):
        keyed(Script(), caller=caller)


def test_a_key_that_may_be_sent_too_late_is_not_sent_again(sqlite):
    soon = datetime.now(UTC) + timedelta(hours=1)
    outbox = Till(sqlite, dated(201, json={"id": "p"})).with_a_payment(send_before=soon)
    now = time.time()
    change(outbox, state="sending", first_sent_at=now, by_provider_clock=True, send_before=now - 1)
    assert states(outbox.send()) == ["unclear"]
    assert "its time to be sent has passed" in outbox.entry_and_error()[1]


@pytest.mark.parametrize(("hours", "requests"), [(1, 2), (25, 1)])
def test_the_larger_age_counts_where_the_clock_of_the_provider_stands_still(
    sqlite, hours, requests
):
    """The `Date` of its responses is that of the first sending; the database knows better."""
    outbox = Till(sqlite, LOST, dated(201, json={"id": "p"})).with_a_payment()
    assert outbox.send() == []
    outbox.pass_on(changed_at=time.time() - hours * 3600)
    assert len(outbox.requested("POST")) == requests
    assert (outbox.entry_and_error()[0] == "sent") is (requests == 2)


def test_the_age_of_a_key_counts_from_its_first_sending_though_it_was_sent_again(sqlite):
    outbox = Till(sqlite, LOST, LOST).with_a_payment()
    outbox.send()
    first = time.time() - 60
    assert outbox.pass_on(first_sent_at=first) == []
    assert len(outbox.requested("POST")) == 2
    with sqlite.begin() as connection:
        assert connection.scalar(sa.select(outbox.table.c.first_sent_at)) == first


# A proof of the caller's own


def listed(*items):
    return dated(200, json={"items": items})


def lost(engine, shown, response=None, key=GUID):
    """An outbox without keys whose payment was lost: this response of the list has to show whether
    it was made, as `shown` says of the response and the call.
    """

    def find(client, call, _since, _given):
        listed = yield lambda: operation("payments.list_payments").sync_detailed(client=client.api)
        return shown(listed, call)

    rows = {"POST /v1/payments": OperationRow(proof=Proof(find))}
    outbox = Till(engine, LOST, response or listed(), key=None, rows=rows)
    return outbox.with_a_payment(key=key)


class Bank:
    """A provider of payments without keys that loses each response, and does only the chosen ones.
    Its search finds what contains the reference, and shows no `message`.
    """

    def __init__(self, does):
        self.does = does
        self.made = []

    def __call__(self, request):
        if request.method == "GET":
            wanted = request.url.params.get("reference", "-")
            return dated(200, json={"items": [at for at in self.made if wanted in at["reference"]]})
        payment = json.loads(request.content)
        if self.does(payment):
            now = datetime.now(UTC).isoformat()
            payment.pop("message", None)
            self.made.append({"id": f"pay_{len(self.made) + 1}", "made_at": now} | payment)
        raise httpx.ReadTimeout("lost")

    def find(self, client, call, _since, _given):
        """The proof of docs/outbox.md."""
        query = {"reference": call.body["reference"]}
        found = (yield lambda: client.http.get("/v1/payments", params=query)).json()["items"]
        if len(found) != 1:
            return f"{len(found)} payments have the reference."
        (payment,) = found
        made_at = datetime.fromisoformat(payment["made_at"])
        compared = call.compared_with(payment, unsaid=("message",))
        return Done(payment["id"], created_at=made_at, compared=compared)

    def settled(self, engine, *payments, proof=None):
        """The states and the ids of entries for these payments, when each was looked up twice."""
        rows = {"POST /v1/payments": OperationRow(proof=proof or Proof(self.find))}
        outbox = Till(engine, self, key=None, rows=rows)
        outbox.script.lines[0] = self
        for number, payment in enumerate(payments):
            outbox.pay(f"payment-number-{number}-of-march", **payment)
        outbox.send()
        outbox.pass_on()
        return [(entry.state.value, entry.request_id) for entry in outbox.entries()]


def bonus(name):
    return {"reference": "Bonus March", "message": name}


SETTLING = ("settling", None)


def test_a_subject_that_no_read_says_tells_no_two_payments_apart(sqlite):
    """Only the second was done, and the two differ in nothing that is read."""
    bank = Bank(lambda payment: payment["message"] == "Payee 2")
    proof = Proof(bank.find, subject=lambda request: json.loads(request.content)["message"])
    payments = bonus("Payee 1"), bonus("Payee 2")
    assert bank.settled(sqlite, *payments, proof=proof) == [SETTLING, SETTLING]


@pytest.mark.parametrize("subject", [lambda _request: 7, lambda request: request.no_such_member])
def test_a_subject_that_is_no_text_is_refused_by_name(sqlite, subject):
    bank = Bank(lambda _payment: True)
    rows = {"POST /v1/payments": OperationRow(proof=Proof(bank.find, subject=subject))}
    outbox = Till(sqlite, bank, key=None, rows=rows)
    with pytest.raises(ConfigurationError, match=r"proof\.subject .*: return a text"):
        outbox.pay(GUID, **bonus("Payee 1"))


@pytest.mark.parametrize("is_named", [True, False])
def test_an_entry_is_known_by_its_reference_if_the_proof_names_what_that_is(sqlite, is_named):
    def reference(request):
        return json.loads(request.content)["reference"]

    bank = Bank(lambda _payment: True)
    proof = Proof(bank.find, subject=reference if is_named else None)
    outbox = Till(sqlite, bank, key=None, rows={"POST /v1/payments": OperationRow(proof=proof)})
    outbox.pay(GUID, **bonus("Payee 1"))
    if is_named:
        assert outbox.key_of("Bonus March") == GUID
        return
    with pytest.raises(InvalidRequest, match="No entry has the key or the reference Bonus March"):
        outbox.key_of("Bonus March")
    assert outbox.key_of(GUID) == GUID


def test_of_two_unsettled_payments_with_equal_values_neither_is_settled_by_a_look_up(sqlite):
    """The payee is told apart by what no read says."""
    bank = Bank(does=lambda payment: payment["message"] == "second")
    assert bank.settled(sqlite, bonus("first"), bonus("second")) == [SETTLING, SETTLING]
    assert len(bank.made) == 1


def test_a_payment_is_settled_beside_others_with_other_values(sqlite):
    bank = Bank(does=lambda payment: payment["reference"] == "INV-2")
    payments = {"reference": "INV-1"}, {"reference": "INV-2"}, {"reference": "INV-2", "amount": 7}
    one, two, other_amount = bank.settled(sqlite, *payments[:2], payments[2] | {"reference": "X"})
    assert (one, two, other_amount) == (SETTLING, ("sent", "pay_1"), SETTLING)


def test_a_reference_that_is_part_of_another_one_or_a_number_of_its_value_is_another(sqlite):
    """The bank's search finds instalment 1042.10 for 1042.1."""
    bank = Bank(does=lambda payment: payment["reference"] == "1042.10")
    instalments = {"reference": "1042.1"}, {"reference": "1042.10"}
    assert bank.settled(sqlite, *instalments) == [SETTLING, ("sent", "pay_1")]


NO_TIME = "pay_1 has what was sent, and does not say when it was made."


def done_at(made_at, call):
    return Done("pay_1", created_at=made_at, compared=call.compared_with(call.body))


@pytest.mark.parametrize(
    ("proof", "state", "why"),
    [
        (lambda _: NotDone("It is void.", is_over=True), "rejected", "It is void."),
        (lambda _: NotDone("It is being paid."), "unclear", "It is being paid."),
        (lambda _: NotDone("It is open.", can_be_sent=True), "unclear", "It is open."),
        (partial(done_at, UNSET), "unclear", NO_TIME),
        (partial(done_at, datetime(2026, 3, 4)), "unclear", NO_TIME),  # noqa: DTZ001 - naive on purpose
        (
            lambda call: call.body["references"],
            "unclear",
            "POST /v1/payments failed: KeyError: 'references'",
        ),
        (lambda _: 5, "unclear", "returned int, and no Done"),
    ],
    ids=["over", "under way", "open", "no time", "a naive time", "a fault", "no proof"],
)
def test_a_payment_that_a_proof_does_not_show_is_looked_up_until_its_time_is_over(
    sqlite, proof, state, why
):
    """Only what can never be done is rejected at once."""
    outbox = lost(sqlite, lambda _, call: proof(call))
    assert states(outbox.send()) == [state] * (state == "rejected")
    assert outbox.pass_on(settle_until=1.0) == [state] * (state == "unclear")
    assert why in outbox.entry_and_error()[1]


@pytest.mark.parametrize(
    ("failure", "code"), [(dated(403), "403"), (dated(500), "500"), (LOST, None)]
)
def test_a_look_up_that_fails_for_ever_ends_and_can_be_settled_by_hand(sqlite, failure, code):
    outbox = lost(sqlite, lambda *_: Done("pay_1"), failure, key=KEY)
    with pytest.raises(VictorError):
        outbox.send()
    if code is None:  # nothing was read: it is no sign of anything
        with pytest.raises(VictorError):
            outbox.pass_on(settle_until=1.0)
        assert outbox.entry_and_error()[0] == "settling"
    else:
        assert outbox.pass_on(settle_until=1.0) == ["unclear"]
        assert code in outbox.entry_and_error()[1]
    assert outbox.resolve(KEY, done=True, by="Zoë", why="the portal has it").state == "sent"
    assert len(outbox.requested("POST")) == 1


def test_a_debit_whose_response_a_gateway_replaces_is_found_and_made_once(sqlite):
    """EastPay takes no key: an inquiry by the reference decides."""
    with eastpay_adapter.sandbox() as sandbox:
        sandbox.inject("html", operation="pay", status=403, work=True)
        client = partial(eastpay_adapter.client, sandbox, retry=ONCE)
        box = Box("blocking", sqlite, lambda awaited: client(awaited=awaited))
        named = {"merchant_transaction_id": "INV-1", "idempotency_key": KEY}
        box.add_call("payments.debit", eastpay_adapter.PRICE, card=CardToken("a-token"), **named)
        assert states(box.send()) == ["sent"]
        assert sandbox.work_done_by_reference() == {"INV-1": 1}
        assert sandbox.payment_ids() == [box.entries()[0].request_id]


# What is refused


def test_no_card_is_stored(sqlite):
    bank = EastPay(
        "t" * 40, base_url="https://bank.test", entity_id="EB000001", inquiry_by_reference=True
    )
    box = Box("blocking", sqlite, lambda _awaited: nullcontext(bank))
    named = {"merchant_transaction_id": "I", "idempotency_key": KEY}
    debit = partial(box.add_call, "payments.debit", Money.of("92.00", "EGP"), **named)
    with pytest.raises(InvalidRequest, match="card is the number of a card"):
        debit(card=Card("4111111111111111", expiry_month=12, expiry_year=2030, cvv="123"))
    debit(card=CardToken("a-token"))
    assert len(box.entries()) == 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("client_reference_id", " ", "client_reference_id is blank: without it no repeat is safe"),
        ("idempotency_key", None, "idempotency_key is missing: without it no repeat is safe"),
        ("idempotency_key", " ", "idempotency_key is blank"),
        ("client_reference_id", 129 * "x", "text of 1 to 128 characters, and has 129"),
        ("amount", 12.5, "amount"),
    ],
)
def test_a_value_that_could_never_be_sent_is_refused_when_the_entry_is_added(
    sqlite, field, value, message
):
    box = Box("blocking", sqlite)
    with pytest.raises(InvalidRequest, match=message):
        box.add(**invoice(**{field: value}))
    assert box.entries() == []


def test_an_argument_that_cannot_be_used_is_refused_with_what_is_wrong_with_it(sqlite):
    outbox, session, without_client = Till(sqlite), Session(), Box("blocking", sqlite)
    url = "sqlite:///a-password"
    negative = {"settle_for": timedelta(-1)}
    short = {"keys_kept": timedelta(seconds=99)}
    for message, wrong in (
        ("interval=.* must be seconds above zero", lambda: outbox.run(interval=0)),
        ("workers=.* must be a whole number from 1 to 100", lambda: Outbox(sqlite, workers=0)),
        ("settle_for=.* is no timedelta of zero or more", lambda: Outbox(sqlite, **negative)),
        (r"keys_kept=.*99\) is below 100 s", lambda: Outbox(sqlite, **short)),
        (r"^engine is a URL: pass sa.create_engine((?!password).)*$", lambda: Outbox(url)),
        ("engine is of type Session: pass an engine", lambda: Inbox(session, None)),
        ("Engine is no session: pass a Session or a Conn", lambda: outbox.add(sqlite, **invoice())),
        ("state='bad' is none of waiting, sending, settling", lambda: outbox.entries("bad")),
        ("must take two arguments: a session and an event", lambda: outbox.on("sent")(lambda _: 0)),
        ("idempotency_key must be visible ASCII", lambda: outbox.pay("schlüssel-1042")),
        ("take_payment: leave out client=", lambda: outbox.pay(client=outbox.client)),
        ("This outbox has no client", lambda: without_client.add_call("a", idempotency_key=KEY)),
    ):
        with pytest.raises((ConfigurationError, InvalidRequest), match=message):
            wrong()


def test_django_makes_the_client_of_its_settings_once_and_leaves_a_given_one_open(
    tmp_path, harness, monkeypatch
):
    place = "victor_ext.providers.velo:Velo.from_env"
    monkeypatch.setattr(settings, "VICTOR_OUTBOX", {"client": place}, raising=False)
    monkeypatch.setenv("VELO_API_KEY", "a-key")
    monkeypatch.setenv("VELO_API_SECRET", "a-secret")
    made = DjangoOutbox.from_settings().client
    assert type(made) is velo.Velo
    assert DjangoOutbox.from_settings().client is made
    monkeypatch.setenv("VELO_TIMEOUT", "9")
    assert DjangoOutbox.from_settings().client is not made
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'own.sqlite'}")
    with tables_of("django", engine), velo.Velo(**harness.settings) as given:
        monkeypatch.setattr(settings, "VICTOR_OUTBOX", {"client": given})
        call_command("send_payment_requests")
        given.ping()


@pytest.mark.parametrize("hidden", [{"content": []}, {"payments": [{"paymentId": GUID}]}])
def test_a_payout_that_a_list_does_not_show_yet_is_looked_up_and_never_sent_again(local, hidden):
    """It lags, or its page has its items under another name."""
    page = json.dumps({"page": {"totalPages": 1, "page": 1}, **hidden})
    local.lose("submit")
    local.submit()
    local.harness.sandbox.inject("status", operation="list_payments", status=200, body=page)
    assert local.send() == []
    assert local.send() == [], "it is not looked up at once again"
    assert local.state() == "settling"
    local.end_claims()
    assert [state for state, _ in local.send()] == ["sent"]
    assert local.calls("submit") == 1
    assert local.error() == ""
