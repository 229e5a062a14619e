"""`--refresh`: who has paid."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.bulk.bulk_runs import KEY, Bulk, outbound, row, rows, write_csv
from victor_ext import ServerError
from victor_ext.bulk.lookups import NOT_FOUND
from victor_ext.sandbox import Sandbox

pytestmark = pytest.mark.slow


def reads(sandbox: Sandbox) -> list[str]:
    return [each.operation for each in sandbox.received() if each.operation in ("list", "get")]


def test_status_and_export_say_who_has_paid(bulk: Bulk, victor_sandbox: Sandbox) -> None:
    write_csv(bulk.folder / "invoices.csv", [*rows(3), row(4, amount="0")])
    assert bulk("send", "invoices.csv", *KEY, "--skip-invalid").status == 1
    paid, declined, _ = (request["id"] for request in outbound(victor_sandbox))
    victor_sandbox.move(paid, "completed")
    victor_sandbox.move(declined, "declined", "Account 800000219 is\nclosed.")
    before = reads(victor_sandbox)
    exported = bulk("export", "--refresh")
    now = "The provider says now: 1 completed (paid), 1 created, 1 declined."
    assert (exported.status, exported.err) == (0, f"{now}\n")
    found = {line["id"]: (line["status"], line["error"]) for line in exported.table}
    assert found[paid] == ("completed", "")
    assert found[declined] == ("declined", "Account *****0219 is closed.")
    assert found[""][0] == ""
    assert reads(victor_sandbox)[len(before) :] == ["list"] * 2  # a page, and the empty one behind it
    assert bulk("export", "--refresh", "-o", "now.csv").err == f"4 rows written to now.csv. {now}\n"

    shown = bulk("status", "--refresh")
    assert shown.status == 1
    assert "  1 completed (paid)\n" in shown.out
    assert bulk("status", "--refresh", "--json").json["payments"] == {"completed": 1, "declined": 1, "created": 1}
    assert {json.loads(line)["status"] for line in bulk("export", "--refresh", "--json").out.splitlines()} == {
        "completed", "declined", "created", None,
    }  # fmt: skip


@pytest.mark.victor_sandbox(get_status="listed")
def test_what_the_list_lacks_is_read_by_its_id(sender: Callable[..., Any], victor_sandbox: Sandbox) -> None:
    sender().send(rows(2))
    ids = [request["id"] for request in outbound(victor_sandbox)]
    victor_sandbox.move(ids[0], "completed")
    victor_sandbox.respond(ids[1], "Declined", "Not ours")
    victor_sandbox.inject("status", operation="list", status=200, body='{"results": []}', times=None)
    assert dict(sender().status(refresh=True).payments) == {"completed": 1, "declined": 1}
    assert {one.error for one in sender().export(refresh=True)} == {None, "Not ours"}
    victor_sandbox.inject("status", operation="get", status=404, body="{}", times=None)
    assert sender().status(refresh=True).payments == {"not found": 2}
    assert {(one.status, one.error) for one in sender().export(refresh=True)} == {(None, NOT_FOUND)}


def test_what_is_read_by_its_id_has_the_status_of_the_list(sender: Callable[..., Any], victor_sandbox: Sandbox) -> None:
    """`get` says "Pending" of what is paid; and a request without a status is not one that has gone."""
    sender().send(rows(1))
    paid = outbound(victor_sandbox)[0]["id"]
    victor_sandbox.move(paid, "completed")
    victor_sandbox.inject("status", operation="list", status=200, body='{"results": []}', times=1)
    assert sender().status(refresh=True).payments == {"completed": 1}
    listed = json.dumps({"results": [{"victor_payment_request_id": paid}]})
    victor_sandbox.inject("status", operation="list", status=200, body=listed, times=1)
    assert sender().status(refresh=True).payments == {"no status": 1}


def test_a_provider_that_cannot_be_read_costs_no_old_file(
    bulk: Bulk, sender: Callable[..., Any], victor_sandbox: Sandbox
) -> None:
    write_csv(bulk.folder / "invoices.csv", rows(1))
    assert bulk("send", "invoices.csv", *KEY).status == 0
    assert bulk("export", "-o", "results.csv").status == 0
    before = (bulk.folder / "results.csv").read_text()
    victor_sandbox.inject("status", operation="list", status=503, times=None)
    ran = bulk("export", "--refresh", "-o", "results.csv", "--deadline", "0.5")
    assert (ran.status, ran.out, (bulk.folder / "results.csv").read_text()) == (75, "", before)
    assert bulk("status", "--refresh", "--deadline", "0.5").status == 75
    sender().send(rows(1))
    with pytest.raises(ServerError):
        next(sender().export(refresh=True))


def test_a_batch_without_a_request_asks_nothing(sender: Callable[..., Any], victor_sandbox: Sandbox) -> None:
    sender(skip_invalid=True).send([row(1, amount="0")])
    before = reads(victor_sandbox)
    assert sender().status(refresh=True).payments == {}
    assert reads(victor_sandbox) == before
