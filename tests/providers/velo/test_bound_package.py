"""The table holds for a package whose operations have other names: rows are found by method and path template."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.contracts.document import Document
from tests.providers.running import GUID
from tests.providers.test_operations_table import route
from tests.providers.velo.adapter import scripted
from tests.providers.velo.test_velo_operations import ROWS
from victor_ext import Outcome, VictorError
from victor_ext.runtime.core.response import OPERATION
from victor_ext.spec.generate import generate

LOST = httpx.ReadError("the connection was cut")
OF_ANYBODY = httpx.Response(202, json={"message": "signed in"})


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The functions of a package of Velo's document, in which each operation has a number for a name."""
    folder = tmp_path_factory.mktemp("bound")
    document = Document.of("velo").copy()
    for number, operation in enumerate(document.operations):
        operation.tree["operationId"] = f"operation{number}"
    (folder / "numbered.json").write_text(json.dumps(document.tree))
    generate(folder / "numbered.json", folder, name="numbered_velo")
    sys.path.insert(0, str(folder))
    modules = pkgutil.walk_packages(importlib.import_module("numbered_velo.api").__path__, "numbered_velo.api.")
    yield {each.name.rpartition(".")[2]: importlib.import_module(each.name) for each in modules if not each.ispkg}
    sys.path.remove(str(folder))


def value(name: str, annotation: str) -> Any:
    """An argument that the function sends."""
    by_name = {"body": SimpleNamespace(additional_properties={}, to_dict=dict)}
    by_type = {"UUID": UUID(GUID), "datetime.datetime": datetime.now(UTC), "int": 1}
    return by_name.get(name, next((made for kind, made in by_type.items() if kind in annotation), GUID))


def call(function: Any, line: Any) -> tuple[list[httpx.Request], VictorError]:
    """What a call sends that is answered with this line alone, and its error."""
    needed = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
    given = {each.name: value(each.name, str(each.annotation)) for each in needed if each.name != "client"}
    client, script = scripted(line)
    with client, pytest.raises(VictorError) as raised:
        function(**given, client=client.bind(importlib.import_module("numbered_velo.client").Client))
    return script.requests, raised.value


def test_a_row_holds_whatever_the_operation_is_called(functions: dict[str, Any]) -> None:
    for number, operation in enumerate(Document.of("velo").operations):
        if operation.id == "authenticate":  # the client asks for its tokens itself
            continue
        row = ROWS[route(f"{operation.method} {operation.path}")]
        function = functions[f"operation{number}"].sync_detailed
        requests, error = call(function, LOST)
        assert {request.extensions[OPERATION] for request in requests} == {row}
        assert (len(requests), error.outcome) == (3 if row.reads else 1, Outcome.UNKNOWN)
        assert row.hint(requests[0]) in str(error)
        if operation.answer[1] is not None or row.evidence is not ROWS["POST /v3/payouts/{}"].evidence:
            assert call(function, OF_ANYBODY)[1].outcome is Outcome.UNKNOWN, operation.id
