"""The page on Velo is true: its table has each of the hundred operations, and its code settles a lost answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.providers.test_operations_table import generated, route
from tests.providers.velo.adapter import Harness, pay
from victor_ext.providers.velo import Velo
from victor_ext.providers.velo.operations import OPERATIONS
from victor_ext.sandbox.velo import VeloSandbox
from victor_ext.spec.generate import generate

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = (ROOT / "docs" / "velo-operations.md").read_text(encoding="utf-8")


_FIRST, _PAYEES, LOST = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "velo.md").read_text("utf-8"), re.DOTALL)
BOUND = re.compile(r"`bind`: `(\w+)\.(\w+)`")


def table() -> dict[str, tuple[str, str]]:
    """By request, the operation and what the page says of how it is called."""
    rows = re.findall(r"^\| `([^`]+)` \| `([A-Z]+ /[^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    return {request: (name, how) for name, request, how in rows}


def request_of(module: Path) -> str | None:
    """The request that a generated function makes."""
    match = re.search(r'"method": "(\w+)",\s+"url": "([^"]+)"', module.read_text(encoding="utf-8"))
    return None if match is None else f"{match[1].upper()} {route(match[2])}"


class TestTheTable:
    def test_it_has_each_operation_once(self) -> None:
        assert len(re.findall(r"^\| `[^`]+` \| `[A-Z]+ /", PAGE, re.MULTILINE)) == len(table()) == 100
        assert PAGE.count("| called by |") == 1

    def test_those_with_a_method_are_those_of_the_generated_package(self) -> None:
        called = sorted(route(request) for request, (_, how) in table().items() if "`bind`" not in how)
        assert called == sorted(generated("velo"))
        assert f"calls {len(called)} of them by methods" in PAGE
        assert f"The other {100 - len(called)} are called" in PAGE
        document = " ".join((ROOT / "openapi" / "velo.yaml").read_text(encoding="utf-8").split())
        assert f"holds {len(called)} of its 100 operations" in document

    def test_those_with_a_method_have_rows(self) -> None:
        rows = {f"{method} {path}" for method, *paths in map(str.split, OPERATIONS) for path in paths}
        assert generated("velo") <= rows <= {route(request) for request in table()}

    @pytest.mark.slow
    def test_the_others_are_functions_of_a_package_from_that_document(self, tmp_path: Path) -> None:
        paths: dict[str, Any] = {}
        for request, (name, how) in table().items():
            method, path = request.split()
            names = re.findall(r"\{(\w+)\}", path)
            at = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
            named = {} if name == "(none)" else {"operationId": name}
            tag = bound[1] if (bound := BOUND.search(how)) else "called"
            operation = {"tags": [tag], "parameters": at, "responses": {"204": {"description": "done"}}, **named}
            paths.setdefault(path, {})[method.lower()] = operation
        document = {"openapi": "3.0.3", "info": {"title": "Velo", "version": "2.35.58"}, "paths": paths}
        (tmp_path / "velo-full.json").write_text(json.dumps(document), encoding="utf-8")
        outcome = generate(tmp_path / "velo-full.json", tmp_path / "made")
        for request, (_, how) in table().items():
            if result := BOUND.search(how):
                module = outcome.package / "api" / result[1] / f"{result[2]}.py"
                assert module.is_file(), request
                assert request_of(module) == route(request)


class TestTheCode:
    @pytest.mark.parametrize("lost", [False, True])
    def test_after_a_lost_answer(self, sandbox: VeloSandbox, *, lost: bool) -> None:
        harness = Harness(sandbox, awaited=False)
        if lost:
            sandbox.inject("lose_answer", operation="submit")
        names: dict[str, Any] = {"payments": [pay("INV-7")], "payor_id": harness.payor}

        def run(velo: Velo) -> None:
            exec(LOST, {**names, "velo": velo}, names)

        harness(run)
        assert sandbox.work_done_by_reference() == {"INV-7": 1}
        assert harness(lambda velo: velo.payouts.get(names["payout_id"])).accepted[0].payor_payment_id == "INV-7"
