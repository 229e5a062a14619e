"""Writes of other systems in the outbox: sent once, looked up after a lost response, and unclear if
that fails.
"""

import importlib
import json
import os
import re
import shutil
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from velo_api.types import UNSET

from tests.outbox.kinds import Box, Provider, dated, refused
from tests.outbox.payouts import KEY, Payouts
from tests.outbox.rows import change, states
from tests.payments import invoice
from tests.providers.connected.till import client_class, generated, new_payment, operation
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.providers.running import GUID, ONCE, Script
from tests.providers.velo.adapter import pay
from victor_ext import (
    BasicAuth,
    BearerAuth,
    ConfigurationError,
    Done,
    HeaderKey,
    InvalidRequest,
    NotDone,
    OperationRow,
    PermissionDenied,
    Proof,
    RateLimited,
    StatusError,
    VictorError,
    connect,
)
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox
from victor_ext.providers import Money
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
    assert "The payout is WITHDRAWN" in local.error()
    local.end_claims()
    assert local.send() == []
    assert local.calls("instruct") == 1


def test_a_call_that_can_be_neither_repeated_nor_found_needs_at_most_once(local):
    update = partial(local.add, "payees.update", local.harness.payee, language="en")
    with pytest.raises(InvalidRequest, match="pass at_most_once=True"):
        update()
    with pytest.raises(InvalidRequest, match=r"pass look_up_by=\{'payor_id': \.\.\.\}"):
        local.add("payouts.submit", [pay()])
    update(at_most_once=True)
    local.lose("update_payee")
    assert local.send() == [("unclear", None)], "there is nothing to wait for"
    local.end_claims()
    assert local.send() == []
    assert local.calls("update_payee") == 1


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
        ("payouts.submit", [pay("INV-2")], None, "other values of body.payments"),
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


def test_a_status_that_the_document_does_not_have_does_not_mark_an_entry_as_sent(sqlite):
    outbox = Till(sqlite, dated(202)).with_a_payment()
    assert outbox.send() == []
    assert states(outbox.entries()) == ["sending"]


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


def test_what_was_read_before_another_file_took_its_place_is_not_sent_after(sqlite):
    """Another worker sends the second of two payments during the call of the first one."""
    file = sqlite.url.database
    other = Till(sqlite, dated(201, json={"id": "p-2"}), key=None)

    def be_put_back(_request):
        shutil.copy2(file, f"{file}-backup")
        other.send()
        os.replace(f"{file}-backup", file)
        os.unlink(f"{file}-life")
        sqlite.dispose()
        return dated(201, json={"id": "p-1"})

    again = dated(201, json={"id": "p-again"})
    outbox = Till(sqlite, be_put_back, again, key=None, workers=1)
    for number in (1, 2):
        outbox.pay(f"the-key-of-payment-{number}", f"INV-{number}", at_most_once=True)
    outbox.send()
    assert len(other.requested("POST")) == 1
    assert outbox.pass_on() == ["unclear"]
    assert len(outbox.requested("POST")) == 1


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


def test_a_read_of_what_a_write_made_gets_the_headers_of_the_write_that_it_takes(sqlite):
    """All but the key of the write, for which a provider might repeat its response."""
    package = generated(Path(__file__).with_name("vouchers.yaml"))
    issue = operation("v.issue_voucher", package)
    voucher = {"id": "v-1", "status": "new", "reference": "INV-1"}
    script = Script(dated(200, json=voucher), dated(200, json={**voucher, "status": "used"}))
    row = OperationRow(final={"used"}, reference="reference")
    client = connect(
        client_class(package),
        base_url="https://vouchers.test",
        key=HeaderKey(),
        rows={issue: row},
        transport=script.transport,
    )
    outbox = Outbox(sqlite, client)
    outbox.create_table()
    model = importlib.import_module(f"{package}.models").IssueVoucherBody
    with sqlite.begin() as connection:
        body = model(reference="INV-1")
        outbox.add_call(connection, issue, body=body, x_release="7", idempotency_key=GUID)
    assert [(entry.state.value, entry.reference) for entry in outbox.send()] == [("sent", "INV-1")]
    assert [entry.status for entry in outbox.refresh()] == ["used"]
    read = script.requests[-1]
    assert (read.method, read.headers["x-release"]) == ("GET", "7")
    assert "idempotency-key" not in read.headers


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


def test_of_two_unsettled_payments_with_equal_values_neither_is_settled_by_a_look_up(sqlite):
    """The payee is told apart by what no read says."""
    bank = Bank(does=lambda payment: payment["message"] == "second")
    assert bank.settled(sqlite, bonus("first"), bonus("second")) == [SETTLING, SETTLING]
    assert len(bank.made) == 1


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


def test_a_debit_whose_response_a_gateway_replaces_is_unclear_and_made_once(sqlite):
    """EastPay takes no key, and has no inquiry by the reference."""
    with eastpay_adapter.sandbox() as sandbox:
        sandbox.inject("html", operation="pay", status=403, work=True)
        client = partial(eastpay_adapter.client, sandbox, retry=ONCE)
        box = Box("blocking", sqlite, lambda awaited: client(awaited=awaited))
        named = {"merchant_transaction_id": "INV-1", "idempotency_key": KEY, "at_most_once": True}
        box.add_call("payments.debit", eastpay_adapter.PRICE, card=CardToken("a-token"), **named)
        assert [*states(box.send()), *states(box.send())] == ["unclear"]
        assert sandbox.work_done_by_reference() == {"INV-1": 1}


# What is refused


def test_no_card_is_stored(sqlite):
    bank = EastPay("t" * 40, base_url="https://bank.test", entity_id="EB000001")
    box = Box("blocking", sqlite, lambda _awaited: nullcontext(bank))
    named = {"merchant_transaction_id": "I", "idempotency_key": KEY, "at_most_once": True}
    debit = partial(box.add_call, "payments.debit", Money.of("92.00", "EGP"), **named)
    with pytest.raises(InvalidRequest, match=r"card\.number is the number of a card"):
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
        (r"^engine is of type str: pass sa.create_engine((?!password).)*$", lambda: Outbox(url)),
        ("engine is of type Session: pass sa.create_engine", lambda: Inbox(session, None)),
        ("Engine is no session: pass a Session or a Conn", lambda: outbox.add(sqlite, **invoice())),
        ("state='bad' is none of waiting, sending, settling", lambda: outbox.entries("bad")),
        ("idempotency_key must be visible ASCII", lambda: outbox.pay("schlüssel-1042")),
        ("take_payment: leave out client=", lambda: outbox.pay(client=outbox.client)),
        ("This outbox has no client", lambda: without_client.add_call("a", idempotency_key=KEY)),
    ):
        with pytest.raises((ConfigurationError, InvalidRequest), match=message):
            wrong()
