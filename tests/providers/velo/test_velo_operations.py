"""Each row of the table asks for what Velo's document declares, and the page on Velo is true."""

import re
from pathlib import Path

import pytest

from tests.contracts.document import Document
from tests.providers.test_operations_table import generated, route
from victor_ext._runtime.loop.operations import Shown
from victor_ext.providers.velo._operations import OPERATIONS as ROWS

DOCUMENT = Document.of("velo")
each_operation = pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda each: each.id)


def row_of(operation):
    """The row of an operation of the document in the table of Velo's operations."""
    named = route(f"{operation.method} {operation.path}")
    assert named in ROWS, f"{named} has no row: victor_ext/providers/velo/_operations.py"
    return ROWS[named]


NOTHING_PRIVATE = {"submitPayout", "instructPayout", "withdrawPayment", "requestFunding"}
"""Operations whose bodies name no people, accounts and secrets."""


@each_operation
def test_the_response_to_a_body_with_something_private_is_not_quoted(operation):
    row = row_of(operation)
    is_private = bool(operation.bodies) and operation.id not in NOTHING_PRIVATE
    assert (row.shown is Shown.UNSENT) is is_private


ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "api" / "velo.md").read_text(encoding="utf-8")
CALLED = re.findall(r"^\| `[^`]+` \| `([A-Z]+ /[^`]+)` \| .+ \|$", REFERENCE, re.MULTILINE)
"""The requests of which the page says how they are called."""


def test_the_page_says_which_operations_have_a_method():
    assert sorted(map(route, CALLED)) == sorted(generated("velo"))
