"""Payments to a connected API of which the document alone is known: its writes take no key, and a
proof of the caller's finds them. The bank's search finds what contains the reference, or equals it
in any letter case; its list shows no payee, and lags. References and amounts are equal, or look so.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

import httpx
import sqlalchemy as sa

from tests.providers.connected.till import client_class, new_payment, operation
from tests.providers.running import ONCE
from victor_ext import Done, OperationRow, Proof, VictorError, connect
from victor_ext.outbox import EntryState, Outbox

REFERENCES = ("Bonus March", "bonus march", "1042.1", "1042.10", "1042.100", "aB3", "Ab3")
ENDS = ("done", "lost", "lost", "never came", "never came", "a page")
OWN = "POST /v1/payments"


@cache
def shared_engine() -> sa.Engine:
    """The database of all histories of a process."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    Outbox(engine).create_table()
    return engine


class Banks:
    """One outbox, and one bank that loses responses."""

    def __init__(
        self,
        payments: tuple[tuple[str, int], ...],
        ends: tuple[str, ...],
        search: str,
        lags: tuple[bool, ...],
        at_once: int,
        of_others: tuple[str, ...],
    ) -> None:
        self.payments, self.ends, self.search, self.lags = payments, ends, search, lags
        self.made: list[dict[str, Any]] = []
        self.of_others = of_others
        self.has_caught_up = False
        rows = {OWN: OperationRow(takes_key=False, proof=Proof(self._find))}
        self.client = connect(
            client_class(),
            name="Till",
            base_url="https://till.test",
            transport=httpx.MockTransport(self._answer),
            retry=ONCE,
            rows=rows,
        )
        self.outbox = Outbox(shared_engine(), self.client, workers=at_once)

    @classmethod
    def draw(cls, dice: Random) -> dict[str, Any]:
        count = dice.randint(2, 4)
        near = dice.sample(REFERENCES, 2)
        others = [each for each in REFERENCES if each not in near]
        return {
            "payments": tuple((dice.choice(near), dice.choice((1, 1, 2))) for _ in range(count)),
            "ends": tuple(dice.choice(ENDS) for _ in range(count)),
            "search": dice.choice(("contains", "contains", "any case")),
            "lags": tuple(dice.random() < 0.3 for _ in range(count)),
            "at_once": dice.choice((1, 3)),
            "of_others": tuple(dice.sample(others, dice.choice((0, 0, 1, 2)))),
        }

    def _answer(self, request: httpx.Request) -> httpx.Response:
        """The bank's. A payee is known to it, and in no list."""
        now = datetime.now(UTC)
        dated = {"Date": f"{now:%a, %d %b %Y %H:%M:%S} GMT"}
        if request.method == "GET":
            wanted = request.url.params.get("reference")
            items = [] if wanted is None else [*self._found(wanted)]
            return httpx.Response(200, headers=dated, json={"items": items})
        payment = json.loads(request.content)
        for reference in self.of_others:  # another program pays, too
            self._make(None, {**payment, "reference": reference, "message": None})
        self.of_others = ()
        number = int(payment.pop("message"))
        end = self.ends[number]
        if end != "never came":
            id = self._make(number, payment)
        if end == "done":
            shown = {"id": id, "message": str(number), **payment}
            return httpx.Response(201, headers=dated, json=shown)
        if end == "a page":
            return httpx.Response(403, headers=dated, html="<h1>Forbidden</h1>")
        raise httpx.ReadTimeout("lost")

    def _make(self, number: int | None, payment: dict[str, Any]) -> str:
        """Do a payment: the one with this number, or another program's."""
        id = f"pay_{len(self.made) + 1}"
        now = datetime.now(UTC).isoformat()
        self.made.append({"number": number, "id": id, "made_at": now} | payment)
        return id

    def _found(self, wanted: str) -> Iterator[dict[str, Any]]:
        for made in self.made:
            is_equal = made["reference"].casefold() == wanted.casefold()
            contains = wanted in made["reference"]
            number = made["number"]
            is_shown = self.has_caught_up or number is None or not self.lags[number]
            if is_shown and (contains if self.search == "contains" else is_equal):
                yield {name: made[name] for name in made.keys() - {"number", "message"}}

    def _find(self, client: Any, call: Any, _since: Any, _given: Any) -> Any:
        query = {"reference": call.body["reference"]}
        response = yield lambda: client.http.get("/v1/payments", params=query)
        found = [
            Done(
                payment["id"],
                created_at=datetime.fromisoformat(payment["made_at"]),
                compared=call.compared_with(payment, unsaid=("message",)),
            )
            for payment in response.json()["items"]
        ]
        return found[0] if len(found) == 1 else f"{len(found)} payments have the reference."

    def play(self) -> Iterator[str]:
        outbox, table = self.outbox, self.outbox.table
        take_payment = operation("payments.take_payment")
        with outbox._engine.begin() as connection:
            for each in table.metadata.sorted_tables:
                connection.execute(sa.delete(each))
            for number, (reference, amount) in enumerate(self.payments):
                body = new_payment(amount=amount, reference=reference, message=str(number))
                key = f"the-key-of-payment-{number}"
                outbox.add_call(connection, take_payment, body=body, idempotency_key=key)
        for number in range(4):
            self.has_caught_up = number > 1
            with suppress(VictorError):
                outbox.send()
            over = {"due_at": 0.0} | ({"settle_until": 1.0} if number == 2 else {})
            with outbox._engine.begin() as connection:
                connection.execute(sa.update(table).values(over))
        yield from self._judge()

    def _judge(self) -> Iterator[str]:
        for number, entry in enumerate(self.outbox.entries()):
            own = [made["id"] for made in self.made if made["number"] == number]
            if len(own) > 1:
                yield f"asked twice: {number}"
            if entry.state is EntryState.SENT and entry.request_id not in own:
                yield f"told wrong: {number} is sent as {entry.request_id}, and is {own}"
            if entry.state in (EntryState.REJECTED, EntryState.REFUSED) and own:
                yield f"told wrong: {number} is {entry.state.value}, and is {own}"

    def words(self) -> Iterator[str]:
        return (entry.state.value for entry in self.outbox.entries())
