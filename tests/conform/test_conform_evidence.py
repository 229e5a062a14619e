"""A finding has evidence, or there is none: odd providers, each in a few lines."""

import httpx
import pytest

from tests.conform.conftest import run_over
from victor_ext.conform import creates, reads
from victor_ext.conform.report import Report

CREATE = "/v2/payment-requests/request-payment"


def found(run, name: str) -> tuple[str | None, str]:
    finding = run.finding(name)
    return finding["value"], finding["certainty"]


# Ids, and what was made


@pytest.mark.parametrize("id", [None, "", "  ", {"value": "A"}, ["A"], True, 1.5])
def test_requests_without_an_id_are_not_the_same_request(id):
    run = run_over(lambda _: httpx.Response(200, json={"victor_payment_request_id": id}))
    for probe in (creates._repeats, creates._two_at_once, creates._lags):
        run.measure(probe)
    run.measure(creates._conflict)
    for name in ("key-repeat", "two-at-once", "list-lag", "key-conflict"):
        assert found(run, name) == (None, "not shown")
        assert "names no request: its response has no id" in run.finding(name)["note"]


def test_an_id_may_be_a_whole_number():
    run = run_over(lambda _: httpx.Response(200, json={"victor_payment_request_id": 17}))
    run.measure(creates._two_at_once)
    assert found(run, "two-at-once") == ("one", "certain")
    again = run_over(lambda _: httpx.Response(500), run.document)
    again.measure(creates._two_at_once)
    assert again.made("both 1").id == "17"


def test_what_was_accepted_without_an_id_counts_as_made():
    run = run_over(lambda _: httpx.Response(200, json={"status": "created"}))
    run.made("one")
    run.made("two")
    run.create("two repeated", like="two")
    assert Report(run.document).creates.startswith(
        "At least 2 payment requests were made (none), at most 3:"
    )


@pytest.mark.parametrize(
    ("status", "json", "state", "told"),
    [
        (400, {"error": {"code": 1}}, "refused", "Payment requests that were made: 0 (none)."),
        (422, {"allErrors": []}, "refused", "Payment requests that were made: 0 (none)."),
        (401, {"error": "wrong"}, "refused", "Payment requests that were made: 0 (none)."),
        (409, {"detail": "seen"}, "unknown", "At least 0 payment requests were made (none), at"),
        (400, None, "unknown", "At least 0 payment requests were made (none), at most 1"),
        (429, {"error": "slow"}, "unknown", "At least 0 payment requests were made (none), at"),
        (503, {"error": "down"}, "unknown", "At least 0 payment requests were made (none), at"),
        (200, {"victor_payment_request_id": "A"}, "made", "were made: 1 (A)."),
        (
            400,
            {"error": "e", "victor_payment_request_id": "A"},
            "unknown",
            "At least 0 payment requests were made (none), at most 1",
        ),
    ],
)
def test_a_create_counts_until_a_refusal_of_the_provider(status, json, state, told):
    run = run_over(lambda _: httpx.Response(status, json=json))
    run.measure(creates._unknown_payer)
    assert run.writes["unknown-payer"]["state"] == state
    assert told in Report(run.document).creates


def test_a_repeat_that_the_list_does_not_show_may_have_been_made():
    """The list may lag: one request in it is no proof that two creates made one."""

    def answer(request):
        if request.method == "POST":
            raise httpx.ReadTimeout("none")
        reference = run.writes["both 1"]["details"]["reference"]
        item = {"victor_payment_request_id": "A", "client_reference_id": reference}
        return httpx.Response(200, json={"results": [item]})

    run = run_over(answer)
    run.measure(creates._two_at_once)
    run.settle()
    assert "At least 1 payment requests were made (A), at most 2" in Report(run.document).creates


def test_items_without_an_id_show_nothing_where_ids_are_compared():
    item = {"status": "created", "payment_request": {"created_at": 1_700_000_000}}
    run = run_over(lambda _: httpx.Response(200, json={"results": [item, item]}))
    for probe in (reads._pages, reads._repeated_filter, reads._window, reads._get_status):
        run.measure(probe)
    for name in ("first-page", "repeated-filter", "window-ends", "get-status"):
        assert found(run, name)[0] is None
