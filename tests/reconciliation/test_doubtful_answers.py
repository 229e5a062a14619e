"""What a provider says in an odd way, or at an odd time, makes no row look equal, and none look
missing.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cases import cases_beside
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.reconciliation.provider import LONG_BEFORE, Provider, request
from victor_ext.reconciliation import reconcile

AMOUNTS = cases_beside(__file__)["amounts"]


def kinds(report):
    with report:
        return [row.kind.value for row in report]


@pytest.mark.parametrize("name", AMOUNTS)
def test_another_amount_agrees_only_if_the_payer_was_allowed_to_change_the_amount(name):
    case = AMOUNTS[name]
    details = {"original_amount": "44.23", "amount": case["amount"], **case.get("details", {})}
    one = request("ID-1", "INV-1", payment_request={"payment_details": details})
    with Provider([one]).compare({"reference": "INV-1"}) as report:
        (row,) = report
    assert row.kind.value == case["kind"]
    assert row.differences == (("amount",) if case["kind"] == "differs" else ())


def test_the_id_of_an_inbound_request_is_not_missing():
    inbound = request("ID-9", None, direction="inbound", created_at=LONG_BEFORE)
    assert kinds(Provider([inbound]).compare({"id": "ID-9"})) == ["unchecked"]


def test_a_404_of_eastpay_means_a_missing_payment_only_if_another_payment_was_found():
    """Status 404 is for a wrong path, too: such as a base URL of another bank's."""
    now = datetime.now(UTC)
    window = {"start": now - timedelta(hours=1), "end": now, "currency": "EGP"}
    ours = [{"id": f"{number:032}", "amount": "1"} for number in range(2)]
    with (
        eastpay_adapter.sandbox() as sandbox,
        eastpay_adapter.client(sandbox, awaited=False) as eastpay,
    ):
        assert kinds(reconcile(eastpay, ours, **window)) == ["unchecked", "unchecked"]
        paid = {"id": eastpay_adapter.pay(eastpay, "INV-1").id, "amount": "92"}
        report = reconcile(eastpay, [*ours, paid], **window)
        assert kinds(report) == ["missing", "missing", "matched"]
