"""A key that is too old to be sent again: what became of its row is looked up, or left to a
person.
"""

from datetime import UTC, datetime, timedelta
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
from victor_ext import ProviderTime, Victor, VictorOAuth
from victor_ext.outbox._files import FilePolicy
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request


def test_a_key_that_grows_too_old_while_its_row_waits_its_turn_is_not_sent(
    sender, victor_sandbox, monkeypatch
):
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender(workers=1, keys_kept=3600).send(referenced(1)).exit_status == 3
    turns = [timedelta(0)]

    def wait_for_turn(_policy):
        turns.append(timedelta(hours=1))

    def provider_time(_self):
        return ProviderTime(datetime.now(UTC) + sum(turns, timedelta(0)), is_known=True)

    monkeypatch.setattr(FilePolicy, "_wait_for_turn", wait_for_turn)
    monkeypatch.setattr(Victor, "provider_time", provider_time)
    with nothing_sent(victor_sandbox):
        assert sender(keys_kept=3600, rate=100.0).resume().exit_status == 3
    assert "longer ago than the provider keeps its key" in sender.result().error


def test_what_another_account_has_stored_is_left_alone(
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
    with refused("no batch march of victor"):
        theirs().resume()
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


def test_a_batch_goes_on_in_the_sandbox_of_the_next_morning(sender):
    for number in (2, 3):
        with Sandbox() as sandbox:
            auth = VictorOAuth(*sandbox.add_oauth_client())
            with Victor(auth, base_url=sandbox.url) as client:
                sender.finish(rows(number), victor=client)
            work = sandbox.work_done_by_key()
    (new,) = keys_of(rows(3)) - keys_of(rows(2))
    assert work == {new: 1}
