"""An outbox of payouts, and the sandbox of Velo that it sends to."""

from typing import Any

import sqlalchemy as sa

from tests.outbox.kinds import Box
from tests.outbox.rows import change
from tests.providers.running import ONCE
from tests.providers.velo.adapter import pay
from victor_ext.outbox.entries import outbox_table

KEY = "the-key-of-the-march-payout"


class Payouts(Box):
    """An outbox of one kind whose client is one of Velo's."""

    table = outbox_table("victor_outbox")

    def __init__(self, kind: str, engine: sa.Engine, harness: Any) -> None:
        super().__init__(kind, engine, self._new_client)
        self.harness, self._engine = harness, engine
        self.settings: dict[str, Any] = {"retry": ONCE}

    def _new_client(self, awaited: bool) -> Any:
        return self.harness.kinds[awaited](**{**self.harness.settings, **self.settings})

    def add(self, name: Any, *args: Any, key: str = KEY, **named: Any) -> None:
        self._act("add_call", name, *args, idempotency_key=key, **named)

    def submit(self, *references: str, **named: Any) -> None:
        """Add a payout of payments with these references, which the list of its payor shows."""
        payments = [*map(pay, references or ("INV-1042",))]
        look_up_by = {"payor_id": self.harness.payor}
        self.add("payouts.submit", payments, look_up_by=look_up_by, **named)

    def send(self) -> list[tuple[str, str | None]]:
        """One pass; the states and ids of what has come to a result."""
        return [(entry.state.value, entry.request_id) for entry in self._act("send")]

    def change(self, **values: Any) -> None:
        change(self, **values)

    def end_leases(self, **values: Any) -> None:
        self.change(leased_until=0.0, **values)

    def state(self) -> str:
        (state,) = self.states()
        return state

    def error(self, row: int = 0) -> str:
        """What is said of an entry."""
        return str(self.entries()[row].error or "")

    def lose(self, word: str, how: str = "lose_answer") -> None:
        """The next answer to such a call does not come, or the call does not arrive."""
        self.harness.sandbox.inject(how, operation=word)

    def calls(self, word: str) -> int:
        return int(self.harness.calls(word))

    def wait_until_accepted(self, payout_id: str | None) -> None:
        self.harness(lambda velo: velo.payouts.wait(payout_id, until="ACCEPTED", timeout=30))
