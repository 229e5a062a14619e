"""Every fault as a raw client sees it, and what the sandbox says that it did."""

import json
import threading
import time

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import until
from tests.payments import wire_body
from tests.sandbox.sandbox_callers import CREATE, KEY, LIST, RawConnection, exchange

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


def create_bytes(caller, key=KEY):
    return caller.raw("POST", CREATE, json.dumps(wire_body()).encode(), {"idempotency-key": key})


@pytest.mark.parametrize("kind", ["refuse", "cut_request"])
def test_a_request_that_is_refused_or_cut_does_no_work(sandbox, caller, kind):
    sandbox.inject(kind)
    assert exchange(sandbox.url, create_bytes(caller)) == (b"", "reset")
    assert sandbox.requests() == []
    (seen,) = sandbox.received()
    assert (seen.status, seen.fault, seen.work_done) == (None, kind, False)
    assert seen.idempotency_key == (KEY if kind == "cut_request" else None)


@pytest.mark.parametrize(
    ("kind", "after"), [("lose_answer", 0), ("cut_answer", 1), ("cut_answer", 100)]
)
def test_a_response_that_is_lost_or_cut_has_done_its_work(sandbox, caller, kind, after):
    sandbox.inject(kind, after=after)
    part, ending = exchange(sandbox.url, create_bytes(caller))
    assert (len(part), ending) == (after, "reset")
    assert b"HTTP/1.1 200 OK\r\n".startswith(part[:17])
    assert sandbox.work_done_by_key()[KEY] == 1
    seen = sandbox.received()[-1]
    assert (seen.status, seen.fault, seen.work_done) == (200, kind, True)


@pytest.mark.parametrize("work", [False, True])
def test_a_stall_is_silence_before_or_after_the_work(sandbox, caller, work):
    sandbox.inject("stall", work=work)
    with RawConnection(sandbox.url) as connection:
        connection.send(create_bytes(caller))
        assert connection.read_to_end(patience=0.2) == (b"", "silence")
        assert sandbox.work_done_by_key() == {KEY: int(work)}
        assert caller.list().status_code == 200


@pytest.mark.parametrize(("work", "made"), [(False, 0), (True, 1)])
def test_a_delay_is_waited_before_or_after_the_work(sandbox, caller, work, made):
    sandbox.inject("delay", delay=0.3, work=work)
    begun = time.monotonic()
    with RawConnection(sandbox.url) as connection:
        connection.send(create_bytes(caller))
        until(sandbox.received)
        until(lambda: len(sandbox.requests()) == made)
        assert time.monotonic() - begun < 0.3
        assert connection.read_answer().startswith(b"HTTP/1.1 200 OK\r\n")
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("status", [500, 503, 520, 408, 401, 403, 302, 599])
def test_a_status_is_answered_with_its_body_and_headers_and_nothing_is_made(
    sandbox, caller, status
):
    sandbox.inject("status", status=status, body="no", headers={"X-Note": "told so"}, retry_after=7)
    response = caller.create(KEY)
    seen = (response.status_code, response.text, response.headers["x-note"])
    assert (*seen, response.headers["retry-after"]) == (status, "no", "told so", "7")
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("kind", "status", "header"),
    [("rate_limit", 429, ("retry-after", "1")), ("html", 503, ("content-type", "text/html"))],
)
def test_some_statuses_have_a_name(sandbox, caller, kind, status, header):
    sandbox.inject(kind)
    response = caller.create(KEY)
    assert (response.status_code, response.headers[header[0]]) == (status, header[1])


@pytest.mark.parametrize(("faults", "statuses"), CASES["which calls fail"])
def test_faults_are_met_as_often_and_as_late_as_chosen_and_in_the_order_of_injection(
    sandbox, caller, faults, statuses
):
    for fault in faults:
        sandbox.inject("status", **fault)
    assert [caller.list().status_code for _ in range(4)] == statuses
    assert sandbox.clear_faults() == ({"times": None} in faults), "what was used up is gone"
    assert caller.list().status_code == 200


def test_a_fault_meets_only_the_calls_with_its_operation(sandbox, caller):
    sandbox.inject("status", operation="create", times=None)
    assert (caller.list().status_code, caller.create(KEY).status_code) == (200, 503)


def test_pipelined_calls_are_all_answered(sandbox, caller):
    with RawConnection(sandbox.url) as connection:
        connection.send(caller.raw("GET", LIST) * 3)
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 3:
            answers += connection.socket.recv(65536)


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("explode", {}, "kind"),
        ("status", {"status": 99}, "status"),
        ("status", {"times": 0}, "times"),
        ("delay", {"delay": -1}, "delay"),
        ("status", {"operation": "creat"}, "operation"),
        ("status", {"often": 3}, "often"),
        ("status", {"headers": {"X-Note": "a\nb"}}, "headers"),
        ("status", {"headers": {"Content-Length": "7"}}, "headers"),
        ("rate_limit", {"retry_after": 1e300}, "retry_after"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox, kind, options, reason):
    with pytest.raises((ValueError, TypeError), match=reason):
        sandbox.inject(kind, **options)
    assert sandbox.faults() == []


def test_down_refuses_connections_for_real_and_up_ends_it(sandbox, caller):
    with RawConnection(sandbox.url) as kept:
        kept.send(caller.raw("GET", LIST))
        assert kept.read_answer().startswith(b"HTTP/1.1 200")
        sandbox.down()
        assert kept.read_to_end() == (b"", "reset")
    with pytest.raises(ConnectionRefusedError):
        RawConnection(sandbox.url)
    sandbox.up()
    assert caller.list().status_code == 200


def test_a_sandbox_that_stops_cuts_its_calls_and_leaves_no_thread(start):
    before = set(threading.enumerate())  # other tests may have a sandbox
    sandbox, caller = start()
    sandbox.inject("delay", delay=30)
    sandbox.inject("stall")
    with RawConnection(sandbox.url) as waiting, RawConnection(sandbox.url) as stalled:
        for calls, connection in enumerate((waiting, stalled), start=1):
            connection.send(create_bytes(caller))
            until(lambda calls=calls: len(sandbox.received()) == calls)
        begun = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - begun < 1
        assert {each.read_to_end()[1] for each in (waiting, stalled)} <= {"close", "reset"}
    left = set(threading.enumerate()) - before
    assert [thread for thread in left if thread.name == "victor-sandbox"] == []
