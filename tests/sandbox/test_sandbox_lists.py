"""Filters and pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


def ids(items):
    return [item["victor_payment_request_id"] for item in items]


def zulu(seconds):
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def seven(both):
    """Seven outbound requests, a minute apart, oldest first."""
    sandbox, caller = both
    made = []
    for number in range(7):
        made.append(caller.created(amount=f"{number + 1}.00"))
        sandbox.advance(60)
    return sandbox, caller, made


def test_pages_count_from_zero_and_end_empty(seven):
    _, caller, made = seven
    newest_first = ids(made)[::-1]
    pages = [ids(caller.listed(page=number, page_size=3)) for number in range(4)]
    assert pages == [newest_first[:3], newest_first[3:6], newest_first[6:], []]
    assert ids(caller.listed()) == newest_first
    assert caller.listed(page=2147483647, page_size=1) == []


def test_the_oldest_may_come_first(start):
    _, caller = start(order="oldest")
    made = [caller.created()["victor_payment_request_id"] for _ in range(5)]
    assert [ids(caller.listed(page=n, page_size=2)) for n in range(4)] == [made[:2], made[2:4], made[4:], []]


def test_a_page_size_is_clamped_without_a_word(start):
    _, caller = start(max_page_size=2)
    for _ in range(3):
        caller.created()
    answer = caller.list(page_size=1000).json()
    assert (len(answer["results"]), answer["page_size"], answer["page"]) == (2, 2, 0)


def test_the_default_page_has_fifty(caller):
    for _ in range(51):
        caller.created()
    assert len(caller.listed()) == 50


def test_pages_may_shift_while_they_are_read(start):
    _, caller = start(shift=1)
    newest_first = [caller.created()["victor_payment_request_id"] for _ in range(5)][::-1]
    pages = [ids(caller.listed(page=number, page_size=2)) for number in range(5)]
    assert pages == [newest_first[0:2], newest_first[1:3], newest_first[2:4], newest_first[3:5], newest_first[4:]]


def test_a_time_range_includes_both_its_ends(seven):
    _, caller, made = seven
    times = [item["payment_request"]["created_at"] for item in made]
    found = caller.listed(start_datetime=zulu(times[2]), end_datetime=zulu(times[4]))
    assert ids(found) == ids(made)[2:5][::-1]
    assert ids(caller.listed(start_datetime=zulu(times[6] + 0.001))) == []
    assert ids(caller.listed(start_datetime=zulu(times[4]), end_datetime=zulu(times[2]))) == []
    paged = caller.listed(start_datetime=zulu(times[1]), page=1, page_size=4)
    assert ids(paged) == ids(made)[1:3][::-1]


def test_every_filter_finds_its_request_and_no_other(both):
    sandbox, caller = both
    sandbox.add_account("243884643621")
    sandbox.add_counterparty("aHeq349838", account_number="243884643621")
    sandbox.add_counterparty("fednow0001", network="FedNow")
    made = caller.created(amount="5.00")
    parent, child = made["victor_payment_request_id"], made["victor_payment_request_child_id"]
    sandbox.advance(60)
    fednow = caller.created(counterparty="fednow0001")["victor_payment_request_id"]
    sandbox.advance(60)
    approved = sandbox.clock()["now"]
    caller.respond(child)
    kept = sandbox.request(fednow)
    expected = [
        ({"victor_id": child}, {child}),
        ({"status": "accepted"}, {parent, child}),
        ({"status": "declined"}, set()),
        ({"direction": "inbound"}, {child}),
        ({"direction": "outbound"}, {parent, fednow}),
        ({"victor_payment_request_parent_id": parent}, {child}),
        ({"victor_payment_request_child_id": child}, {parent}),
        ({"network_type": "FedNow"}, {fednow}),
        ({"network_type": "RTP"}, {parent, child}),
        ({"tracking_id": kept["tracking_id"]}, {fednow}),
        ({"instant_payment_rails_id": kept["rails_id"]}, {fednow}),
        ({"approval_start_datetime": zulu(approved - 5)}, {parent, child}),
        ({"approval_end_datetime": zulu(approved - 5)}, set()),
        ({"approval_end_datetime": zulu(approved + 5)}, {parent, child}),
        ({"due_date_start_date": kept["due_date"], "due_date_end_date": kept["due_date"]}, {parent, child, fednow}),
        ({"due_date_end_date": "2000-01-01"}, set()),
        ({"status": "accepted", "direction": "outbound"}, {parent}),
        ({"something_else": "x"}, {parent, child, fednow}),
    ]
    for filters, wanted in expected:
        assert set(ids(caller.listed(**filters))) == wanted, filters
        assert set(ids(caller.listed(**filters, page_size=1) + caller.listed(**filters, page_size=1, page=1))) <= wanted


def test_a_filtered_list_sees_what_changed_in_between(both):
    sandbox, caller = both
    first = caller.created()["victor_payment_request_id"]
    assert ids(caller.listed(status="created")) == [first]
    second = caller.created()["victor_payment_request_id"]
    assert ids(caller.listed(status="created")) == [second, first]
    sandbox.move(first, "failed")
    assert ids(caller.listed(status="created")) == [second]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=-1", "Min.listPaymentRequests.page"),
        ("page=one", "typeMismatch.listPaymentRequests.page"),
        ("page=1.5", "typeMismatch.listPaymentRequests.page"),
        ("page=2147483648", "Max.listPaymentRequests.page"),
        ("page=1&page=2", "typeMismatch.listPaymentRequests.page"),
        ("page_size=0", "Min.listPaymentRequests.pageSize"),
        ("status=Pending", "Invalid.listPaymentRequests.status"),
        ("status=pending,created", "Invalid.listPaymentRequests.status"),
        ("direction=OUTBOUND", "Invalid.listPaymentRequests.direction"),
        ("network_type=rtp", "Invalid.listPaymentRequests.networkType"),
        ("start_datetime=2026-03-04", "Pattern.listPaymentRequests.startDatetime"),
        ("start_datetime=2026-03-04T00:00:00%2B00:00", "Pattern.listPaymentRequests.startDatetime"),
        ("start_datetime=2026-03-04T00:00:00", "Pattern.listPaymentRequests.startDatetime"),
        ("end_datetime=2026-02-30T00:00:00Z", "Pattern.listPaymentRequests.endDatetime"),
        ("approval_end_datetime=now", "Pattern.listPaymentRequests.approvalEndDatetime"),
        ("due_date_start_date=04.03.2026", "Pattern.listPaymentRequests.dueDateStartDate"),
        ("victor_id=%ff", "Invalid.listPaymentRequests"),
    ],
)
def test_a_wrong_filter_is_a_400_in_springs_words(caller, query, code):
    response = caller.call("GET", f"/v2/payment-requests?{query}")
    assert response.status_code == 400
    error = response.json()["allErrors"][0]
    assert error["codes"][0] == code
    assert error["objectName"] == "listPaymentRequests"


@pytest.mark.parametrize("text", ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.4Z", "2020-01-01T00:00:00.123456789Z"])
def test_zulu_times_may_have_a_fraction(caller, text):
    assert caller.list(start_datetime=text).status_code == 200
