"""What a create refuses, and in which words; one key, one request, whatever comes at the same time;
and due dates.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import pytest

from tests.cases import cases_beside
from tests.payments import wire_body
from tests.sandbox.sandbox_callers import CREATE, KEY
from victor_ext.sandbox.victor._lifecycle import due_dates

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)


def changed(path, value):
    """A good body with one place set to a value, or without it when the value is `(missing)`."""
    body = wire_body()
    *parents, last = path.split(".")
    place = body
    for parent in parents:
        place = place[parent]
    if value == "(missing)":
        del place[last]
    else:
        place[last] = value
    return body


WRONG = [
    (path, kind, value)
    for path, kinds in CASES["wrong"].items()
    for kind in kinds
    for value in kinds[kind]
]


@pytest.mark.parametrize(("path", "kind", "value"), WRONG)
def test_each_broken_rule_of_a_create_is_a_400_in_the_form_of_the_provider(
    sandbox, caller, path, kind, value
):
    response = caller.create(KEY, changed(path, value))
    assert response.status_code == 400
    field = re.sub("_([a-z])", lambda match: match[1].upper(), path)
    message = f"error.{field.rpartition('.')[2]}.{kind}"
    assert response.json()["error"] == {"message": message, "field": field, "code": 101}
    assert sandbox.requests() == []
    assert sandbox.work_done_by_key() == {KEY: 0}


# Due dates


@pytest.mark.parametrize(("moment", "earliest", "latest"), CASES["due dates"])
def test_right_due_dates_run_from_today_until_24_hours_from_now_in_any_time_zone(
    moment, earliest, latest
):
    now = datetime.fromisoformat(moment).timestamp()
    assert [*map(str, due_dates(now))] == [earliest, latest]


# Keys


def test_the_same_key_and_body_get_the_same_bytes_and_no_second_request(sandbox, caller):
    body = {**wire_body(), "client_reference_id": "INV-1042"}
    first = caller.create(KEY, body)
    sandbox.move(first.json()["victor_payment_request_id"], "completed")
    again = caller.create(KEY, body)
    assert again.content == first.content
    assert len(sandbox.requests()) == 1
    caller.create(f"{KEY}-2", body)
    caller.create()
    assert sandbox.work_done_by_key() == {KEY: 1, f"{KEY}-2": 1}
    assert sandbox.attempts_by_key() == {KEY: 2, f"{KEY}-2": 1}
    assert sandbox.work_done_by_reference() == {"INV-1042": 2}
    seen = [(e.attempt, e.work_done, e.replayed, e.reference) for e in sandbox.received()]
    replay, *done = (
        (2, False, True, "INV-1042"),
        (1, True, False, "INV-1042"),
        (None, True, False, None),
    )
    assert seen == [done[0], replay, *done]


def test_the_same_create_from_many_sides_at_once_makes_one_request(sandbox, caller):
    sandbox.inject("delay", delay=0.05, times=8)
    headers = {**caller.authorization(), "idempotency-key": KEY}
    body = wire_body()

    def send(_):
        return httpx.post(
            sandbox.url + CREATE, headers=headers, json=body, timeout=10, verify=False
        ).content

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(send, range(32)))
    assert len(answers) == 1
    assert sandbox.work_done_by_key() == {KEY: 1}
    assert sandbox.attempts_by_key() == {KEY: 32}
