"""What a provider gets from the server machinery that brings nothing but its own rules."""

import json

import httpx
import pytest

from tests.fifth_system.tiny_pay.sandbox import (
    RemoteTinySandbox,
    TinyProvider,
    TinySandbox,
    TinySettings,
)
from tests.sandbox.sandbox_callers import exchange
from victor_ext.sandbox.server.faults import KINDS, OF_NOTIFICATIONS
from victor_ext.sandbox.velo import RemoteVeloSandbox

pytestmark = pytest.mark.slow
KEY = "0b0c8f6e-4a5d-4f0e-9a55-0f8f3c6f2a11"


class TinyCaller:
    def __init__(self, sandbox):
        self.http = httpx.Client(base_url=sandbox.url, timeout=5, verify=False, trust_env=False)
        self.sign_in(sandbox)

    def sign_in(self, sandbox):
        name, secret = sandbox.add_client()
        token = self.http.post("/v1/token", data={"name": name, "secret": secret}).json()["token"]
        self.http.headers["authorization"] = f"Bearer {token}"

    def charge(self, key=KEY, reference="INV-1", cents=1200):
        body = {"idempotencyKey": key, "reference": reference, "cents": cents}
        return self.http.post("/v1/charges", json=body)


@pytest.fixture
def sandbox():
    with TinySandbox(TinySettings(seed=1)) as sandbox:
        yield sandbox


@pytest.fixture
def caller(sandbox):
    caller = TinyCaller(sandbox)
    yield caller
    caller.http.close()


@pytest.fixture(params=["here", "over-http"])
def commands(request, sandbox):
    return sandbox if request.param == "here" else RemoteTinySandbox(sandbox.url)


ANSWERED = {"delay", "rate_limit", "status", "truncated_json", "malformed_json", "html"}
WORK = {"cut_answer", "lose_answer", "delay", "truncated_json", "malformed_json"}


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind != "stall" and kind not in OF_NOTIFICATIONS]
)
def test_every_fault_does_the_work_once_and_only_once(commands, caller, kind):
    commands.inject(kind, operation="charge", delay=0.01)
    if kind in ANSWERED:
        caller.charge()
    else:
        with pytest.raises(httpx.TransportError):
            caller.charge()
    assert commands.work_done_by_reference() == ({"INV-1": 1} if kind in WORK else {})
    assert commands.received()[-1].fault == kind
    assert caller.charge().status_code == 202
    assert commands.work_done_by_reference() == {"INV-1": 1}
    assert commands.received()[-1].replayed is (kind in WORK)


def test_commands_of_another_provider_are_told_whose_sandbox_it_is(sandbox):
    said = rf"There is no command GET .*{sandbox.url} is a tiny sandbox, and RemoteVeloSandbox may"
    with pytest.raises(LookupError, match=said):
        RemoteVeloSandbox(sandbox.url).notifications()
    with pytest.raises(LookupError, match=r"There is no such charge\.$"):
        RemoteTinySandbox(sandbox.url).settle("lost")


def test_the_key_of_a_request_that_was_cut_after_its_body_is_known(sandbox):
    body = json.dumps({"idempotencyKey": KEY}).encode()
    head = f"POST /v1/charges HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    sandbox.inject("cut_request", times=2)
    assert exchange(sandbox.url, head + body) == (b"", "reset")
    assert sandbox.attempts_by_key() == {KEY: 1}
    sandbox.clear_faults()
    sandbox.inject("cut_request", after=-1)
    exchange(sandbox.url, head + body)
    assert [received.idempotency_key for received in sandbox.received()] == [KEY, None]


def test_faults_know_the_words_of_this_provider_only(commands):
    with pytest.raises(
        ValueError,
        match=r"operation must be one of token, charge, find, list, other, not 'create'$",
    ):
        commands.inject("status", operation="create")


def test_errors_of_the_machinery_have_the_shape_of_the_provider_s(commands, caller):
    commands.inject("status", status=503, retry_after=3)
    failed = caller.charge()
    assert (failed.json()["fault"]["code"], failed.headers["retry-after"]) == (
        "injected_fault",
        "3",
    )
    missing = caller.http.get("/v1/nothing")
    assert (missing.status_code, missing.json()["fault"]["code"]) == (404, "no_such_path")
    wrong = caller.http.put("/v1/charges")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert caller.charge(reference="x" * (1 << 20)).status_code == 413


def test_a_mistake_of_the_stand_in_is_a_500_and_a_traceback_in_the_log(
    sandbox, caller, caplog, monkeypatch
):
    monkeypatch.setattr(TinyProvider, "success", lambda *_: 1 // 0)
    assert caller.http.get("/v1/book").json()["fault"]["code"] == "sandbox_failure"
    assert sandbox.received()[-1].status == 500
    assert "ZeroDivisionError" in caplog.text
