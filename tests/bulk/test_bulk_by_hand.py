"""What a person decides: what became of a row, a state that was restored, and what is forgotten."""

from datetime import timedelta
from decimal import Decimal
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
from victor_ext import InvalidRequest
from victor_ext.bulk import InvalidRows

pytestmark = pytest.mark.pull_request


@pytest.mark.parametrize(
    ("done", "id", "outcome"), [(True, "X1", "created"), (False, None, "refused")]
)
def test_a_row_of_unknown_outcome_is_resolved_by_what_a_person_has_found(
    sender, victor_sandbox, done, id, outcome
):
    lose_answers(victor_sandbox)
    assert sender(keys_kept=100).send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    sender().resolve("INV-1", done=done, id=id, **WHO)
    result = sender.result()
    assert result.error.endswith("one, says Ann: the customer has asked for it")
    assert (result.outcome, result.id) == (outcome, id)
    with refused("there is nothing to resolve"):
        sender().resolve("INV-1", done=done, **WHO)
    assert sender().resume().exit_status == (outcome == "refused")


def test_a_row_is_named_as_the_export_writes_its_key(sender, victor_sandbox):
    lose_answers(victor_sandbox)
    assert sender().send([row(1, invoice_no="-7")]).exit_status == 3
    sender().resolve("'-7", done=True, id="X1", **WHO)
    assert sender.result().id == "X1"


def test_a_row_that_a_worker_has_is_not_resolved_meanwhile(sender, clients, victor_sandbox):
    lose_answers(victor_sandbox)
    assert sender().send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    why = []

    def resolve():
        with pytest.raises(InvalidRequest) as error:
            sender().resolve("INV-1", done=False, **WHO)
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
    assert [sender().release() for _ in range(2)] == [True, False]
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
        (lambda sender: sender.store([{**referenced(1)[0], "amount": "5.00"}]), "unknown"),
        (give_another_number, "unknown"),
    ],
    ids=["corrected", "with another number"],
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
    sender().release()
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
    sender().resolve("INV-1", done=False, **WHO)
    give_another_number(sender)
    backup.restore()
    sender().hold()
    sender().release()
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts == {"unknown": 1}


def test_a_row_that_was_resolved_during_a_hold_is_not_sent_again_from_a_backup_of_that_time(
    sender, bulk, victor_sandbox, backup
):
    """A person had resolved a row then; it was sent since."""
    wrong = [{**row, "amount": "0"} for row in referenced(1)]
    assert sender(skip_invalid=True).send(wrong).counts == {"refused": 1}
    sender().hold()
    sender().resolve("INV-1", done=False, **WHO)
    backup.make()
    sender().release()
    sender.finish(referenced(1))
    victor_sandbox.advance(2 * 86_400)  # the provider forgets its keys
    backup.restore()
    held = bulk("hold", "--state", backup.url)
    assert "1 may have been sent since the backup" in held.out
    sender().release()
    with nothing_sent(victor_sandbox):
        assert sender().send(referenced(1)).noticed == {"asked_before": 1}


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
    assert (status.noticed, status.counts) == ({"asked_before": 1}, {"created": 1})
    assert made_in(victor_sandbox) == 1


def test_a_row_for_which_nothing_was_asked_before_a_hold_is_only_looked_up_when_it_is_corrected(
    sender, victor_sandbox
):
    """It may have been corrected and asked since the backup."""
    sender.finish(rows(1))
    assert sender(skip_invalid=True).send([row(1), row(2, amount="0")]).counts["refused"] == 1
    sender().hold()
    sender().release()
    with nothing_sent(victor_sandbox):
        status = sender().send(rows(2))
    assert status.noticed["asked_before"] == 1
    assert status.counts == {"created": 1, "unknown": 1}


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
    assert not any(result.asked or result.cells or result.error for result in forgotten)
    (doubtful,) = sender(batch="april").export()
    assert doubtful.asked == Decimal(row(4)["amount"])


def test_a_row_whose_data_was_forgotten_is_still_not_sent_twice(sender, victor_sandbox):
    leave_one_in_doubt(sender, victor_sandbox)
    assert sender().forget(older_than=timedelta(0)) == 3
    sender.finish(batch="april")
    sender.finish(rows(2), batch="may")
    changed = [row(1, amount="999.00"), row(2)]
    assert sender(batch="may").send(changed).noticed == {"asked_before": 1}
    with pytest.raises(InvalidRows, match="in another spelling"):
        sender(batch="june").send([row(2, invoice_no="inv-2", amount="7.00")])
    asked_once(victor_sandbox, [*rows(2), row(4)])
