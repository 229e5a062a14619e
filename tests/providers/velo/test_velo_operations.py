"""Each row of the table asks for what Velo's document declares, and the page on Velo is true."""

import re
from pathlib import Path

import httpx
import pytest

from tests.contracts.document import Document
from tests.providers.test_operations_table import generated, route
from tests.providers.velo.adapter import Harness, pay
from victor_ext._runtime.loop.operations import Shown
from victor_ext.providers.velo._operations import ELSEWHERE, OPERATIONS
from victor_ext.providers.velo._problems import read_problems

DOCUMENT = Document.of("velo")
ROWS = {
    f"{method} {path}": row
    for name, row in {**ELSEWHERE, **OPERATIONS}.items()
    for method, *paths in [name.split()]
    for path in paths
}
each_operation = pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda each: each.id)
LOCATED = [
    each
    for each in DOCUMENT.operations
    if "headers" in DOCUMENT.resolve(each.tree["responses"][str(each.answer[0])])
]
"""Those that make something: the response has its address."""


def row_of(operation):
    """The row of an operation of the document in the table of Velo's operations."""
    named = route(f"{operation.method} {operation.path}")
    assert named in ROWS, f"{named} has no row: victor_ext/providers/velo/_operations.py"
    return ROWS[named]


def accepts(operation, body, **headers):
    """Whether a body is a good response to an operation."""
    request = httpx.Request(operation.method, f"https://velo.example{operation.path}")
    response = httpx.Response(operation.answer[0], json=body, headers=headers, request=request)
    return row_of(operation).evidence(response, read_problems) is None


REQUIRES_NOTHING = {
    *("getPayee", "getSourceAccount", "getFundingAccount", "getFunding", "quotePayout"),
    "pingWebhook",
}
"""Operations whose declared response has no member that must be there."""


def test_the_message_of_a_login_proxy_is_a_good_response_of_these_six_operations_alone():
    """What others require: see tests/providers/test_tables.py."""
    message = {"message": "please log in"}
    declared = [each for each in DOCUMENT.operations if each.answer[1] is not None]
    assert {each.id for each in declared if accepts(each, message)} == REQUIRES_NOTHING


@pytest.mark.parametrize("operation", LOCATED, ids=lambda each: each.id)
@pytest.mark.parametrize(
    ("location", "is_good"), [("/v3/made/id-1", True), ("/login", False), ("", False)]
)
def test_a_good_response_to_a_create_has_the_address_of_the_new_object(
    operation, location, is_good
):
    assert accepts(operation, {}, location=location) is is_good


NOTHING_PRIVATE = {"submitPayout", "instructPayout", "withdrawPayment", "requestFunding"}
"""Operations whose bodies name no people, accounts and secrets."""


@each_operation
def test_the_response_to_a_body_with_something_private_is_not_quoted(operation):
    row = row_of(operation)
    is_private = bool(operation.bodies) and operation.id not in NOTHING_PRIVATE
    assert (row.shown is Shown.UNSENT) is is_private


ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "velo.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "api" / "velo.md").read_text(encoding="utf-8")
_FIRST, LOST, _PAYEES, _BOUND = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TABLE = {
    request: (name, how)
    for name, request, how in re.findall(
        r"^\| `([^`]+)` \| `([A-Z]+ /[^`]+)` \| (.+) \|$", REFERENCE, re.MULTILINE
    )
}
"""By request, the operation and what the page says of how it is called."""


def test_the_page_says_that_the_operations_of_the_document_and_no_others_have_a_method():
    called = {route(request) for request, (_, how) in TABLE.items() if "`bind`" not in how}
    assert (len(TABLE), called) == (100, {*generated("velo")})


@pytest.mark.parametrize("lost", [False, True])
def test_the_example_of_a_lost_response_pays_once_whether_or_not_it_is_lost(sandbox, *, lost):
    harness = Harness(sandbox, awaited=False)
    if lost:
        sandbox.inject("lose_answer", operation="submit")
    names = {"payments": [pay("INV-7")], "payor_id": harness.payor}

    def run(velo):
        exec(LOST, {**names, "velo": velo}, names)

    harness(run)
    assert sandbox.work_done_by_reference() == {"INV-7": 1}
    [accepted] = harness.ask("payouts.get", names["payout_id"]).accepted
    assert accepted.payor_payment_id == "INV-7"
