"""Each `wait` of each system ends at the first read that cannot change any more, good or bad."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.providers.running import GUID, Script
from tests.providers.systems import called, of_every_system
from victor_ext import Conflict, TimedOut

ID = "a7ffd43c37c1"


@dataclass(frozen=True)
class Wait:
    """A `wait` of a system.

    Attributes:
        call: It, with a time that allows one read.
        ends: What is read once it is over, with the status of the response.
        goes_on: What is read before.
        is_conflict: Whether the ends are others than the wanted one.
    """

    call: Callable[[Any], Any]
    ends: tuple[tuple[int, dict[str, Any]], ...]
    goes_on: tuple[tuple[int, dict[str, Any]], ...]
    is_conflict: bool = False


def _good(*bodies: dict[str, Any]) -> tuple[tuple[int, dict[str, Any]], ...]:
    return tuple((200, body) for body in bodies)


def _eastpay(code: str) -> dict[str, Any]:
    return {"id": ID, "result": {"code": code, "description": "x"}}


def _victor(status: str) -> dict[str, Any]:
    """The one request in a list, which `wait` reads first."""
    request = {"victor_payment_request_id": ID, "status": status, "direction": "outbound"}
    return {"page": 0, "results": [request], **request}


def _velo(status: str) -> dict[str, Any]:
    return {"payoutId": GUID, "status": status}


def _batch(status: str, pending: int) -> dict[str, Any]:
    return {"status": status, "pendingCount": pending, "failureCount": 2}


def _order(number: int) -> dict[str, Any]:
    return {"id": "o-1", "status": number}


ENDED_OTHERWISE = tuple(map(_victor, ("declined", "expired", "failed")))
WAITS = of_every_system(
    __name__,
    {
        "eastpay payments.wait": Wait(
            lambda client: client.payments.wait(ID, timeout=0),
            (
                *_good(_eastpay("000.000.000"), _eastpay("800.100.152"), _eastpay("100.400.319")),
                (400, _eastpay("800.100.152")),
            ),
            _good(*map(_eastpay, ("000.200.000", "000.400.000", "700.000.000"))),
        ),
        "victor payment_requests.wait": Wait(
            lambda client: client.payment_requests.wait(ID, timeout=0),
            _good(_victor("completed"), *ENDED_OTHERWISE),
            _good(*map(_victor, ("pending", "processing", "accepted", "new-word"))),
        ),
        "victor payment_requests.wait, until": Wait(
            lambda client: client.payment_requests.wait(ID, until="completed", timeout=0),
            _good(*ENDED_OTHERWISE),
            _good(_victor("accepted")),
            is_conflict=True,
        ),
        "velo payouts.wait": Wait(
            lambda client: client.payouts.wait(GUID, until=("REJECTED", "CONFIRMED"), timeout=0),
            _good(_velo("REJECTED"), _velo("CONFIRMED")),
            _good(_velo("ACCEPTED"), _velo("COMPLETED"), _velo("NEW")),
        ),
        "velo payouts.wait, until": Wait(
            lambda client: client.payouts.wait(GUID, until="ACCEPTED", timeout=0),
            _good(*map(_velo, ("REJECTED", "WITHDRAWN", "COMPLETED", "INCOMPLETE", "CONFIRMED"))),
            _good(_velo("SUBMITTED")),
            is_conflict=True,
        ),
        # Velo does not say in which order these two follow each other.
        "velo payouts.wait, until it is completed": Wait(
            lambda client: client.payouts.wait(GUID, until="COMPLETED", timeout=0),
            _good(_velo("COMPLETED")),
            _good(_velo("INSTRUCTED"), _velo("CONFIRMED")),
        ),
        "velo payees.wait_for_batch": Wait(
            lambda client: client.payees.wait_for_batch(GUID, timeout=0),
            _good(_batch("ACCEPTED", 0)),
            _good(_batch("ACCEPTED", 1), _batch("SUBMITTED", 0)),
        ),
        "flexfactor orders.wait": Wait(
            lambda client: client.orders.wait("o-1", timeout=0),
            _good(*map(_order, (2, 3, 5, 6, 7))),
            _good(*map(_order, (0, 1, 4))),
        ),
        "flexfactor orders.wait, until it is cancelled": Wait(
            lambda client: client.orders.wait("o-1", until="CANCELLED", timeout=0),
            _good(_order(6), _order(7)),
            _good(_order(3), _order(5)),
            is_conflict=True,
        ),
        "flexfactor orders.wait, until it is refunded": Wait(
            lambda client: client.orders.wait("o-1", until=6, timeout=0),
            _good(_order(2)),
            _good(_order(3), _order(7)),
            is_conflict=True,
        ),
        "flexfactor orders.wait, until": Wait(
            lambda client: client.orders.wait("o-1", until="COMPLETED", timeout=0),
            _good(_order(2), _order(6)),
            _good(_order(3), _order(4), _order(5)),
            is_conflict=True,
        ),
    },
)
each_wait = pytest.mark.parametrize("name", WAITS)


def wait(name: str, mode: str, status: int, body: dict[str, Any]) -> Any:
    script = Script(httpx.Response(status, json=body))
    return called(name.partition(" ")[0], mode, WAITS[name].call, script)


@each_wait
def test_a_wait_ends_with_what_cannot_change_any_more(name: str, mode: str) -> None:
    for status, body in WAITS[name].ends:
        if WAITS[name].is_conflict:
            with pytest.raises(Conflict, match="can no longer be"):
                wait(name, mode, status, body)
        else:
            assert wait(name, mode, status, body) is not None


@each_wait
def test_a_wait_goes_on_with_what_may_change(name: str, mode: str) -> None:
    for status, body in WAITS[name].goes_on:
        with pytest.raises(TimedOut):
            wait(name, mode, status, body)
