"""The options for what no document says, each at its values."""

import pytest

from tests.cases import cases_beside
from tests.sandbox.sandbox_callers import KEY

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
