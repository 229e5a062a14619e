"""What a person decides: to ask once more, what became of a row, a state that was restored, and
what is forgotten.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bulk.bulk_runs import (
    Bulk,
    Clients,
    Meanwhile,
    Senders,
    asked_once,
    change_state,
    keys_of,
    lose_answers,
    made_in,
    nothing_sent,
    outbound,
    referenced,
    refused,
    respond_to_creates,
    row,
    rows,
)
from tests.outbox.backups import Backup
from victor_ext import ConfigurationError, idempotency_key_for
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
WHO: dict[str, Any] = {"by": "Ann", "why": "the customer has asked for it"}


@pytest.mark.parametrize("word", ["declined", "expired", "failed"])
def test_what_is_over_is_asked_again_under_its_next_key(
    sender: Senders, victor_sandbox: Sandbox, word: str
) -> None:
    sender.finish(rows(2))
    first = sender.results()["INV-1"]
    payment, keys = first, list[str]()
    for number in (1, 2):
        victor_sandbox.move(payment.id, word)
        sender.ask_again("INV-1")
        assert sender().status().counts == {"waiting": 1, "created": 1}
        sender.finish()
        payment = sender.results()["INV-1"]
        keys.append(idempotency_key_for("again", first.key, number))
        assert payment.key == keys[-1]
        asked_once(victor_sandbox, rows(2), *keys)


def test_what_may_still_be_paid_is_not_asked_again(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Nothing is changed, also not of those that are over."""
    sender.finish(rows(3))
    victor_sandbox.move(sender.results()["INV-2"].id, "declined")
    for names, who, why in (
        (["INV-1", "INV-2"], WHO, "INV-1 is pending: it would be asked twice"),
        (["INV-2", "INV-9"], WHO, "march has no row INV-9"),
        (["INV-2"], {**WHO, "by": " "}, "by is missing"),
        (["INV-2"], {**WHO, "why": " "}, "why is missing"),
    ):
        with refused(why):
            sender().ask_again(names, **who)
    sender.finish()
    asked_once(victor_sandbox, rows(3))


@pytest.mark.parametrize("first", ["another person", "another file"])
def test_what_changes_while_a_person_reads_is_not_asked_again(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox, first: str
) -> None:
    """What the person has read is over; what is there now is not."""
    sender.finish(rows(1))
    victor_sandbox.move(sender.result().id, "declined")

    def ask_first() -> None:
        sender.ask_again("INV-1")
        sender.finish()

    def send_first() -> None:
        assert sender(by="Bob").send([row(1, amount="99.00"), row(2)]).exit_status == 1

    happens = ask_first if first == "another person" else send_first
    second = clients(transport=Meanwhile(happens))
    with refused("It was changed meanwhile"):
        sender(victor=second).ask_again(["INV-1"], **WHO)
    asked = {result.key for result in sender().export()}
    asked_once(victor_sandbox, rows(1), *asked)


def test_two_persons_who_ask_for_two_rows_are_both_stored(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox
) -> None:
    sender.finish(rows(2))
    for result in sender().export():
        victor_sandbox.move(result.id, "declined")

    def ask_first() -> None:
        assert sender().ask_again(["INV-2"], by="Bob", why="he has called") == 1

    second = clients(transport=Meanwhile(ask_first))
    sender.ask_again("INV-1", victor=second)
    with sender()._stored_batch() as (_, _, record):
        assert [person["by"] for person in record.persons] == [None, "Bob", "Ann"]


def test_the_values_of_the_latest_file_are_asked(sender: Senders, victor_sandbox: Sandbox) -> None:
    before, after = [row(1, amount="10.00")], [row(1, amount="12.00")]
    sender.finish(before)
    victor_sandbox.move(sender.result().id, "expired")
    assert sender().send(after).exit_status == 1
    sender.ask_again("INV-1")
    sender.finish()
    assert sender.result().asked["amount"] == "12.00"
    # From now on these are the values that were asked.
    sender.finish(after)
    assert sender().send(before).exit_status == 1


def test_a_row_that_looks_like_another_payment_is_allowed_once(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Another batch has its notice, too: by then the payment is pending."""
    alike = row(1, invoice_no="inv-1")
    sender.finish([row(1)])
    for batch in ("april", "april", "may"):
        status = sender(batch=batch).send([alike])
        assert status.exit_status == 1
        assert status.noticed == {"looks_like": 1}
    assert sender(batch="april").resume().exit_status == 1
    asked_once(victor_sandbox, [row(1)])
    sender.ask_again("inv-1", batch="april")
    sender.finish(batch="april")
    sender.finish([alike], batch="april")
    with refused(r"inv-1 is pending: it would be asked twice"):
        sender(batch="may").ask_again(["inv-1"], **WHO)
    asked_once(victor_sandbox, [row(1), alike])


@pytest.mark.parametrize(
    ("found", "id", "outcome"), [("created", "X1", "created"), ("not-created", None, "refused")]
)
def test_a_row_in_doubt_is_resolved_by_what_a_person_has_found(
    sender: Senders, victor_sandbox: Sandbox, found: str, id: str | None, outcome: str
) -> None:
    lose_answers(victor_sandbox)
    assert sender(key_retention=100).send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    with refused("outcome='sent' must be created or not-created"):
        sender().resolve("INV-1", "sent", **WHO)
    sender().resolve("INV-1", found, id=id, **WHO)
    result = sender.result()
    assert result.error.endswith("by Ann: the customer has asked for it")
    assert result.outcome == outcome
    assert result.id == id
    with refused("there is nothing to resolve"):
        sender().resolve("INV-1", found, **WHO)
    assert sender().resume().exit_status == (outcome == "refused")
    sender.finish([row(1)])


def test_a_row_that_a_worker_has_is_not_resolved_meanwhile(
    sender: Senders, clients: Clients, victor_sandbox: Sandbox
) -> None:
    lose_answers(victor_sandbox)
    assert sender().send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    why = list[str]()

    def resolve() -> None:
        with pytest.raises(ConfigurationError) as error:
            sender().resolve("INV-1", "not-created", **WHO)
        why.append(str(error.value))

    sender(victor=clients(transport=Meanwhile(resolve, "POST"))).resume()
    assert why == ["INV-1 is being sent or looked up now: let that end first."]
    assert sender.result().outcome == "created"


def test_one_value_of_several_rows_names_the_one_that_is_meant(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Such as a row in doubt of an earlier key kind. Where several are meant, their keys tell them
    apart.
    """
    lose_answers(victor_sandbox)
    sender().send([row(1)])
    old = sender.result().key
    sender(key_kind="subscription-10").send([row(1, amount="9.00"), row(2)])
    (new,) = (result.key for result in sender().export() if result.row == 1)
    with refused("INV-1 names 2 rows: write the key of one") as both:
        sender().resolve("INV-1", "not-created", **WHO)
    assert old in str(both.value)
    assert new in str(both.value)
    sender().resolve(new, "not-created", **WHO)
    # One of them is in doubt, and the other one is refused.
    with refused("INV-1 names 2 rows"):
        sender().ask_again(["INV-1"], **WHO)
    assert sender().drop(["INV-1"]) == 1
    sender().resolve("INV-1", "created", id="A1", **WHO)
    assert sender().status().counts == {"unknown": 1, "created": 1}


def test_what_was_created_without_its_id_is_given_one_by_hand(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    lose_answers(victor_sandbox)
    sender().send(rows(2))
    victor_sandbox.clear_faults()
    sender().resolve("INV-1", "created", **WHO)
    with refused("INV-1 was created, and its id is not known"):
        sender().ask_again(["INV-1"], **WHO)
    for outcome in ("created", "not-created"):
        with refused("there is nothing to resolve"):
            sender().resolve("INV-1", outcome, **WHO)
    ids = {request["amount"]: request["id"] for request in outbound(victor_sandbox)}
    its_own = ids[row(1)["amount"]]
    sender().resolve("INV-1", "created", id=its_own, **WHO)
    assert sender.results()["INV-1"].id == its_own
    with refused("there is nothing to resolve"):
        sender().resolve("INV-1", "created", id="another", **WHO)
    victor_sandbox.move(its_own, "declined")
    sender.ask_again("INV-1")


def test_a_restored_state_sends_nothing_before_it_is_released(
    sender: Senders, victor_sandbox: Sandbox, backup: Backup
) -> None:
    """What had not left in the backup was sent since: it is looked up."""
    sender = sender.of(state=backup.url)
    records = referenced(30)
    sender.store(records)
    backup.make()
    sender.finish()
    backup.restore()
    assert sender().hold() == 30
    for act in (sender().resume, partial(sender().send, referenced(31))):
        with refused("The state is held"):
            act()
    assert sender().status().rows == 30
    assert sender().release() == 30
    assert sender().release() is None
    assert sender().status().counts == {"unknown": 30}
    with nothing_sent(victor_sandbox):
        sender.finish()
    asked_once(victor_sandbox, records)
    sender.finish(referenced(31))


def reject_and_ask_again(sender: Senders, sandbox: Sandbox) -> None:
    respond_to_creates(sandbox, 400, 1)
    assert sender().resume().counts == {"rejected": 1}
    sender.ask_again("INV-1")
    sender.finish()


def correct_and_send(sender: Senders, sandbox: Sandbox) -> None:
    respond_to_creates(sandbox, 400, 1)
    assert sender().resume().counts == {"rejected": 1}
    sender.finish([{**referenced(1)[0], "amount": "5.00"}])


def give_another_number(sender: Senders, sandbox: Sandbox) -> None:
    sender.finish([row(1, invoice_no="B-1", client_reference_id="B-1")])


@pytest.mark.parametrize(
    ("happens", "outcome"),
    [
        (reject_and_ask_again, "created"),
        (correct_and_send, "unknown"),
        (give_another_number, "unknown"),
    ],
)
def test_what_waits_in_a_backup_is_not_sent_by_its_old_key_with_its_old_values(
    sender: Senders,
    victor_sandbox: Sandbox,
    backup: Backup,
    happens: Callable[..., None],
    outcome: str,
) -> None:
    """The provider has it under another key since then."""
    sender = sender.of(state=backup.url)
    sender.store(referenced(1))
    backup.make()
    happens(sender, victor_sandbox)
    made = made_in(victor_sandbox)
    backup.restore()
    sender().hold()
    assert sender().release() == 1
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts == {outcome: 1}
        sender().send(referenced(1))
    assert made_in(victor_sandbox) == made == 1


def test_what_was_in_doubt_in_a_backup_is_looked_up(
    sender: Senders, victor_sandbox: Sandbox, backup: Backup
) -> None:
    """It was resolved since then, and asked with another number."""
    sender = sender.of(state=backup.url)
    respond_to_creates(victor_sandbox, 503)
    assert sender().send(referenced(1)).exit_status == 3
    backup.make()
    victor_sandbox.clear_faults()
    sender().resolve("INV-1", "not-created", **WHO)
    give_another_number(sender, victor_sandbox)
    backup.restore()
    sender().hold()
    assert sender().release() == 0
    with nothing_sent(victor_sandbox):
        assert sender().resume().counts == {"unknown": 1}


def test_a_backup_that_was_made_while_the_state_was_held_is_marked_by_its_own_hold(
    sender: Senders, bulk: Bulk, victor_sandbox: Sandbox, backup: Backup
) -> None:
    """A person had resolved a row then; it was sent since."""
    sender = sender.of(state=backup.url)
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
    assert held.status == 0
    assert "1 row may have been asked for since the backup" in held.out
    sender().release()
    with nothing_sent(victor_sandbox):
        assert sender().send(referenced(1)).noticed == {"asked_since": 1}
    assert made_in(victor_sandbox) == 1


def test_a_hold_is_seen_and_covers_a_state_that_has_nothing_yet(
    sender: Senders, bulk: Bulk, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    for act in (sender().hold, sender().release):
        with refused("There is no state sqlite:"):
            act()
    State(f"sqlite:///{tmp_path}/state.sqlite").prepare()  # by a process that was killed then
    sender().hold()
    with refused("The state is held"):
        sender().send(rows(1))
    assert sender().release() == 0
    assert sender().send(rows(1)).held_since is None
    sender().hold()
    status = sender().status()
    assert status.exit_status == 1
    assert status.held_since is not None
    sender().hold()
    assert sender().status().held_since == status.held_since
    state = ("--state", f"sqlite:///{tmp_path}/state.sqlite")
    shown = bulk("status", *state)
    assert shown.status == 1
    assert "held since" in shown.out
    assert '"held_since": "20' in bulk("status", *state, "--json").out
    assert [bulk("release", *state).status for _ in range(2)] == [0, 1]
    asked_once(victor_sandbox, rows(1))


class Restored:
    """A state that is restored, as it was before something."""

    def __init__(self, sender: Senders, folder: Path) -> None:
        self.sender, self._backup = sender, Backup(f"sqlite:///{folder}/state.sqlite")
        self._backup.make()

    def release(self) -> int | None:
        self._backup.restore()
        self.sender().hold()
        released: int | None = self.sender().release()
        return released


@pytest.mark.parametrize("reference", ["client_reference_id", "region"])
def test_what_is_rejected_or_refused_in_a_restored_state_is_only_looked_up_when_it_is_corrected(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, reference: str
) -> None:
    """It may have been corrected since the backup; its key, or the next one, may be forgotten."""
    first, second = {reference: "A"}, {reference: "B"}
    wrong = [row(1, **first), row(2, amount="0", **second)]
    right = [row(1, amount="5.00", **first), row(2, **second)]
    respond_to_creates(victor_sandbox, 400, 1)
    assert sender(skip_invalid=True).send(wrong).counts == {"rejected": 1, "refused": 1}
    restored = Restored(sender, tmp_path)
    sender.finish(right)
    assert restored.release() == 0
    # Dropped, it is known nevertheless; and a file that is still wrong changes nothing.
    assert sender().drop(["INV-2"]) == 1
    assert sender(skip_invalid=True).send(wrong).exit_status == 1
    made = victor_sandbox.work_done_by_key()
    status = sender().send(right)
    assert victor_sandbox.work_done_by_key() == made
    assert status.noticed == {"asked_since": 2}
    assert status.check.new == 0
    if reference == "client_reference_id":
        assert status.counts == {"created": 2}
        return
    assert status.counts == {"unknown": 2}
    sender().resolve("INV-1", "not-created", **WHO)
    sender().resolve("INV-2", "created", id="X2", **WHO)
    sender.finish(right)
    assert made_in(victor_sandbox) == 2


@pytest.mark.parametrize("was_asked", [True, False])
def test_what_may_have_been_asked_again_since_the_backup_is_not_asked_again(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, was_asked: bool
) -> None:
    sender.finish(rows(1))
    victor_sandbox.move(sender.result().id, "declined")
    restored = Restored(sender, tmp_path)

    def ask_again() -> str:
        sender.ask_again("INV-1")
        sender.finish()
        return str(sender.result().id)

    second = ask_again() if was_asked else None
    restored.release()
    with refused("may have been asked since the backup"):
        sender().ask_again(["INV-1"], **WHO)
    sender().resolve("INV-1", "created" if was_asked else "not-created", id=second, **WHO)
    assert sender.result().outcome == "created"
    if second is not None:
        with refused("it would be asked twice"):
            sender().ask_again(["INV-1"], **WHO)
        victor_sandbox.move(second, "declined")
    ask_again()
    asked = 3 if was_asked else 2
    assert list(victor_sandbox.work_done_by_key().values()) == [1] * asked


def test_what_the_latest_file_lacks_is_not_sent_by_a_release(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Also what was refused: it has nothing that could be sent."""
    sender.store([*rows(2), row(3, amount="0")], skip_invalid=True)
    sender.store(rows(1))
    sender().hold()
    assert sender().release() == 1
    sender().resume()
    sender().resolve("INV-1", "not-created", **WHO)
    sender.finish(rows(1))
    asked_once(victor_sandbox, rows(1))
    assert [*sender.results()] == ["INV-1"]


@pytest.mark.parametrize("was_made", [True, False])
def test_what_is_in_doubt_and_not_in_the_latest_file_is_looked_up_and_stays_in_sight(
    sender: Senders, victor_sandbox: Sandbox, was_made: bool
) -> None:
    records = referenced(2)
    if was_made:
        lose_answers(victor_sandbox)
    else:
        respond_to_creates(victor_sandbox, 503)
    victor_sandbox.inject("status", operation="list", times=None, status=503)
    assert sender().send(records).exit_status == 3
    victor_sandbox.clear_faults()
    outcome, exit_status = ("created", 0) if was_made else ("unknown", 3)
    sender().send(records[:1])
    for again in (sender().resume, partial(sender().send, records[:1])):
        second = sender.results()["INV-2"]
        assert second.row == 0
        assert second.outcome == outcome
        assert sender().status().rows == 2
        assert again().exit_status == exit_status
        assert made_in(victor_sandbox) == 1 + was_made
    sender().send(records)
    assert [result.row for result in sender().export()] == [1, 2]


def test_what_is_forgotten_still_protects(sender: Senders, victor_sandbox: Sandbox) -> None:
    sender.store([*rows(2), row(3, amount="-1")], skip_invalid=True)
    lose_answers(victor_sandbox)
    sender(batch="april").send([row(4)])
    victor_sandbox.clear_faults()
    sender().resume()
    before = [(result.row, result.id) for result in sender().export()]
    # What waits, or may exist, is not forgotten.
    ages = (timedelta(days=1), timedelta(0), timedelta(0))
    assert [sender().forget(older_than=age) for age in ages] == [0, 3, 0]
    forgotten = list(sender().export())
    assert [(result.row, result.id) for result in forgotten] == before
    assert not any(result.asked or result.extras or result.error for result in forgotten)
    sender.finish(batch="april")
    sender.finish(rows(2), batch="may")
    changed = sender(batch="may").send([row(1, amount="999.00")])
    assert changed.exit_status == 1
    assert changed.noticed == {"other_values": 1}
    alike = sender(batch="june").send([row(2, invoice_no="inv-2")])
    assert alike.noticed == {"looks_like": 1}
    asked_once(victor_sandbox, [*rows(2), row(4)])


def in_state(path: Path, query: str) -> list[Any]:
    """What an SQLite state has, in one column."""
    with closing(sqlite3.connect(path / "state.sqlite")) as database:
        return [value for (value,) in database.execute(f"SELECT {query}")]


def test_what_is_forgotten_can_be_read_named_and_asked_again(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    sender.finish(rows(2))
    respond_to_creates(victor_sandbox, 400, 1)
    sender(batch="rejected").send([row(3)])
    first = sender.results()["INV-1"]
    assert sender().forget(older_than=timedelta(0)) == 3
    victor_sandbox.move(first.id, "declined")
    payments = sender().status(refresh=True).payments
    assert payments["declined"] == 1
    assert sum(payments.values()) == 2
    for name, why in (
        ("INV-1", r"INV-1: what it asks for .* forgotten"),
        ("INV-2", r"INV-2 is \w+: it would be asked twice"),
        ("INV-9", "march has no row INV-9"),
    ):
        with refused(why):
            sender().ask_again([name], **WHO)
    # What is said of it is true, and names what is known.
    (second_key,) = keys_of([row(2)])
    for batch, record, message in (
        ("rejected", row(3), "why is forgotten."),
        ("alike", row(2, invoice_no="inv-2"), f"is the payment {second_key}"),
        ("changed", row(2, amount="9.99"), "with other values. Not sent"),
    ):
        assert message in sender(batch=batch).send([record]).notices[0].message
    # A file has its values.
    stored_at = "stored_at FROM victor_bulk_asked"
    before = min(in_state(tmp_path, stored_at))
    change_state(tmp_path / "state.sqlite", "UPDATE victor_bulk_asked SET stored_at = 1")
    sender.finish(rows(2))
    sender.ask_again("INV-1")
    assert max(in_state(tmp_path, stored_at)) > before
    sender.finish()
    asked_again = next(iter(sender().export()))
    assert asked_again.extras["invoice_no"] == "INV-1"
    assert asked_again.id != first.id
    # It is as old as its last asking, and then it is forgotten as any other.
    assert sender().forget(older_than=timedelta(days=1)) == 1  # what looked like another one
    assert next(iter(sender().export())).asked
    assert sender().forget(older_than=timedelta(0)) == 1
    assert [result.asked for result in sender().export()] == [{}, {}]


def test_what_was_not_made_in_a_restored_state_is_forgotten_once_a_person_has_looked(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """It may have been corrected and asked since the backup, and is found by its values alone."""
    respond_to_creates(victor_sandbox, 400, 1)
    sender(workers=1).send(rows(2))
    Restored(sender, tmp_path).release()
    assert sender().forget(older_than=timedelta(0)) == 1
    rejected, _ = sender().export()
    assert rejected.asked["amount"] == row(1)["amount"]
    sender().resolve("INV-1", "not-created", **WHO)
    assert sender().forget(older_than=timedelta(0)) == 1
    assert not any(result.asked for result in sender().export())


def test_what_files_say_of_forgotten_rows_is_forgotten_when_they_are_as_old(
    sender: Senders, tmp_path: Path
) -> None:
    sender.finish(rows(1))
    sender().forget(older_than=timedelta(0))
    sender().send(rows(1))
    sender(batch="april", skip_invalid=True).send([row(1), row(2, invoice_no="#N/A")])
    lines = "count(*) FROM victor_bulk_lines WHERE row IS NOT NULL"
    for days, left in ((1, 3), (0, 0)):
        assert in_state(tmp_path, lines) == [3]
        assert sender().forget(older_than=timedelta(days=days)) == 0
        assert in_state(tmp_path, lines) == [left]


ASKED_LONG_AGO = "UPDATE victor_bulk SET first_sent_at = first_sent_at - 3000"
"""As if it were sent fifty minutes before."""


@pytest.mark.victor_sandbox(key_life=300)
@pytest.mark.parametrize("how", ["resume", "another file", "ask again", "another life"])
def test_the_life_of_a_key_is_what_was_said_when_it_was_stored(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    """Whoever goes on says nothing of it, or more."""
    records = [row(1, client_reference_id="REF-1")]
    keys = list[str]()
    begin = partial(sender(key_retention=300).send, records)
    if how == "ask again":
        begin()
        victor_sandbox.move(sender.result().id, "declined")
        sender.ask_again("INV-1")
        keys.append(idempotency_key_for("again", *keys_of(records), 1))
        begin = sender().resume
    lose_answers(victor_sandbox)
    assert begin().exit_status == 3
    victor_sandbox.clear_faults()
    kept = "kept FROM victor_bulk WHERE state = 'sending'"
    assert in_state(tmp_path, kept) == [300]
    change_state(tmp_path / "state.sqlite", ASKED_LONG_AGO)
    victor_sandbox.advance(3000)  # the provider forgets its keys
    if how == "another file":
        sender(batch="april").send(records)
    else:
        sender(**({"key_retention": 86_400} if how == "another life" else {})).resume()
    asked_once(victor_sandbox, records, *keys)
