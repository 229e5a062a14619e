"""The rows of arguments: what the document and the settings beside it make of each member."""

from functools import reduce
from operator import getitem

import pytest

from . import test_typed_arguments, test_typed_bodies
from .wire import beside, edited, made_with_settings, tables_of

pytestmark = pytest.mark.pull_request
DOCUMENTS = {
    "bodies": (test_typed_bodies.DOCUMENT, test_typed_bodies.SETTINGS),
    "lists": (test_typed_arguments.DOCUMENT, test_typed_arguments.SETTINGS),
    "filters": (test_typed_arguments.FILTERS, test_typed_arguments.FILTERS_SETTINGS),
}
ROWS = [
    pytest.param(row, id=f"{title}-{number}")
    for title, rows in beside("typed_rows").items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize("row", ROWS)
def test_a_member_has_the_row_that_the_document_and_the_settings_make(row, tmp_path):
    document, settings = DOCUMENTS[row["in"]]
    changes = row.get("settings", {})
    settings = changes if isinstance(changes, str) else edited(settings, changes)
    tables = tables_of(
        made_with_settings(tmp_path, edited(document, row.get("document", {})), settings)
    )
    found = {place: reduce(getitem, place.split("/"), tables) for place in row["rows"]}
    assert found == row["rows"]
