"""The control commands: the same in this process and over HTTP, reachable when the API is down, clear when misused."""

from __future__ import annotations

import ast
import inspect
import logging
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import victor_ext.sandbox
from tests.cli.victor_command import until
from tests.sandbox.sandbox_callers import KEY, LIST, RawConnection, exchange
from victor_ext.sandbox import RemoteSandbox, Sandbox, SandboxCommands, SandboxSettings


@pytest.fixture(params=["here", "over-http"])
def commands(request, sandbox) -> SandboxCommands:
    """The same sandbox, commanded in one way or the other."""
    return sandbox if request.param == "here" else RemoteSandbox(sandbox.url)


def test_a_whole_story_by_commands(commands, caller):
    commands.add_account("243884643621", name="Victor Doe")
    commands.add_counterparty("aHeq349838", account_number="243884643621")
    commands.inject("lose_answer", operation="create")
    with pytest.raises(httpx.TransportError):
        caller.create(KEY)
    made = caller.create(KEY).json()
    assert commands.attempts_by_key() == {KEY: 2}
    assert commands.work_done_by_key() == {KEY: 1}
    first, second = commands.received()
    assert (first.fault, first.work_done, first.attempt) == ("lose_answer", True, 1)
    assert (second.fault, second.replayed, second.attempt) == (None, True, 2)
    assert commands.received(after=first.number) == [second]
    caller.respond(made["victor_payment_request_child_id"])
    assert commands.advance(2) == 2
    assert [request["status"] for request in commands.requests()] == ["completed", "completed"]
    assert commands.requests(1, 1)[0]["direction"] == "inbound"
    inbound = commands.create_inbound("5.00", notes="Rent")
    assert commands.request(inbound)["notes"] == "Rent"
    commands.move(inbound, "failed", "No.")
    assert commands.request(inbound)["error_message"] == "No."
    commands.inject("status", times=None)
    (fault,) = commands.faults()
    assert (fault["kind"], fault["times"]) == ("status", None)
    assert commands.clear_faults() == 1
    commands.set_clock_skew(30)
    assert round(commands.clock()["skew"]) == 30
    assert commands.info()["settings"]["environment"] == "staging"
    commands.reset()
    assert commands.requests() == []
    assert commands.accounts() == []


def test_the_headers_of_a_call_are_recorded_without_credentials(commands, sandbox, caller):
    caller.call("GET", LIST, headers={"X-Team": "billing", "Cookie": "session=1"})
    sandbox.inject("cut_request")
    exchange(sandbox.url, caller.raw("GET", LIST, headers={"x-team": "billing\r\nx-team: ops"}))
    whole, cut = commands.received()
    assert {"authorization": "Token …", "x-team": "billing", "cookie": "…"}.items() <= whole.headers.items()
    assert {"authorization": "Token …", "x-team": "billing, ops"}.items() <= cut.headers.items()
    assert caller.token().split(".")[0] not in repr(commands.received())


def test_credentials_by_commands(commands, caller):
    api_key, private_key = commands.new_api_key()
    caller.api_key, caller.private_key = api_key, private_key
    assert caller.list().status_code == 200
    client_id, client_secret = commands.add_oauth_client()
    body = {"client_id": client_id, "client_secret": client_secret}
    assert caller.http.post("/v2/auth/token", json=body).status_code == 200
    assert commands.tokens_issued() == {client_id: 1}
    assert commands.revoke_tokens() == 1


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda s: s.advance(-1), "must not be negative"),
        (lambda s: s.advance(1e15), "a thousand years at most"),
        (lambda s: s.set_clock_skew(-1e15), "a thousand years at most"),
        (lambda s: s.add_account("12"), "3 to 20 digits"),
        (lambda s: s.add_counterparty("c" * 17), "1 to 16 characters"),
        (lambda s: s.add_counterparty("c", behaviour="explode"), "behaviour must be one of"),
        (lambda s: s.create_inbound("0"), "above zero"),
        (lambda s: s.create_inbound("ten"), "amount"),
        (lambda s: s.create_inbound(due_date="soon"), "due_date must be"),
        (lambda s: s.inject("status", status="503"), "status"),
    ],
)
def test_misuse_is_a_value_error_that_says_what_is_wrong(commands, call, reason):
    with pytest.raises(ValueError, match=reason):
        call(commands)


def test_an_unknown_request_is_a_lookup_error(commands):
    for call in (lambda: commands.request("X"), lambda: commands.move("X", "failed")):
        with pytest.raises(LookupError):
            call()


def test_every_command_has_a_method_and_a_route():
    methods = {
        name for name, value in inspect.getmembers(SandboxCommands, inspect.isfunction) if not name.startswith("_")
    }
    commands = SandboxCommands.commands()
    assert methods == {command.name for command in commands} | {"new_api_key"}


def test_http_says_what_is_wrong(sandbox):
    url = f"{sandbox.url}/_sandbox"
    assert httpx.get(url).status_code == 404
    assert httpx.get(f"{url}/").json()["sandbox"] == "victor"
    unknown = httpx.post(f"{url}/nonsense", json={})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "no_such_command")
    for content in ("{", "[]", '{"sekunden": 1}', '{"seconds": "x"}', "{}"):
        wrong = httpx.post(f"{url}/clock/advance", content=content, headers={"content-type": "application/json"})
        assert (wrong.status_code, wrong.json()["error"]) == (400, "misuse"), content
    assert "unknown option" in httpx.post(f"{url}/faults", json={"kind": "delay", "secs": 1}).json()["message"]


def test_the_control_calls_are_not_in_the_record(sandbox):
    httpx.get(f"{sandbox.url}/_sandbox/received")
    assert sandbox.received() == []


def test_down_over_the_api_port_needs_a_way_back(sandbox):
    remote = RemoteSandbox(sandbox.url)
    with pytest.raises(ValueError, match="give seconds"):
        remote.down()
    with pytest.raises(ValueError, match="seconds must be a number of seconds"):
        remote.down("a while")
    assert remote.clock(), "and it still listens"
    remote.down(0.05)
    with pytest.raises(ConnectionRefusedError):
        RawConnection(sandbox.url)


@pytest.mark.parametrize("earlier", [b"", b"GET /_sandbox/clock HTTP/1.1\r\nHost: localhost:%d\r\n\r\n"])
def test_down_lets_a_command_end_of_which_only_the_first_line_has_come(sandbox, earlier):
    port = urlsplit(sandbox.url).port
    with RawConnection(sandbox.url) as half:
        if earlier:
            half.send(earlier % port)
            half.read_answer()
        half.send(b"GET /_sandbox/clock HTTP/1.1\r\n")
        until(lambda: any(each._control for each in sandbox._running().service.ports.api._connections()))
        sandbox.down()
        half.send(b"Host: localhost:%d\r\n\r\n" % port)
        received, ending = half.read_to_end()
    assert (received[:12], ending) == (b"HTTP/1.1 200", "close")


@pytest.mark.parametrize("value", ["x", "1.5", ""])
def test_a_number_in_a_query_that_is_none_is_named(sandbox, value):
    answer = httpx.get(f"{sandbox.url}/_sandbox/received", params={"after": value})
    assert (answer.status_code, answer.json()["message"]) == (400, f"after must be a whole number, not {value!r}")


def test_a_control_port_stays_up(start):
    sandbox, caller = start(control_port=0)
    remote = RemoteSandbox(sandbox.control_url)
    assert sandbox.control_url != sandbox.url
    assert httpx.get(sandbox.control_url + LIST).status_code == 404
    remote.down()
    with pytest.raises(httpx.ConnectError):
        caller.list()
    remote.up()
    assert caller.list().status_code == 200


def test_a_sandbox_that_does_not_run_says_so():
    sandbox = Sandbox()
    sandbox.stop()
    with pytest.raises(RuntimeError, match="does not run"):
        _ = sandbox.url
    with sandbox, pytest.raises(RuntimeError, match="runs already"):
        sandbox.start()


def test_a_port_that_is_taken_is_an_os_error(sandbox):
    port = int(sandbox.url.rpartition(":")[2])
    threads = threading.active_count()
    with pytest.raises(OSError, match=r"cannot listen|in use"):
        Sandbox(SandboxSettings(port=port)).start()
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"environment": "live"}, "environment must be one of staging, production"),
        ({"key_conflict": "418"}, "key_conflict"),
        ({"max_page_size": 0}, "max_page_size"),
        ({"leeway": -1}, "leeway"),
        ({"leeway": float("nan")}, "leeway"),
        ({"port": 70000}, "port"),
        ({"clock_skew": float("inf")}, "clock_skew"),
        ({"clock_skew": -1e15}, "clock_skew"),
    ],
)
def test_settings_that_cannot_be_are_refused(options, reason):
    with pytest.raises(ValueError, match=reason):
        SandboxSettings(**options)


def test_what_is_not_http_is_a_400(sandbox):
    with RawConnection(sandbox.url) as connection:
        connection.send(b"NONSENSE\r\n\r\n")
        answer, ending = connection.read_to_end()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert ending == "close"


def test_the_last_exchanges_are_kept_and_all_are_counted(start):
    sandbox, caller = start(keep_received=2)
    for number in range(3):
        caller.create(f"{KEY}-{number}")
    assert [exchange.number for exchange in sandbox.received()] == [2, 3]
    assert len(sandbox.attempts_by_key()) == 3


def test_one_line_per_call_and_nothing_secret_in_it(sandbox, caller, caplog):
    caplog.set_level(logging.INFO, "victor_ext.sandbox")
    sandbox.inject("status", status=503)
    caller.create(KEY)
    caller.create(KEY)
    caller.create(KEY)
    caller.get("043987673645")
    caller.call("GET", f"{LIST}/a%0Ab?secret=1")
    lines = [record.getMessage() for record in caplog.records if record.name == "victor_ext.sandbox.access"]
    assert len(lines) == 5
    assert "POST" in lines[0]
    assert "503" in lines[0]
    assert "fault=status" in lines[0]
    assert f"key={KEY[:8]}… attempt=1" in lines[0]
    assert "replayed" in lines[2]
    assert KEY not in "".join(lines)
    assert "********3645" in lines[3]
    assert "043987673645" not in "".join(lines)
    assert lines[4].split()[1] == f"{LIST}/a%0Ab"


def test_the_sandbox_imports_nothing_of_the_client():
    imported = set()
    for path in Path(victor_ext.sandbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                imported.add(node.module)
    ours = {name for name in imported if name.startswith("victor")}
    assert {name for name in ours if not name.startswith("victor_ext.sandbox")} == set()
    assert imported & {"jwt", "httpx", "attrs"} == set()


def test_the_public_names_are_all_there_is():
    names = {name for name in vars(victor_ext.sandbox) if not name.startswith("_")}
    modules = {name for name in names if inspect.ismodule(getattr(victor_ext.sandbox, name))}
    assert set(victor_ext.sandbox.__all__) <= names
    assert names - modules - {"annotations"} == set(victor_ext.sandbox.__all__)
