"""The proof that the contract tests notice a changed document: changed documents, made here."""

import dataclasses

import pytest

from .document import Document
from .record import SYSTEMS, contract_of

pytestmark = pytest.mark.slow


def says(problems, *words):
    """Whether one of the problems has all these words."""
    return any(all(word in line for word in words) for line in problems)


def answered(document, system):
    """The members of the answers whose records callers see."""
    calls = contract_of(system).calls
    return [
        leaf.place
        for operation in document.operations
        if operation.id in calls and calls[operation.id].has_record
        for leaf in document.leaves(operation.answer[1] or {})
    ]


def members_of(document, system):
    """The members that the calls of a client send or read, each with its schema."""
    contract = contract_of(system)
    sent = [
        leaf.place
        for operation in document.operations
        if operation.id in contract.calls
        for body in operation.bodies
        for leaf in document.leaves(body)
    ]
    places = {*sent, *answered(document, system)} - contract.not_read.keys()
    parts = [place.split(".") for place in sorted(places)]
    return [(schema, inner[0]) for schema, *inner in parts if len(inner) == 1]


def properties_of(document, schema):
    return document.tree["components"]["schemas"][schema]["properties"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_new_member_of_any_schema_is_reported(system):
    document = Document.of(system).copy()
    for schema, _ in members_of(document, system):
        properties_of(document, schema)["brandNew"] = {"type": "string"}
    sent = {place for operation in document.operations for place in operation.sent}
    new = {place for place in sent.union(answered(document, system)) if "brandNew" in place}
    words = " ".join(contract_of(system).differences(document)).split()
    assert new, "no place is new"
    assert new - {word.strip(":,") for word in words} == set()


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_member_that_is_gone_is_named(system):
    contract, document = contract_of(system), Document.of(system).copy()
    members = members_of(document, system)
    assert members
    for schema, name in members:
        kept = properties_of(document, schema).pop(name)
        assert says(contract.gone(document), name), f"that {schema}.{name} is gone went unnoticed"
        properties_of(document, schema)[name] = kept


def test_a_limit_that_changed_is_reported():
    document = Document.of("velo").copy()
    payment = properties_of(document, "NewPayment")
    payment["paymentMemo"]["maxLength"] = 39
    payment["remoteId"]["maxLength"] = 101
    account = properties_of(document, "NewFundingAccount")
    account["name"]["minLength"] = 4
    account["currency"] = {"type": "string", "maxLength": 3}
    problems = "\n".join(contract_of("velo").limits(document))
    for place in ("paymentMemo", "remoteId", "body:name", "body:currency"):
        assert place in problems
    assert len(problems.splitlines()) == 4


def test_a_new_filter_is_reported_with_the_command_that_adds_it():
    document = Document.of("victor").copy()
    filters = properties_of(document, "ListPaymentRequests")
    filters["purpose"] = {"type": "string"}
    problems = contract_of("victor").gone(document)
    assert says(problems, "query:purpose", "`make generate`")
    assert len(problems) == 1
    filters["purpose"]["maxLength"] = 35
    assert contract_of("victor").limits(document) == []  # told already


def with_given(system, operation, **given):
    """The contract of a system, whose call of an operation is given these arguments, too."""
    contract = contract_of(system)
    call = contract.calls[operation]
    changed = dataclasses.replace(call, given=tuple({**each, **given} for each in call.given))
    return dataclasses.replace(contract, calls={**contract.calls, operation: changed})


def test_an_argument_that_a_call_does_not_have_is_one_difference_and_no_limit():
    contract = with_given("victor", "createRequestPayment", old_name="a-value")
    (problem,) = contract.differences(Document.of("victor"))
    assert "tests/contracts/victor.py gives old_name to payment_requests.create" in problem
    assert contract.limits(Document.of("victor")) == []


def test_sample_values_that_a_call_refuses_are_one_difference():
    contract = with_given("flexfactor", "refundOrder", amount=1.5)
    (problem,) = contract.differences(Document.of("flexfactor"))
    assert "orders.refund refuses the values that the test gives" in problem
    assert "the entry refundOrder of `calls` in tests/contracts/flexfactor.py" in problem


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_new_operation_and_a_missing_operation_are_reported(system):
    document = Document.of(system)
    changed = document.copy().tree
    item = next(item for item in changed["paths"].values() if "get" in item)
    changed["paths"]["/v9/new"] = {
        "get": {**item.pop("get"), "operationId": "brandNew", "parameters": []}
    }
    problems = contract_of(system).gone(Document(changed))
    assert says(problems, "/v9/new", "brandNew")
    assert says(problems, "no operation")


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_operation_with_another_id_is_no_loss_of_its_members(system):
    contract, document = contract_of(system), Document.of(system).copy()
    renamed = next(
        each
        for each in document.operations
        if each.id in contract.calls and contract.recorded.get(contract.calls[each.id].name)
    )
    renamed.tree["operationId"] = "newName"
    name = contract.calls[renamed.id].name
    problems = contract.gone(Document(document.tree))
    assert says(problems, f"{name}: ", "another id")
    assert not says(problems, "declares it no more", f"and {name} reads it")
