"""Each `wait` of each system ends at the first read that cannot change any more, good or bad."""

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from tests.providers.running import GUID, Script
from tests.providers.systems import called, of_every_system, refusal
from victor_ext import Conflict, NotFound, TimedOut
from victor_ext._runtime.client import polling

ID = "a7ffd43c37c1"


class Wait(NamedTuple):
    """A `wait` of a system.

    Attributes:
        call: It, with a time to wait.
        body: What is read, made of a word.
        ends: The words that are read once it is over.
        goes_on: Those that are read before.
        is_conflict: Whether the ends are others than the wanted one.
    """

    call: Callable[[Any, float], Any]
    body: Callable[[Any], dict[str, Any]]
    ends: tuple[Any, ...]
    goes_on: tuple[Any, ...]
    is_conflict: bool = False


def of_eastpay(code):
    return {"id": ID, "result": {"code": code, "description": "x"}}


def of_victor(status):
    """The one request in a list, which `wait` reads first."""
    request = {"victor_payment_request_id": ID, "status": status, "direction": "outbound"}
    return {"page": 0, "results": [request], **request}


def of_velo(status):
    return {"payoutId": GUID, "status": status}


def of_batch(state):
    return {"status": state[0], "pendingCount": state[1], "failureCount": 2}


def of_flexfactor(number):
    return {"id": "o-1", "status": number}


def requests(**until):
    return lambda client, timeout: client.payment_requests.wait(ID, timeout=timeout, **until)


def payouts(until):
    return lambda client, timeout: client.payouts.wait(GUID, until=until, timeout=timeout)


def orders(**until):
    return lambda client, timeout: client.orders.wait("o-1", timeout=timeout, **until)


PAID = ("COMPLETED", "INCOMPLETE", "CONFIRMED")
WAITS = of_every_system(
    __name__,
    {
        "eastpay payments.wait": Wait(
            lambda client, timeout: client.payments.wait(ID, timeout=timeout),
            of_eastpay,
            ("000.000.000", "800.100.152", "100.400.319"),
            ("000.200.000", "000.400.000", "700.000.000"),
        ),
        "victor payment_requests.wait": Wait(
            requests(),
            of_victor,
            ("completed", "declined", "expired", "failed"),
            ("pending", "processing", "accepted", "new-word"),
        ),
        "victor payment_requests.wait, until it is completed": Wait(
            requests(until="completed"),
            of_victor,
            ("declined", "expired", "failed"),
            ("accepted",),
            is_conflict=True,
        ),
        "velo payouts.wait, until one of two": Wait(
            payouts(("REJECTED", "CONFIRMED")),
            of_velo,
            ("REJECTED", "CONFIRMED"),
            ("ACCEPTED", "COMPLETED", "NEW"),
        ),
        "velo payouts.wait, until it is accepted": Wait(
            payouts("ACCEPTED"),
            of_velo,
            ("REJECTED", "WITHDRAWN", *PAID),
            ("SUBMITTED",),
            is_conflict=True,
        ),
        # Velo does not say in which order these two follow each other.
        "velo payouts.wait, until it is completed": Wait(
            payouts("COMPLETED"), of_velo, ("COMPLETED",), ("INSTRUCTED", "CONFIRMED")
        ),
        "velo payees.wait_for_batch": Wait(
            lambda client, timeout: client.payees.wait_for_batch(GUID, timeout=timeout),
            of_batch,
            (("ACCEPTED", 0),),
            (("ACCEPTED", 1), ("SUBMITTED", 0)),
        ),
        "flexfactor orders.wait": Wait(orders(), of_flexfactor, (2, 3, 5, 6, 7), (0, 1, 4)),
        "flexfactor orders.wait, until it is completed": Wait(
            orders(until="COMPLETED"), of_flexfactor, (2, 6), (3, 4, 5), is_conflict=True
        ),
        "flexfactor orders.wait, until it is cancelled": Wait(
            orders(until="CANCELLED"), of_flexfactor, (6, 7), (3, 5), is_conflict=True
        ),
        "flexfactor orders.wait, until it is refunded": Wait(
            orders(until=6), of_flexfactor, (2,), (3, 7), is_conflict=True
        ),
    },
)
each_wait = pytest.mark.parametrize("name", WAITS)


def wait(name, mode, *lines, timeout=0):
    """What a `wait` comes to that reads these responses; with no time, in one read."""
    return called(
        name.partition(" ")[0], mode, lambda it: WAITS[name].call(it, timeout), Script(*lines)
    )


def saying(name, word):
    return httpx.Response(200, json=WAITS[name].body(word))


@each_wait
def test_a_wait_ends_at_a_status_that_cannot_change_any_more(name, mode):
    for word in WAITS[name].ends:
        if WAITS[name].is_conflict:
            with pytest.raises(Conflict, match="can no longer be"):
                wait(name, mode, saying(name, word))
        else:
            assert wait(name, mode, saying(name, word)) is not None


@each_wait
def test_a_wait_goes_on_at_a_status_that_may_change(name, mode):
    for word in WAITS[name].goes_on:
        with pytest.raises(TimedOut):
            wait(name, mode, saying(name, word))


@pytest.mark.parametrize("name", [name for name in WAITS if not WAITS[name].is_conflict])
def test_a_wait_goes_on_over_the_pages_of_others_and_ends_at_a_404_of_the_provider(
    name, mode, monkeypatch
):
    monkeypatch.setattr(polling, "FIRST_PAUSE", 0.0)
    pages = [
        httpx.Response(404, html="<html>Not Found</html>"),
        httpx.Response(404),
        httpx.Response(403, json={"message": "Forbidden"}),
    ]
    assert wait(name, mode, *pages, saying(name, WAITS[name].ends[0]), timeout=60)
    with pytest.raises(NotFound):
        wait(name, mode, *pages, refusal(name.partition(" ")[0], 404), timeout=60)
