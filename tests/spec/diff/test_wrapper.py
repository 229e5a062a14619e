"""The parts of the client that use a generated name are found in its source."""

# ruff: noqa: E501 - names of parts of the client are long

from __future__ import annotations

from pathlib import Path

import pytest

from victor_ext.spec.diff.python import python_changes
from victor_ext.spec.diff.surface import surface_of
from victor_ext.spec.diff.wrapper import Wrapper

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("package", "name", "user"),
    [
        ("victor_api", "api.payment_requests.get_payment_request", "victor_ext.providers.victor.reading.get"),
        ("victor_api", "api.payment_requests.list_payment_requests(page)", "victor_ext.providers.victor.reading._read_page"),
        ("victor_api", "models.RfpPayerDetails", "victor_ext.providers.victor.requests.CreateRequest.to_model"),
        ("victor_api", "models.RfpPayerDetails.victor_counterparty_id", "victor_ext.providers.victor.requests.CreateRequest.to_model"),
        ("victor_api", "models.ReceiptPaymentDetails.notes", "victor_ext.PaymentRequest.notes"),
        ("velo_api", "api.payees.list_payees", "victor_ext.providers.velo.payees.Payees.list"),
        ("velo_api", "models.Payee.watchlist_status", "victor_ext.providers.velo.records.Payee.watchlist_status"),
        ("velo_api", "models.NewPayees.payees", "victor_ext.providers.velo.payees.Payees.create"),
        ("eastpay_api", "api.payments.create_payment", "victor_ext.providers.eastpay.payments._pay"),
        ("flexfactor_api", "models.Transaction.avs_result_code", "victor_ext.providers.flexfactor.transactions.Transaction.to_model"),
    ],
)  # fmt: skip
def test_who_uses_a_name(package: str, name: str, user: str) -> None:
    surface = surface_of(ROOT / "generated" / package)
    assert user in Wrapper(package).users(name, surface)


def test_what_nobody_uses_has_no_users() -> None:
    surface = surface_of(ROOT / "generated" / "victor_api")
    wrapper = Wrapper("victor_api")
    assert wrapper.users("models.ListPaymentRequests.tracking_id", surface) == []
    assert wrapper.users("models.Origin", surface) == []
    assert wrapper.users("api.payment_requests.gone", surface) == []
    # A package that the client does not know has no users, whatever its names are.
    assert Wrapper("cards_api").users("models.ReceiptPaymentDetails.notes", surface) == []


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
        "it is used by victor_ext.providers.victor.creating.create"
    )
