"""What a state has of a row beside its last call: earlier calls, and other environments."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bulk.bulk_runs import Senders, nothing_sent, row
from tests.providers.running import TOKEN
from victor_ext import RetryPolicy, Victor, VictorOAuth
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


def change_entries(folder: Path, values: str) -> None:
    """All entries of the state have these values."""
    with closing(sqlite3.connect(folder / "state.sqlite")) as state, state:
        state.execute(f"UPDATE victor_bulk SET {values}")


def test_what_was_not_sent_by_an_earlier_call_is_in_doubt_after_the_one_that_was_lost(
    sender: Senders, victor_sandbox: Sandbox, tmp_path: Path
) -> None:
    """A sender was killed during its second call, and the key has lapsed since then."""
    sender.store([row(1, client_reference_id="REF-1")])
    sent = "state = 'sending', first_sent_at = stored_at, by_provider_clock = TRUE"
    change_entries(tmp_path, f"{sent}, sent_by = 'another account', last = 'not_sent'")
    with nothing_sent(victor_sandbox):
        sender().resume()
        change_entries(tmp_path, "leased_until = 0, settle_until = 1")  # ten minutes later
        assert sender().resume().exit_status == 3
        assert sender.result().outcome == "unknown"
        change_entries(tmp_path, "settle_until = 1")
        assert sender().resume().exit_status == 3


class Environment:
    """A provider that gives its first request the id R1: so do others. Its responses have no time.

    Attributes:
        meanwhile: Called during the first request, if it is not None.
    """

    def __init__(self, name: Any) -> None:
        self.keys: list[str] = []
        self.amounts: list[str] = []
        self.meanwhile: Callable[[], None] | None = None
        self.client = Victor(
            VictorOAuth("the same", "everywhere"),
            environment=name,
            base_url="https://victor.test",
            transport=httpx.MockTransport(self.respond),
            retry=RetryPolicy(max_attempts=1),
        )

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json=TOKEN)
        if request.method == "GET":
            return httpx.Response(200, json={"page": 0, "page_size": 1, "results": []})
        self.keys.append(request.headers["idempotency-key"])
        self.amounts.append(json.loads(request.content)["payment_details"]["amount"])
        if self.meanwhile is not None and len(self.keys) == 1:
            self.meanwhile()
        made = {"victor_payment_request_id": f"R{len(self.keys)}", "status": "created"}
        return httpx.Response(200, content=json.dumps(made))


def test_a_key_and_an_id_of_another_environment_are_another_payments(sender: Senders) -> None:
    environments = [Environment("staging"), Environment("production")]
    for environment in environments:
        own: dict[str, Any] = {"victor": environment.client, "batch": "march"}
        sender.store([row(1)], **own)
    for environment in environments:
        own = {"victor": environment.client, "batch": "march"}
        sender.finish(**own)
        assert sender.result(**own).id == "R1"
    assert environments[0].keys == environments[1].keys
    assert len(environments[0].keys) == 1


def test_a_worker_does_not_send_what_a_newer_file_has_replaced_since_it_took_it_up(
    sender: Senders,
) -> None:
    """Without the provider's time, a row is marked just before its own call."""
    provider = Environment("staging")
    own: dict[str, Any] = {"victor": provider.client, "workers": 1}
    provider.meanwhile = lambda: sender.store([row(1), row(2, amount="9.99")], **own)
    sender(**own).send([row(1), row(2)])
    sender.finish(**own)
    assert [float(amount) for amount in provider.amounts] == [2.23, 9.99]
