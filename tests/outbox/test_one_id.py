"""One id of the provider settles one entry, whatever a response says."""

import importlib
import json
import sys
import threading
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.histories.calls import OPERATIONS, client
from tests.histories.provider import Rules
from tests.histories.settling import STORED
from tests.histories.world import Process, World
from tests.outbox.kinds import Box, Provider, dated
from tests.outbox.rows import change, execute, key_of, states, stored
from tests.outbox.test_groups import Together
from tests.providers.running import GUID, ONCE
from tests.providers.victor.adapter import invoice
from victor_ext import (
    ApiClient,
    AsyncApiClient,
    HeaderKey,
    InvalidRequest,
    PreparedCall,
    Promise,
)
from victor_ext.outbox import Outbox
from victor_ext.outbox.sending import Sending
from victor_spec.generate import generate

pytestmark = [pytest.mark.slow, pytest.mark.hours]


WORDS = {"by": "Ada", "why": "the portal has it"}


class OneRequest(Provider):
    """Its response to each `create` names one request, whose values confirm any payment; in one
    spelling after the other, the last one from then on.
    """

    def __init__(self, *ids: str) -> None:
        spellings = [*ids] or ["R1"]

        def meet(_reference: str) -> httpx.Response:
            id = spellings.pop(0) if len(spellings) > 1 else spellings[0]
            return dated(200, json={"victor_payment_request_id": id, "status": "created"})

        super().__init__(meet)


@cache
def counting() -> Any:
    """The module of the operation of counting.yaml."""
    folder = TemporaryDirectory()
    sys.path.insert(0, folder.name)
    generate(Path(__file__).with_name("counting.yaml"), Path(folder.name), name="counting_api")
    module = importlib.import_module("counting_api.api.charges.charge")
    module.folder = folder  # type: ignore[attr-defined]  # it is there as long as the module
    return module


class Charges(Box):
    """An outbox of charges, of a provider that gives their ids: of each customer in their order."""

    def __init__(self, kind: str, engine: sa.Engine, ids: dict[str, list[int]]) -> None:
        super().__init__(kind, engine, self._client)
        self._ids = ids

    def _client(self, awaited: bool) -> Any:
        counting()
        client = importlib.import_module("counting_api.client").Client
        connecting = (ApiClient, AsyncApiClient)[awaited]
        transport = httpx.MockTransport(self._answer)
        options = {"key": HeaderKey(), "retry": ONCE, "base_url": "https://counting.example"}
        return connecting(client, name="Counting", transport=transport, **options)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return dated(404)
        customer = request.url.path.split("/")[2]
        return dated(201, json={"id": self._ids[customer].pop(0)})

    def charge(self, number: int, customer: str) -> None:
        operation = counting()
        new = importlib.import_module("counting_api.models").New
        body = new(amount=1, reference=f"INV-{number}")
        self.add_call(operation, customer, body=body, idempotency_key=key_of(number))


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


def test_an_id_in_another_letter_case_of_a_guid_is_the_same_one(
    kind: str, engine: sa.Engine
) -> None:
    box = box_of(kind, engine, OneRequest(GUID.upper(), f" {GUID} "))
    for number in (1, 2):
        box.add(**invoice(number))
        box.send()
    assert box.states() == ["sent", "settling"]
    assert [entry.request_id for entry in box.entries()] == [GUID, None]


def test_ids_may_count_anew_for_each_parent(kind: str, engine: sa.Engine) -> None:
    """Anna's charge 1 is not Bert's. The id that a second charge of Anna's gets is her first's."""
    box = Charges(kind, engine, {"anna": [1, 1], "bert": [1]})
    for number, customer in enumerate(("anna", "bert", "anna"), 1):
        box.charge(number, customer)
        box.send()
    assert box.states() == ["sent", "sent", "unclear"]


def test_an_id_that_equals_an_amount_is_that_of_what_was_made(kind: str, engine: sa.Engine) -> None:
    box = Charges(kind, engine, {"anna": [1, 1]})
    for number in (1, 2):
        box.charge(number, "anna")
    box.send()
    assert sorted(box.states()) == ["sent", "unclear"]


@pytest.mark.parametrize("second", ["R1", GUID.upper()])
@pytest.mark.parametrize("is_first_sent", [False, True], ids=["of two", "of an earlier one"])
def test_results_that_are_stored_by_one_statement_have_each_an_id_of_their_own(
    outbox: Outbox, engine: sa.Engine, is_first_sent: bool, second: str
) -> None:
    stored(outbox, invoice(1))
    with OneRequest(GUID if second != "R1" else second, second).client() as victor:
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


def prepared(write: str, fact: str) -> PreparedCall:
    """A write of a history about this fact."""
    operation = OPERATIONS[write]
    sender = client(operation.system, Process(World(Rules())))
    method = operation.module if operation.system == "kiosk" else operation.name
    args, named = operation.arguments(fact)
    call: PreparedCall = sender.prepare(method, *args, idempotency_key=key_of(), **named)
    return call


@pytest.mark.parametrize("write", STORED)
def test_an_id_that_a_request_has_was_not_made_by_it(write: str) -> None:
    """Each instruction of a payout has its id, and each refund that of its order."""
    call = prepared(write, "name-1")
    assert call.makes("R9") == (call.method == "POST")
    if call.ids:
        assert not call.makes(call.ids[0])
    if write == "capture":
        assert not call.makes("o-1")


@pytest.mark.parametrize(
    ("member", "value", "is_made"),
    [
        ("amount", 1, True),
        ("amount", "1", True),
        ("paid", "1", True),
        ("order_id", 1, True),
        ("order_id", "1", False),
        ("orderId", "1", False),
        ("orderIDs", ["0", "1"], False),
        ("order", {"id": "1"}, False),
    ],
)
def test_a_member_that_names_an_id_says_what_was_there_before(
    member: str, value: object, is_made: bool
) -> None:
    assert call_with({member: value}).makes("1") is is_made


def test_an_id_is_that_in_the_request_in_any_spelling() -> None:
    assert not call_with({"id": GUID}).makes(GUID.upper())
    assert not call_with({}, GUID.upper()).makes(GUID)


def test_an_id_that_is_the_reference_of_a_request_is_that_of_what_was_made() -> None:
    """The merchant's `orderId` of an evaluation is no id of the provider's."""
    call = prepared("evaluate", "1")
    assert call.payments[0].reference == "INV-1"
    assert call.makes("INV-1")


def call_with(values: dict[str, Any], parent: str = "anna") -> PreparedCall:
    return PreparedCall(
        name="charge",
        operation="POST /customers/{}/charges",
        promise=Promise.KEYED,
        method="POST",
        url=f"/customers/{parent}/charges",
        headers={},
        content=json.dumps(values).encode(),
    )


def box_in_doubt(kind: str, engine: sa.Engine, id: str) -> Box:
    """Of INV-1, which has the id, and INV-2, which is unclear."""
    box = box_of(kind, engine, OneRequest(id))
    box.add(**invoice(1))
    box.send()
    box.add(**invoice(2))
    table = Outbox(engine).table
    unclear = sa.update(table).where(table.c.key == key_of(2)).values(state="unclear")
    execute(Outbox(engine), unclear)
    return box


@pytest.mark.parametrize(
    ("id", "typed"), [("R1", "R1"), (GUID, GUID.upper()), (GUID.upper(), GUID)]
)
def test_an_entry_is_not_resolved_with_the_id_of_another_one(
    kind: str, engine: sa.Engine, id: str, typed: str
) -> None:
    box = box_in_doubt(kind, engine, id)
    why = f"^{typed} is the id of the entry INV-1: write the id of what INV-2 has made.$"
    with pytest.raises(InvalidRequest, match=why) as refused:
        box.resolve("INV-2", done=True, id=typed, **WORDS)
    assert [problem.field for problem in refused.value.problems] == ["id"]
    assert box.states() == ["sent", "unclear"]
    assert box.resolve("INV-2", done=True, id="R2", **WORDS).request_id == "R2"
    assert box.states() == ["sent", "sent"]


def test_an_entry_without_a_reference_is_named_by_its_key(kind: str, engine: sa.Engine) -> None:
    box = Charges(kind, engine, {"anna": [1, 2]})
    for number in (1, 2):
        box.charge(number, "anna")
    box.send()
    table = Outbox(engine).table
    unclear = sa.update(table).where(table.c.key == key_of(2)).values(state="unclear")
    execute(Outbox(engine), unclear)
    taken = next(entry for entry in box.entries() if entry.state == "sent")
    with pytest.raises(InvalidRequest, match=f"is the id of the entry {key_of(1)}:"):
        box.resolve(key_of(2), done=True, id=taken.request_id, **WORDS)


@pytest.mark.parametrize("id", ["", " ", " R2", "R2 ", "R2\u200b", "R\u00a02"])
def test_an_id_with_what_cannot_be_seen_is_refused_by_name(
    kind: str, engine: sa.Engine, id: str
) -> None:
    box = box_in_doubt(kind, engine, "R1")
    with pytest.raises(InvalidRequest, match=r"^id .*: write the id alone") as refused:
        box.resolve("INV-2", done=True, id=id, **WORDS)
    assert [problem.field for problem in refused.value.problems] == ["id"]
    assert box.states() == ["sent", "unclear"]


def test_an_id_of_what_was_not_done_is_refused_by_name(kind: str, engine: sa.Engine) -> None:
    box = box_in_doubt(kind, engine, "R1")
    with pytest.raises(InvalidRequest, match=r"^id says that it was made: leave it out") as refused:
        box.resolve("INV-2", done=False, id="R2", **WORDS)
    assert [problem.field for problem in refused.value.problems] == ["id"]
    assert box.states() == ["sent", "unclear"]


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
