"""What a provider says in an odd way, or at an odd time, makes no row look equal, and none look
missing.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cases import cases_beside
from tests.providers.eastpay import adapter as eastpay_adapter
from tests.reconciliation.provider import LONG_BEFORE, START, Provider, request
from victor_ext import InvalidRequest
from victor_ext.money import Money
from victor_ext.reconciliation import Entry, reconcile

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


@pytest.mark.parametrize("at", [START, START + timedelta(days=1, microseconds=-1)])
def test_the_ends_of_the_window_are_read_though_the_provider_excludes_the_ends_of_its_own(at):
    made = request("ID-1", "INV-1", created_at=f"{at:%Y-%m-%dT%H:%M:%S.%fZ}")
    report = Provider([made]).compare({"reference": "INV-1"}, margin=timedelta(0))
    assert kinds(report) == ["matched"]


def test_the_status_of_a_payment_that_is_looked_up_by_id_is_the_status_of_the_list():
    """Not that of `get`, and not that of another id, which the filter returns, too."""
    paid = request("ID-9", "INV-9", status="completed", created_at=LONG_BEFORE)
    another = request("id-9", None, created_at=LONG_BEFORE)
    with Provider([paid, another]).compare({"id": "ID-9"}) as report:
        (row,) = report
    assert (row.kind.value, row.theirs.status) == ("matched", "completed")
    assert report.summary.elsewhere == 1


def test_the_summary_warns_that_a_payment_without_an_id_may_be_listed_twice():
    """One arrives at the front while the first page is read, which moves the second one to the next
    page.
    """
    listed = [request("ID-1", "INV-1"), request(None, "INV-2")]

    def arrive(provider, page):
        if page == 1:
            provider.items = [request("ID-3", "NEW"), *listed]

    ours = [{"reference": reference} for reference in ("INV-1", "INV-2", "GONE")]
    report = Provider(listed, arrive).compare(*ours)
    assert kinds(report) == ["duplicate", "missing", "only_theirs", "matched", "matched"]
    assert "Payments in the list without an id: 2. One that moved" in report.summary.notes[-1]


def test_the_id_of_an_inbound_request_is_not_missing():
    inbound = request("ID-9", None, direction="inbound", created_at=LONG_BEFORE)
    assert kinds(Provider([inbound]).compare({"id": "ID-9"})) == ["unchecked"]


def test_an_inbound_request_is_not_only_theirs():
    assert kinds(Provider([request("ID-9", "INV-9", direction="inbound")]).compare()) == []


def test_half_of_a_character_in_the_book_of_the_provider_does_not_end_the_comparison():
    odd = request("ID-1", "INV-1\ud800", status="p\ud800")
    report = Provider([odd, request("ID-2", "INV-2", status="declined")]).compare(
        {"reference": "INV-2"}
    )
    assert kinds(report) == ["only_theirs", "matched"]
    assert report.summary.to_dict()["statuses"]["declined"] == 1


def test_half_of_a_character_in_our_book_is_refused():
    with pytest.raises(InvalidRequest, match="reference holds half of a character"):
        Entry(Money.of("44.23", "USD"), "INV-1\ud800")


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
