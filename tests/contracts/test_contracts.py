"""Each client, held against its provider's document: what is new, gone or renamed there is named
here.

A failure is the list of what a person has to decide after a newer document has been generated.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from . import record
from .document import Document
from .record import SYSTEMS, contract_of, record_of


@pytest.mark.parametrize("asked", ["differences", "limits"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_client_is_what_the_document_says(system: str, asked: str) -> None:
    """Its members; and each limit of the document is a rule of the client."""
    if problems := getattr(contract_of(system), asked)(Document.of(system)):
        title = f"{len(problems)} {asked} between the client and openapi/{system}.yaml:"
        pytest.fail("\n".join([title, *problems]), pytrace=False)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_record_is_what_each_call_reads(system: str) -> None:
    contract = contract_of(system)
    if record_of(contract) != contract.record.read_text(encoding="utf-8"):
        pytest.fail(
            f"tests/contracts/{contract.record.name} is stale: run python -m "
            "tests.contracts.record, and read its diff.",
            pytrace=False,
        )


def test_recording_names_the_file_that_it_wrote_or_says_that_nothing_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    contracts = {name: SimpleNamespace(record=tmp_path / f"{name}.json") for name in ("old", "new")}
    contracts["old"].record.write_text("{}\n", encoding="utf-8")
    monkeypatch.setattr(record, "SYSTEMS", tuple(contracts))
    monkeypatch.setattr(record, "contract_of", contracts.__getitem__)
    monkeypatch.setattr(record, "record_of", lambda _: "{}\n")
    record.main()
    written = f"{tmp_path / 'new.json'} is written. Its diff is what callers read now.\n"
    assert capsys.readouterr().out == written
    record.main()
    said = "Nothing has changed: each call reads what its record says.\n"
    assert capsys.readouterr().out == said


READ = {"Order.id": "Order.id", "Order.state": "Order.status"}


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
def test_after_an_update_a_record_is_written_if_it_has_more_and_nothing_is_gone(
    now: dict[str, object],
    adds: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before, after = (json.dumps(each, indent=1) + "\n" for each in ({"orders.get": READ}, now))
    path = tmp_path / "shop.json"
    path.write_text(before, encoding="utf-8")
    monkeypatch.setattr(record, "SYSTEMS", ("shop",))
    monkeypatch.setattr(record, "contract_of", lambda _: SimpleNamespace(record=path))
    monkeypatch.setattr(record, "record_of", lambda _: after)
    record.main(["--added"])
    assert path.read_text(encoding="utf-8") == (after if adds else before)
    added = [line for line in capsys.readouterr().out.splitlines() if line.startswith("+ ")]
    assert bool(added) == adds
