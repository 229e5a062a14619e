"""The options for what no document says, each at its values."""

import pytest

from tests.cases import cases_beside
from tests.sandbox.sandbox_callers import KEY, LIST, RawConnection

pytestmark = pytest.mark.slow
CASES = cases_beside(__file__)
WITHOUT_OPTIONS = CASES["options"][0][1]
"""What `observed` returns of a sandbox without options."""


def observed(sandbox, caller):
    """What the calls of one caller show of a sandbox."""
    seen = {"date": "date" in caller.list().headers}
    seen["keys"] = [caller.create("k" * length).status_code for length in (19, 20, 128, 129)]
    made = caller.create(KEY)
    known = len(sandbox.requests())
    body = made.json()
    name = body["victor_payment_request_id"]
    seen |= {
        "direction": body["direction"],
        "null": "error_message" in body,
        "unit": len(str(int(body["payment_request"]["created_at"]))),
    }
    seen |= {
        "listed": len(caller.listed(victor_id=name)),
        "at once": caller.create(KEY).status_code,
    }
    sandbox.advance(20)
    sandbox.move(name, "needs-review")
    repeats = again, _ = caller.create(KEY), caller.create(KEY, amount="44.24")
    seen["again"], seen["other"] = (
        [each.status_code, each.json().get("status")] for each in repeats
    )
    seen |= {"same": again.content == made.content, "more": len(sandbox.requests()) - known}
    seen["words"] = [caller.listed(victor_id=name)[0]["status"], caller.get(name).json()["status"]]
    unknown = caller.get("NOBODY")
    seen["id"] = [unknown.status_code, " ".join(unknown.json())]
    refused = caller.create(f"{KEY}-2", amount="0")
    seen["refused"] = [refused.status_code, " ".join(refused.json())]
    seen["corrected"] = caller.create(f"{KEY}-2").status_code
    return seen


@pytest.mark.parametrize(("options", "changes"), CASES["options"])
def test_each_option_of_the_sandbox_changes_only_its_own_behaviour(start, options, changes):
    assert observed(*start(demo_data=True, **options)) == {**WITHOUT_OPTIONS, **changes}


def test_an_idle_connection_is_kept_for_the_chosen_seconds_and_is_closed_then(start):
    sandbox, caller = start(keep_alive=1.0)
    with RawConnection(sandbox.url) as connection:
        connection.send(caller.raw("GET", LIST))
        connection.read_answer()
        assert connection.read_to_end(patience=0.3) == (b"", "silence")
        assert connection.read_to_end() == (b"", "close")


@pytest.mark.parametrize(("key_conflict", "status"), [("replay", 200), ("422", 422)])
def test_key_repeat_decides_an_equal_create_and_key_conflict_a_changed_one(
    start, key_conflict, status
):
    _, caller = start(key_repeat="409", key_conflict=key_conflict)
    assert caller.create(KEY).status_code == 200
    assert caller.create(KEY).status_code == 409
    assert caller.create(KEY, amount="44.24").status_code == status


def test_a_key_that_is_in_progress_is_refused_before_a_repeat_or_a_conflict_is_decided(start):
    _, caller = start(key_repeat="new", key_conflict="new", key_in_progress=5)
    assert caller.create(KEY).status_code == 200
    assert caller.create(KEY).status_code == 409
    assert caller.create(KEY, amount="44.24").status_code == 409
