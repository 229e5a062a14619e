"""Reading long lists while they change, and looking for a request by its reference."""

import asyncio
import pickle
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.victor_command import calls
from tests.payments import payment
from victor_ext import zulu


def fill(sandbox, count):
    """Create `count` inbound requests."""
    for _ in range(count):
        sandbox.create_inbound("1.00")


def test_a_loop_that_accepts_the_pending_requests_accepts_all_of_them(victor_sandbox, victor):
    """Each accepted request leaves the list, and the rest moves forward, past the reader."""
    fill(victor_sandbox, 120)
    pending = victor.payment_requests.list(direction="inbound", status="pending")
    accepted = [
        victor.payment_requests.accept(request.id, notes="Thank you.").id for request in pending
    ]
    assert len(accepted) == len(set(accepted)) == 120
    assert all(request["status"] != "pending" for request in victor_sandbox.requests())


@pytest.mark.victor_sandbox(max_page_size=10)
def test_a_list_is_read_twice_only_if_its_items_can_leave_it(victor_sandbox, victor):
    fill(victor_sandbox, 25)
    now = datetime.now(UTC)
    all_pages = [0, 1, 2]
    for filters, expected, times in (
        ({"direction": "inbound", "start_datetime": now - timedelta(days=1)}, all_pages, 1),
        (
            {"due_date_start_date": now.date() - timedelta(days=9), "network_type": "RTP"},
            all_pages,
            1,
        ),
        ({"status": "pending"}, all_pages, 2),
        ({"approval_end_datetime": now}, [], 1),  # nobody is approved: an empty list is read once
    ):
        before = calls(victor_sandbox, "list")
        pages = list(victor.payment_requests.list(**filters).pages())
        assert [page.number for page in pages] == expected
        reads_of_a_pass = len(pages) + 1  # with the empty page at its end
        assert calls(victor_sandbox, "list") - before == times * reads_of_a_pass


HOURS = 3600.0


def ask(victor, reference="INV-1042"):
    return victor.payment_requests.create(
        **payment(payer_counterparty_id="ignoresRfp", client_reference_id=reference)
    )


async def found_by_a_new_client(client, reference, **window):
    async with client:
        return await client.payment_requests.find(reference, **window)


def ask_now(victor):
    """What was made, and the window of this machine's time in which it was."""
    start = zulu.now()
    made = ask(victor)
    return made, {"start_datetime": start, "end_datetime": zulu.now()}


@pytest.mark.parametrize("skew", [-2.0, 2.0, -30.0, 300.2, 600.0, -5 * HOURS, 5 * HOURS])
def test_a_new_client_finds_what_was_made_after_this_machine_s_now(
    victor_sandbox, victor, async_victor, skew
):
    """It learns the provider's clock from the first page that it reads, and searches again. Two
    seconds are enough for that clock to put the request before the caller's beginning.
    """
    victor_sandbox.set_clock_skew(skew)
    made, window = ask_now(victor)
    found = asyncio.run(found_by_a_new_client(async_victor, "INV-1042", **window))
    assert ([request.id for request in found], found.caveat) == ([made.id], "")


def test_the_result_of_find_says_which_window_it_read_and_how_many_requests(victor_sandbox, victor):
    made = ask(victor)
    start = zulu.now() - timedelta(hours=1)
    end = zulu.now() + timedelta(hours=1)

    found = victor.payment_requests.find("INV-1042", start_datetime=start, end_datetime=end)

    assert found == [made]
    assert found.end is not None
    assert (start - found.start, found.end - end) == (timedelta(minutes=5),) * 2
    assert found.read == len(victor_sandbox.requests())
    assert pickle.loads(pickle.dumps(found)).start == found.start
