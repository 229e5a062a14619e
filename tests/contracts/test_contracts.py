"""Each client, held against its provider's document: what is new, gone or renamed there is named
here.

A failure is the list of what a person has to decide after a newer document has been generated.
"""

import json

import pytest

from .document import Document
from .record import SYSTEMS, contract_of, only_adds, record_of


@pytest.mark.parametrize("asked", ["differences", "limits"])
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_client_has_the_members_and_limits_that_the_document_declares(system, asked):
    """Its members; and each limit of the document is a rule of the client."""
    if problems := getattr(contract_of(system), asked)(Document.of(system)):
        title = f"{len(problems)} {asked} between the client and openapi/{system}.yaml:"
        numbered = [f"{number}. {problem}" for number, problem in enumerate(problems, 1)]
        pytest.fail("\n".join([title, *numbered]), pytrace=False)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_recorded_contract_has_each_member_that_a_call_reads(system):
    contract = contract_of(system)
    if record_of(contract) != contract.record.read_text(encoding="utf-8"):
        pytest.fail(
            f"tests/contracts/{contract.record.name} is stale: run python -m "
            "tests.contracts.record, and read its diff.",
            pytrace=False,
        )


def test_a_status_that_a_document_renames_is_asked_about_by_both_names():
    document = Document.of("victor").copy()
    statuses = contract_of("victor").statuses
    before = [*statuses.unknown(document)]
    receipt = document.tree["components"]["schemas"]["PaymentRequestReceipt"]
    words = receipt["properties"]["status"]["enum"]
    renamed, words[0] = words[0], "a-word-of-tomorrow"
    new, gone = [asked for asked in statuses.unknown(document) if asked not in before]
    question = "a-word-of-tomorrow is a new status: is it final, is it paid? Say so in victor_ext/"
    assert new.startswith(question)
    assert gone.startswith(f"{renamed} is no status of the document any more")


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
def test_a_contract_record_only_adds_if_nothing_of_the_earlier_one_is_gone(now, adds):
    """With the option `--added`, only such a record is written."""
    assert only_adds(json.dumps({"orders.get": READ}), json.dumps(now)) is adds
