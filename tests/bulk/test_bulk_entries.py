"""What a state has of a row beside its last call: earlier calls, and other environments."""

import json
from contextlib import suppress

import pytest

from tests.bulk.bulk_runs import change_state, nothing_sent, referenced, row
from tests.outbox.kinds import Provider, dated
from victor_ext import InvalidRequest
from victor_ext.bulk._payment_requests import PaymentRequests

pytestmark = pytest.mark.slow


def change_entries(folder, values):
    """All entries of the state have these values."""
    change_state(folder / "state.sqlite", f"UPDATE victor_bulk SET {values}")


def test_a_row_is_unknown_after_a_lost_call_although_an_earlier_call_was_not_sent(
    sender, victor_sandbox, tmp_path
):
    """A sender was killed during its second call, and the key has lapsed since then."""
    sender.store([row(1, client_reference_id="REF-1")])
    sent = "state = 'sending', first_sent_at = stored_at, by_provider_clock = TRUE"
    change_entries(tmp_path, f"{sent}, sent_by = 'another account', last = 'not_sent'")
    with nothing_sent(victor_sandbox):
        sender().resume()
        change_entries(tmp_path, "due_at = 0, settle_until = 1")  # ten minutes later
        assert sender().resume().exit_status == 3
        assert sender.result().outcome == "unknown"
        change_entries(tmp_path, "settle_until = 1")
        assert sender().resume().exit_status == 3


class Environment(Provider):
    """A provider that gives its first request an id that others give, too, and tells no time."""

    tells_time = False

    def __init__(self, name):
        super().__init__()
        victor = self.client(environment=name, base_url="https://victor.test")
        self.own = {"victor": victor, "workers": 1}
        """The options of a sender."""


def test_a_key_and_an_id_of_another_environment_are_another_payments(sender):
    environments = [Environment("staging"), Environment("production")]
    for each in environments:
        sender.store(referenced(1), **each.own)
    for each in environments:
        sender.finish(**each.own)
        assert sender.result(**each.own).id == "ID-REF-1"
    assert environments[0].keys == environments[1].keys
    assert len(environments[0].keys) == 1


def test_a_worker_does_not_send_what_a_newer_file_has_replaced_since_it_took_it_up(sender):
    """Without the provider's time, a row is marked just before its own call."""
    first, second = referenced(2)
    newer = [first, {**second, "amount": "9.99"}]

    def replace(reference):
        if reference == "REF-1":
            sender.store(newer, **provider.own)

    provider = Environment("staging")
    provider.meet = replace
    sender(**provider.own).send([first, second])
    sender.finish(**provider.own)
    sent = [json.loads(body)["payment_details"]["amount"] for body in provider.bodies]
    assert [float(amount) for amount in sent] == [2.23, 9.99]


def test_a_repeat_sends_the_same_bytes_also_after_an_upgrade(sender, monkeypatch):
    """The call is made when the row is taken up first, and stored before it leaves."""
    provider = Environment("staging")
    provider.tells_time = True
    provider.meet = lambda _reference: dated(503, json={})
    assert sender(**provider.own).send(referenced(1)).exit_status == 3
    provider.meet = lambda _reference: None
    made = PaymentRequests.call_for

    def call_for(kind, rows, key):
        return made(kind, [{**rows[0], "notes": "of a newer release"}], key)

    monkeypatch.setattr(PaymentRequests, "call_for", call_for)
    assert sender(**provider.own).resume().exit_status == 0
    assert len(provider.bodies) > 1
    assert len({*provider.bodies}) == 1


@pytest.mark.parametrize(("minutes", "attempts"), [(5, 2), (11, 1)])
def test_what_may_have_been_sent_more_than_ten_minutes_ago_is_looked_up_first(
    sender, victor_sandbox, tmp_path, minutes, attempts
):
    """Here the provider has it, and may have forgotten its key."""
    victor_sandbox.inject("status", operation="create", status=503, work=True)
    options = {"workers": 1}
    with suppress(Exception):
        sender(**options).send(referenced(1))
    victor_sandbox.clear_faults()
    ago = minutes * 60
    change_entries(
        tmp_path,
        f"state = 'sending', due_at = 0, first_sent_at = first_sent_at - {ago}, "
        f"changed_at = changed_at - {ago}, request_id = NULL, last = 'unknown'",
    )
    before = sum(victor_sandbox.attempts_by_key().values())
    assert sender(**options).resume().exit_status == 0
    assert sum(victor_sandbox.attempts_by_key().values()) - before == attempts - 1


def test_a_row_that_cannot_be_made_into_a_call_any_more_is_refused_alone(sender, monkeypatch):
    provider = Environment("staging")
    made = PaymentRequests.call_for

    def call_for(kind, rows, key):
        if rows[0]["client_reference_id"] == "REF-1":
            raise InvalidRequest("The notes are too long for this release.")
        return made(kind, rows, key)

    sender.store(referenced(2), **provider.own)
    monkeypatch.setattr(PaymentRequests, "call_for", call_for)
    counts = sender(**provider.own).resume().counts
    assert {str(outcome): count for outcome, count in counts.items()} == {
        "created": 1,
        "refused": 1,
    }
    assert provider.references == ["REF-2"]
