"""The parts of the client that use a generated name are found in its source."""

# ruff: noqa: E501 - names of parts of the client are long

from __future__ import annotations

import json
from pathlib import Path

import pytest

from victor_ext.spec.diff.compare import compare
from victor_ext.spec.diff.formats import as_json_text
from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.diff.report import Report
from victor_ext.spec.diff.surface import surface_of
from victor_ext.spec.diff.wrapper import Wrapper
from victor_ext.spec.document import load

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("package", "name", "users"),
    [
        ("victor_api", "api.payment_requests.get_payment_request", "providers.victor.reading.get"),
        ("victor_api", "api.payment_requests.list_payment_requests(page)", "AsyncVictor Victor providers.victor.reading.listed providers.victor.reading.walk"),
        ("victor_api", "models.RfpPayerDetails", "providers.victor.requests.CreateRequest.to_model"),
        # What is sent is used where the model is constructed, not where an answer has a field of the same name.
        ("victor_api", "models.RfpBasePaymentDetails.notes", "providers.victor.requests.CreateRequest.to_model"),
        ("victor_api", "models.RfpInboundPaymentRequestResponseRequestDetails.notes", "providers.victor.responding.respond"),
        ("velo_api", "models.NewPayees.payees", "providers.velo.payees.Payees.create"),
        ("velo_api", "models.PostalAddress.line1", "providers.velo.requests.Address.to_model"),
        ("flexfactor_api", "models.Transaction.avs_result_code", "providers.flexfactor.transactions.Transaction.to_model"),
        ("flexfactor_api", "models.EvaluateRequest.payer", "providers.flexfactor.requests.EvaluateRequest.to_model"),
        # What is received is used by the fields of records whose paths lead there.
        ("victor_api", "models.ReceiptPaymentDetails.notes", "PaymentRequest.notes"),
        ("victor_api", "models.PaymentRequestReceipt.error_message", "PaymentRequest.error_message"),
        ("victor_api", "models.PaymentRequestReceipt.victor_payment_request_parent_id", "PaymentRequest.parent_id"),
        ("victor_api", "models.RfpInboundPaymentRequestResponseDetails.notes", "PaymentRequest.approval_notes PaymentRequest.response"),
        ("victor_api", "models.RfpInboundPaymentRequestDetailsPayer.routing_number", "PaymentRequest.payer"),
        ("victor_api", "models.ListPaymentRequestsResponse.results", "providers.victor.reading.items_of"),
        ("velo_api", "models.Payee.watchlist_status", "providers.velo.records.Payee.watchlist_status"),
        ("velo_api", "models.FundingAccount.name", "providers.velo.records.FundingAccount.name"),
        # Both.
        ("victor_api", "models.RfpPayerDetails.victor_counterparty_id", "PaymentRequest.payer providers.victor.requests.CreateRequest.to_model"),
        # Names that are private in the client are told as what uses them.
        ("eastpay_api", "api.payments.create_payment", "providers.eastpay.payments.Payments.debit providers.eastpay.payments.Payments.preauthorise"),
    ],
)  # fmt: skip
def test_who_uses_a_name(package: str, name: str, users: str) -> None:
    surface = surface_of(ROOT / "generated" / package)
    assert Wrapper(package, surface).users(name) == [f"victor_ext.{each}" for each in users.split()]


@pytest.mark.parametrize("package", ["victor_api", "velo_api", "eastpay_api", "flexfactor_api"])
def test_no_private_name_is_told(package: str) -> None:
    surface = surface_of(ROOT / "generated" / package)
    wrapper = Wrapper(package, surface)
    fields = [f"models.{model}.{field}" for model, each in surface.models.items() for field in each.attributes]
    told = {user for name in (*surface.functions, *fields) for user in wrapper.users(name)}
    assert told
    assert [user for user in told if "._" in user] == []


def test_what_nobody_uses_has_no_users() -> None:
    surface = surface_of(ROOT / "generated" / "victor_api")
    wrapper = Wrapper("victor_api", surface)
    assert wrapper.users("models.ListPaymentRequests.tracking_id") == []
    assert wrapper.users("models.Origin") == []
    assert wrapper.users("api.payment_requests.gone") == []
    # A package that the client does not know has no users, whatever its names are.
    assert Wrapper("cards_api", surface).users("models.ReceiptPaymentDetails.notes") == []


def test_all_users_are_in_the_json_and_the_first_ones_in_the_text(tmp_path: Path) -> None:
    document = ROOT / "openapi" / "victor.yaml"
    text = document.read_text(encoding="utf-8")
    start = text.index("    PaymentRequestReceipt:\n")
    at = text.index("        payment_request:\n", start)
    (tmp_path / "victor.yaml").write_text(f"{text[:at]}        renamed{text[at:].lstrip()}", encoding="utf-8")
    found = python_changes(document, tmp_path / "victor.yaml")
    change = found["components.schemas.PaymentRequestReceipt.properties.payment_request"]
    assert change.what.endswith("PaymentRequest.approval_notes, and 10 more")
    assert "more" not in change.whole
    assert change.whole.endswith("victor_ext.PaymentRequest.response, victor_ext.PaymentRequest.status")
    entries = compare(load(document), load(tmp_path / "victor.yaml"), found).entries
    told = json.loads(as_json_text(Report("old", "new", "new", entries)))["entries"]
    assert any(each["what"].endswith(change.whole) for each in told)


def test_a_change_of_victors_document_names_the_part_of_the_client(tmp_path: Path) -> None:
    document = ROOT / "openapi" / "victor.yaml"
    text = document.read_text(encoding="utf-8")
    assert text.count("operationId: createRequestPayment") == 1
    (tmp_path / "victor.yaml").write_text(
        text.replace("operationId: createRequestPayment", "operationId: requestPayment")
    )
    change = python_changes(document, tmp_path / "victor.yaml")[
        "paths./v2/payment-requests/request-payment.post.operationId"
    ]
    assert change.names == ("victor_api.api.payment_requests.create_request_payment",)
    assert change.what == (
        "the function create_request_payment is now request_payment; "
        "it is used by victor_ext.providers.victor.payment_requests.PaymentRequests.create"
    )
