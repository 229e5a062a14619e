"""A key that is too old to be sent again: what became of its row is looked up, or left to a
person.
"""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.bulk.bulk_runs import (
    Senders,
    asked_once,
    keys_of,
    lose_answers,
    nothing_sent,
    referenced,
    refused,
    row,
    rows,
)
from victor_ext import ProviderTime, Victor
from victor_ext.bulk.worker import RowOutbox
from victor_ext.reconciliation import Kind, reconcile
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
KEPT = 100
"""Seconds that a key lives, in the batches that are broken off."""


def test_a_key_that_grows_too_old_while_its_row_waits_its_turn_is_not_sent(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender(workers=1, key_retention=3600).send(referenced(1)).exit_status == 3
    ahead = timedelta(0)

    def reserve_turns(_outbox: object, _connection: object, batches: list[str]) -> list[float]:
        nonlocal ahead
        ahead += timedelta(hours=1)
        return [0.0 for _ in batches]

    def provider_time(_self: object) -> ProviderTime:
        return ProviderTime(datetime.now(UTC) + ahead, is_known=True)

    monkeypatch.setattr(RowOutbox, "_reserve_turns", reserve_turns)
    monkeypatch.setattr(Victor, "provider_time", provider_time)
    with nothing_sent(victor_sandbox):
        assert sender(key_retention=3600).resume().exit_status == 3
    assert "longer ago than the provider keeps its key" in sender.result().error


@pytest.mark.parametrize("batch", ["march", "april"])
def test_the_request_of_another_row_settles_nothing(
    sender: Senders, client: Victor, victor_sandbox: Sandbox, batch: str
) -> None:
    """A row with the same reference and values, in another chunk or in another batch: it alone was
    made.
    """
    first = row(1, client_reference_id="contract 7")
    second = {**first, "invoice_no": "2"}
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender().send([first]).exit_status == 3
    victor_sandbox.set_clock_skew(KEPT)
    # with a Date
    assert client.payment_requests.find("none", start_datetime=datetime.now(UTC)) == []
    later = sender(batch=batch, key_retention=KEPT)
    assert later.send([second]).noticed == {"looks_like": 1}
    assert later.ask_again(["2"], by="Ann", why="It is another instalment.") == 1
    later.resume()
    assert sender(key_retention=KEPT).resume().counts["unknown"] == 1
    unknown = sender.results()["INV-1"]
    assert unknown.outcome == "unknown"
    assert unknown.id is None
    assert "is the id of 2: it settles one of them" in unknown.error
    asked_once(victor_sandbox, [second])


def test_a_batch_of_another_account_is_left_alone_by_name(
    sender: Senders, victor_sandbox: Sandbox, other_account: Victor, postgres: str
) -> None:
    """The sandbox, as a provider may, keeps the keys of each caller apart: the same key would make
    a second request.
    """
    ours = {"state": postgres}
    theirs = {"state": postgres, "victor": other_account}
    lose_answers(victor_sandbox, 2)
    victor_sandbox.inject("refuse", operation="create", times=2)
    status = sender(workers=1, **ours).send(referenced(3))
    assert status.counts == {"created": 1, "unknown": 2}
    sender.store(referenced(130), **ours)
    attempts = victor_sandbox.attempts_by_key()
    other = sender(**theirs)
    sends = (partial(other.send, referenced(131)), partial(other.check, referenced(131)))
    for act in (other.resume, other.work, *sends):
        with refused(r"batch march belongs to the account [0-9A-Za-z+/]{12}, these"):
            act()
    assert other.status().counts == sender(**ours).status().counts
    # A worker for all batches leaves it, too, and works on a batch of its own.
    own = sender(batch="theirs", **theirs)
    sender.store(rows(1, start=900), batch="theirs", **theirs)

    class Done(threading.Event):
        def is_set(self) -> bool:
            return bool(own.status().over)

    sender(batch=None, **theirs).work(stop=Done())
    assert own.status().exit_status == 0
    (key,) = keys_of(rows(1, start=900))
    assert victor_sandbox.attempts_by_key() == {**attempts, key: 1}
    sender.finish(**ours)
    asked_once(victor_sandbox, [*referenced(130), row(900)])


@pytest.mark.parametrize("words", ["key", "Duplicate request"])
def test_a_conflict_proves_nothing(
    sender: Senders, client: Victor, victor_sandbox: Sandbox, tmp_path: Path, words: str
) -> None:
    """An edited file that was sent from another folder, and so from another state: its key has a
    payment already.
    """
    (record,) = referenced(1)
    sender.finish([record])
    again = sender(state=f"sqlite:///{tmp_path}/another.sqlite")
    if words != "key":
        victor_sandbox.inject("status", operation="create", status=403, body=words)
    assert again.send([{**record, "amount": "7.77"}]).counts == {"unknown": 1}
    (result,) = again.export()
    assert words in result.error
    assert "has another value than was sent: amount" in result.error
    # The age of the key is not certain: it is looked up, and not sent again.
    with nothing_sent(victor_sandbox):
        assert again.resume().counts == {"unknown": 1}
    results = tmp_path / "results.csv"
    with results.open("w", encoding="utf-8", newline="") as file:
        again.export_csv(file)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    with reconcile(client, results, start=now - hour, end=now + hour) as report:
        assert [difference.kind for difference in report] == [Kind.DIFFERS]
