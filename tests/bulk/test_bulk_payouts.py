"""Payouts in bulk, by Velo: each is submitted at most once, found again by its payments, and paid
by a second step.
"""

from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from tests.bulk.bulk_runs import change_state, refused, velo_command, wait_until
from tests.bulk.conftest import STORAGE_KEY
from tests.cases import cases_beside
from tests.cli.victor_command import calls
from victor_ext import RetryPolicy, VictorError
from victor_ext._settlement import failures
from victor_ext.bulk import InvalidRows
from victor_ext.bulk._payouts import Payouts
from victor_ext.providers.velo import Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

pytestmark = pytest.mark.pull_request
LAG = 1000.0
"""Seconds after which the sandbox lists a payment, where a test has it list late."""
SETTLEMENT = 3600.0
"""Seconds for which a payout stays INSTRUCTED, before it is COMPLETED."""


ONCE = RetryPolicy(base=0.0, max_attempts=1)


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


def take(sender, step, *, count=1, **options):
    """Take a step with so many payouts."""
    assert [*sender(**options).take_step(step).values()] == ["done"] * count


def payouts_of(sender, **options):
    """The payments of each payout, by the export."""
    payouts = {}
    for result in sender(**options).export():
        payouts.setdefault(result.unit, []).append(result.number)
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
    assert "what all rows lack: --due-date today, --payor-id ID." in without_payor
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


def test_payouts_are_instructed_once_however_often_the_command_is_given(bulk, sandbox):
    bulk.write(rows(2), "march.csv")
    bulk.send("march.csv")
    for _ in range(2):
        paid = bulk("instruct", "march.csv")
        assert (paid.status, paid.out) == (0, "march.csv: instruct: 1 of 1 done\n")
    assert calls(sandbox, "instruct") == 1
    assert bulk("status", "--refresh", "--json").json["payments"] == {"FUNDED": 2}


@pytest.mark.parametrize(("changes", "column"), cases_beside(__file__)["payments"])
def test_a_row_that_velo_would_refuse_is_refused_with_its_column(sender, changes, column):
    (problem,) = sender().check([row(1, **changes)]).problems
    assert problem.column == column
    assert column in problem.message


def test_a_payor_with_invisible_characters_is_refused_with_its_row(sender, sandbox):
    payors = [f"{sandbox.payor_id} ", f"\u200b{sandbox.payor_id}", "  "]
    wrong = [row(number, payor_id=payor) for number, payor in enumerate(payors, 2)]
    check = sender().check([row(1), *wrong])
    places = [(problem.row, problem.column) for problem in check.problems]
    assert places == [(2, "payor_id"), (3, "payor_id"), (4, "payor_id")]
    assert check.new == 1


def test_one_reference_of_two_payors_and_two_spellings_of_one_payor_are_refused(sender):
    """A payroll that is sent once more with another payor would be paid twice."""
    ours, others = (str(uuid4()) for _ in range(2))
    references = [("PAY-7", ours), ("PAY-7", others), ("pay-7", ours)]
    check = sender().check(
        [row(7, payor_payment_id=text, payor_id=payor) for text, payor in references]
    )
    problems = [(problem.row, problem.code) for problem in check.problems]
    assert sorted(problems) == [(2, "asked_reference"), (3, "respelled")]


def test_a_copy_of_payouts_under_other_references_is_refused(sender, sandbox):
    sender().send(rows(1))
    with pytest.raises(InvalidRows, match=r"1 of 1 new rows .* row 1 those of PAY-1 \(march, "):
        sender(batch="copy").send([row(700)])
    assert calls(sandbox, "submit") == 1


def test_no_payout_is_paid_with_a_payment_that_the_latest_sheet_lacks_or_changes(sender, sandbox):
    """It can be withdrawn, or the sheet is corrected."""
    sender.finish(rows(2))
    first, second = rows(2)
    with pytest.raises(InvalidRows, match="has asked for PAY-2"):
        sender().send([first])
    assert sender().send([first, {**second, "amount": "9.00"}]).exit_status == 1
    (reason,) = sender().take_step("instruct").values()
    assert "has with other values: PAY-2." in reason
    assert calls(sandbox, "instruct") == 0
    sender.finish(rows(2))
    take(sender, "instruct")
    assert calls(sandbox, "instruct") == 1


def test_no_payout_is_paid_with_a_payment_that_a_newer_sheet_of_another_batch_corrects(
    sender, sandbox
):
    sender.finish(rows(2))
    corrected = [row(1), row(2, amount="700.00")]
    assert sender(batch="corrected").send(corrected).noticed["asked_before"] == 1
    (reason,) = sender().take_step("instruct").values()
    assert "a newer sheet has with other values: PAY-2." in reason
    sender.finish(rows(2), batch="corrected")
    take(sender, "instruct")


def test_a_step_whose_response_was_lost_is_seen_by_the_state_of_its_payout(sender, sandbox):
    sender.finish(rows(2))
    sandbox.inject("lose_answer", operation="instruct")
    with pytest.raises(VictorError):
        sender().take_step("instruct")
    take(sender, "instruct")
    assert calls(sandbox, "instruct") == 1


class TestALostResponse:
    """Nothing is sent again: it is found by its payments, once the list has them."""

    @pytest.mark.parametrize("sandbox", [LAG], indirect=True)
    def test_all_rows_of_a_payout_get_its_id_from_the_person_who_resolves_one(
        self, sender, sandbox, client, end_look_ups
    ):
        sandbox.inject("lose_answer", operation="submit")
        with broken_off(sandbox, "list_payments") as stop:
            sender().send(rows(2), on_progress=stop)
        end_look_ups()
        assert sender().resume().counts == {"unknown": 2}
        found = {"by": "Ann", "why": "read in the portal"}
        with refused("PAY-1 was sent with others: write the payout_id"):
            sender().resolve("PAY-1", done=True, **found)
        sandbox.advance(LAG)
        (payout,) = {one.payout_id for one in client.payments.list(sandbox.payor_id)}
        sender(batch="april").send([row(3, amount="7.50")])
        (elsewhere,) = payouts_of(sender, batch="april")
        with refused("is the id of PAY-3"):
            sender().resolve("PAY-1", done=True, id=elsewhere, **found)
        sender().resolve("PAY-1", done=True, id=str(payout), **found)
        with refused("PAY-2 is accepted: there is nothing to resolve"):
            sender().resolve("PAY-2", done=False, **found)
        assert sender().resume().counts == {"created": 2}
        take(sender, "instruct")
        assert calls(sandbox, "instruct") == 1

    def test_a_corrected_row_is_found_beside_the_payout_that_had_rejected_it(self, sender, sandbox):
        """That payout has other payments, too: it was not sent with this row alone."""
        assert sender().send([row(1), row(2, remote_id="nobody")]).exit_status == 1
        sandbox.inject("lose_answer", operation="submit")
        assert sender(patience=5).send(rows(2)).counts == {"created": 2}
        assert [*payouts_of(sender).values()] == [["PAY-1"], ["PAY-2"]]
        assert calls(sandbox, "submit") == 2


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
        (reason,) = sender().take_step(second).values()
        assert f"is {state}" in reason
        assert calls(sandbox, second) == 0

    @pytest.mark.parametrize("name", ["instruct", "withdraw"])
    def test_no_step_is_taken_while_the_state_is_held(self, sender, sandbox, name):
        sender.finish(rows(2))
        sender().hold()
        with refused("The state is held"):
            sender().take_step(name)
        assert calls(sandbox, name) == 0


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
        assert bulk(*instruct).out == "march.csv: instruct: 1 of 1 done\n"

    backup.make()
    send_and_instruct_the_rest()
    backup.restore()
    if killed_at == "submit":  # the submission was marked once more since then
        assert "held" in bulk("resume", *state).err
        assert bulk("release", *state).status == 0
    send_and_instruct_the_rest()
    assert "is INSTRUCTED" in bulk("withdraw", "march.csv", *state).out
    assert [calls(sandbox, name) for name in ("submit", "instruct", "withdraw")] == [1, 1, 0]


class NoConnection(httpx.HTTPTransport):
    """Connects to nobody who is asked for a payout, while it is `away`."""

    away = True

    def handle_request(self, request):
        if self.away and request.method == "POST" and "payouts" in request.url.path:
            raise httpx.ConnectError("refused")
        return super().handle_request(request)


def test_a_payout_that_did_not_leave_has_what_the_newer_sheet_asks_for(sender, sandbox):
    """It was prepared, and its bytes are stored, before a row was corrected and one deleted."""
    transport = NoConnection()
    auth = VeloAuth(*sandbox.add_key())
    with Velo(auth, base_url=sandbox.url, retry=ONCE, transport=transport) as velo:
        own = sender.of(victor=velo)
        assert own(patience=0).send(rows(3)).exit_status == 75
        transport.away = False
        own.finish([row(1), row(2, amount="9.00"), row(4)])
        asked = [
            (payment.payor_payment_id, payment.amount)
            for payout in payouts_of(own)
            for payment in velo.payouts.payments(payout)
        ]
    assert sorted(reference for reference, _ in asked) == ["PAY-1", "PAY-2", "PAY-4"]


class OneUnread(httpx.HTTPTransport):
    """The way to Velo. The payout that is read first has this status, and each time."""

    def __init__(self, status):
        super().__init__()
        self._status, self._unread = status, None

    def handle_request(self, request):
        response = super().handle_request(request)
        path = request.url.path
        if request.method == "GET" and "/payouts/" in path:
            self._unread = self._unread or path
            if path == self._unread:
                response.read()
                return httpx.Response(self._status, headers={"Date": response.headers["Date"]})
        return response


@pytest.mark.parametrize("status", [404, 503])
def test_a_payout_that_cannot_be_read_keeps_no_other_one_from_being_read(sender, sandbox, status):
    """The next read begins with the others."""
    with Velo(
        VeloAuth(*sandbox.add_key()),
        base_url=sandbox.url,
        retry=RetryPolicy(base=0.0, max_attempts=1),
        transport=OneUnread(status),
    ) as client:
        sender = sender.of(victor=client, patience=1)
        records = [row(number, payout_memo=f"memo {number}") for number in range(1, 5)]
        sent = sender().send(records)
        assert (sent.counts, sent.exit_status) == ({"created": 3, "accepted": 1}, 3)
        take(sender, "instruct", count=3)
    assert calls(sandbox, "submit") == 4
