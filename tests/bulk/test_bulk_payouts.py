"""Payouts in bulk, by Velo: each is submitted at most once, found again by its payments, and paid
by a second step.
"""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.bulk.bulk_runs import change_state, refused, velo_command, wait_until
from tests.bulk.conftest import STORAGE_KEY
from tests.cases import cases_beside
from tests.cli.victor_command import calls
from victor_ext import RetryPolicy, VictorError
from victor_ext._settlement import failures
from victor_ext.bulk._payouts import Payouts
from victor_ext.bulk._worker import read_row_results
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

pytestmark = pytest.mark.pull_request
LAG = 1000.0
"""Seconds after which the sandbox lists a payment, where a test has it list late."""
SETTLEMENT = 3600.0
"""Seconds for which a payout stays INSTRUCTED, before it is COMPLETED."""


def row(number, **changes):
    good = {
        "remote_id": "payee-7",
        "amount": "1.50",
        "currency": "USD",
        "source_account_name": "USD account",
        "payor_payment_id": f"PAY-{number}",
        "region": "north",
    }
    return {**good, **changes}


def rows(count, **changes):
    return [row(number, **changes) for number in range(1, count + 1)]


@pytest.fixture
def sandbox(request):
    """Its list of payments has a new one at once, or after as many seconds as the test's parameter
    says.
    """
    validation = getattr(request, "param", 0.0)
    settings = VeloSettings(seed=1, validation=validation, settlement=SETTLEMENT)
    with VeloSandbox(settings) as running:
        running.add_source_account("USD account", "USD", 10**9)
        running.add_source_account("EUR account", "EUR", 10**9)
        running.add_payee("payee-7")
        yield running


def client_of(sandbox):
    """A client with credentials of its own."""
    retry = RetryPolicy(base=0.0, max_attempts=2)
    return Velo(VeloAuth(*sandbox.add_key()), base_url=sandbox.url, retry=retry)


@pytest.fixture
def client(sandbox, monkeypatch):
    monkeypatch.setattr(failures, "_FIRST_PAUSE", 0.001)
    with client_of(sandbox) as made:
        yield made


@pytest.fixture
def sender_options(sandbox):
    return {"payor_id": sandbox.payor_id}


@pytest.fixture
def bulk(sandbox, bare_environment, tmp_path):
    return velo_command(sandbox, {**bare_environment, "VICTOR_BULK_KEY": STORAGE_KEY}, tmp_path)


@pytest.fixture
def end_look_ups(tmp_path):
    """Let the time be over for which all that was looked up so far is looked up."""

    def end():
        (path,) = tmp_path.glob("*.sqlite")
        change_state(path, "UPDATE victor_bulk SET settle_until = 1 WHERE settle_until > 1")

    return end


@contextmanager
def broken_off(sandbox, operation, after=0):
    """Yield a listener that ends the sending after more than so many calls of an operation."""

    def stop(_status):
        if calls(sandbox, operation) > after:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        yield stop


def kill_amid(bulk, sandbox, operation, *words):
    """Kill a command while the response to a call of this operation is under way."""
    sandbox.inject("delay", operation=operation, delay=60, work=True)
    with bulk.started(*words) as process:
        wait_until(lambda: calls(sandbox, operation) > 0, process)


def take(sender, step, outcome="created", *, count=1, **options):
    """Take a step with so many payouts, and see what becomes of them."""
    assert sender(**options).take_step(step).counts == {outcome: count}


def payouts_of(sender, **options):
    """The payments of each payout, by the export."""
    payouts = {}
    for result in sender(**options).export():
        payouts.setdefault(result.asked["payout_id"], []).append(result.asked["payor_payment_id"])
    return payouts


def test_rows_are_grouped_into_payouts(sender, sandbox, monkeypatch):
    """By what is said of their payout. Rows of a later file are other payouts."""
    monkeypatch.setattr(Payouts, "rows_per_call", 3)
    payor, records = sandbox.payor_id, rows(9)
    records[1]["payout_memo"] = records[6]["payout_memo"] = "May"
    records[8] |= {"payout_from_payor_id": payor, "payout_to_payor_id": payor}
    sender.finish(records)
    sender.finish([*records, row(10), row(11, payout_memo="May"), row(12)])
    numbers = [[1, 3, 4], [2, 7], [5, 6, 8], [9], [10, 12], [11]]
    assert [*payouts_of(sender).values()] == [[f"PAY-{each}" for each in one] for one in numbers]
    assert calls(sandbox, "submit") == 6


def test_rejected_rows_quote_and_totals_are_shown(bulk, sandbox):
    records = [row(1), row(2, remote_id="nobody"), row(3, source_account_name="EUR account")]
    bulk.write(records, "march.csv")
    without_payor = bulk("send", "march.csv").err
    assert "\n--payor-id ID gives a payor to every row without one." in without_payor
    sent = bulk.send("march.csv", "--expect-rows", "3", "--expect-total", "4.50")
    assert (sent.status, sent.out) == (1, "march.csv: 3 rows: 2 created, 1 rejected\n")
    shown = bulk("status", "--refresh").out
    assert "QUOTED, 2 accepted, 1 rejected: " in shown
    assert "1.50 USD from USD account" in shown
    assert "1.20 EUR from EUR account; quoted: 1.20 EUR for 1.50 USD" in shown
    lines = bulk("export").table
    assert [(line["outcome"], line["error"]) for line in lines] == [
        ("created", ""),
        ("rejected", "There is no payee nobody."),
        ("created", ""),
    ]


def test_payouts_are_instructed_by_another_person_than_the_sender_where_that_is_wanted(
    bulk, sandbox
):
    bulk.write(rows(2), "march.csv")
    assert "--by is missing" in bulk.send("march.csv", "--not-by-sender").err
    sent = bulk.send("march.csv", "--by", "Ann", "--not-by-sender")
    assert sent.err.endswith("instruct --by NAME march.csv\n")
    assert "Another person" in bulk("instruct", "march.csv", "--by", "ann").err
    assert "--by is missing: another person" in bulk("instruct", "march.csv").err
    assert calls(sandbox, "instruct") == 0
    assert bulk("instruct", "march.csv", "--by", "Bob").status == 0
    assert "instruct by Bob: 1 done" in bulk("status").out


def test_payouts_are_instructed_once_however_often_the_command_is_given(bulk, sandbox):
    bulk.write(rows(2), "march.csv")
    bulk.send("march.csv")
    for _ in range(2):
        paid = bulk("instruct", "march.csv")
        assert (paid.status, paid.out) == (0, "march.csv: instruct: 1 done\n")
    assert calls(sandbox, "instruct") == 1
    assert bulk("status", "--refresh", "--json").json["payments"] == {"FUNDED": 2}
    # What a later sheet changes or lacks was paid nevertheless.
    assert bulk.send(bulk.write([row(1, amount="9.00")], "march.csv").name).status == 1
    assert bulk("status", "--refresh", "--json").json["payments"] == {"FUNDED": 2}


@pytest.mark.parametrize(("changes", "column"), cases_beside(__file__)["payments"])
def test_a_row_that_velo_would_refuse_is_refused_with_its_column(sender, changes, column):
    (problem,) = sender().check([row(1, **changes)]).problems
    assert problem.column == column
    assert column in problem.message


def test_two_payors_may_have_one_reference_in_two_spellings(sender):
    """Of one payor, both are one payment until a person says otherwise."""
    ours, others = (str(uuid4()) for _ in range(2))
    references = [("PAY-7", ours), ("pay\u20137", others), ("pay-7", ours)]
    check = sender().check(
        [row(7, payor_payment_id=text, payor_id=payor) for text, payor in references]
    )
    assert check.new == 2
    assert [notice.key_value for notice in check.notices] == ["pay-7"]


def test_a_reference_with_other_zeros_is_a_question_if_all_else_is_equal(sender):
    """It has left its file, and the same payee is paid as much by a new one."""
    sender(batch="march").send([row(7, payor_payment_id="PAY-007")])
    status = sender(batch="april").send([row(7)])
    assert [notice.key_value for notice in status.notices] == ["PAY-7"]
    assert status.counts == {"to_decide": 1}


def test_a_payor_with_invisible_characters_is_refused_with_its_row(sender, sandbox):
    payors = [f"{sandbox.payor_id} ", f"\u200b{sandbox.payor_id}", "  "]
    wrong = [row(number, payor_id=payor) for number, payor in enumerate(payors, 2)]
    check = sender().check([row(1), *wrong])
    places = [(problem.row, problem.column) for problem in check.problems]
    assert places == [(2, "payor_id"), (3, "payor_id"), (4, "payor_id")]
    assert check.new == 1


@pytest.mark.parametrize("changed", [None, {"amount": "9.00"}], ids=["lacks", "changes"])
def test_no_payout_is_paid_with_a_payment_that_the_latest_sheet_lacks_or_changes(
    sender, sandbox, changed
):
    """It can be withdrawn. Or a person says that it is right."""
    sender.finish(rows(2))
    first, second = rows(2)
    sheet = [first] if changed is None else [first, {**second, **changed}]
    assert sender().send(sheet).exit_status == 1
    refused_step = sender().take_step("instruct")
    assert (refused_step.counts, refused_step.exit_status) == ({"to_decide": 1}, 1)
    (reason,) = refused_step.reasons.values()
    assert "has with other values: PAY-2." in reason
    assert calls(sandbox, "instruct") == 0
    paid = sender().take_step("instruct", also=["PAY-2"])
    assert paid.counts == {"created": 1}
    assert calls(sandbox, "instruct") == 1


def test_a_decision_to_pay_a_payment_is_of_that_payment_alone(sender, sandbox):
    sender.finish(rows(3))
    assert sender().send(rows(1)).counts == {"created": 1, "to_decide": 2}
    refused_step = sender().take_step("instruct", also=["PAY-2"])
    assert refused_step.counts == {"to_decide": 1}
    (reason,) = refused_step.reasons.values()
    assert "has with other values: PAY-3." in reason
    assert calls(sandbox, "instruct") == 0


def test_a_decision_to_pay_a_payment_is_none_about_its_next_request(sender, sandbox):
    """Nor is the one to ask once more."""
    sender.finish(rows(2))
    assert sender().send(rows(1)).counts == {"created": 1, "to_decide": 1}
    sandbox.inject("status", operation="instruct", status=400)
    assert sender().take_step("instruct", also=["PAY-2"]).counts == {"rejected": 1}
    take(sender, "withdraw")
    sender.finish(rows(2))
    for reference in ("PAY-1", "PAY-2"):
        sender.ask_again(reference)
    sender.finish()
    assert sender().send(rows(1)).counts == {"created": 1, "to_decide": 1}
    paid = calls(sandbox, "instruct")
    assert sender().take_step("instruct").counts == {"rejected": 1, "to_decide": 1}
    assert calls(sandbox, "instruct") == paid


def test_a_step_is_the_next_one_only_while_it_can_pay_a_payout(sender, monkeypatch):
    monkeypatch.setattr(Payouts, "rows_per_call", 2)
    both = sender.finish(rows(4))
    assert (both.next_step, both.reasons) == ("instruct", {})
    one = sender().send(rows(3))
    assert one.next_step == "instruct"
    (reason,) = one.reasons.values()
    assert reason.startswith("not paid: the latest sheet lacks, or has with other values: PAY-4.")
    none = sender().send([row(1)])
    assert (none.next_step, len(none.reasons)) == (None, 2)
    take(sender, "withdraw", "created", count=2)
    ended = sender().status()
    assert (ended.next_step, ended.reasons) == (None, {})
    with refused("has nothing to instruct"):
        sender().take_step("instruct")


class TestALostResponse:
    """Nothing is sent again: it is found by its payments, once the list has them."""

    @pytest.mark.parametrize("sandbox", [LAG], indirect=True)
    def test_a_row_that_a_person_resolves_gets_the_payout_that_lists_its_payment(
        self, sender, sandbox, client, end_look_ups
    ):
        sandbox.inject("lose_answer", operation="submit")
        with broken_off(sandbox, "list_payments") as stop:
            sender().send(rows(2), on_progress=stop)
        end_look_ups()
        assert sender().resume().counts == {"unknown": 2}
        found = {"by": "Ann", "why": "read in the portal"}
        with refused("PAY-1 was sent with others: name what it"):
            sender().resolve("PAY-1", "created", **found)
        sandbox.advance(LAG)
        (payout,) = {one.payout_id for one in client.payments.list(sandbox.payor_id)}
        sender(batch="april").send([row(3, amount="7.50")])
        (elsewhere,) = payouts_of(sender, batch="april")
        with refused("does not list the payment PAY-1"):
            sender().resolve("PAY-1", "created", id=elsewhere, **found)
        for reference in ("PAY-1", "PAY-2"):
            sender().resolve(reference, "created", id=str(payout), **found)
        take(sender, "instruct")
        assert calls(sandbox, "instruct") == 1

    def test_a_corrected_row_is_found_beside_the_payout_that_had_rejected_it(self, sender, sandbox):
        """That payout has other payments, too: it was not sent with this row alone."""
        assert sender().send([row(1), row(2, remote_id="nobody")]).exit_status == 1
        sandbox.inject("lose_answer", operation="submit")
        assert sender(patience=5).send(rows(2)).counts == {"created": 2}
        assert [*payouts_of(sender).values()] == [["PAY-1"], ["PAY-2"]]
        assert calls(sandbox, "submit") == 2

    def test_a_withdrawn_payout_is_not_taken_for_the_payment_that_was_sent_again(
        self, sender, sandbox, end_look_ups
    ):
        """A payment that is asked once more has the reference that it had before."""
        sender.finish(rows(2))
        sender().take_step("withdraw")
        sender().ask_again(["PAY-1", "PAY-2"], by="Ann", why="It was withdrawn.")
        sandbox.inject("cut_request", operation="submit")
        resumed = sender().resume(on_progress=lambda _status: end_look_ups())
        assert resumed.counts == {"unknown": 2}
        assert sandbox.work_done_by_reference()["PAY-1"] == 1


def lose(sender, sandbox, step):
    """Take a step whose request does not arrive, and end while it is looked up."""
    sandbox.inject("cut_request", operation=step)
    # Before the step, after it, and to look it up.
    reads = calls(sandbox, "get_payout") + 2
    with broken_off(sandbox, "get_payout", reads) as stop:
        sender().take_step(step, on_progress=stop)


@pytest.mark.parametrize("was", ["waiting", "not_sent"])
def test_an_instruction_that_has_not_left_pays_nothing_that_a_newer_sheet_lacks(
    sender, sandbox, end_look_ups, was
):
    sender.finish(rows(2))
    if was == "waiting":
        with broken_off(sandbox, "instruct", -1) as stop:
            sender().take_step("instruct", on_progress=stop)
    else:
        lose(sender, sandbox, "instruct")
        end_look_ups()
        take(sender, "instruct", was)
    assert sender().status().steps["instruct"]["counts"] == {was: 1}
    paid = calls(sandbox, "instruct")
    assert sender().send(rows(1)).exit_status == 1
    (reason,) = sender().status().steps["instruct"]["reasons"].values()
    assert "a newer sheet was stored before it was sent. Repeat instruct." in reason
    for _ in range(2):
        undecided = sender().take_step("instruct")
        assert (undecided.counts, undecided.rows) == ({"to_decide": 1}, 1)
    assert calls(sandbox, "instruct") == paid
    assert sender().take_step("instruct", also=["PAY-2"]).counts == {"created": 1}
    assert calls(sandbox, "instruct") == paid + 1


def test_what_a_person_lets_be_paid_is_of_the_sheet_that_it_was_said_of(sender, sandbox):
    """Its payout was not paid then; a newer sheet lacks another payment."""
    sender.finish(rows(3))
    first, second, third = rows(3)
    sender().send([first, {**second, "amount": "2.00"}])
    assert sender().take_step("instruct", also=["PAY-2"]).counts == {"to_decide": 1}
    status = sender().send([first, third])
    assert (status.exit_status, status.next_step) == (1, None)
    (reason,) = status.reasons.values()
    assert "PAY-2" in reason
    assert sender().take_step("instruct").counts == {"to_decide": 1}
    assert calls(sandbox, "instruct") == 0


def test_a_batch_lets_no_payment_of_another_one_be_paid(sender, sandbox):
    sender.finish(rows(2), batch="a")
    assert sender(batch="a").send(rows(1)).exit_status == 1
    sender(batch="b").send([{**row(2), "amount": "9.00"}, row(3, amount="7.00")])
    with refused("PAY-2 was sent by a: its payout is paid with that batch"):
        sender(batch="b").take_step("instruct", also=["PAY-2"])
    assert calls(sandbox, "instruct") == 0
    assert sender(batch="a").status().exit_status == 1


def test_whoever_has_sent_rows_that_are_asked_about_may_not_take_the_step(sender, sandbox):
    """Another person has answered the question: the rows are hers."""
    sender(by="Bob", not_by_sender=True).send([row(1)])
    respelled = {**row(1), "payor_payment_id": "pay-1"}
    assert sender(by="Ann").send([row(1), respelled]).counts == {"created": 1, "to_decide": 1}
    sender().ask_again(["pay-1"], by="Bob", why="They are two.")
    sender(by="Bob").resume()
    with refused("Ann"):
        sender(by="Ann").take_step("instruct")
    assert calls(sandbox, "instruct") == 0


class TestAStepReadsTheStateFirst:
    """What the payout's state rules out is not sent, and the step ends with the reason."""

    @pytest.mark.parametrize(
        ("first", "second", "state"),
        [("instruct", "withdraw", "INSTRUCTED"), ("withdraw", "instruct", "WITHDRAWN")],
    )
    def test_an_instructed_payout_is_not_withdrawn_and_a_withdrawn_payout_is_not_instructed(
        self, sender, sandbox, first, second, state
    ):
        sender.finish(rows(2))
        take(sender, first)
        refused = sender().take_step(second)
        assert (refused.counts, refused.exit_status) == ({"refused": 1}, 1)
        (reason,) = refused.reasons.values()
        assert f"it is {state}" in reason
        assert calls(sandbox, second) == 0

    @pytest.mark.parametrize("name", ["instruct", "withdraw"])
    def test_no_step_is_taken_while_the_state_is_held(self, sender, sandbox, name):
        sender.finish(rows(2))
        sender().hold()
        with refused("The state is held"):
            sender().take_step(name)
        assert calls(sandbox, name) == 0

    @pytest.mark.parametrize(
        ("name", "status"), [("instruct", 400), ("withdraw", 403), ("instruct", 404)]
    )
    def test_a_step_that_was_rejected_is_taken_by_the_next_call(
        self, sender, sandbox, name, status
    ):
        sender.finish(rows(2))
        sandbox.inject("status", operation=name, status=status)
        take(sender, name, "rejected", by="Ann")
        take(sender, name, by="Bob")
        reads = calls(sandbox, "get_payout")
        take(sender, name)
        assert calls(sandbox, name) == 2
        assert calls(sandbox, "get_payout") == reads, "what is done is not read"
        assert sender().status().steps[name]["by"] == ["Ann", "Bob"]

    def test_a_rejected_step_whose_data_was_forgotten_is_taken_by_the_next_call(
        self, sender, sandbox
    ):
        sender.finish(rows(2))
        (payout,) = payouts_of(sender)
        sandbox.inject("status", operation="instruct", status=400, times=2)
        take(sender, "instruct", "rejected")
        sender().forget(older_than=timedelta(0))
        again = sender().take_step("instruct")
        assert (again.counts, [*again.reasons]) == ({"rejected": 1}, [payout])
        take(sender, "instruct")
        assert calls(sandbox, "instruct") == 3

    @pytest.mark.parametrize("name", ["instruct", "withdraw"])
    @pytest.mark.parametrize("before", ["nothing", "rejected", "not_sent"])
    def test_a_step_that_was_taken_elsewhere_meanwhile_is_not_taken_again(
        self, sender, sandbox, client, end_look_ups, name, before
    ):
        """Such as by whoever was told that it was rejected; or the response was another's."""
        sender.finish(rows(2))
        if before == "rejected":
            sandbox.inject("status", operation=name, status=404)
        elif before == "not_sent":
            lose(sender, sandbox, name)
            end_look_ups()
        if before != "nothing":
            take(sender, name, before)
        (payout,) = payouts_of(sender)
        getattr(client.payouts, name)(payout)
        taken = calls(sandbox, name)
        take(sender, name)
        assert calls(sandbox, name) == taken

    @pytest.mark.parametrize("before", ["rejected", "waiting"])
    def test_a_step_that_was_not_taken_is_taken_with_the_credentials_of_the_next_person(
        self, sender, sandbox, before
    ):
        sender.finish(rows(2))
        with client_of(sandbox) as bob, client_of(sandbox) as carol:
            sandbox.inject("status", operation="instruct", status=403)
            take(sender, "instruct", "rejected", victor=bob)
            if before == "waiting":
                with broken_off(sandbox, "instruct") as stop:
                    sender(victor=bob).take_step("instruct", on_progress=stop)
            assert sender().status().steps["instruct"]["counts"] == {before: 1}
            take(sender, "instruct", victor=carol, by="Carol")
        assert calls(sandbox, "instruct") == 2
        assert sender().status().steps["instruct"]["by"][-1] == "Carol", "her credentials sent it"


SENDING, LATER = ("submit", "get_payout", "payout_payments"), ("nothing", "instruct")


@pytest.mark.parametrize("killed_at", [*SENDING, *LATER])
def test_a_killed_command_and_a_restored_state_pay_no_payout_twice(
    bulk, sandbox, backup, killed_at
):
    """It is killed while a response is under way: to the submission, to a later read, or to the
    instruction. The backup is of then, and does not know what came later.
    """
    bulk.write(rows(2), "march.csv")
    state = ("--state", backup.url)
    send = ("send", "march.csv", *bulk.sends, *state)
    instruct = ("instruct", "march.csv", *state)
    if killed_at in LATER:
        assert bulk(*send).status == 0
    if killed_at != "nothing":
        kill_amid(bulk, sandbox, killed_at, *(send if killed_at in SENDING else instruct))

    def send_and_instruct_the_rest():
        assert bulk("resume", *state).out == "march.csv: 2 rows: 2 created\n"
        assert bulk(*instruct).out == "march.csv: instruct: 1 done\n"

    backup.make()
    send_and_instruct_the_rest()
    backup.restore()
    send_and_instruct_the_rest()
    assert "since it is INSTRUCTED" in bulk("withdraw", "march.csv", *state).out
    assert [calls(sandbox, name) for name in ("submit", "instruct", "withdraw")] == [1, 1, 0]


class OneUnread(httpx.HTTPTransport):
    """The way to Velo. The payout that is read first has this status, and each time."""

    def __init__(self, status):
        super().__init__()
        self._status, self._unread = status, None

    def forget(self):
        """Take the payout that is read next for the first one."""
        self._unread = None

    def handle_request(self, request):
        response = super().handle_request(request)
        path = request.url.path
        if request.method == "GET" and "/payouts/" in path:
            self._unread = self._unread or path
            if path == self._unread:
                response.read()
                return httpx.Response(self._status, headers={"Date": response.headers["Date"]})
        return response


@pytest.mark.parametrize(("status", "left"), [(404, 1), (503, 4)])
def test_one_read_of_payouts_goes_on_with_the_others_unless_its_error_may_concern_all(
    sender, sandbox, status, left
):
    sandbox.inject("status", operation="get_payout", status=503, times=1000)
    way = OneUnread(status)
    with Velo(
        VeloAuth(*sandbox.add_key()),
        base_url=sandbox.url,
        retry=RetryPolicy(base=0.0, max_attempts=1),
        transport=way,
    ) as client:
        own = sender(victor=client)
        records = [row(number, payout_memo=f"memo {number}") for number in range(1, 5)]
        assert own.send(records).counts == {"accepted": 4}
        sandbox.clear_faults()
        way.forget()
        with own._stored_batch() as (store, _record), pytest.raises(VictorError):
            read_row_results(store, Counter())
        assert own.status().counts["accepted"] == left


@pytest.mark.parametrize(("status", "patience"), [(404, 0), (503, 1)])
def test_a_payout_that_cannot_be_read_keeps_no_other_one_from_being_read(
    sender, sandbox, status, patience
):
    """A 503 may concern all, so it ends that read; the next one begins with the others."""
    with Velo(
        VeloAuth(*sandbox.add_key()),
        base_url=sandbox.url,
        retry=RetryPolicy(base=0.0, max_attempts=1),
        transport=OneUnread(status),
    ) as client:
        sender = sender.of(victor=client, patience=patience)
        records = [row(number, payout_memo=f"memo {number}") for number in range(1, 5)]
        sent = sender().send(records)
        assert (sent.counts, sent.exit_status) == ({"created": 3, "accepted": 1}, 3)
        assert sender().take_step("instruct").counts == {"created": 3}
    assert calls(sandbox, "submit") == 4
