"""What a person decides: to ask once more, what became of a row, a state that was restored, and
what is forgotten.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bulk.bulk_runs import Senders, asked_once, keys_of, outbound, row, rows, store_only
from victor_ext import ConfigurationError, Victor, VictorOAuth, idempotency_key_for
from victor_ext.bulk import RowOutcome
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow
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


def test_two_persons_who_ask_again_at_the_same_moment_ask_once(
    sender: Senders, oauth_client: tuple[str, str], victor_sandbox: Sandbox
) -> None:
    """What the second one has read is over; what the first one has asked for is not."""
    assert sender().send(rows(1)).exit_status == 0
    victor_sandbox.move(results_of(sender())["INV-1"].id, "declined")

    def ask_first() -> None:
        assert sender().ask_again(["INV-1"], **WHO) == 1
        assert sender().resume().exit_status == 0

    second = Victor(
        VictorOAuth(*oauth_client), base_url=victor_sandbox.url, transport=Meanwhile(ask_first)
    )
    with second, pytest.raises(ConfigurationError, match="It was changed meanwhile"):
        sender(victor=second).ask_again(["INV-1"], **WHO)
    asked_once(victor_sandbox, keys_of(rows(1)) | {results_of(sender())["INV-1"].key})


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
    assert counts == {RowOutcome.UNKNOWN: 1}


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


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
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
    assert sender(**own).release() == 0
    assert sender(**own).status().counts == {RowOutcome.UNKNOWN: 30}
    assert sender(**own).resume().exit_status == 0
    asked_once(victor_sandbox, keys_of(rows(30)))
    assert sender(**own).send(rows(31)).exit_status == 0


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
