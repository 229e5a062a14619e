"""A key that is too old to be sent again: what became of its row is looked up, or left to a
person.
"""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest

from tests.bulk.bulk_runs import (
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
from victor_ext.outbox._files import FilePolicy

pytestmark = pytest.mark.pull_request
KEPT = 100
"""Seconds that a key lives, in the batches that are broken off."""


def test_a_key_that_grows_too_old_while_its_row_waits_its_turn_is_not_sent(
    sender, victor_sandbox, monkeypatch
):
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender(workers=1, key_retention=3600).send(referenced(1)).exit_status == 3
    turns = [timedelta(0)]

    def wait_for_turn(_policy):
        turns.append(timedelta(hours=1))

    def provider_time(_self):
        return ProviderTime(datetime.now(UTC) + sum(turns, timedelta(0)), is_known=True)

    monkeypatch.setattr(FilePolicy, "_wait_for_turn", wait_for_turn)
    monkeypatch.setattr(Victor, "provider_time", provider_time)
    with nothing_sent(victor_sandbox):
        assert sender(key_retention=3600, rate=100.0).resume().exit_status == 3
    assert "longer ago than the provider keeps its key" in sender.result().error


def test_the_request_of_another_row_with_the_same_reference_does_not_settle_a_row(
    sender, client, victor_sandbox
):
    """A row with the same reference and values, in another batch: it alone was
    made.
    """
    first = row(1, client_reference_id="contract 7")
    second = {**first, "invoice_no": "2"}
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender().send([first]).exit_status == 3
    victor_sandbox.set_clock_skew(KEPT)
    # with a Date
    assert client.payment_requests.find("none", start_datetime=datetime.now(UTC)) == []
    later = sender(batch="april", key_retention=KEPT)
    with refused("new rows ask what march has asked"):
        later.send([second])
    later = sender(batch="april", key_retention=KEPT, other_payments=True)
    later.send([second])
    assert sender(key_retention=KEPT).resume().counts["unknown"] == 1
    unknown = sender.results()["INV-1"]
    assert unknown.outcome == "unknown"
    assert unknown.id is None
    assert "is the id of 2: it settles one of them" in unknown.error
    asked_once(victor_sandbox, [second])


def test_a_batch_of_another_account_is_left_alone_by_name(
    sender, victor_sandbox, other_account, postgres
):
    """The sandbox, as a provider may, keeps the keys of each caller apart: the same key would make
    a second request.
    """
    ours = sender.of(state=postgres)
    theirs = ours.of(victor=other_account)
    lose_answers(victor_sandbox, 4)
    assert ours(workers=1).send(referenced(3)).counts == {"created": 1, "unknown": 2}
    ours.store(referenced(40))
    attempts = victor_sandbox.attempts_by_key()
    other = theirs()
    sends = (partial(other.send, referenced(41)), partial(other.check, referenced(41)))
    for act in (other.resume, other.work, *sends):
        with refused(r"batch march belongs to the account [0-9A-Za-z+/]{12}, these"):
            act()
    # In another batch, what was created is refused, and what may have been asked is looked up.
    assert theirs(batch="may").send(referenced(3)).noticed == {
        "other_account": 1,
        "only_looked_up": 2,
    }
    # A worker for all batches leaves it, too, and works on a batch of its own.
    theirs.store(rows(1, start=900), batch="theirs")
    own = theirs(batch="theirs")
    stop = SimpleNamespace(is_set=lambda: bool(own.status().over), wait=lambda _=None: True)
    theirs(batch=None).work(stop=stop)
    assert own.status().exit_status == 0
    (key,) = keys_of(rows(1, start=900))
    assert victor_sandbox.attempts_by_key() == {**attempts, key: 1}
    ours.finish()
    asked_once(victor_sandbox, [*referenced(40), row(900)])


@pytest.mark.parametrize("words", ["key", "Duplicate request"])
def test_a_conflict_that_the_provider_reports_leaves_a_row_unknown(
    sender, victor_sandbox, tmp_path, words
):
    """An edited file that was sent from another folder, and so from another state: its key has a
    payment already.
    """
    (record,) = referenced(1)
    sender.finish([record])
    sender = sender.of(state=f"sqlite:///{tmp_path}/another.sqlite")
    if words != "key":
        body = json.dumps({"error": {"message": words}})
        victor_sandbox.inject("status", operation="create", status=403, body=body)
    assert sender().send([{**record, "amount": "7.77"}]).counts == {"unknown": 1}
    error = sender.result().error
    assert words in error
    assert "has another value than was sent: amount" in error
    with nothing_sent(victor_sandbox):  # the age of the key is not certain
        assert sender().resume().counts == {"unknown": 1}
