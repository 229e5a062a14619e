"""The page on Velo is true: its code runs against the sandbox, and its table has each of the hundred operations."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.contracts.document import Document
from tests.contracts.velo import CONTRACT
from tests.providers.velo.harness import Harness, pay
from victor_ext.providers.velo import NotificationSequencer, Velo, VeloAuth
from victor_ext.sandbox.velo import VeloSandbox
from victor_ext.spec.generate import generate

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PAGE = (ROOT / "docs" / "velo-operations.md").read_text(encoding="utf-8")


def blocks(page: str) -> list[str]:
    """The Python of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)


FIRST, PAYEES, LOST = blocks("velo.md")
WEBHOOKS, NOTIFICATIONS = (block for block in blocks("webhooks.md") if "flexfactor" not in block)
[SANDBOX] = blocks("sandbox-velo.md")
BOUND = re.compile(r"`bind`: `(\w+)\.(\w+)`")


class Operation(NamedTuple):
    """An operation of Velo's own document, at 2.35.58."""

    name: str | None
    method: str
    path: str
    tag: str
    is_deprecated: bool

    @property
    def request(self) -> str:
        return f"{self.method} {self.path}"


OPERATIONS = [Operation(*row) for row in json.loads((HERE / "operations.json").read_text(encoding="utf-8"))]


def table() -> dict[str, tuple[str, str]]:
    """By request, the operation and what the page says of how it is called."""
    rows = re.findall(r"^\| `([^`]+)` \| `([A-Z]+ /[^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    return {request: (name, how) for name, request, how in rows}


def plain(path: str) -> str:
    """A path without the names of its parameters."""
    return re.sub(r"\{\w+\}", "{}", path)


def request_of(module: Path) -> str | None:
    """The request that a generated function makes."""
    match = re.search(r'"method": "(\w+)",\s+"url": "([^"]+)"', module.read_text(encoding="utf-8"))
    return None if match is None else f"{match[1].upper()} {plain(match[2])}"


def generated() -> Iterator[str]:
    """The requests of the generated package."""
    package = importlib.import_module("velo_api.api")
    yield from filter(None, map(request_of, Path(package.__path__[0]).glob("*/*.py")))


class TestTheTable:
    def test_it_has_each_operation_once_and_no_other(self) -> None:
        assert [(name, request) for request, (name, _) in table().items()] == [
            (each.name or "(none)", each.request) for each in OPERATIONS
        ]
        assert len(OPERATIONS) == 100
        assert PAGE.count("| called by |") == 1

    def test_those_with_a_method_are_those_of_the_generated_package(self) -> None:
        called = sorted(plain(request) for request, (_, how) in table().items() if "`bind`" not in how)
        assert called == sorted(generated())
        assert f"calls {len(called)} of them by methods" in PAGE
        assert f"The other {100 - len(called)} are called" in PAGE
        document = " ".join((ROOT / "openapi" / "velo.yaml").read_text(encoding="utf-8").split())
        assert f"holds {len(called)} of its 100 operations" in document

    def test_the_method_that_is_named_makes_the_request(self) -> None:
        made = {
            f"{each.method} {plain(each.path)}": CONTRACT.calls[each.id].name
            for each in Document.of("velo").operations
            if each.id in CONTRACT.calls
        }
        for request, (_, how) in table().items():
            if "`bind`" not in how and request != "POST /v1/logout":
                assert f"`{made[plain(request)]}`" in how, request

    def test_each_method_that_is_named_exists(self) -> None:
        with Velo(VeloAuth("key", "not-a-secret")) as velo:
            for request, (_, how) in table().items():
                for resource, method in re.findall(r"`([a-z_]+)\.([a-z_]+)`", BOUND.sub("", how)):
                    assert callable(getattr(getattr(velo, resource), method)), request

    @pytest.mark.slow
    def test_the_others_are_functions_of_a_package_from_that_document(self, tmp_path: Path) -> None:
        paths: dict[str, Any] = {}
        for each in OPERATIONS:
            names = re.findall(r"\{(\w+)\}", each.path)
            at = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
            named = {} if each.name is None else {"operationId": each.name}
            operation = {"tags": [each.tag], "parameters": at, "responses": {"204": {"description": "done"}}, **named}
            paths.setdefault(each.path, {})[each.method.lower()] = operation
        document = {"openapi": "3.0.3", "info": {"title": "Velo", "version": "2.35.58"}, "paths": paths}
        (tmp_path / "velo-full.json").write_text(json.dumps(document), encoding="utf-8")
        outcome = generate(tmp_path / "velo-full.json", tmp_path / "made")
        for request, (_, how) in table().items():
            if result := BOUND.search(how):
                module = outcome.package / "api" / result[1] / f"{result[2]}.py"
                assert module.is_file(), request
                assert request_of(module) == plain(request)

    def test_what_is_deprecated_says_so(self) -> None:
        for each in OPERATIONS:
            how = table()[each.request][1]
            assert each.is_deprecated is bool(re.search("older than|deprecated", how)), each.request


class TestTheCode:
    def test_the_first_payout(self, sandbox: VeloSandbox) -> None:
        harness = Harness(sandbox, awaited=False)
        key, secret = sandbox.add_key()
        names = {"api_key": key, "api_secret": secret, "url": sandbox.url}
        exec(FIRST.replace('environment="sandbox"', "base_url=url"), names)
        assert sandbox.work_done_by_reference()["INV-1042"] == 1
        assert harness(lambda velo: velo.payouts.get(names["payout_id"])).status == "INSTRUCTED"

    def test_payees(self, sandbox: VeloSandbox, capsys: pytest.CaptureFixture[str]) -> None:
        harness = Harness(sandbox, awaited=False)
        harness(lambda velo: exec(PAYEES, {"velo": velo, "payor_id": harness.payor}))
        assert capsys.readouterr().out == ""
        [payee] = harness.all(lambda velo: velo.payees.list(harness.payor, remote_id="payee-8"))
        assert harness(lambda velo: velo.payees.get(payee.id)).raw.address.city == "Springfield"
        harness(lambda velo: exec(PAYEES, {"velo": velo, "payor_id": harness.payor}))
        assert "'remoteId': 'payee-8'" in capsys.readouterr().out

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

    def test_webhooks_and_notifications(self, sandbox: VeloSandbox, capsys: pytest.CaptureFixture[str]) -> None:
        harness = Harness(sandbox, awaited=False)
        header, stored = "long-and-random-7f3b1c9e", {"done": 0, "held": ()}

        def run(velo: Velo) -> None:
            names: dict[str, Any] = {
                "velo": velo, "payor_id": harness.payor, "authorization_header": header,
                "next_header": f"{header}-next", "NotificationSequencer": NotificationSequencer,
                "stored_number": lambda: stored["done"], "stored_notifications": lambda: stored["held"],
                "store": lambda done, held: stored.update(done=done, held=held),
            }  # fmt: skip
            exec(WEBHOOKS, names)
            velo.payouts.get(velo.payouts.submit([pay("INV-9")]))
            exec(NOTIFICATIONS, names)
            for notification in sandbox.notifications():
                names["handle"](json.dumps(notification).encode(), header)

        harness(run)
        assert (stored["done"], capsys.readouterr().out) == (2, "INV-9 ACCEPTED ['PAYMENT_ACCEPTED']\n")
        [webhook] = harness.all(lambda velo: velo.webhooks.list(harness.payor))
        assert (webhook.url, webhook.categories) == ("https://hooks.example.com/velo", ("payment",))

    def test_the_sandbox(self) -> None:
        exec(SANDBOX, {"Velo": Velo, "VeloAuth": VeloAuth})
