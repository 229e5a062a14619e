"""Every fault as a raw client sees it, and what the sandbox says that it did."""

import json
import threading
import time
from itertools import product

import pytest

from tests.cases import cases_beside
from tests.cli.victor_command import until
from tests.sandbox.sandbox_callers import CREATE, KEY, LIST, RawConnection, a_body, exchange

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


def create_bytes(caller, key=KEY):
    return caller.raw("POST", CREATE, json.dumps(a_body()).encode(), {"idempotency-key": key})


@pytest.mark.parametrize(
    ("kind", "after", "how"),
    [
        ("refuse", None, "reset"),
        *(
            ("cut_request", *each)
            for each in product([0, 1, 60, 400, -1, None, 10_000], ["reset", "close"])
        ),
    ],
)
def test_a_request_refused_or_cut_anywhere_does_no_work(sandbox, caller, kind, after, how):
    sandbox.inject(kind, after=after, how=how)
    assert exchange(sandbox.url, create_bytes(caller)) == (b"", how)
    assert sandbox.requests() == []
    (seen,) = sandbox.received()
    assert (seen.status, seen.fault, seen.work_done) == (None, kind, False)
    assert seen.idempotency_key is None or kind == "cut_request", (
        "of what is refused nothing is read"
    )


def lacks_one_byte(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    return f"content-length: {len(body) + 1}".encode() in head


@pytest.mark.parametrize(
    ("after", "how"), [*product([0, 1, 15, 100, 300, -1], ["reset", "close"]), (20, "stall")]
)
def test_an_answer_cut_anywhere_has_done_its_work(sandbox, caller, after, how):
    sandbox.inject("cut_answer", after=after, how=how)
    stalls = how == "stall"
    part, ending = exchange(sandbox.url, create_bytes(caller), patience=0.2 if stalls else 5.0)
    assert ending == ("silence" if stalls else how)
    assert b"HTTP/1.1 200 OK\r\n".startswith(part[:17])
    assert len(part) == after or lacks_one_byte(part)
    assert sandbox.work_done_by_key()[KEY] == 1
    seen = sandbox.received()[-1]
    assert (seen.status, seen.fault, seen.work_done) == (200, "cut_answer", True)


@pytest.mark.parametrize("work", [False, True])
def test_a_stall_is_silence_before_or_after_the_work(sandbox, caller, work):
    sandbox.inject("stall", work=work)
    with RawConnection(sandbox.url) as connection:
        connection.send(create_bytes(caller))
        assert connection.read_to_end(patience=0.2) == (b"", "silence")
        assert sandbox.work_done_by_key() == {KEY: int(work)}
        assert caller.list().status_code == 200


@pytest.mark.parametrize(("work", "made"), [(None, 0), (True, 1)])
def test_a_delay_is_waited_before_or_after_the_work(sandbox, caller, work, made):
    sandbox.inject("delay", delay=0.3, work=work)
    begun = time.monotonic()
    with RawConnection(sandbox.url) as connection:
        connection.send(create_bytes(caller))
        until(sandbox.received)
        until(lambda: len(sandbox.requests()) == made)
        assert time.monotonic() - begun < 0.3
        assert connection.read_answer().startswith(b"HTTP/1.1 200 OK")
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 408, 425, 401, 403, 302, 599])
def test_an_injected_status_is_answered_with_its_body_and_headers_and_nothing_is_made(
    sandbox, caller, status
):
    sandbox.inject("status", status=status, body="no", headers={"X-Note": "told so"})
    response = caller.create(KEY)
    seen = (response.status_code, response.text, response.headers["x-note"])
    assert (*seen, sandbox.requests()) == (status, "no", "told so", [])


class TestWhichCalls:
    def statuses(self, caller, count):
        return [caller.list().status_code for _ in range(count)]

    @pytest.mark.parametrize(("faults", "statuses"), CASES["which calls fail"])
    def test_faults_are_met_as_often_and_as_late_as_chosen_and_in_the_order_of_injection(
        self, sandbox, caller, faults, statuses
    ):
        for fault in faults:
            sandbox.inject("status", **fault)
        assert self.statuses(caller, 4) == statuses
        assert sandbox.clear_faults() == ({"times": None} in faults), "what was used up is gone"
        assert self.statuses(caller, 2) == [200, 200]

    def test_a_fault_by_chance_with_a_seed_meets_the_same_calls_each_time(self, sandbox, caller):
        sandbox.inject("status", probability=0.5, seed=7)
        first = self.statuses(caller, 40)
        sandbox.clear_faults()
        sandbox.inject("status", probability=0.5, seed=7)
        assert self.statuses(caller, 40) == first
        assert 10 < first.count(503) < 30

    def test_a_fault_meets_only_the_calls_with_its_operation_or_query(self, sandbox, caller):
        request_id = caller.created()["victor_payment_request_id"]
        calls = {
            "list": caller.list,
            "waiting": lambda: caller.list(direction="inbound", status="pending", page=0),
            "get": lambda: caller.get(request_id),
            "create": caller.create,
            "respond": lambda: caller.respond(request_id),
            "token": lambda: caller.http.post("/v2/auth/token", json={}),
        }
        for wanted, expected in CASES["faults of some calls"]:
            sandbox.inject("status", status=599, times=None, **wanted)
            met = [name for name, call in calls.items() if call().status_code == 599]
            assert met == expected, wanted
            sandbox.clear_faults()

    def test_pipelined_calls_are_all_answered_without_a_fault(self, sandbox, caller):
        sandbox.inject("status", skip=1)
        with RawConnection(sandbox.url) as connection:
            connection.send(caller.raw("GET", LIST) * 3)
            answers = b""
            while answers.count(b"HTTP/1.1 200") < 3:
                answers += connection.socket.recv(65536)

    def test_a_call_whose_head_is_split_behind_another_is_no_new_call(self, sandbox, caller):
        sandbox.inject("status", operation="other")
        data = caller.raw("GET", LIST) * 2
        with RawConnection(sandbox.url) as connection:
            for part in (data[:-200], data[-200:]):
                connection.send(part)
                assert connection.read_answer().startswith(b"HTTP/1.1 200")
        assert len(sandbox.faults()) == 1


@pytest.mark.parametrize(("kind", "options", "reason"), CASES["faults that make no sense"])
def test_a_fault_that_makes_no_sense_is_refused(sandbox, kind, options, reason):
    with pytest.raises(ValueError, match=reason):
        sandbox.inject(kind, **options)
    assert sandbox.faults() == []


def test_down_refuses_connections_for_real_and_up_ends_it(sandbox, caller):
    with RawConnection(sandbox.url) as kept:
        kept.send(caller.raw("GET", LIST))
        assert kept.read_answer().startswith(b"HTTP/1.1 200")
        sandbox.down()
        assert kept.read_to_end() == (b"", "reset")
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            RawConnection(sandbox.url)
    sandbox.down()
    sandbox.up()
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
