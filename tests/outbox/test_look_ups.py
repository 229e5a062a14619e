"""What may have been sent is looked up by one walk of the provider's list for all entries of a
pass, and each comes to what a look-up of its own shows.
"""

import time
from datetime import UTC, datetime, timedelta

import anyio
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from victor_api.api.payment_requests import create_request_payment

from tests.outbox.kinds import dated
from tests.outbox.rows import execute
from tests.payments import invoice, wire_body
from tests.providers.running import ONCE, scripted
from tests.providers.systems import ARGUMENTS, CLIENTS
from victor_ext import zulu
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
IN_DOUBT = 50
OTHER_KEY = "the-key-of-the-second-entry"


def pages_read(sandbox):
    """How often a page of the list was read."""
    return [request.method for request in sandbox.received()].count("GET")


def put_in_doubt(box, *chosen, **values):
    """A worker with other credentials has marked all entries, or those that are chosen, and
    ended.
    """
    outbox = Outbox(box.engine)
    sent = {"first_sent_at": time.time() - 5.0, "by_provider_clock": True, "sent_by": "others"}
    marks = {"state": "sending", "due_at": 0.0, **sent, **values}
    execute(outbox, sa.update(outbox.table).where(*chosen).values(**marks))


def client_of(answer, awaited):
    """A client of a provider that answers so."""
    client, _ = scripted(CLIENTS["victor"][awaited], ARGUMENTS["victor"], answer, retry=ONCE)
    return client


@pytest.fixture
def doubtful(box, victor, victor_sandbox):
    """An outbox with entries in doubt: the provider has those with an even number."""
    for number in range(IN_DOUBT):
        box.add(**invoice(number))
        if number % 2 == 0:
            victor.payment_requests.create(**invoice(number))
    put_in_doubt(box)
    return box


def test_one_reading_of_the_list_serves_all_entries_of_unknown_outcome(doubtful, victor_sandbox):
    before = pages_read(victor_sandbox)
    assert len(doubtful.send()) == IN_DOUBT / 2
    assert doubtful.states() == ["sent", "settling"] * (IN_DOUBT // 2)
    # one of them for the time of the provider, and the last one is empty
    assert pages_read(victor_sandbox) - before == 3


@pytest.mark.parametrize("is_function", [False, True])
def test_of_two_lost_entries_with_one_reference_none_is_settled_by_whichever_name_each_was_added(
    box, victor, victor_sandbox, is_function
):
    call = victor.prepare("payment_requests.create", **invoice(1))
    box.add(**invoice(1))
    if is_function:
        box.add_call(create_request_payment, body=call.body, idempotency_key=OTHER_KEY)
    else:
        box.add(**invoice(1, idempotency_key=OTHER_KEY))
    victor.payment_requests.create(**invoice(1))
    put_in_doubt(box)
    assert box.send() == []
    assert box.states() == ["settling", "settling"]


def test_one_reading_of_a_payors_payments_serves_all_payouts_of_unknown_outcome(payouts):
    for number in range(4):
        payouts.submit(f"{number}", f"{number}b", key=f"the-key-of-the-payout-{number}")
        payouts.lose("submit", "cut_request" if number == 2 else "lose_answer")
    before = payouts.calls("list_payments")
    assert [state for state, _ in payouts.send()] == ["sent"] * 3
    assert sorted(payouts.states()) == ["sent"] * 3 + ["settling"]
    assert payouts.calls("list_payments") - before == 1


# Each has what a look-up of its own shows

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LAST = "9999-12-31T00:00:00Z"
MINUTES = st.sampled_from([-300, -120, -61, -10, -5, -1, 0, 1, 30])
"""When something was made or sent, from a moment on."""


def made(number, minutes, name, amount, *, is_dated):
    """A request in the list."""
    request = wire_body(payer_counterparty_id="acceptsRfp", amount=amount)
    if is_dated:
        request["created_at"] = int((NOW + timedelta(minutes=minutes)).timestamp() * 1000)
    return {
        "victor_payment_request_id": name,
        "client_reference_id": f"INV-{number}",
        "direction": "outbound",
        "status": "created",
        "payment_request": request,
    }


LISTED = st.lists(
    st.tuples(st.integers(0, 3), MINUTES, st.sampled_from(["44.23", "1.00"]), st.booleans()),
    max_size=8,
)


def provider_of(listed, size):
    """A provider whose list begins with the oldest request of the window."""

    def answer(request):

        start = zulu.parse(request.url.params.get("start_datetime", LAST)).timestamp() * 1000
        results = [
            item for item in listed if item["payment_request"].get("created_at", start) >= start
        ]
        page = int(request.url.params["page"])
        results = results[page * size : (page + 1) * size]
        return dated(200, json={"page": page, "page_size": size, "results": results})

    return answer


def outcome_of(finding):
    """What a finding says, without the window that was read."""
    if isinstance(finding, str):
        return finding.partition(" None of the ")[0]
    return finding


@pytest.mark.parametrize("awaited", [False, True])
@given(
    listed=LISTED,
    asked=st.lists(st.tuples(st.integers(0, 3), MINUTES, MINUTES), min_size=1, max_size=6),
    size=st.integers(1, 4),
)
def test_a_look_up_of_many_calls_gives_each_call_the_result_of_a_separate_look_up(
    awaited, listed, asked, size
):
    items = [
        made(number, minutes, f"R{place}", amount, is_dated=is_dated)
        for place, (number, minutes, amount, is_dated) in enumerate(listed)
    ]
    answer = provider_of(items, size)
    blocking = client_of(answer, False)
    look_ups = []
    for number, sent, earlier in asked:
        call = blocking.prepare("payment_requests.create", **invoice(number))
        since, before = (NOW + timedelta(minutes=minutes) for minutes in (sent, earlier))
        look_ups.append((call, since, min(since, before)))
    own = [blocking.look_up(call, since=since, read_from=first) for call, since, first in look_ups]

    async def together():
        async with client_of(answer, True) as client:
            return await client.look_up_all(look_ups)

    findings = anyio.run(together) if awaited else blocking.look_up_all(look_ups)
    assert [*map(outcome_of, findings)] == [*map(outcome_of, own)]
