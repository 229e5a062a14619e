"""What a page without a list of its items has elsewhere."""

import pytest

from victor_ext._runtime.loop.evidence import undeclared_list


@pytest.mark.parametrize(
    ("page", "place"),
    [
        ({"total": 1, "rows": [{"id": 1}]}, "rows"),
        ({"meta": {"size": 1, "items": [{"id": 1}]}}, "meta.items"),
        ({"free": {"items": [{"id": 1}]}}, "free"),
        ({"total": 0, "rows": []}, None),
        ({"total": 0, "_links": {"curies": [{"name": "v"}]}}, None),
        ({"total": 0, "errors": ["slow"]}, None),
    ],
    ids=["list", "in an object", "in an object without members", "empty", "links", "errors"],
)
def test_a_list_that_no_document_declares_may_have_the_items(page, place):
    tables = {
        "Page": {"total": int, "meta": "Meta", "free": "Free"},
        "Meta": {"size": int},
    }
    assert undeclared_list(page, "Page", tables) == place
