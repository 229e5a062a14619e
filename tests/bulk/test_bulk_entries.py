"""What a state has of a row beside its last call: earlier calls, and other environments."""

import json

import pytest

from tests.bulk.bulk_runs import change_state, nothing_sent, referenced, row
from tests.outbox.kinds import Provider

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
