"""A key that is too old to be sent again: what became of its row is looked up, or left to a
person.
"""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.bulk.bulk_runs import Senders, asked_once, keys_of, outbound, row, rows, store_only
from victor_ext import ConfigurationError, ProviderTime, Victor, VictorOAuth
from victor_ext.bulk import delivery
from victor_ext.reconciliation import Kind, reconcile
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.pull_request
KEPT = 100
"""Seconds that a key lives, in the batches that are broken off."""


def referenced(count: int) -> list[dict[str, str]]:
    return [row(number, client_reference_id=f"REF-{number}") for number in range(1, count + 1)]


@pytest.mark.victor_sandbox(list_lag=60, key_repeat="409")
def test_a_row_that_the_list_does_not_show_yet_is_unknown_and_found_by_resuming(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create")
    assert sender().send(referenced(2)).counts == {"created": 1, "unknown": 1}
    attempts = victor_sandbox.attempts_by_key()
    victor_sandbox.advance(60)
    assert sender().resume().counts == {"created": 2}
    assert {result.id for result in sender().export()} == {
        each["id"] for each in victor_sandbox.requests()
    }
    assert victor_sandbox.attempts_by_key() == attempts


@pytest.mark.victor_sandbox(list_lag=40, key_repeat="409")
def test_an_older_request_that_is_like_a_row_is_not_taken_for_it(
    sender: Senders, client: Victor, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    victor_sandbox.set_clock_skew(-60)
    (record,) = referenced(1)
    assert (
        sender(state=f"sqlite:///{tmp_path}/another.sqlite")
        .send([{**record, "invoice_no": "2"}])
        .exit_status
        == 0
    )
    victor_sandbox.set_clock_skew(0)
    client.ping()  # with the Date of today
    victor_sandbox.inject("lose_answer", operation="create")
    assert sender().send([record]).counts == sender().resume().counts == {"unknown": 1}
    assert "but was made earlier" in (next(iter(sender().export())).error or "")


def test_a_key_that_grows_too_old_while_its_row_waits_its_turn_is_not_sent(
    sender: Senders, victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender(workers=1, key_retention=3600).send(referenced(1)).exit_status == 3
    attempts = victor_sandbox.attempts_by_key()
    ahead = 0.0

    def long_wait(_self: object) -> None:
        nonlocal ahead
        ahead += 3600

    monkeypatch.setattr(delivery.RateLimiter, "wait", long_wait)
    monkeypatch.setattr(
        Victor,
        "provider_time",
        lambda _self: ProviderTime(datetime.now(UTC) + timedelta(seconds=ahead), is_known=True),
    )
    assert sender(key_retention=3600).resume().exit_status == 3
    assert victor_sandbox.attempts_by_key() == attempts
    (result,) = sender().export()
    assert "longer ago than the provider keeps its key" in (result.error or "")


@pytest.mark.parametrize("batch", ["march", "april"])
def test_the_request_of_another_row_settles_nothing(
    sender: Senders, client: Victor, victor_sandbox: Sandbox, batch: str
) -> None:
    """A row with the same reference and values, in another chunk or in another batch: it alone was
    made.
    """
    first, second = (
        row(1, client_reference_id="contract 7"),
        row(1, invoice_no="2", client_reference_id="contract 7"),
    )
    victor_sandbox.inject("cut_request", operation="create", times=2)
    assert sender().send([first]).exit_status == 3
    victor_sandbox.set_clock_skew(KEPT)
    # with a Date
    assert client.payment_requests.find("none", start_datetime=datetime.now(UTC)) == []
    again = sender(key_retention=KEPT)
    later = sender(batch=batch, key_retention=KEPT)
    assert later.send([second]).noticed == {"looks_like": 1}
    assert later.ask_again(["2"], by="Ann", why="It is another instalment.") == 1
    later.resume()
    assert again.resume().counts["unknown"] == 1
    (result,) = [line for line in again.export() if line.key in keys_of([first])]
    assert (result.outcome.value, result.id) == ("unknown", None)
    assert "another payment has the same reference" in (result.error or "")
    assert len(outbound(victor_sandbox)) == 1


def test_a_batch_of_another_account_is_left_alone_by_name(
    sender: Senders, victor_sandbox: Sandbox, postgres: str
) -> None:
    """The sandbox, as a provider may, keeps the keys of each caller apart: the same key would make
    a second request.
    """
    options = {"state": postgres}
    victor_sandbox.inject("lose_answer", operation="create", times=2)
    victor_sandbox.inject("refuse", operation="create", times=2)
    assert dict(sender(workers=1, **options).send(referenced(3)).counts) == {
        "created": 1,
        "unknown": 2,
    }
    store_only(sender(**options), referenced(130))
    attempts = victor_sandbox.attempts_by_key()
    with Victor(
        VictorOAuth(*victor_sandbox.add_oauth_client()), base_url=victor_sandbox.url
    ) as other:
        theirs = sender(victor=other, **options)
        acts = [
            theirs.resume,
            theirs.work,
            *(partial(act, referenced(131)) for act in (theirs.send, theirs.check)),
        ]
        for act in acts:
            with pytest.raises(
                ConfigurationError,
                match=r"batch march belongs to the account [0-9A-Za-z+/]{12}, these",
            ):
                act()
        assert dict(theirs.status().counts) == dict(sender(**options).status().counts)
        # A worker for all batches leaves it, too, and works on a batch of its own.
        theirs = sender(victor=other, batch="theirs", **options)
        store_only(theirs, rows(1, start=900))

        class Done(threading.Event):
            def is_set(self) -> bool:
                return bool(theirs.status().over)

        sender(victor=other, batch=None, **options).work(stop=Done())
        assert theirs.status().exit_status == 0
    ours = keys_of(referenced(130))
    assert {
        key: count for key, count in victor_sandbox.attempts_by_key().items() if key in ours
    } == {key: count for key, count in attempts.items() if key in ours}
    assert sender(**options).resume().exit_status == 0
    asked_once(victor_sandbox, ours)


@pytest.mark.parametrize("words", ["key", "Duplicate request"])
def test_a_conflict_proves_nothing(
    sender: Senders, client: Victor, victor_sandbox: Sandbox, tmp_path: Path, words: str
) -> None:
    """An edited file that was sent from another folder, and so from another state: its key has a
    payment already.
    """
    (record,) = referenced(1)
    assert sender().send([record]).exit_status == 0
    again = sender(state=f"sqlite:///{tmp_path}/another.sqlite")
    if words != "key":
        victor_sandbox.inject("status", operation="create", status=403, body=words)
    assert dict(again.send([{**record, "amount": "7.77"}]).counts) == {"unknown": 1}
    (result,) = again.export()
    assert words in (result.error or "")
    assert "has another value than was sent: amount" in (result.error or "")
    # The age of the key is not certain: it is looked up, and not sent again.
    attempts = victor_sandbox.attempts_by_key()
    assert dict(again.resume().counts) == {"unknown": 1}
    assert victor_sandbox.attempts_by_key() == attempts
    with (tmp_path / "results.csv").open("w", encoding="utf-8", newline="") as file:
        again.export_csv(file)
    now = datetime.now(UTC)
    window = {"start": now - timedelta(hours=1), "end": now + timedelta(hours=1)}
    with reconcile(client, tmp_path / "results.csv", **window) as report:
        assert [found.kind for found in report] == [Kind.DIFFERS]


def test_a_refusal_of_a_row_that_may_have_been_sent_before_is_no_refusal(
    sender: Senders, victor_sandbox: Sandbox
) -> None:
    victor_sandbox.inject("lose_answer", operation="create", times=4)
    assert sender(workers=1).send(referenced(2)).exit_status == 3
    victor_sandbox.inject("status", operation="create", status=400, times=None)
    # Both exist: the first answers were lost. They are found by looking.
    assert dict(sender().resume().counts) == {"created": 2}
    assert len(outbound(victor_sandbox)) == 2
