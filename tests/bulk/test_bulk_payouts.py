"""Payouts in bulk, by Velo: each is submitted at most once, found again by its payments, and paid
by a second step.
"""

import json
import signal
from collections import Counter
from contextlib import contextmanager, redirect_stderr
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from uuid import uuid4

import httpx
import pytest

from tests.bulk.bulk_runs import change_state, in_state, refused, velo_command, wait_until
from tests.bulk.conftest import STORAGE_KEY
from tests.cases import cases_beside
from tests.cli.victor_command import calls
from tests.providers.eastpay.adapter import ARGUMENTS as EASTPAY
from victor_ext import RetryPolicy, VictorError
from victor_ext._settlement import failures
from victor_ext._tables.row_file import RowFile
from victor_ext.bulk import BulkSender, InvalidRows
from victor_ext.bulk._payouts import Payouts
from victor_ext.bulk._worker import read_row_results
from victor_ext.cli._bulk_output import announce
from victor_ext.providers.eastpay import EastPay
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


def test_a_step_goes_on_by_the_person_who_takes_it(bulk, sandbox):
    bulk.write(rows(2), "march.csv")
    assert bulk.send("march.csv", "--by", "Ann", "--not-by-sender").status == 0
    sandbox.inject("status", operation="instruct", status=503, times=None)
    words = ("--by", "Bob Lee", "--also", "PAY-1", "--also", "PAY-2")
    with bulk.started("instruct", "march.csv", *words) as process:
        wait_until(lambda: calls(sandbox, "instruct") > 0, process)
        stopped = bulk.stopped(process, signal.SIGTERM)
    shown = (
        "victor bulk --provider velo instruct --by 'Bob Lee' --also PAY-1 --also PAY-2 march.csv"
    )
    assert shown in stopped.err


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


def test_the_next_command_is_to_instruct_what_the_batch_itself_has_sent(bulk):
    bulk.write(rows(2), "march.csv")
    sent = bulk.send("march.csv", "--json")
    assert sent.json["next_command"] == "victor bulk --provider velo instruct march.csv"
    listed = bulk.send(bulk.write(rows(1), "same.csv").name, "--json")
    assert listed.json["next_command"] is None


def test_the_amounts_of_new_rows_are_told_by_currency(sender):
    records = [*rows(2), row(3, currency="EUR", amount="0.10"), row(4, currency="JPY", amount="9")]
    expected = {"USD": Decimal("3.00"), "EUR": Decimal("0.10"), "JPY": Decimal(9)}
    check = sender().check(records)
    assert check.totals == expected
    shown = StringIO()
    with redirect_stderr(shown):
        announce("f.csv", check, RowFile("f.csv"))
    assert shown.getvalue() == "f.csv: 4 rows to send: 0.10 EUR, 9 JPY, 3.00 USD.\n"


@pytest.mark.parametrize(
    ("records", "total", "why"),
    [
        (rows(2), "3.01", "the amounts are 3.00"),
        ([row(1), row(2, currency="EUR")], "3.00", "in USD and EUR"),
    ],
    ids=["another total", "two currencies"],
)
def test_a_control_total_is_of_all_rows_and_of_one_currency(sender, records, total, why):
    with pytest.raises(InvalidRows, match=why):
        sender().send(records, expect_total=total)


@pytest.mark.parametrize(("changes", "column"), cases_beside(__file__)["payments"])
def test_a_row_that_velo_would_refuse_is_refused_with_its_column(sender, changes, column):
    (problem,) = sender().check([row(1, **changes)]).problems
    assert problem.column == column
    assert column in problem.message


def test_a_row_in_a_currency_that_is_gone_is_told_what_to_do_in_words_of_the_file(bulk):
    bulk.write([row(1, currency="HRK")], "march.csv")
    told = " ".join(bulk.send("march.csv").err.split())
    assert "currency has the code HRK, which is gone: ISO 4217 withdrew it in 2023-01." in told
    assert "Convert the amount to EUR" in told
    assert "own_decimals" not in told


def test_payouts_are_told_apart_by_their_payor_payment_id_and_by_no_other_column(sender):
    with refused("told apart by payor_payment_id"):
        sender(key_column="region")
    with refused("due_date is no column"):
        sender(due_date="today")
    assert sender().check([row(1), row(1)]).repeated == 1


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


def test_a_row_is_named_by_its_reference_though_the_payor_makes_no_key(sender, sandbox):
    """A payor with invisible characters makes none."""
    sender.store([row(1)])
    odd = sender(payor_id=f"{sandbox.payor_id[:8]}\u200b{sandbox.payor_id[8:]}")
    with refused("has no row PAY-9"):
        odd.ask_again(["PAY-9"], by="Ann", why="It was lost.")
    with refused("PAY-1 is waiting"):
        odd.ask_again(["PAY-1"], by="Ann", why="It was lost.")


def test_a_payment_has_to_be_withdrawn_before_it_is_sent_again(sender, sandbox):
    sender().send(rows(2))
    with refused("it would be asked twice"):
        sender().ask_again(["PAY-1"], by="Ann", why="It was lost.")
    take(sender, "withdraw")
    sender.ask_again("PAY-1")
    assert sender().resume().counts == {"created": 2}
    assert sandbox.work_done_by_reference()["PAY-1"] == 2


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


def test_a_payout_of_last_week_that_nobody_has_instructed_is_counted_and_named(sender, sandbox):
    """Next week's list begins anew, and lacks nothing that is paid, or will be."""
    sandbox.add_payee("payee-8")
    sender.finish(rows(2), batch="weekly")
    status = sender(batch="weekly").send([row(7, remote_id="payee-8")])
    assert (status.counts, status.lacking) == ({"created": 1, "to_decide": 2}, 2)
    assert list(status.lacking_names) == ["PAY-1", "PAY-2"]
    assert sender(batch="weekly").take_step("instruct", also=["PAY-1", "PAY-2"]).exit_status == 0
    assert sender(batch="weekly").status().lacking == 0


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


def test_next_month_of_the_same_salaries_is_asked_about_unless_its_memo_names_the_month(sender):
    """Payouts have no due date, which tells the months of payment requests apart."""
    months = {month: rows(3, memo=f"Salary {month}") for month in ("May", "June")}
    for number, record in enumerate(months["June"]):
        record["payor_payment_id"] = f"JUNE-{number}"
    sender.finish(months["May"], batch="may")
    without_month = [{**each, "memo": "Salary May"} for each in months["June"]]
    assert sender(batch="june").check(without_month).noticed == {"looks_like": 3}
    sender.finish(months["June"], batch="june")


@pytest.mark.parametrize("step", ["instruct", "withdraw"])
def test_a_step_is_taken_only_for_payouts_that_its_own_batch_has_sent(sender, sandbox, step):
    """Whoever lists payments of another batch takes no step of it."""
    sender.finish(rows(2), batch="both")
    for batch, amount in (("same", "1.50"), ("other", "1.60")):
        sender(batch=batch).send([row(1, amount=amount)])
        with refused(f"{batch} has nothing to {step}"):
            sender(batch=batch).take_step(step)
    sender.finish(rows(3), batch="more")
    for batch in ("more", "both"):
        take(sender, step, batch=batch)
    assert calls(sandbox, step) == 2


def test_the_sender_of_each_row_stays_known_where_another_person_has_to_instruct(sender):
    """Whoever sends to such a batch says who it is, and whoever sent nothing may act. Who goes on
    with a file is not who sends it.
    """
    sender.store(rows(1), by="Ann", not_by_sender=True)
    for read in ("check", "send"):
        with refused("by is missing: rows of this batch"):
            getattr(sender(), read)(rows(2))
    assert sender(by="Bob").resume().counts == {"created": 1}
    with refused("Another person has to"):
        sender(by="ANN ").take_step("instruct")
    take(sender, "instruct", by="Bob")
    assert sender(by="Bob").send(rows(2)).counts == {"created": 2}
    with refused("Another person has to"):
        sender(by="Bob").take_step("instruct")


def test_another_person_can_be_required_later_if_the_sender_of_all_rows_is_known(sender):
    sender(by="Ann").send(rows(1))
    sender(by="Ann", not_by_sender=True).send(rows(1))
    with refused("Another person has to"):
        sender(by="Ann").take_step("instruct")


def test_another_person_cannot_be_wanted_after_rows_were_sent_by_nobody_who_is_known(sender):
    sender(batch="april").send([row(7)])
    with refused("not_by_sender cannot hold for this batch"):
        sender(batch="april", by="Ann", not_by_sender=True).send([row(7), row(8)])
    take(sender, "instruct", batch="april", by="Ann")


def test_bulk_sending_for_another_system_is_refused_with_the_reason(bulk):
    why = r"EastPay has no bulk sending: .* It is for Victor or Velo\."
    with EastPay(**EASTPAY) as client, refused(why):
        BulkSender(client)
    assert "decided while a customer waits" in bulk("--provider", "flexfactor", "status").err


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


def test_an_instruction_that_was_lost_is_given_again(bulk, sandbox, end_look_ups):
    """Once nothing of it can be under way, by another command."""
    bulk.write(rows(2), "march.csv")
    assert bulk.send("march.csv").status == 0
    sandbox.inject("cut_request", operation="instruct")
    reads = calls(sandbox, "get_payout")
    with bulk.started("instruct", "march.csv") as process:
        wait_until(lambda: calls(sandbox, "get_payout") > reads + 2, process)
    how = "Go on with:\n  victor bulk --provider velo instruct march.csv\n"
    status = bulk("status")
    assert (status.status, status.err.endswith(how)) == (3, True)
    assert "instruct: 1 unknown" in status.out
    end_look_ups()
    lost = bulk("instruct", "march.csv")
    assert (lost.status, lost.err.endswith(how)) == (75, True)
    assert "The payout is ACCEPTED. So it was lost, and can be sent again." in lost.out
    assert bulk("instruct", "march.csv").out == "march.csv: instruct: 1 done\n"
    assert calls(sandbox, "instruct") == 2


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


def test_an_instruction_that_waits_is_of_the_sheet_that_it_was_given_for(sender, sandbox):
    """Nobody gives it again: no worker pays what a newer sheet lacks."""
    sender.finish(rows(2))
    with broken_off(sandbox, "instruct", -1) as stop:
        sender().take_step("instruct", on_progress=stop)
    sender().send(rows(2))
    assert sender().status().steps["instruct"]["counts"] == {"waiting": 1}, "it is the same sheet"
    sender().drop()
    assert sender().status().steps["instruct"]["counts"] == {"refused": 1}


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

    def test_a_step_that_is_taken_again_keeps_its_rate(self, sender, sandbox, tmp_path):
        sender.finish(rows(2), rate=1000)
        sandbox.inject("status", operation="instruct", status=400)
        take(sender, "instruct", "rejected", rate=500)
        take(sender, "instruct")
        rates = in_state(tmp_path / "state.sqlite", "rate FROM victor_bulk_batches ORDER BY batch")
        assert rates == [1000, 500]

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

    def test_a_step_that_was_ruled_out_is_read_again(self, sender, sandbox):
        sender.finish(rows(2))
        (payout,) = payouts_of(sender)
        rejected = json.dumps({"payoutId": payout, "status": "REJECTED"})
        sandbox.inject("status", operation="get_payout", status=200, body=rejected)
        take(sender, "instruct", "refused")
        take(sender, "instruct")
        assert calls(sandbox, "instruct") == 1

    def test_no_instruction_is_sent_while_the_payout_cannot_be_read(self, sender, sandbox):
        sender.finish(rows(2))
        sandbox.inject("status", operation="get_payout", status=503, times=1000)
        stopped = sender(patience=0.1).take_step("instruct")
        assert (stopped.counts, stopped.exit_status) == ({"not_sent": 1}, 75)
        assert calls(sandbox, "instruct") == 0

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

    @pytest.mark.parametrize(("name", "account"), [("instruct", "EUR"), ("withdraw", "USD")])
    def test_a_lost_step_is_taken_again_only_when_its_first_call_cannot_be_under_way(
        self, sender, sandbox, end_look_ups, name, account
    ):
        sender().send(rows(2, source_account_name=f"{account} account"))
        lose(sender, sandbox, name)
        reads = calls(sandbox, "get_payout")

        def pass_on(_status):
            if calls(sandbox, "get_payout") > reads:
                end_look_ups()

        assert sender().take_step(name, on_progress=pass_on).counts == {"not_sent": 1}
        assert calls(sandbox, name) == 1
        assert calls(sandbox, "get_payout") > reads + 1, "it was read before, too"
        take(sender, name)
        take(sender, name)
        assert calls(sandbox, name) == 2

    def test_a_lost_withdrawal_of_an_instructed_payout_is_unknown_until_all_payments_are_paid(
        self, sender, sandbox, end_look_ups
    ):
        """It may still come as long as Velo does not say that all is paid."""
        sender.finish(rows(2))
        lose(sender, sandbox, "withdraw")
        take(sender, "instruct")
        end_look_ups()
        for _ in range(2):
            take(sender, "withdraw", "unknown")
            sandbox.advance(SETTLEMENT)
        (payout,) = payouts_of(sender)
        confirmed = json.dumps({"payoutId": payout, "status": "CONFIRMED"})
        sandbox.inject("status", operation="get_payout", status=200, body=confirmed, times=9)
        take(sender, "withdraw", "rejected")
        assert calls(sandbox, "withdraw") == 1


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


def test_a_payout_that_is_not_accepted_yet_waits_for_resume(bulk, sender, sandbox):
    sandbox.inject("status", operation="get_payout", status=503, times=1000)
    bulk.write(rows(2), "march.csv")
    accepted = bulk.send("march.csv", "--patience", "0.1")
    assert accepted.status == 3
    assert "victor bulk --provider velo resume --batch march.csv" in accepted.err
    assert sender().send(rows(2)).counts == {"accepted": 2}
    sandbox.clear_faults()
    with refused("not_by_sender cannot be checked: some of the rows"):
        sender(by="Bob", not_by_sender=True).take_step("instruct")
    with refused("accepted nothing that this batch has sent"):
        sender().take_step("instruct")
    assert sender().resume().counts == {"created": 2}
    assert calls(sandbox, "submit") == 2


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


def test_ten_refused_reads_of_payouts_in_a_row_end_a_pass(sender, sandbox):
    """The client is refused then, as one whose credentials may not read."""
    sandbox.inject("status", operation="get_payout", status=403, times=1000)
    records = [row(number, payout_memo=f"memo {number}") for number in range(12)]
    assert sender(patience=0).send(records).counts == {"accepted": 12}
    assert calls(sandbox, "get_payout") % 10 == 0, "there may be several passes"


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
