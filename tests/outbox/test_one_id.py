"""One id of the provider settles one entry, whatever a response says."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.outbox.kinds import Box, Provider, dated
from tests.outbox.rows import change, execute, key_of, states, stored
from tests.outbox.test_groups import Together
from tests.payments import invoice
from tests.providers.connected.till import client_class, generated, operation
from tests.providers.flexfactor.adapter import declined
from tests.providers.running import GUID, ONCE
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import (
    ApiClient,
    HeaderKey,
    InvalidRequest,
    PreparedCall,
    Promise,
)
from victor_ext.outbox import Outbox
from victor_ext.providers import Money

pytestmark = pytest.mark.slow


COUNTING = Path(__file__).with_name("counting.yaml")
WORDS = {"by": "Ada", "why": "the portal has it"}


class OneRequest(Provider):
    """Its response to each `create` names one request, whose values confirm any payment; in one
    spelling after the other, the last one from then on.
    """

    def __init__(self, *ids):
        spellings = [*ids] or ["R1"]

        def meet(_reference):
            id = spellings.pop(0) if len(spellings) > 1 else spellings[0]
            return dated(200, json={"victor_payment_request_id": id, "status": "created"})

        super().__init__(meet)


def charge(engine, *, number, customer):
    """Send a charge to a provider that gives each one the id 1; what becomes of it."""
    package = generated(COUNTING)

    def answer(request):
        return dated(201, json={"id": 1}) if request.method == "POST" else dated(404)

    connected = ApiClient(
        client_class(package),
        name="Counting",
        transport=httpx.MockTransport(answer),
        key=HeaderKey(),
        retry=ONCE,
        base_url="https://counting.example",
    )
    box = Box("blocking", engine, lambda _awaited: nullcontext(connected))
    body = {"amount": 1, "reference": f"INV-{number}"}
    charge_customer = operation("charges.charge", package)
    box.add_call(charge_customer, customer, body=body, idempotency_key=key_of(number))
    box.send()
    return box.entry(key_of(number)).state


def box_of(kind, engine, provider, **options):
    return Box(kind, engine, provider.client, **options)


def test_two_entries_with_the_same_id_in_their_responses_are_not_both_settled(kind, engine):
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
    change(Outbox(engine), due_at=0.0, settle_until=1.0)
    assert states(box.send()) == ["unclear"]
    assert len(provider.keys) == 2


def test_an_id_in_another_letter_case_of_a_guid_is_the_same_one(kind, engine):
    box = box_of(kind, engine, OneRequest(GUID.upper(), f" {GUID} "))
    for number in (1, 2):
        box.add(**invoice(number))
        box.send()
    assert box.states() == ["sent", "settling"]
    assert [entry.request_id for entry in box.entries()] == [GUID, None]


def test_an_id_that_two_of_one_operation_get_settles_the_first_one(sqlite):
    """The id of the first one is its own, though its amount is 1, too."""
    assert charge(sqlite, number=1, customer="anna") == "sent"
    assert charge(sqlite, number=2, customer="bert") == "unclear"


@pytest.mark.parametrize("second", ["R1", GUID.upper()])
@pytest.mark.parametrize("is_first_sent", [False, True], ids=["of two", "of an earlier one"])
def test_of_several_results_with_one_id_only_one_is_stored(outbox, engine, is_first_sent, second):
    stored(outbox, invoice(1))
    with OneRequest(GUID if second != "R1" else second, second).client() as victor:
        if is_first_sent:
            outbox.send(victor)
            stored(outbox, invoice(3))
        stored(outbox, invoice(2))
        Together(engine).send(victor)
    assert sorted(set(states(outbox.entries()))) == ["sent", "settling"]
    assert len(outbox.entries("sent")) == 1


@pytest.mark.parametrize(
    ("system", "method", "arguments"),
    [
        ("velo", "payouts.instruct", (GUID,)),
        ("flexfactor", "capture", (GUID, Money.of("1", "USD"))),
        ("eastpay", "payments.capture", (GUID, Money.of("1", "EGP"))),
    ],
)
def test_an_id_that_stands_in_a_request_was_not_made_by_the_request(system, method, arguments):
    """Each instruction of a payout has its id, and each capture that of its order."""
    named = {"merchant_transaction_id": "INV-1"} if system == "eastpay" else {}
    with CLIENTS[system][0](**ARGUMENTS[system]) as client:
        call = client.prepare(method, *arguments, **named)
    assert call.makes("R9")
    assert not call.makes(GUID.upper()), "in any spelling"


@pytest.mark.parametrize(
    ("member", "value", "is_made"),
    [
        ("amount", "1", True),
        ("paid", "1", True),
        ("order_id", 1, True),
        ("order_id", "1", False),
        ("orderIDs", ["0", "1"], False),
        ("order", {"id": "1"}, False),
    ],
)
def test_a_text_id_in_a_member_for_ids_was_not_made_by_the_request(member, value, is_made):
    call = PreparedCall(
        name="charge",
        operation="POST /customers/{}/charges",
        promise=Promise.KEYED,
        method="POST",
        url="/customers/anna/charges",
        headers={},
        content=json.dumps({member: value}).encode(),
    )
    assert call.makes("1") is is_made


def test_an_id_that_equals_the_reference_of_a_request_can_be_made_by_the_request():
    """The merchant's `orderId` of an evaluation is no id of the provider's."""
    with CLIENTS["flexfactor"][0](**ARGUMENTS["flexfactor"]) as client:
        call = client.prepare("evaluate", **declined(order_id="INV-1"))
    assert call.makes("INV-1")


def box_in_doubt(kind, engine, id):
    """Of INV-1, which has the id, and INV-2, which is unclear."""
    box = box_of(kind, engine, OneRequest(id))
    box.add(**invoice(1))
    box.send()
    box.add(**invoice(2))
    table = Outbox(engine).table
    unclear = sa.update(table).where(table.c.key == key_of(2)).values(state="unclear")
    execute(Outbox(engine), unclear)
    return box


def test_an_entry_is_not_resolved_with_the_id_of_another_one(kind, engine):
    box = box_in_doubt(kind, engine, GUID)
    why = f"^{GUID.upper()} is the id of the entry INV-1: write the id of what INV-2 has made.$"
    with pytest.raises(InvalidRequest, match=why):
        box.resolve("INV-2", done=True, id=GUID.upper(), **WORDS)
    assert box.states() == ["sent", "unclear"]
    assert box.resolve("INV-2", done=True, id="R2", **WORDS).request_id == "R2"


@pytest.mark.parametrize(
    ("id", "is_done", "why"),
    [
        ("", True, "^id .*: write the id alone"),
        (" R2", True, "^id .*: write the id alone"),
        ("R2\u200b", True, "^id .*: write the id alone"),
        ("R2", False, "^id says that it was done: leave it out"),
    ],
)
def test_an_impossible_id_for_an_entry_is_refused_by_its_field(kind, engine, id, is_done, why):
    box = box_in_doubt(kind, engine, "R1")
    with pytest.raises(InvalidRequest, match=why) as refused:
        box.resolve("INV-2", done=is_done, id=id, **WORDS)
    assert [problem.field for problem in refused.value.problems] == ["id"]
    assert box.states() == ["sent", "unclear"]


def test_two_workers_that_store_one_id_at_the_same_moment_store_it_once(outbox, engine):
    """The second one waits until the first has committed, and sees its entry."""
    stored(outbox, invoice(1), invoice(2))
    both_called = threading.Barrier(2)

    def wait_for_the_other(_connection, _cursor, statement, *_):
        if statement.startswith("UPDATE victor_outbox SET") and "request_id=" in statement:
            time.sleep(0.5)

    provider = OneRequest()
    answer = provider.meet

    def meet(reference):
        both_called.wait(30.0)
        return answer(reference)

    provider.meet = meet
    boxes = [box_of("blocking", sa.create_engine(engine.url), provider, workers=1) for _ in "12"]
    for box in boxes:
        sa.event.listen(box.engine, "after_cursor_execute", wait_for_the_other)
    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(box.send) for box in boxes]:
            each.result()
    for box in boxes:
        box.engine.dispose()
    assert sorted(states(outbox.entries())) == ["sent", "settling"]
