"""What a person decides: to ask once more, what became of a row, a state that was restored, and
what is forgotten.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bulk.backups import FileBackup
from tests.bulk.bulk_runs import (
    Bulk,
    Senders,
    asked_once,
    change_state,
    keys_of,
    outbound,
    row,
    rows,
    store_only,
)
from tests.tiers import borders
from victor_ext import ConfigurationError, Victor, VictorOAuth, idempotency_key_for
from victor_ext.bulk import RowOutcome
from victor_ext.bulk.state import State
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
WHO: dict[str, Any] = {"by": "Ann", "why": "the customer has asked for it"}
OTHER_SECRET = "another secret for tests, of some length"


def results_of(sender: Any) -> dict[str, Any]:
    return {result.extras["invoice_no"]: result for result in sender.export()}


@pytest.mark.parametrize("word", ["declined", "expired", "failed"])
def test_what_is_over_is_asked_again_under_its_next_key(
    sender: Senders, victor_sandbox: Sandbox, word: str
) -> None:
    assert sender().send(rows(2)).exit_status == 0
    first = results_of(sender())["INV-1"]
    victor_sandbox.move(first.id, word)
    assert sender().ask_again(["INV-1"], **WHO) == 1
    assert sender().status().counts[RowOutcome.WAITING] == 1
    assert sender().resume().exit_status == 0
    again = results_of(sender())["INV-1"]
    assert again.key == idempotency_key_for("again", first.key, 1)
    assert again.id != first.id
    asked_once(victor_sandbox, keys_of(rows(2)) | {again.key})
    # A third time is under a third key.
    victor_sandbox.move(again.id, word)
    assert sender().ask_again(["INV-1"], **WHO) == 1
    assert sender().resume().exit_status == 0
    assert results_of(sender())["INV-1"].key == idempotency_key_for("again", first.key, 2)


def test_what_may_still_be_paid_is_not_asked_again(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Nothing is changed, also not of those that are over."""
    store_only(sender(), rows(3))
    assert sender().send(rows(3)).exit_status == 0
    made = results_of(sender())
    victor_sandbox.move(made["INV-2"].id, "declined")
    with pytest.raises(ConfigurationError, match=r"INV-1 is pending: it would be asked twice"):
        sender().ask_again(["INV-1", "INV-2"], **WHO)
    with pytest.raises(ConfigurationError, match="march has no row INV-9"):
        sender().ask_again(["INV-2", "INV-9"], **WHO)
    for missing in ("by", "why"):
        with pytest.raises(ConfigurationError, match=f"{missing} is missing"):
            sender().ask_again(["INV-2"], **{**WHO, missing: " "})
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(3)))


class Meanwhile(httpx.HTTPTransport):
    """The way to the provider. Something happens after its first answer to a read."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens = [happens]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = super().handle_request(request)
        if request.method == "GET" and self._happens:
            response.read()
            self._happens.pop()()
        return response


@pytest.mark.parametrize("first", ["another person", "another file"])
def test_what_changes_while_a_person_reads_is_not_asked_again(
    sender: Senders, oauth_client: tuple[str, str], victor_sandbox: Sandbox, first: str
) -> None:
    """What the person has read is over; what is there now is not."""
    assert sender().send(rows(1)).exit_status == 0
    victor_sandbox.move(results_of(sender())["INV-1"].id, "declined")

    def ask_first() -> None:
        assert sender().ask_again(["INV-1"], **WHO) == 1
        assert sender().resume().exit_status == 0

    def send_first() -> None:
        assert sender(by="Bob").send([row(1, amount="99.00"), row(2)]).exit_status == 1

    happens = ask_first if first == "another person" else send_first
    second = Victor(
        VictorOAuth(*oauth_client), base_url=victor_sandbox.url, transport=Meanwhile(happens)
    )
    with second, pytest.raises(ConfigurationError, match="It was changed meanwhile"):
        sender(victor=second).ask_again(["INV-1"], **WHO)
    asked = {result.key for result in results_of(sender()).values()}
    asked_once(victor_sandbox, keys_of(rows(1)) | asked)


def test_two_persons_who_ask_for_two_rows_are_both_stored(
    sender: Senders, oauth_client: tuple[str, str], victor_sandbox: Sandbox
) -> None:
    assert sender().send(rows(2)).exit_status == 0
    for result in results_of(sender()).values():
        victor_sandbox.move(result.id, "declined")

    def ask_first() -> None:
        assert sender().ask_again(["INV-2"], by="Bob", why="he has called") == 1

    transport = Meanwhile(ask_first)
    auth = VictorOAuth(*oauth_client)
    with Victor(auth, base_url=victor_sandbox.url, transport=transport) as victor:
        assert sender(victor=victor).ask_again(["INV-1"], **WHO) == 1
    with sender()._stored_batch() as (_, _, record):
        assert [person["by"] for person in record.persons] == [None, "Bob", "Ann"]


def test_a_row_that_looked_like_another_is_allowed_once(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Another batch has its notice, too: by then the payment is pending."""
    alike = row(1, invoice_no="INV-01")
    assert sender().send([row(1)]).exit_status == 0
    for batch in ("april", "may"):
        assert sender(batch=batch).send([alike]).exit_status == 1
    assert sender(batch="april").ask_again(["INV-01"], **WHO) == 1
    assert sender(batch="april").resume().exit_status == 0
    with pytest.raises(ConfigurationError, match=r"INV-01 is pending: it would be asked twice"):
        sender(batch="may").ask_again(["INV-01"], **WHO)
    asked_once(victor_sandbox, keys_of([row(1), alike]))


def test_the_values_of_the_latest_file_are_asked(sender: Senders, victor_sandbox: Sandbox) -> None:
    assert sender().send([row(1, amount="10.00")]).exit_status == 0
    victor_sandbox.move(results_of(sender())["INV-1"].id, "expired")
    assert sender().send([row(1, amount="12.00")]).exit_status == 1
    assert sender().ask_again(["INV-1"], **WHO) == 1
    assert sender().resume().exit_status == 0
    assert results_of(sender())["INV-1"].asked["amount"] == "12.00"
    # From now on these are the values that were asked.
    assert sender().send([row(1, amount="12.00")]).exit_status == 0
    assert sender().send([row(1, amount="10.00")]).exit_status == 1


def test_a_row_that_looks_like_another_payment_is_allowed(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    assert sender().send([row(1)]).exit_status == 0
    alike = row(1, invoice_no="INV-01")
    status = sender(batch="april").send([alike])
    assert (status.exit_status, dict(status.noticed)) == (1, {"looks_like": 1})
    # Sent again it is refused again, and so is `resume`.
    assert sender(batch="april").send([alike]).exit_status == 1
    assert sender(batch="april").resume().exit_status == 1
    asked_once(victor_sandbox, keys_of([row(1)]))
    assert sender(batch="april").ask_again(["INV-01"], **WHO) == 1
    assert sender(batch="april").resume().exit_status == 0
    asked_once(victor_sandbox, keys_of([row(1), alike]))
    assert sender(batch="april").send([alike]).exit_status == 0


@pytest.mark.parametrize("outcome", ["created", "not-created"])
def test_a_row_in_doubt_is_resolved_by_what_a_person_has_found(
    sender: Senders, victor_sandbox: Sandbox, outcome: Any
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    assert sender(key_retention=100).send([row(1)]).exit_status == 3
    victor_sandbox.clear_faults()
    with pytest.raises(ConfigurationError, match="outcome='sent' must be created or not-created"):
        sender().resolve("INV-1", "sent", **WHO)
    sender().resolve("INV-1", outcome, id="X1" if outcome == "created" else None, **WHO)
    result = results_of(sender())["INV-1"]
    assert (result.error or "").endswith("by Ann: the customer has asked for it")
    assert (result.outcome, result.id) == (
        (RowOutcome.CREATED, "X1") if outcome == "created" else (RowOutcome.REFUSED, None)
    )
    with pytest.raises(ConfigurationError, match="there is nothing to resolve"):
        sender().resolve("INV-1", outcome, **WHO)
    assert sender().resume().exit_status == (outcome == "not-created")
    assert sender().send([row(1)]).exit_status == 0


def test_one_value_of_several_rows_names_the_one_that_is_meant(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Such as a row in doubt of an earlier key kind. Where several are meant, their keys tell them
    apart.
    """
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    sender().send([row(1)])
    (old,) = (result.key for result in sender().export())
    october = sender(key_kind="subscription-10")
    october.send([row(1, amount="9.00"), row(2)])
    (new,) = {result.key for result in sender().export() if result.row == 1}
    with pytest.raises(
        ConfigurationError, match="INV-1 names 2 rows: write the key of one"
    ) as both:
        sender().resolve("INV-1", "not-created", **WHO)
    assert old in str(both.value) and new in str(both.value)
    sender().resolve(new, "not-created", **WHO)
    # One of them is in doubt, and the other one is refused.
    with pytest.raises(ConfigurationError, match="INV-1 names 2 rows"):
        sender().ask_again(["INV-1"], **WHO)
    assert sender().drop(["INV-1"]) == 1
    sender().resolve("INV-1", "created", id="A1", **WHO)
    counts = sender().status().counts
    assert counts == {RowOutcome.UNKNOWN: 1, RowOutcome.CREATED: 1}


def test_what_was_created_without_its_id_is_given_one_by_hand(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    sender().send(rows(2))
    victor_sandbox.clear_faults()
    sender().resolve("INV-1", "created", **WHO)
    with pytest.raises(ConfigurationError, match="INV-1 was created, and its id is not known"):
        sender().ask_again(["INV-1"], **WHO)
    for outcome in ("created", "not-created"):
        with pytest.raises(ConfigurationError, match="there is nothing to resolve"):
            sender().resolve("INV-1", outcome, **WHO)
    made = outbound(victor_sandbox)
    (id_,) = (one["id"] for one in made if one["amount"] == rows(1)[0]["amount"])
    sender().resolve("INV-1", "created", id=id_, **WHO)
    assert results_of(sender())["INV-1"].id == id_
    with pytest.raises(ConfigurationError, match="there is nothing to resolve"):
        sender().resolve("INV-1", "created", id="another", **WHO)
    victor_sandbox.move(id_, "declined")
    assert sender().ask_again(["INV-1"], **WHO) == 1


@pytest.mark.parametrize("database", borders(["sqlite", "postgres"], "sqlite"))
def test_a_restored_state_sends_nothing_before_it_is_released(
    sender: Senders,
    victor_sandbox: Sandbox,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: str,
) -> None:
    """What had not left in the backup was sent since: its keys protect."""
    own = {} if database == "sqlite" else {"state": request.getfixturevalue("postgres")}
    store_only(sender(**own), rows(30))
    if database == "sqlite":
        backup = tmp_path / "backup"
        backup.mkdir()
        for file in tmp_path.glob("state.sqlite*"):
            shutil.copy(file, backup / file.name)
        assert sender().resume().exit_status == 0
        for file in backup.iterdir():
            shutil.copy(file, tmp_path / file.name)
    sender(**own).hold()
    for act in (sender(**own).resume, lambda: sender(**own).send(rows(31))):
        with pytest.raises(ConfigurationError, match="The state is held"):
            act()
    assert sender(**own).status().rows == 30
    assert sender(**own).release() == 30
    assert sender(**own).release() is None
    assert sender(**own).status().counts == {RowOutcome.UNKNOWN: 30}
    assert sender(**own).resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(30)))
    assert sender(**own).send(rows(31)).exit_status == 0


def test_a_hold_is_seen_and_covers_a_state_that_has_nothing_yet(
    sender: Senders, bulk: Bulk, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    for act in (sender().hold, sender().release):
        with pytest.raises(ConfigurationError, match="There is no state sqlite:"):
            act()
    State(f"sqlite:///{tmp_path}/state.sqlite").prepare()  # by a process that was killed then
    sender().hold()
    with pytest.raises(ConfigurationError, match="The state is held"):
        sender().send(rows(1))
    assert sender().release() == 0
    assert sender().send(rows(1)).held_since is None
    sender().hold()
    status = sender().status()
    assert (status.exit_status, status.held_since is None) == (1, False)
    sender().hold()
    assert sender().status().held_since == status.held_since
    state = ("--state", f"sqlite:///{tmp_path}/state.sqlite")
    shown = bulk("status", *state)
    assert (shown.status, "held since" in shown.out) == (1, True)
    assert '"held_since": "20' in bulk("status", *state, "--json").out
    assert [bulk("release", *state).status for _ in range(2)] == [0, 1]
    asked_once(victor_sandbox, keys_of(rows(1)))


class Restored:
    """A state that is restored, as it was before something."""

    def __init__(self, sender: Senders, folder: Path) -> None:
        self.sender, self._backup = sender, FileBackup(folder / "state.sqlite")
        self._backup.make()

    def release(self) -> int | None:
        self._backup.restore()
        self.sender().hold()
        return self.sender().release()


@pytest.mark.parametrize("reference", ["client_reference_id", "region"])
def test_what_is_rejected_or_refused_in_a_restored_state_is_only_looked_up_when_it_is_corrected(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, reference: str
) -> None:
    """It may have been corrected since the backup; its key, or the next one, may be forgotten."""
    wrong = [row(1, **{reference: "A"}), row(2, amount="0", **{reference: "B"})]
    right = [row(1, amount="5.00", **{reference: "A"}), row(2, **{reference: "B"})]
    victor_sandbox.inject("status", operation="create", status=400, times=1)
    assert sender(skip_invalid=True).send(wrong).exit_status == 1
    assert sender().status().counts == {RowOutcome.REJECTED: 1, RowOutcome.REFUSED: 1}
    restored = Restored(sender, tmp_path)
    assert sender().send(right).exit_status == 0
    assert restored.release() == 0
    # Dropped, it is known nevertheless; and a file that is still wrong changes nothing.
    assert sender().drop(["INV-2"]) == 1
    assert sender(skip_invalid=True).send(wrong).exit_status == 1
    made = victor_sandbox.work_done_by_key()
    status = sender().send(right)
    assert victor_sandbox.work_done_by_key() == made
    assert dict(status.noticed) == {"asked_since": 2}
    assert status.check is not None
    assert status.check.new == 0
    if reference == "client_reference_id":
        assert status.counts == {RowOutcome.CREATED: 2}
        return
    assert status.counts == {RowOutcome.UNKNOWN: 2}
    sender().resolve("INV-1", "not-created", **WHO)
    sender().resolve("INV-2", "created", id="X2", **WHO)
    assert sender().send(right).exit_status == 0, "a person has decided"
    assert sum(victor_sandbox.work_done_by_key().values()) == 2


def test_of_several_rows_with_one_value_the_one_in_doubt_is_resolved(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """A file of another month: what the earlier one has asked is in doubt."""
    victor_sandbox.inject("status", operation="create", times=None, status=503)
    assert sender().send([row(1)]).exit_status == 3
    second = [row(1, amount="7.00")]
    assert sender(key_kind="month-12").send(second).exit_status == 3
    with pytest.raises(ConfigurationError, match="INV-1 names 2 rows: write the key of one"):
        sender().resolve("INV-1", "not-created", **WHO)
    (first_key,) = keys_of([row(1)])
    sender().resolve(first_key, "not-created", **WHO)
    sender().resolve("INV-1", "not-created", **WHO)
    assert sender().status().counts == {RowOutcome.REFUSED: 2}


@pytest.mark.parametrize("was_asked", [True, False])
def test_what_may_have_been_asked_again_since_the_backup_is_not_asked_again(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, was_asked: bool
) -> None:
    assert sender().send(rows(1)).exit_status == 0
    victor_sandbox.move(results_of(sender())["INV-1"].id, "declined")
    restored = Restored(sender, tmp_path)
    second: str | None = None
    if was_asked:
        assert sender().ask_again(["INV-1"], **WHO) == 1
        assert sender().resume().exit_status == 0
        second = results_of(sender())["INV-1"].id
    restored.release()
    with pytest.raises(ConfigurationError, match="may have been asked since the backup"):
        sender().ask_again(["INV-1"], **WHO)
    sender().resolve("INV-1", "created" if was_asked else "not-created", id=second, **WHO)
    assert results_of(sender())["INV-1"].outcome is RowOutcome.CREATED
    if was_asked:
        with pytest.raises(ConfigurationError, match="it would be asked twice"):
            sender().ask_again(["INV-1"], **WHO)
        assert second is not None
        victor_sandbox.move(second, "declined")
    assert sender().ask_again(["INV-1"], **WHO) == 1
    assert sender().resume().exit_status == 0
    asked = 3 if was_asked else 2
    assert list(victor_sandbox.work_done_by_key().values()) == [1] * asked


def test_what_the_latest_file_lacks_is_not_sent_by_a_release(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Also what was refused: it has nothing that could be sent."""
    store_only(sender(skip_invalid=True), [*rows(2), row(3, amount="0")])
    store_only(sender(), rows(1))
    sender().hold()
    assert sender().release() == 1
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(1)))
    assert len(victor_sandbox.work_done_by_key()) == 1
    assert list(results_of(sender())) == ["INV-1"]


@pytest.mark.parametrize("fault", ["lose_answer", "status"])
def test_what_is_in_doubt_and_not_in_the_latest_file_is_looked_up_and_stays_in_sight(
    sender: Senders, victor_sandbox: Sandbox, fault: str
) -> None:
    records = [row(number, client_reference_id=f"INV-{number}") for number in (1, 2)]
    options = {} if fault == "lose_answer" else {"status": 503}
    victor_sandbox.inject(fault, operation="create", times=None, **options)
    victor_sandbox.inject("status", operation="list", times=None, status=503)
    assert sender().send(records).exit_status == 3
    victor_sandbox.clear_faults()
    was_made = fault == "lose_answer"
    sender().send(records[:1])
    for again in (sender().resume, lambda: sender().send(records[:1])):
        second = results_of(sender())["INV-2"]
        outcome = RowOutcome.CREATED if was_made else RowOutcome.UNKNOWN
        assert (second.row, second.outcome) == (0, outcome)
        assert sender().status().rows == 2
        assert again().exit_status == (0 if was_made else 3)
        assert sum(victor_sandbox.work_done_by_key().values()) == 1 + was_made
    sender().send(records)
    assert [result.row for result in sender().export()] == [1, 2]


def test_a_worker_begins_nothing_of_a_state_that_is_held(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    """Also if it has the chunk already: as many are sent as were marked before."""

    def hold(_status: object) -> None:
        sender().hold()

    with suppress(ConfigurationError):
        sender().send(rows(250), on_progress=hold)
    assert len(victor_sandbox.work_done_by_key()) < 250
    sender().release()
    assert sender().resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(250)))


def test_another_secret_reads_and_sends_nothing_before_the_state_has_it(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    assert sender().send(rows(2)).exit_status == 0
    other = sender(storage_key=OTHER_SECRET)
    acts = (
        other.status,
        other.resume,
        other.batches,
        lambda: other.send(rows(3)),
        lambda: other.check(rows(3)),
        lambda: list(other.export()),
        lambda: other.rekey(OTHER_SECRET),
    )
    for act in acts:
        with pytest.raises(ConfigurationError, match="written with another key"):
            act()
    sender().rekey(OTHER_SECRET)
    assert other.send(rows(3)).exit_status == 0
    with pytest.raises(ConfigurationError, match="written with another key"):
        sender().status()
    asked_once(victor_sandbox, keys_of(rows(3)))


def test_what_is_forgotten_still_protects(sender: Senders, victor_sandbox: Sandbox) -> None:
    records = [*rows(2), row(3, amount="-1")]
    store_only(sender(skip_invalid=True), records)
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    sender(batch="april").send([row(4)])
    victor_sandbox.clear_faults()
    sender().resume()
    before = {result.row: result.id for result in sender().export()}
    assert sender().forget(older_than=timedelta(days=1)) == 0
    # What waits, or may exist, is not forgotten.
    assert sender().forget(older_than=timedelta(0)) == 3
    assert sender().forget(older_than=timedelta(0)) == 0
    forgotten = list(sender().export())
    assert {result.row: result.id for result in forgotten} == before
    assert [(result.asked, result.extras, result.error) for result in forgotten] == [
        ({}, {}, None)
    ] * 3
    assert sender(batch="april").resume().exit_status == 0
    assert sender(batch="may").send(rows(2)).exit_status == 0
    changed = sender(batch="may").send([row(1, amount="999.00")])
    assert (changed.exit_status, dict(changed.noticed)) == (1, {"other_values": 1})
    alike = sender(batch="june").send([row(2, invoice_no="inv-02")])
    assert dict(alike.noticed) == {"looks_like": 1}
    asked_once(victor_sandbox, keys_of([*rows(2), row(4)]))


def in_state(path: Path, column: str) -> list[Any]:
    with closing(sqlite3.connect(path / "state.sqlite")) as database:
        query = f"SELECT {column} FROM victor_bulk_payments ORDER BY place"
        return [value for (value,) in database.execute(query)]


def test_what_is_forgotten_can_be_read_named_and_asked_again(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    assert sender().send(rows(2)).exit_status == 0
    victor_sandbox.inject("status", operation="create", status=400, times=1)
    sender(batch="rejected").send([row(3)])
    first = results_of(sender())["INV-1"]
    assert sender().forget(older_than=timedelta(0)) == 3
    victor_sandbox.move(first.id, "declined")
    payments = sender().status(refresh=True).payments
    assert payments is not None
    assert (payments["declined"], sum(payments.values())) == (1, 2)
    with pytest.raises(ConfigurationError, match=r"INV-1: what it asks for .* forgotten"):
        sender().ask_again(["INV-1"], **WHO)
    with pytest.raises(ConfigurationError, match=r"INV-2 is \w+: it would be asked twice"):
        sender().ask_again(["INV-2"], **WHO)
    with pytest.raises(ConfigurationError, match="march has no row INV-9"):
        sender().ask_again(["INV-9"], **WHO)
    # What is said of it is true, and names what is known.
    again = sender(batch="rejected").send([row(3)])
    assert again.notices[0].message.endswith("why is forgotten.")
    alike = sender(batch="alike").send([row(2, invoice_no="inv-02")])
    assert f"asks what the payment {keys_of([row(2)]).pop()} asked" in alike.notices[0].message
    changed = sender(batch="changed").send([row(2, amount="9.99")])
    assert "with other values. Not sent" in changed.notices[0].message
    # A file has its values.
    stored_at = min(in_state(tmp_path, "stored_at"))
    change_state(tmp_path / "state.sqlite", "UPDATE victor_bulk_payments SET stored_at = 1")
    assert sender().send(rows(2)).exit_status == 0
    assert sender().ask_again(["INV-1"], **WHO) == 1
    assert max(in_state(tmp_path, "stored_at")) > stored_at
    assert sender().resume().exit_status == 0
    again_made = next(iter(sender().export()))
    assert (again_made.extras["invoice_no"], again_made.id == first.id) == ("INV-1", False)
    # It is as old as its last asking, and then it is forgotten as any other.
    assert sender().forget(older_than=timedelta(days=1)) == 1  # what looked like another one
    assert next(iter(sender().export())).asked
    assert sender().forget(older_than=timedelta(0)) == 1
    assert [result.asked for result in sender().export()] == [{}, {}]


def test_what_files_say_of_forgotten_rows_is_forgotten_when_they_are_as_old(
    sender: Senders, tmp_path: Path
) -> None:
    assert sender().send(rows(1)).exit_status == 0
    sender().forget(older_than=timedelta(0))
    sender().send(rows(1))
    sender(batch="april", skip_invalid=True).send([row(1), row(2, invoice_no="#N/A")])

    def lines() -> int:
        with closing(sqlite3.connect(tmp_path / "state.sqlite")) as database:
            query = "SELECT count(*) FROM victor_bulk_lines WHERE row IS NOT NULL"
            return int(database.execute(query).fetchone()[0])

    assert lines() == 3
    assert sender().forget(older_than=timedelta(days=1)) == 0
    assert lines() == 3
    assert sender().forget(older_than=timedelta(0)) == 0
    assert lines() == 0


ASKED_LONG_AGO = """UPDATE victor_bulk_payments SET sent =
    json_set(sent, '$[0]', json_extract(sent, '$[0]') - 3000)"""
"""As if it were sent fifty minutes before."""


@pytest.mark.victor_sandbox(key_life=300)
@pytest.mark.parametrize("how", ["resume", "another file", "ask again", "another life"])
def test_the_life_of_a_key_is_what_was_said_when_it_was_stored(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path, how: str
) -> None:
    """Whoever goes on says nothing of it, or more."""
    record, kept = row(1, client_reference_id="REF-1"), {"key_retention": 300}
    made = set(keys_of([record]))
    if how == "ask again":
        assert sender(**kept).send([record]).exit_status == 0
        victor_sandbox.move(results_of(sender())["INV-1"].id, "declined")
        assert sender().ask_again(["INV-1"], **WHO) == 1
        made.add(idempotency_key_for("again", *made, 1))
    victor_sandbox.inject("lose_answer", operation="create", times=None)
    first = sender(**kept).send([record]) if how != "ask again" else sender().resume()
    assert first.exit_status == 3
    victor_sandbox.clear_faults()
    assert in_state(tmp_path, "kept") == [300]
    change_state(tmp_path / "state.sqlite", ASKED_LONG_AGO)
    victor_sandbox.advance(3000)  # the provider forgets its keys
    goes_on: dict[str, Callable[[], Any]] = {
        "resume": sender().resume,
        "ask again": sender().resume,
        "another file": lambda: sender(batch="april").send([record]),
        "another life": sender(key_retention=86_400).resume,
    }
    goes_on[how]()
    asked_once(victor_sandbox, made)
