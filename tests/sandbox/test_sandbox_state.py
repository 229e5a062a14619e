"""What outlives a sandbox: with a state file everything, also a kill at any moment.

Its owner alone may read it.
"""

import os
import random
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import httpx
import pytest

from tests.cli.victor_command import until
from tests.sandbox.sandbox_callers import API_KEY, CREATE, KEY, LIST, Caller, SandboxProcess, a_body

pytestmark = pytest.mark.slow


def test_requests_keys_and_tokens_of_a_state_file_are_there_after_a_restart(start, tmp_path):
    sandbox, caller = start(state=tmp_path / "state.db", demo_data=True)
    bearer = caller.ask_token(*sandbox.add_oauth_client()).json()["access_token"]
    first = caller.create(KEY)
    child = first.json()["victor_payment_request_child_id"]
    caller.respond(child, notes="Paid")
    before, issued = sandbox.requests(), sandbox.tokens_issued()
    sandbox.restart()
    assert sandbox.requests() == before
    assert sandbox.work_done_by_key() == {KEY: 1}
    assert sandbox.tokens_issued() == issued
    assert caller.create(KEY).content == first.content
    assert caller.create(KEY, amount="1.00").status_code == 409
    assert caller.respond(child).status_code == 400
    assert caller.http.get(LIST, headers={"authorization": f"Bearer {bearer}"}).status_code == 200


@contextmanager
def caller_of(process, key_pair):
    process.commands.add_api_key(key_pair[1], API_KEY)
    caller = Caller(process.url, API_KEY, key_pair[0])
    with caller.http:
        yield caller


def test_a_killed_process_has_done_the_work_under_a_key_wholly_or_not_at_all(
    tmp_path, victor_key_pair
):
    """Kill -9 under load: what was answered is kept, and no key has made two requests."""
    options = ("--state", str(tmp_path / "state.db"), "--quiet")
    chance = random.Random(20)
    keys = [f"key-of-invoice-{number:05}" for number in range(4000)]
    answered = {}

    def send(url, part, headers):
        with suppress(httpx.TransportError), httpx.Client(base_url=url, verify=False) as http:
            for key in part:
                given = {**headers, "idempotency-key": key}
                response = http.post(CREATE, headers=given, json=a_body())
                assert response.status_code == 200, response.text
                assert answered.setdefault(key, response.content) == response.content

    for _ in range(4 if "VICTOR_SEARCH" in os.environ else 2):
        with SandboxProcess(*options) as process, ThreadPoolExecutor(4) as pool:
            with caller_of(process, victor_key_pair) as caller:
                headers = caller.authorization()
            # Half of the calls repeat keys that other threads send as well.
            known = keys[: len(answered) + 400]
            parts = [chance.sample(known, 300) for _ in range(4)]
            work = [pool.submit(send, process.url, part, headers) for part in parts]
            wanted = len(answered) + chance.randrange(20, 120)
            until(lambda wanted=wanted: len(answered) >= wanted)
            process.end(signal.SIGKILL)
            for one in work:
                one.result()
    with SandboxProcess(*options) as process:
        requests = process.commands.requests()
        kept = {request["idempotency_key"]: request["id"] for request in requests}
        assert process.commands.work_done_by_key() == dict.fromkeys(kept, 1)
        assert len(requests) == len(kept) >= len(answered) > 40
        assert all(kept[key].encode() in body for key, body in answered.items())
        with caller_of(process, victor_key_pair) as caller:
            for key in chance.sample(sorted(answered), 20):
                assert caller.create(key, a_body()).content == answered[key]


only_posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are those of POSIX")


def modes(folder):
    return {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}


@only_posix
def test_a_state_is_its_owner_s_alone_from_the_first_moment(start, tmp_path, umask, monkeypatch):
    connect = sqlite3.connect
    change = os.fchmod
    seen = []

    def changing(descriptor, mode):
        assert os.fstat(descriptor).st_mode & 0o077 == 0, "for a moment, others could open it"
        change(descriptor, mode)

    def connecting(path, *more, **named):
        seen.append(modes(tmp_path))
        return connect(path, *more, **named)

    monkeypatch.setattr(sqlite3, "connect", connecting)
    monkeypatch.setattr(os, "fchmod", changing)
    _, caller = start(state=tmp_path / "state.db")
    caller.created()
    assert seen == [{"state.db": "0o600"}]
    assert modes(tmp_path) == {"state.db": "0o600", "state.db-wal": "0o600"}
