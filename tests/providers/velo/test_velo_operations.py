"""Each row of the table asks for what Velo's document declares, and the page on Velo is true.

Rows are found by method and path template: the table holds for a package whose operations have
other names.
"""

import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.contracts.document import Document, Operation
from tests.providers.running import GUID
from tests.providers.test_operations_table import generated, route
from tests.providers.velo.adapter import Harness, pay, scripted
from victor_ext import Outcome, VictorError
from victor_ext.providers.velo import Velo
from victor_ext.providers.velo.operations import ELSEWHERE, OPERATIONS
from victor_ext.providers.velo.problems import read_problems
from victor_ext.runtime.core.response import OPERATION
from victor_ext.runtime.loop.operations import Shown
from victor_ext.sandbox.velo import VeloSandbox
from victor_spec.generate import generate

DOCUMENT = Document.of("velo")
ROWS = {
    f"{method} {path}": row
    for name, row in OPERATIONS.items()
    for method, *paths in [name.split()]
    for path in paths
}
MAY_LACK_ALL = {
    "getPayee",
    "getSourceAccount",
    "getFundingAccount",
    "getFunding",
    "quotePayout",
    "pingWebhook",
}
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
        kinds = {
            "application/csv": True,
            "text/csv; charset=utf-8": True,
            "application/json": False,
            "": False,
        }
        assert {kind: accepts("a,b", **{"content-type": kind}) for kind in kinds} == kinds
    elif "Location" in declared.get("headers", {}):
        assert [accepts(good, location=each) for each in ("/v3/made/id-1", "/login", "")] == [
            True,
            False,
            False,
        ]
    else:
        assert [accepts(each) for each in (good, None, [])] == [True, schema is None, False]
        assert accepts({"message": "please log in"}) is (
            schema is None or operation.id in MAY_LACK_ALL
        )
        if "content" in good and "summary" not in good:
            assert accepts({**good, "content": None})  # an empty page
            assert not any(accepts({**good, "content": each}) for each in ({}, 5))
            assert not accepts({"content": None})
    assert not accepts({**good, "errors": [{"errorCode": "1"}]}, location="/v3/made/id-1")

    assert row.reads is (operation.method == "GET")
    assert bool(row.look_up) is not (row.reads or operation.id in NOT_LOOKED_UP)
    assert (row.shown is Shown.UNSENT) is (
        bool(operation.bodies) and operation.id not in NOTHING_PRIVATE
    )


HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = (ROOT / "docs" / "velo.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "api" / "velo.md").read_text(encoding="utf-8")
_FIRST, LOST, _PAYEES, _BOUND = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BOUND = re.compile(r"`bind`: `(\w+)\.(\w+)`")


def table() -> dict[str, tuple[str, str]]:
    """By request, the operation and what the page says of how it is called."""
    rows = re.findall(r"^\| `([^`]+)` \| `([A-Z]+ /[^`]+)` \| (.+) \|$", REFERENCE, re.MULTILINE)
    return {request: (name, how) for name, request, how in rows}


def request_of(module: Path) -> str | None:
    """The request that a generated function makes."""
    match = re.search(r'"method": "(\w+)",\s+"url": "([^"]+)"', module.read_text(encoding="utf-8"))
    return None if match is None else f"{match[1].upper()} {route(match[2])}"


class TestTheTable:
    def test_it_has_each_operation_once(self) -> None:
        assert (
            len(re.findall(r"^\| `[^`]+` \| `[A-Z]+ /", REFERENCE, re.MULTILINE))
            == len(table())
            == 100
        )
        assert REFERENCE.count("| called by |") == 1

    def test_those_with_a_method_are_those_of_the_generated_package(self) -> None:
        called = sorted(
            route(request) for request, (_, how) in table().items() if "`bind`" not in how
        )
        assert called == sorted(generated("velo"))
        assert f"calls {len(called)} of them by methods" in PAGE
        assert f"The other {100 - len(called)} are called" in PAGE
        document = " ".join((ROOT / "openapi" / "velo.yaml").read_text(encoding="utf-8").split())
        assert f"holds {len(called)} of its 100 operations" in document
        readme = (ROOT / "openapi" / "README.md").read_text(encoding="utf-8")
        assert f": {len(called)} of its 100 operations |" in readme

    def test_those_with_a_method_have_rows(self) -> None:
        names = map(str.split, [*OPERATIONS, *ELSEWHERE])
        rows = {f"{method} {path}" for method, *paths in names for path in paths}
        assert generated("velo") <= rows <= {route(request) for request in table()}

    @pytest.mark.slow
    def test_the_others_are_functions_of_a_package_from_that_document(self, tmp_path: Path) -> None:
        paths: dict[str, Any] = {}
        for request, (name, how) in table().items():
            method, path = request.split()
            names = re.findall(r"\{(\w+)\}", path)
            at = [
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in names
            ]
            named = {} if name == "(none)" else {"operationId": name}
            tag = bound[1] if (bound := BOUND.search(how)) else "called"
            operation = {
                "tags": [tag],
                "parameters": at,
                "responses": {"204": {"description": "done"}},
                **named,
            }
            paths.setdefault(path, {})[method.lower()] = operation
        document = {
            "openapi": "3.0.3",
            "info": {"title": "Velo", "version": "2.35.58"},
            "paths": paths,
        }
        (tmp_path / "velo-full.json").write_text(json.dumps(document), encoding="utf-8")
        outcome = generate(tmp_path / "velo-full.json", tmp_path / "made")
        for request, (_, how) in table().items():
            if result := BOUND.search(how):
                module = outcome.package / "api" / result[1] / f"{result[2]}.py"
                assert module.is_file(), request
                assert request_of(module) == route(request)


class TestTheCode:
    @pytest.mark.parametrize("lost", [False, True])
    def test_the_example_of_a_lost_response_pays_once(
        self, sandbox: VeloSandbox, *, lost: bool
    ) -> None:
        harness = Harness(sandbox, awaited=False)
        if lost:
            sandbox.inject("lose_answer", operation="submit")
        names: dict[str, Any] = {"payments": [pay("INV-7")], "payor_id": harness.payor}

        def run(velo: Velo) -> None:
            exec(LOST, {**names, "velo": velo}, names)

        harness(run)
        assert sandbox.work_done_by_reference() == {"INV-7": 1}
        assert (
            harness(lambda velo: velo.payouts.get(names["payout_id"])).accepted[0].payor_payment_id
            == "INV-7"
        )


CUT = httpx.ReadError("the connection was cut")
OF_ANYBODY = httpx.Response(202, json={"message": "signed in"})


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The functions of a package of Velo's document, in which each operation has a number for a
    name.
    """
    folder = tmp_path_factory.mktemp("bound")
    document = Document.of("velo").copy()
    for number, operation in enumerate(document.operations):
        operation.tree["operationId"] = f"operation{number}"
    (folder / "numbered.json").write_text(json.dumps(document.tree))
    generate(folder / "numbered.json", folder, name="numbered_velo")
    sys.path.insert(0, str(folder))
    modules = pkgutil.walk_packages(
        importlib.import_module("numbered_velo.api").__path__, "numbered_velo.api."
    )
    yield {
        each.name.rpartition(".")[2]: importlib.import_module(each.name)
        for each in modules
        if not each.ispkg
    }
    sys.path.remove(str(folder))


def value(name: str, annotation: str) -> Any:
    """An argument that the function sends."""
    by_name = {"body": SimpleNamespace(additional_properties={}, to_dict=dict)}
    by_type = {"UUID": UUID(GUID), "datetime.datetime": datetime.now(UTC), "int": 1}
    return by_name.get(
        name, next((made for kind, made in by_type.items() if kind in annotation), GUID)
    )


def call(function: Any, line: Any) -> tuple[list[httpx.Request], VictorError]:
    """What a call sends that is answered with this line alone, and its error."""
    needed = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty
    ]
    given = {
        each.name: value(each.name, str(each.annotation))
        for each in needed
        if each.name != "client"
    }
    client, script = scripted(line)
    with client, pytest.raises(VictorError) as raised:
        function(
            **given, client=client.bind(importlib.import_module("numbered_velo.client").Client)
        )
    return script.requests, raised.value


def test_a_row_holds_whatever_the_operation_is_called(functions: dict[str, Any]) -> None:
    for number, operation in enumerate(Document.of("velo").operations):
        if operation.id == "authenticate":  # the client asks for its tokens itself
            continue
        row = ROWS[route(f"{operation.method} {operation.path}")]
        function = functions[f"operation{number}"].sync_detailed
        requests, error = call(function, CUT)
        assert {request.extensions[OPERATION] for request in requests} == {row}
        assert (len(requests), error.outcome) == (3 if row.reads else 1, Outcome.UNKNOWN)
        assert row.hint(requests[0]) in str(error)
        if (
            operation.answer[1] is not None
            or row.evidence is not ROWS["POST /v3/payouts/{}"].evidence
        ):
            assert call(function, OF_ANYBODY)[1].outcome is Outcome.UNKNOWN, operation.id
