"""Each client, held against its provider's document: what is new, gone or renamed there is named
here.

A failure is the list of what a person has to decide after a newer document has been generated.
"""

import json
from types import SimpleNamespace

import pytest

from . import record
from .document import Document
from .record import SYSTEMS, contract_of, record_of


@pytest.mark.parametrize("asked", ["differences", "limits"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_client_has_the_members_and_limits_that_the_document_declares(system, asked):
    """Its members; and each limit of the document is a rule of the client."""
    if problems := getattr(contract_of(system), asked)(Document.of(system)):
        title = f"{len(problems)} {asked} between the client and openapi/{system}.yaml:"
        pytest.fail("\n".join([title, *problems]), pytrace=False)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_recorded_contract_has_each_member_that_a_call_reads(system):
    contract = contract_of(system)
    if record_of(contract) != contract.record.read_text(encoding="utf-8"):
        pytest.fail(
            f"tests/contracts/{contract.record.name} is stale: run python -m "
            "tests.contracts.record, and read its diff.",
            pytrace=False,
        )


READ = {"Order.id": "Order.id", "Order.state": "Order.status"}


def text_of(calls):
    return json.dumps(calls, indent=1) + "\n"


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """The record of a system, whose one call reads what READ has."""
    path = tmp_path / "shop.json"
    path.write_text(text_of({"orders.get": READ}), encoding="utf-8")
    monkeypatch.setattr(record, "SYSTEMS", ("shop",))
    monkeypatch.setattr(record, "contract_of", lambda _: SimpleNamespace(record=path))
    return path


@pytest.mark.parametrize(
    ("now", "adds"),
    [
        ({"orders.get": {**READ, "Order.note": "Order.note"}}, True),
        ({"orders.get": READ, "orders.list": READ}, True),
        ({"orders.get": {"Order.id": "Order.id"}}, False),
        ({"orders.get": {**READ, "Order.note": "Order.note", "Order.state": "Order.word"}}, False),
        ({}, False),
    ],
    ids=["a member", "a call", "a member gone", "another attribute", "a call gone"],
)
def test_with_the_option_added_a_contract_record_is_written_only_if_nothing_is_gone(
    now,
    adds,
    recorded,
    monkeypatch,
    capsys,
):
    before, after = recorded.read_text(encoding="utf-8"), text_of(now)
    monkeypatch.setattr(record, "record_of", lambda _: after)
    record.main(["--added"])
    assert recorded.read_text(encoding="utf-8") == (after if adds else before)
    record.main()
    assert recorded.read_text(encoding="utf-8") == after
    named = f"{recorded} is written. Its diff is what callers read now."
    assert capsys.readouterr().out.splitlines().count(named) == 1
    record.main()
    said = "Nothing has changed: each call reads what its record says.\n"
    assert capsys.readouterr().out == said
