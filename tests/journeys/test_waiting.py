"""`wait` and `watch`: which status ends them, by the list and by `get`, and what they raise."""

import httpx
import pytest

from tests.payments import payment
from tests.providers.running import Script
from tests.providers.victor.adapter import over
from victor_ext import (
    Conflict,
    RetryPolicy,
    ServerError,
    TimedOut,
)

pytestmark = pytest.mark.slow


READINGS = ("documented", "listed")
"""The document of `get`: "status: Either “Pending” or “Error”".

Or it has the nine words of the list.
"""
LISTED = pytest.mark.victor_sandbox(get_status="listed")
BOTH = pytest.mark.usefixtures("reading")


@pytest.fixture(
    params=[
        pytest.param(each, marks=pytest.mark.victor_sandbox(get_status=each)) for each in READINGS
    ]
)
def reading(request):
    return str(request.param)


def outbound(victor):
    return victor.payment_requests.create(**payment(payer_counterparty_id="ignoresRfp")).id


@BOTH
def test_the_life_of_a_request_is_looked_up_in_the_list(victor_sandbox, victor, reading):
    request_id = outbound(victor)
    victor_sandbox.move(request_id, "completed")
    assert victor.payment_requests.get(request_id).status == (
        "completed" if reading == "listed" else "pending"
    )

    assert (
        victor.payment_requests.wait(request_id, until="completed", timeout=0).status == "completed"
    )
    assert victor.payment_requests.wait(request_id, timeout=0).is_terminal
    assert (
        victor.payment_requests.wait(request_id, until="accepted", timeout=0).status == "completed"
    )


def test_a_wait_ends_at_an_error_that_only_get_tells(victor_sandbox, victor):
    request_id = outbound(victor)
    victor_sandbox.move(request_id, "failed", "The bank cannot receive requests.")
    body = (
        f'{{"page":0,"results":[{{"victor_payment_request_id":"{request_id}","status":"created",'
        '"direction":"OUTBOUND"}]}'
    )
    victor_sandbox.inject("status", operation="list", status=200, body=body, times=None)

    with pytest.raises(Conflict, match=r"ended as Error \(The bank cannot receive requests\.\)"):
        victor.payment_requests.wait(request_id, until="completed", timeout=5)


@pytest.fixture
def quick(victor):
    """Each call is tried once."""
    return victor.with_options(retry=RetryPolicy(max_attempts=1)).payment_requests


def waited(in_list, by_itself, until):
    """What `wait` returns where the list has one status, and `get` another."""
    said = {"victor_payment_request_id": "a1"}

    def answer(request):
        if "victor_id" in request.url.params:
            listed = [] if in_list is None else [{**said, "status": in_list}]
            return httpx.Response(200, json={"page": 0, "results": listed})
        return httpx.Response(200, json={**said, "status": by_itself})

    def wait(victor):
        return victor.payment_requests.wait("a1", until=until, timeout=0)

    return over("blocking", Script(answer), wait).status


WAY = ["created", "pending", "processing", "accepted", "completed"]


@pytest.mark.parametrize("status", WAY)
@pytest.mark.parametrize("wanted", [*WAY, "needs-review"])
def test_a_wait_for_a_status_ends_at_that_status_or_a_later_one_of_the_usual_order(status, wanted):
    if wanted in WAY[: WAY.index(status) + 1]:
        assert waited(status, status, wanted) == status
        assert waited(status, status, [wanted, "failed"]) == status
    elif status == "completed":
        with pytest.raises(Conflict, match="ended as completed"):
            waited(status, status, wanted)
    else:
        with pytest.raises(TimedOut, match=f"did not reach {wanted} within 0 s: it is {status}"):
            waited(status, status, wanted)
        with pytest.raises(TimedOut, match=f"did not reach {wanted} or declined"):
            waited(status, status, [wanted, "declined"])


@pytest.mark.parametrize(
    ("operation", "status", "word"),
    [
        *(
            pytest.param("list", status, "completed", marks=LISTED)
            for status in (400, 403, 404, 500, 501, 503, 429)
        ),
        pytest.param("list", 503, "accepted", marks=LISTED),
        *(
            pytest.param("get", 501, word, marks=marks)
            for word in ("accepted", "completed")
            for marks in ((), LISTED)
        ),
    ],
)
def test_a_wait_ends_by_the_list_or_by_get_though_the_other_read_fails(
    victor_sandbox, victor, operation, status, word
):
    request_id = outbound(victor)
    victor_sandbox.move(request_id, word)
    victor_sandbox.inject("status", operation=operation, status=status, times=None)

    quick = victor.with_options(retry=RetryPolicy(max_attempts=2, base=0.0))
    assert quick.payment_requests.wait(request_id, until=word, timeout=0).status == word


def test_a_wait_tells_the_failure_of_the_list_if_get_shows_no_end(victor_sandbox, victor):
    request_id = outbound(victor)
    victor_sandbox.inject("status", operation="list", status=503, times=None)

    quick = victor.with_options(retry=RetryPolicy(max_attempts=1))
    with pytest.raises(TimedOut, match="it could not be read") as raised:
        quick.payment_requests.wait(request_id, until="completed", timeout=0)
    assert isinstance(raised.value.__cause__, ServerError)


@BOTH
class TestWatching:
    """`watch` yields a request each time its status changes."""

    def test_each_change_is_yielded_once_until_the_end(self, victor, victor_sandbox):
        request_id = victor_sandbox.create_inbound()
        seen = []
        for request in victor.payment_requests.watch(request_id):
            seen.append(request.status)
            if request.status == "pending":
                victor_sandbox.move(request_id, "processing")
            elif request.status == "processing":
                victor_sandbox.move(request_id, "completed")
        assert seen == ["pending", "processing", "completed"]

    def test_a_watch_yields_an_unwanted_end_and_then_raises_conflict(self, victor, victor_sandbox):
        request_id = victor_sandbox.create_inbound()
        victor_sandbox.move(request_id, "declined")
        watch = victor.payment_requests.watch(request_id, until="completed")
        assert next(watch).status == "declined"
        with pytest.raises(Conflict, match="ended as declined"):
            next(watch)

    @pytest.mark.parametrize(
        "timeout", [0.1, 0], ids=["between two changes", "after it was read once"]
    )
    def test_a_watch_ends_with_its_time(self, victor, victor_sandbox, timeout):
        request_id = victor_sandbox.create_inbound()
        watch = victor.payment_requests.watch(request_id, timeout=timeout)
        assert next(watch).status == "pending"
        if timeout == 0:
            victor_sandbox.move(request_id, "completed")
        with pytest.raises(
            TimedOut, match=rf"a final status within {timeout:g} s: it is pending"
        ) as raised:
            next(watch)
        assert raised.value.hint.startswith("Wait again, or look it up")
