"""One key, one request: at most one, whatever is repeated, and whatever comes at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.sandbox.sandbox_callers import CREATE, KEY, a_body

pytestmark = pytest.mark.slow


def test_the_same_key_and_body_get_the_same_bytes_and_no_second_request(sandbox, caller):
    body = {**a_body(), "client_reference_id": "INV-1042"}
    first = caller.create(KEY, body)
    again = caller.create(KEY, dict(reversed(body.items())))
    assert again.content == first.content, "another spelling is the same"
    assert len(sandbox.requests()) == 1
    caller.create(f"{KEY}-2", body)
    caller.create()
    assert sandbox.work_done_by_key() == {KEY: 1, f"{KEY}-2": 1}
    assert sandbox.attempts_by_key() == {KEY: 2, f"{KEY}-2": 1}
    assert sandbox.work_done_by_reference() == {"INV-1042": 2}
    seen = [(e.attempt, e.work_done, e.replayed, e.reference) for e in sandbox.received()]
    replay, *done = ((2, False, True, "INV-1042"), (1, True, False, "INV-1042"), (None, True, False, None))
    assert seen == [done[0], replay, *done]


def test_a_replay_does_not_tell_what_became_of_the_request(start):
    sandbox, caller = start(demo_data=True)
    body = a_body(amount_modification_allowed=True)
    first = caller.create(KEY, body)
    caller.respond(first.json()["victor_payment_request_child_id"], modified_amount="1.00")
    sandbox.advance(5)
    assert caller.create(KEY, body).content == first.content


def test_a_replay_comes_even_when_the_due_date_has_passed(sandbox, caller):
    first = caller.create(KEY)
    sandbox.advance(5 * 86_400)
    assert caller.create(KEY).content == first.content
    assert caller.create(KEY + "x").status_code == 400


def test_keys_of_one_caller_mean_nothing_to_another(sandbox, caller):
    caller.create(KEY)
    caller.api_key, caller.private_key = sandbox.new_api_key()
    assert caller.create(KEY, amount="99.00").status_code == 200
    assert len(sandbox.requests()) == 2


def test_the_same_create_from_many_sides_at_once_makes_one_request(sandbox, caller):
    sandbox.inject("delay", delay=0.05, times=8)
    headers = {**caller.authorization(), "idempotency-key": KEY}
    body = a_body()

    def send(_):
        return httpx.post(sandbox.url + CREATE, headers=headers, json=body, timeout=10, verify=False).content

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(send, range(32)))
    assert len(answers) == 1
    assert sandbox.work_done_by_key() == {KEY: 1}
    assert sandbox.attempts_by_key() == {KEY: 32}
