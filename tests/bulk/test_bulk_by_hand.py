"""What a person decides: to ask once more, what became of a row, a state that was restored, and
what is forgotten.
"""

from datetime import timedelta
from functools import partial

import pytest

from tests.bulk.bulk_runs import (
    WHO,
    Meanwhile,
    asked_once,
    lose_answers,
    made_in,
    nothing_sent,
    referenced,
    refused,
    respond_to_creates,
    row,
    rows,
)
from victor_ext import ConfigurationError, idempotency_key_for

pytestmark = pytest.mark.pull_request


@pytest.mark.parametrize("word", ["declined", "expired", "failed"])
def test_a_payment_that_has_ended_unpaid_is_sent_again_by_hand_under_its_next_key(
    sender, victor_sandbox, word
):
    sender.finish(rows(2))
    first = payment = sender.results()["INV-1"]
    keys = []
    for number in (1, 2):
        victor_sandbox.move(payment.id, word)
        sender.ask_again("INV-1")
        assert sender().status().counts == {"waiting": 1, "created": 1}
        sender.finish()
        payment = sender.results()["INV-1"]
        keys.append(idempotency_key_for("again", first.key, number))
        assert payment.key == keys[-1]
        asked_once(victor_sandbox, rows(2), *keys)


@pytest.fixture
def with_a_declined_one(sender, victor_sandbox):
    """Three rows that were asked for; the payment of INV-2 was declined."""
    sender.finish(rows(3))
    victor_sandbox.move(sender.results()["INV-2"].id, "declined")


@pytest.mark.usefixtures("with_a_declined_one")
@pytest.mark.parametrize(
    ("other", "why"),
    [
        ("INV-1", "INV-1 is pending: it would be asked twice"),
        ("INV-9", "march has no row INV-9"),
    ],
)
def test_nothing_is_sent_again_by_hand_if_one_of_the_named_rows_may_still_be_paid_or_is_none(
    sender, victor_sandbox, other, why
):
    with refused(why) as caught:
        sender().ask_again(["INV-2", other], **WHO)
    notes = ["Nothing was changed. Name the others without it."] if other == "INV-1" else []
    assert getattr(caught.value, "__notes__", []) == notes
    sender.finish()
    asked_once(victor_sandbox, rows(3))


@pytest.mark.parametrize(
    ("found", "id", "outcome"), [("created", "X1", "created"), ("not-created", None, "refused")]
)
def test_a_row_of_unknown_outcome_is_resolved_by_what_a_person_has_found(
    sender, victor_sandbox, found, id, outcome
):
    lose_answers(victor_sandbox)
    assert sender(key_retention=100).send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    with refused("outcome='sent' must be created or not-created"):
        sender().resolve("INV-1", "sent", **WHO)
    sender().resolve("INV-1", found, id=id, **WHO)
    result = sender.result()
    assert result.error.endswith("by Ann: the customer has asked for it")
    assert (result.outcome, result.id) == (outcome, id)
    with refused("there is nothing to resolve"):
        sender().resolve("INV-1", found, **WHO)
    assert sender().resume().exit_status == (outcome == "refused")


def test_a_row_that_a_worker_has_is_not_resolved_meanwhile(sender, clients, victor_sandbox):
    lose_answers(victor_sandbox)
    assert sender().send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    why = []

    def resolve():
        with pytest.raises(ConfigurationError) as error:
            sender().resolve("INV-1", "not-created", **WHO)
        why.append(str(error.value))

    sender(victor=clients(transport=Meanwhile(resolve, "POST"))).resume()
    assert why == ["INV-1 is being sent or looked up now: let that end first."]
    assert sender.result().outcome == "created"


def test_a_restored_state_sends_nothing_before_it_is_released(sender, victor_sandbox, backup):
    """What had not left in the backup was sent since: it is looked up."""
    records = referenced(5)
    sender.store(records)
    backup.make()
    sender.finish()
    backup.restore()
    assert sender().hold() == 5
    for act in (sender().resume, partial(sender().send, referenced(6))):
        with refused("The state is held"):
            act()
    assert [sender().release() for _ in range(2)] == [5, None]
    assert sender().status().counts == {"unknown": 5}
    with nothing_sent(victor_sandbox):
        sender.finish()
    asked_once(victor_sandbox, records)


def give_another_number(sender):
    other = row(1, invoice_no="B-1", client_reference_id="B-1")
    sender().drop()
    sender.finish([other])


@pytest.mark.parametrize(
    ("happens", "outcome"),
    [
        (lambda sender: sender.ask_again("INV-1"), "created"),
        (lambda sender: sender.store([{**referenced(1)[0], "amount": "5.00"}]), "unknown"),
        (give_another_number, "unknown"),
    ],
    ids=["asked again", "corrected", "with another number"],
)
def test_a_row_that_waits_in_a_backup_is_not_sent_under_its_old_key_with_its_old_values(
    sender, victor_sandbox, backup, happens, outcome
):
    """The provider has it under another key since then."""
    sender.store(referenced(1))
    backup.make()
    if happens is not give_another_number:
        respond_to_creates(victor_sandbox, 400, 1)
        assert sender().resume().counts == {"rejected": 1}
    happens(sender)
    sender().resume()
    backup.restore()
    sender().hold()
    assert sender().release() == 1
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts == {outcome: 1}
        sender().send(referenced(1))
    assert made_in(victor_sandbox) == 1


def test_a_row_of_unknown_outcome_in_a_restored_backup_is_not_sent_though_it_was_resolved_since(
    sender, victor_sandbox, backup
):
    """It was asked for with another number since then."""
    respond_to_creates(victor_sandbox, 503)
    assert sender().send(referenced(1)).counts == {"unknown": 1}
    backup.make()
    victor_sandbox.clear_faults()
    sender().resolve("INV-1", "not-created", **WHO)
    give_another_number(sender)
    backup.restore()
    sender().hold()
    assert sender().release() == 0
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts == {"unknown": 1}


def test_a_row_that_was_resolved_during_a_hold_is_not_sent_again_from_a_backup_of_that_time(
    sender, bulk, victor_sandbox, backup
):
    """A person had resolved a row then; it was sent since."""
    wrong = [{**row, "amount": "0"} for row in referenced(1)]
    assert sender(skip_invalid=True).send(wrong).counts == {"refused": 1}
    sender().hold()
    sender().resolve("INV-1", "not-created", **WHO)
    backup.make()
    sender().release()
    sender.finish(referenced(1))
    victor_sandbox.advance(2 * 86_400)  # the provider forgets its keys
    backup.restore()
    held = bulk("hold", "--state", backup.url)
    assert "1 row may have been asked for since the backup" in held.out
    sender().release()
    with nothing_sent(victor_sandbox):
        assert sender().send(referenced(1)).noticed == {"asked_since": 1}


def test_the_command_shows_a_hold_and_releases_it_once(sender, bulk, tmp_path):
    sender.finish(rows(1))
    sender().hold()
    state = ("--state", f"sqlite:///{tmp_path}/state.sqlite")
    shown = bulk("status", *state)
    assert shown.status == 1
    assert "held since" in shown.out
    assert '"held_since": "20' in bulk("status", *state, "--json").out
    assert [bulk("release", *state).status for _ in range(2)] == [0, 1]


def nothing():
    """What happens since a backup of which nothing is lost."""


def restored_before(sender, backup, happens):
    """Something happens, and the state is restored as it was before."""
    backup.make()
    happens()
    backup.restore()
    sender().hold()
    sender().release()


def test_a_corrected_row_that_a_restored_state_has_as_rejected_is_only_looked_up(
    sender, victor_sandbox, backup
):
    """It may have been corrected and asked since the backup: its reference finds it."""
    corrected = [{**each, "amount": "5.00"} for each in referenced(1)]
    respond_to_creates(victor_sandbox, 400, 1)
    assert sender().send(referenced(1)).counts == {"rejected": 1}
    restored_before(sender, backup, partial(sender.finish, corrected))
    with nothing_sent(victor_sandbox):
        status = sender().send(corrected)
    assert (status.noticed, status.counts) == ({"asked_since": 1}, {"created": 1})
    assert made_in(victor_sandbox) == 1


@pytest.mark.parametrize("was_asked", [True, False])
def test_a_restored_row_is_sent_again_only_after_a_person_said_what_became_of_it_since_the_backup(
    sender, victor_sandbox, backup, was_asked
):
    sender.finish(rows(1))
    victor_sandbox.move(sender.result().id, "declined")
    made_since = []

    def ask_again():
        sender.ask_again("INV-1")
        sender.finish()
        made_since.append(sender.result().id)

    restored_before(sender, backup, ask_again if was_asked else nothing)
    with refused("may have been asked since the backup"):
        sender().ask_again(["INV-1"], **WHO)
    if was_asked:
        sender().resolve("INV-1", "created", id=made_since[0], **WHO)
        with refused("it would be asked twice"):
            sender().ask_again(["INV-1"], **WHO)
        victor_sandbox.move(made_since[0], "declined")
    else:
        sender().resolve("INV-1", "not-created", **WHO)
    ask_again()
    # The first request, that of after the backup if there was one, and the last: no key made two.
    assert [*victor_sandbox.work_done_by_key().values()] == [1] * (3 if was_asked else 2)


def test_what_the_latest_file_lacks_is_not_sent_when_the_rest_is(sender, victor_sandbox):
    """Nor before that, after a release. The latest file has INV-1 alone: it lacks INV-2, and INV-3,
    which was refused.
    """
    sender.store([*rows(2), row(3, amount="0")], skip_invalid=True)
    sender.store(rows(1))
    sender().hold()
    assert sender().release() == 1
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts["unknown"] == 1
    sender().resolve("INV-1", "not-created", **WHO)
    sender.finish(rows(1))
    asked_once(victor_sandbox, rows(1))


def leave_in_doubt(sender, sandbox, was_made):
    """INV-1 and INV-2 were asked for, with no word of what became of them."""
    lose_answers(sandbox) if was_made else respond_to_creates(sandbox, 503)
    sandbox.inject("status", operation="list", times=None, status=503)
    assert sender().send(referenced(2)).exit_status == 3
    sandbox.clear_faults()


@pytest.mark.parametrize(
    ("was_made", "outcome", "exit_status", "made"),
    [(True, "created", 0, 2), (False, "unknown", 3, 1)],
    ids=["it was made", "it was not made"],
)
@pytest.mark.parametrize("again", [None, "resume", "send"])
def test_a_row_of_unknown_outcome_that_the_latest_file_lacks_is_looked_up_and_stays_shown(
    sender, victor_sandbox, was_made, outcome, exit_status, made, again
):
    leave_in_doubt(sender, victor_sandbox, was_made)
    ended = sender().send(referenced(1))
    if again is not None:
        ended = sender().resume() if again == "resume" else sender().send(referenced(1))
    second = sender.results()["INV-2"]
    assert (second.row, second.outcome, ended.exit_status) == (0, outcome, exit_status)
    assert made_in(victor_sandbox) == made


def leave_one_in_doubt(sender, sandbox):
    """INV-1 and INV-2 are created, INV-3 is refused, and INV-4 of another batch may exist."""
    sender.store([*rows(2), row(3, amount="-1")], skip_invalid=True)
    lose_answers(sandbox)
    sender(batch="april").send([row(4)])
    sandbox.clear_faults()
    sender().resume()


def test_what_is_over_is_forgotten_at_its_age_and_what_may_exist_is_not(sender, victor_sandbox):
    leave_one_in_doubt(sender, victor_sandbox)
    before = [(result.row, result.id) for result in sender().export()]
    ages = (timedelta(days=1), timedelta(0), timedelta(0))
    assert [sender().forget(older_than=age) for age in ages] == [0, 3, 0]
    forgotten = list(sender().export())
    assert [(result.row, result.id) for result in forgotten] == before
    assert not any(result.asked or result.extras or result.error for result in forgotten)
    (doubtful,) = sender(batch="april").export()
    assert doubtful.asked["amount"] == row(4)["amount"]


def test_a_row_whose_data_was_forgotten_is_still_not_sent_twice(sender, victor_sandbox):
    leave_one_in_doubt(sender, victor_sandbox)
    assert sender().forget(older_than=timedelta(0)) == 3
    sender.finish(batch="april")
    sender.finish(rows(2), batch="may")
    for batch, record, notice in (
        ("may", row(1, amount="999.00"), "other_values"),
        ("june", row(2, invoice_no="inv-2"), "looks_like"),
    ):
        assert sender(batch=batch).send([record]).noticed == {notice: 1}
    asked_once(victor_sandbox, [*rows(2), row(4)])
