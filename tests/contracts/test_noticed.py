"""The proof that the contract tests notice a changed document: changed documents, made here."""

import dataclasses
from typing import Any

import pytest

from victor_ext.providers.velo import PaymentInstruction

from .arguments import Part
from .contract import Contract
from .document import Document
from .record import SYSTEMS, contract_of
from .samples import text_of_length, text_within

pytestmark = pytest.mark.slow


def says(problems: list[str], *words: str) -> bool:
    """Whether one of the problems has all these words."""
    return any(all(word in line for word in words) for line in problems)


def members_of(document: Document, system: str) -> dict[str, tuple[str, ...]]:
    """The members that the calls of a client reach, by schema; exceptions are left out."""
    contract = contract_of(system)
    reached: dict[str, set[str]] = {}
    for operation in document.operations:
        call = contract.calls.get(operation.id)
        if call is None:
            continue
        schemas = [
            *operation.bodies,
            *([operation.answer[1]] if operation.answer[1] and call.has_record else []),
        ]
        for leaf in [leaf for schema in schemas for leaf in document.leaves(schema)]:
            schema, _, name = leaf.place.partition(".")
            if leaf.place not in contract.not_read and "." not in name:
                reached.setdefault(schema, set()).add(name)
    return {schema: tuple(sorted(names)) for schema, names in reached.items()}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_new_member_of_any_schema_is_named(system: str) -> None:
    document = Document.of(system).copy()
    schemas = members_of(document, system)
    for schema in schemas:
        document.tree["components"]["schemas"][schema]["properties"]["brandNew"] = {
            "type": "string"
        }
    problems = contract_of(system).differences(document)
    named = " ".join(problems)
    answers = {schema for schema in schemas if f"{schema}.brandNew" in named}
    sent = {
        place
        for operation in document.operations
        for place in operation.sent
        if "brandNew" in place
    }
    assert answers, "the change went unnoticed"
    assert {place for place in sent if place not in named} == set()
    assert answers | {schema for schema in schemas if is_only_sent(document, schema)} == set(
        schemas
    )


def is_only_sent(document: Document, schema: str) -> bool:
    """Whether no answer holds the schema."""
    answers = [operation.answer[1] for operation in document.operations if operation.answer[1]]
    return all(
        leaf.place != f"{schema}.brandNew" for answer in answers for leaf in document.leaves(answer)
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_member_that_is_gone_is_noticed(system: str) -> None:
    contract, document = contract_of(system), Document.of(system).copy()
    for schema, names in members_of(document, system).items():
        properties = document.tree["components"]["schemas"][schema]["properties"]
        for name in names:
            kept = properties.pop(name)
            assert contract.gone(document), f"that {schema}.{name} is gone went unnoticed"
            properties[name] = kept


def test_a_limit_that_moved_is_named() -> None:
    document = Document.of("velo").copy()
    schemas = document.tree["components"]["schemas"]
    schemas["NewPayment"]["properties"]["paymentMemo"]["maxLength"] = 39
    schemas["NewPayment"]["properties"]["remoteId"]["maxLength"] = 101
    schemas["NewFundingAccount"]["properties"]["name"]["minLength"] = 4
    schemas["NewFundingAccount"]["properties"]["currency"]["maxLength"] = 3
    problems = "\n".join(contract_of("velo").limits(document))
    for place in ("paymentMemo", "remoteId", "body:name", "body:currency"):
        assert place in problems
    assert len(problems.splitlines()) == 4


def test_a_new_filter_is_named_with_what_brings_it() -> None:
    document = Document.of("victor").copy()
    filters = document.tree["components"]["schemas"]["ListPaymentRequests"]["properties"]
    filters["purpose"] = {"type": "string"}
    problems = contract_of("victor").gone(document)
    assert says(problems, "query:purpose", "`make generate`")
    assert len(problems) == 1
    filters["purpose"]["maxLength"] = 35
    assert contract_of("victor").limits(document) == []  # told already


def with_given(system: str, operation: str, **given: Any) -> Contract:
    """The contract of a system, whose call of an operation is given these arguments, too."""
    contract = contract_of(system)
    call = contract.calls[operation]
    changed = dataclasses.replace(call, given=tuple({**each, **given} for each in call.given))
    return dataclasses.replace(contract, calls={**contract.calls, operation: changed})


def test_an_argument_or_a_field_that_a_call_has_not_is_one_difference_and_no_limit() -> None:
    contract = with_given("victor", "createRequestPayment", old_name="a-value")
    (problem,) = contract.differences(Document.of("victor"))
    assert "tests/contracts/victor.py gives old_name to payment_requests.create" in problem
    assert contract.limits(Document.of("victor")) == []
    payment = Part(PaymentInstruction, remote_id="payee-7", old_memo="Thank you")
    contract = with_given("velo", "submitPayout", payments=[payment])
    (problem,) = contract.differences(Document.of("velo"))
    assert "tests/contracts/velo.py gives payments.old_memo to payouts.submit" in problem


def test_a_call_that_fails_takes_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    from victor_ext.providers.victor import payment_requests

    contract = dataclasses.replace(contract_of("victor"))
    assert contract.limits(Document.of("victor")) == []
    check = payment_requests.check_request

    def fails(request: Any, now: Any) -> None:
        if request.body["payment_details"].get("notes", "").startswith("1"):
            raise AssertionError("not for me")
        check(request, now)

    monkeypatch.setattr(payment_requests, "check_request", fails)
    problems = contract.limits(Document.of("victor"))
    assert says(problems, "payment_details.notes", "cannot be tried with 151 characters")
    assert not says(problems, "takes it")


def test_a_value_that_the_test_has_for_all_calls_may_be_of_another_argument() -> None:
    contract = dataclasses.replace(
        contract_of("velo"), samples={**contract_of("velo").samples, "memo": 17}
    )
    assert contract.differences(Document.of("velo")) == []


def test_values_that_a_call_refuses_are_one_difference() -> None:
    contract = with_given("flexfactor", "refundOrder", amount=1.5)
    (problem,) = contract.differences(Document.of("flexfactor"))
    assert "orders.refund refuses the values that the test gives" in problem
    assert "the entry refundOrder of `calls` in tests/contracts/flexfactor.py" in problem


@pytest.mark.parametrize(
    ("schema", "length", "text"),
    [
        ({}, 4, "1111"),
        ({"pattern": "[A-Z]{4}"}, 4, "AAAA"),
        ({"pattern": "^[A-Z]{4}$"}, 5, None),
        ({"pattern": r"\d+(\.\d{1,2})?"}, 3, "111"),
        ({"pattern": "^(EU|US)-[^a-z ]?$"}, 4, "EU-A"),
        ({"pattern": "^[a-z]+$"}, 128, "a" * 128),
        ({"format": "email"}, 17, "aaada@example.com"),
        ({"format": "uuid"}, 35, None),
    ],
)
def test_a_text_of_a_length_has_the_pattern_and_the_format(
    schema: dict[str, Any], length: int, text: str | None
) -> None:
    assert text_of_length(schema, length) == text


def test_a_text_within_limits_is_the_usual_one_where_it_may_be() -> None:
    assert text_within({"maxLength": 4}, "a-value") == "a-va"
    assert text_within({"minLength": 9}, "a-value") == "a-value11"
    assert text_within({"pattern": "^[A-Z]{4}$", "maxLength": 9}, "a-value") == "AAAA"


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_new_operation_and_one_that_is_gone_are_named(system: str) -> None:
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
def test_an_operation_with_another_id_is_no_loss_of_its_members(system: str) -> None:
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


def test_a_call_that_the_generated_package_no_longer_takes_is_one_difference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from victor_ext.providers.victor import payment_requests

    def refuses(*_: object) -> None:
        raise TypeError("__init__() got an unexpected keyword argument 'notes'")

    document = Document.of("victor").copy()
    del document.tree["components"]["schemas"]["PaymentRequestReceipt"]["properties"][
        "error_message"
    ]
    contract = dataclasses.replace(contract_of("victor"))
    monkeypatch.setattr(payment_requests, "body_of", refuses)
    problems = contract.differences(document)
    assert says(problems, "createRequestPayment", "unexpected keyword argument 'notes'")
    assert says(problems, "PaymentRequestReceipt.error_message: ")
