"""One id of the provider settles one entry, whatever a response says."""

import threading
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.histories.calls import client
from tests.histories.provider import Rules
from tests.histories.settling import WRITES
from tests.histories.world import Process, World
from tests.outbox.kinds import Box, Provider, dated
from tests.outbox.rows import change, execute, key_of, states, stored
from tests.outbox.test_groups import Together
from tests.providers.victor.adapter import invoice
from victor_ext import InvalidRequest
from victor_ext.outbox import Outbox
from victor_ext.outbox.sending import Sending

pytestmark = [pytest.mark.slow, pytest.mark.hours]


class OneRequest(Provider):
    """Its response to each `create` names one request, whose values confirm any payment."""

    def __init__(self, id: str = "R1") -> None:
        body = {"victor_payment_request_id": id, "status": "created"}
        super().__init__(lambda _reference: dated(200, json=body))


def box_of(kind: str, engine: sa.Engine, provider: Provider, **options: Any) -> Box:
    return Box(kind, engine, provider.client, **options)


def test_a_response_that_names_the_request_of_another_entry_settles_one_of_them(
    kind: str, engine: sa.Engine
) -> None:
    """It is looked up, never sent again, and ends in doubt: its error names both."""
    provider = OneRequest()
    box = box_of(kind, engine, provider)
    for number in (1, 2):
        box.add(**invoice(number))
    assert states(box.send()) == ["sent"]
    (sent,) = box.entries("sent")
    (doubtful,) = box.entries("settling")
    assert sent.request_id == "R1"
    assert doubtful.request_id is None
    assert "R1" in doubtful.error
    assert sent.idempotency_key in doubtful.error
    assert doubtful.idempotency_key in doubtful.error
    change(Outbox(engine), leased_until=0.0, settle_until=1.0)
    assert states(box.send()) == ["unclear"]
    assert len(provider.keys) == 2


@pytest.mark.parametrize("is_first_sent", [False, True], ids=["of two", "of an earlier one"])
def test_results_that_are_stored_by_one_statement_have_each_an_id_of_their_own(
    outbox: Outbox, engine: sa.Engine, is_first_sent: bool
) -> None:
    stored(outbox, invoice(1))
    with OneRequest().client() as victor:
        if is_first_sent:
            outbox.send(victor)
            stored(outbox, invoice(3))
        stored(outbox, invoice(2))
        Together(engine).send(victor)
    assert sorted(set(states(outbox.entries()))) == ["sent", "settling"]
    assert len(outbox.entries("sent")) == 1


def test_what_an_entry_had_made_settles_it_whoever_says_it_again(
    kind: str, engine: sa.Engine
) -> None:
    """A worker that was killed before it stored the result repeats the call under its key."""
    box = box_of(kind, engine, OneRequest())
    box.add(**invoice(1))
    box.send()
    for values in ({"state": "sending"}, {"state": "sending", "request_id": None}):
        change(Outbox(engine), leased_until=0.0, **values)
        assert states(box.send()) == ["sent"]
        assert box.entries()[0].request_id == "R1"


def test_an_id_of_another_system_is_another_one(outbox: Outbox, engine: sa.Engine) -> None:
    stored(outbox, invoice(1), invoice(2))
    is_first = outbox.table.c.key == key_of(1)
    other = {"state": "sent", "provider": "Velo", "request_id": "R1", "ended": True}
    execute(outbox, sa.update(outbox.table).where(is_first).values(**other))
    assert states(box_of("blocking", engine, OneRequest()).send()) == ["sent"]


@pytest.mark.parametrize("write", WRITES)
def test_an_id_that_a_request_has_was_not_made_by_it(write: str) -> None:
    """Each instruction of a payout has its id, and each refund that of its order."""
    system, arguments, _ = WRITES[write]
    process = Process(World(Rules()))
    (operation, *args), named = arguments("name-1")
    named = {
        name: value for name, value in named.items() if name not in ("at_most_once", "look_up_by")
    }
    call = client(system, process).prepare(operation, *args, idempotency_key=key_of(), **named)
    assert call.makes("R9") == (call.method == "POST")
    if call.ids:
        assert not call.makes(call.ids[0])
    if write == "capture":
        assert not call.makes("o-1")


def test_an_entry_is_not_resolved_with_the_id_of_another_one(kind: str, engine: sa.Engine) -> None:
    box = box_of(kind, engine, OneRequest())
    box.add(**invoice(1))
    box.send()
    box.add(**invoice(2))
    table = Outbox(engine).table
    unclear = sa.update(table).where(table.c.key == key_of(2)).values(state="unclear")
    execute(Outbox(engine), unclear)
    words = {"by": "Ada", "why": "the portal has it"}
    with pytest.raises(InvalidRequest, match=f"R1 is the id of the entry {key_of(1)}") as refused:
        box.resolve("INV-2", done=True, id="R1", **words)
    assert [problem.field for problem in refused.value.problems] == ["id"]
    assert box.states() == ["sent", "unclear"]
    assert box.resolve("INV-2", done=True, id="R2", **words).request_id == "R2"
    assert box.states() == ["sent", "sent"]


def test_two_workers_that_store_one_id_at_the_same_moment_store_it_once(
    outbox: Outbox, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one waits until the first has committed, and sees its entry."""
    stored(outbox, invoice(1), invoice(2))
    both_called, second_stores = threading.Barrier(2), threading.Event()
    is_first = iter([True])
    change_held = Sending._change_held

    def change_and_wait(*arguments: Any) -> Any:
        changed = change_held(*arguments)
        if next(is_first, False):
            second_stores.wait(1.0)
        else:
            second_stores.set()
        return changed

    monkeypatch.setattr(Sending, "_change_held", change_and_wait)
    provider = OneRequest()
    answer = provider.meet

    def meet(reference: str) -> httpx.Response:
        both_called.wait(30.0)
        response: httpx.Response = answer(reference)
        return response

    provider.meet = meet
    monkeypatch.setattr("victor_ext.outbox.claims.GROUP", 1)

    def work() -> None:
        own = sa.create_engine(engine.url)
        box_of("blocking", own, provider, workers=1).send()
        own.dispose()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(states(outbox.entries())) == ["sent", "settling"]
