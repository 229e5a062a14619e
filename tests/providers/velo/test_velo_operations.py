"""Each row of the table asks for what Velo's document declares, also of a request by hand, which no document reads."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.contracts.document import Document, Operation
from tests.providers.test_operations_table import route
from victor_ext.providers.velo.operations import OPERATIONS, read_problems
from victor_ext.runtime.loop.operations import Shown

DOCUMENT = Document.of("velo")
ROWS = {
    f"{method} {path}": row for name, row in OPERATIONS.items() for method, *paths in [name.split()] for path in paths
}
MAY_LACK_ALL = {"getPayee", "getSourceAccount", "getFundingAccount", "getFunding", "quotePayout", "pingWebhook"}
NOT_LOOKED_UP = {"authenticate", "logout", "pingWebhook"}
NOTHING_PRIVATE = {"submitPayout", "instructPayout", "withdrawPayment", "requestFunding"}


@pytest.mark.parametrize("operation", DOCUMENT.operations, ids=lambda each: each.id)
def test_a_row_is_what_the_document_says(operation: Operation) -> None:
    row, (status, schema) = ROWS[route(f"{operation.method} {operation.path}")], operation.answer
    declared = DOCUMENT.resolve(operation.tree["responses"][str(status)])
    request = httpx.Request(operation.method, f"https://velo.example{operation.path}")

    def accepts(body: Any = None, **headers: str) -> bool:
        content = b"" if body is None else json.dumps(body).encode()
        response = httpx.Response(status, content=content, headers=headers, request=request)
        return row.evidence(response, read_problems) is None

    is_csv = "application/csv" in declared.get("content", {})
    good: Any = {} if schema is None or is_csv else DOCUMENT.value(schema)
    if is_csv:
        kinds = {"application/csv": True, "text/csv; charset=utf-8": True, "application/json": False, "": False}
        assert {kind: accepts("a,b", **{"content-type": kind}) for kind in kinds} == kinds
    elif "Location" in declared.get("headers", {}):
        assert [accepts(good, location=each) for each in ("/v3/made/id-1", "/login", "")] == [True, False, False]
    else:
        assert [accepts(each) for each in (good, None, [])] == [True, schema is None, False]
        assert accepts({"message": "please log in"}) is (schema is None or operation.id in MAY_LACK_ALL)
        if "content" in good and "summary" not in good:
            assert not any(accepts({**good, "content": each}) for each in (None, {}, 5))
    assert not accepts({**good, "errors": [{"errorCode": "1"}]}, location="/v3/made/id-1")

    assert row.reads is (operation.method == "GET")
    assert bool(row.look_up) is not (row.reads or operation.id in NOT_LOOKED_UP)
    assert (row.shown is Shown.UNSENT) is (bool(operation.bodies) and operation.id not in NOTHING_PRIVATE)
