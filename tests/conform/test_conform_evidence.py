"""A finding has evidence, or there is none: odd providers, each in a few lines."""

import json
from contextlib import suppress
from datetime import datetime
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
import victor_api

from tests.conform.conftest import WHOLE, Measured, made, run_over
from tests.conform.strict_server import Provider
from tests.sandbox.sandbox_callers import API_KEY
from tests.tiers import borders
from victor_ext import VictorJwt
from victor_ext.conform import creates, reads
from victor_ext.conform.assumptions import Probe
from victor_ext.conform.exchanges import Unmeasured
from victor_ext.conform.report import Report
from victor_ext.conform.run import SPARE
from victor_ext.sandbox import SandboxSettings

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
    assert found(run, "two-at-once") == ("one", "likely")
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
    ("status", "body", "state", "told"),
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
def test_a_create_counts_until_a_refusal_of_the_provider(status, body, state, told):
    run = run_over(lambda _: httpx.Response(status, json=body))
    with suppress(Unmeasured):
        run.create("one")
    assert run.writes["one"]["state"] == state
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


# What is a refusal, and what is beside it


LIST = {"results": [{"victor_payment_request_id": f"R{number}"} for number in range(3)]}


def beside(refusal: httpx.Response, is_odd=lambda request: "NOSUCHID" in request.url.path):
    """A provider that is in order, but for what is odd."""

    def answer(request):
        if is_odd(request):
            return refusal
        if request.method == "POST":
            return made(request.headers.get("idempotency-key", "x"))
        return httpx.Response(200, json=LIST)

    return answer


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (httpx.Response(404, json={"error": "none"}), ("404", "certain")),
        (httpx.Response(404, json={"allErrors": []}), ("404", "certain")),
        (httpx.Response(404, json={"error": {"code": 1}}), ("404", "certain")),
        (httpx.Response(404, json={"title": "none"}), ("404", "likely")),
        (httpx.Response(404, json=["none"]), (None, "not measured")),
        (httpx.Response(404, html="<h1>no such page</h1>"), (None, "not measured")),
        (httpx.Response(404), (None, "not measured")),
        (httpx.Response(429, json={"error": "slow"}), (None, "not measured")),
        (httpx.Response(302, json={"error": "elsewhere"}), (None, "not measured")),
        (httpx.Response(503, json={"error": "down"}), (None, "not measured")),
    ],
)
def test_a_refusal_counts_in_the_shape_of_the_provider(refusal, outcome):
    run = run_over(beside(refusal))
    run.measure(reads._unknown_id)
    assert found(run, "unknown-id") == outcome


def test_what_came_instead_of_a_refusal_is_said():
    run = run_over(beside(httpx.Response(404, html="<p>")))
    run.measure(reads._unknown_id)
    note = run.finding("unknown-id")["note"]
    assert note == "call 1 was answered with 404 and no JSON: perhaps by a proxy"
    run = run_over(beside(httpx.Response(404, json={"title": "none"})))
    run.measure(reads._unknown_id)
    note = run.finding("unknown-id")["note"]
    assert note == "refused in another shape than the provider's: call 1"


PLAIN = {"error": "wrong"}


@pytest.mark.parametrize(
    ("probe", "name", "is_odd"),
    [
        (
            reads._unknown_id,
            "unknown-id",
            lambda request: not request.url.path.endswith("requests"),
        ),
        (reads._unknown_filter, "unknown-filter", lambda request: request.url.query),
        (reads._errors, "invalid-status", lambda request: "page_size" in request.url.params),
        (reads._page_size, "large-page", lambda request: "page_size" in request.url.params),
        (reads._pages, "page-beyond", lambda request: "page" in request.url.params),
        (reads._repeated_filter, "repeated-filter", lambda request: request.url.query),
        (reads._window, "window-ends", lambda request: "start_datetime" in request.url.params),
        (creates._no_key, "require-key", lambda request: request.method == "POST"),
        (creates._key_lengths, "key-shortest", lambda request: request.method == "POST"),
        (creates._unknown_payer, "unknown-payer", lambda request: request.method == "POST"),
        (creates._lengths, "notes-limit", lambda request: request.method == "POST"),
    ],
)
def test_what_is_refused_beside_what_is_in_order_shows_nothing(probe, name, is_odd):
    """All of a kind is refused, in the provider's own shape."""
    run = run_over(beside(httpx.Response(400, json=PLAIN), is_odd))
    run.measure(probe)
    assert run.finding(name)["value"] is None
    assert run.finding(name)["certainty"] in ("not measured", "not shown")


@pytest.mark.parametrize(
    ("probe", "name"), [(creates._conflict, "key-conflict"), (creates._refused_key, "refused-key")]
)
def test_a_create_in_order_is_refused_beside_the_odd_one(probe, name):
    """After the first one, all are refused, such as by a limit of the account."""
    sent = []

    def answer(request):
        if request.method == "GET":
            is_odd = request.url.params.get("page_size") == "0"
            return httpx.Response(400 if is_odd else 200, json=PLAIN | LIST)
        sent.append(request)
        is_first = len(sent) == 1 and name == "key-conflict"
        return made("A") if is_first else httpx.Response(400, json=PLAIN)

    run = run_over(answer)
    run.measure(probe)
    assert found(run, name) == (None, "not measured")
    assert (
        "a create in order beside a refused one, was answered with 400"
        in (run.finding(name)["note"])
    )


@pytest.mark.parametrize(
    ("refusal", "is_list_good", "outcome"),
    [
        (httpx.Response(401, json=PLAIN), True, ("401", "certain")),
        (httpx.Response(401), True, ("401", "likely")),
        (httpx.Response(401), False, (None, "not measured")),
        (httpx.Response(401, headers={"www-authenticate": "Bearer"}), False, ("401", "likely")),
        (httpx.Response(403), True, (None, "not measured")),
        (httpx.Response(401, html="<p>"), True, (None, "not measured")),
    ],
)
def test_a_bare_401_is_likely(refusal, is_list_good, outcome):
    def answer(request):
        if "authorization" not in request.headers:
            return refusal
        return httpx.Response(200 if is_list_good else 503, json=LIST)

    run = run_over(answer)
    run._client.authorization = lambda: "Token t"
    run.measure(reads._refused_token)
    assert found(run, "refused-token") == outcome


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_provider_without_time_is_asked_again(status):
    busy = [httpx.Response(status, json=PLAIN)] * 2
    waited = []

    def answer(request):
        if busy and "NOSUCHID" in request.url.path:
            return busy.pop()
        return beside(httpx.Response(404, json=PLAIN))(request)

    run = run_over(answer, sleep=waited.append)
    run.measure(reads._unknown_id)
    assert found(run, "unknown-id") == ("404", "certain")
    assert waited == [1, 2]
    assert run.finding("unknown-id")["evidence"][0] == 3, "a 503 shows nothing"


def test_a_create_without_a_key_that_met_a_503_is_not_repeated():
    run = run_over(lambda _: httpx.Response(503, json=PLAIN))
    with pytest.raises(Unmeasured):
        run.create("no key", key=None)
    assert [*run.writes] == ["no key"]


def test_a_create_that_met_a_503_is_repeated_with_its_key_as_a_step_of_the_plan():
    answers = {1: httpx.Response(503), 2: httpx.Response(409, json=PLAIN)}
    sent = []

    def answer(request):
        if request.method == "GET":
            return httpx.Response(200, json={"results": []})
        sent.append((request.headers["idempotency-key"], request.content))
        return answers.get(len(sent)) or made("A")

    run = run_over(answer)
    assert run.create("one").id == "A", "a 409 of the first one on its way is waited out"
    assert len(sent) == 3
    assert len({*sent}) == 1
    steps = ["one", "one, again", "one, again, again"]
    assert [*run.writes] == steps
    again = run_over(answer, run.document)
    assert again.create("one").id == "A"
    assert len(sent) == 3, "none is sent twice"


def test_no_more_creates_are_repeated_than_planned():
    sent = []

    def answer(request):
        sent.append(request)
        return httpx.Response(503, json=PLAIN)

    run = run_over(answer)
    for number in range(20):
        with suppress(Unmeasured):
            run.create(f"step {number}")
    assert len(sent) == 20 + SPARE
    assert len({each["step"] for each in run.writes.values()}) == len(sent)


# Sample sizes


def items_at(*times: float, **more) -> list[dict]:
    return [
        {"victor_payment_request_id": f"R{number}", "payment_request": {"created_at": at}} | more
        for number, at in enumerate(times)
    ]


def listing(items: list[dict]):
    return lambda _: httpx.Response(200, json={"results": items})


@pytest.mark.parametrize(
    ("times", "outcome"),
    [
        ([3, 2, 1], (None, "not shown")),
        ([4, 3, 2, 1], ("newest", "likely")),
        ([3, 3, 2, 2, 1, 1, 1], (None, "not shown")),
        ([7, 6, 5, 4, 3, 2, 1], ("newest", "certain")),
        ([1, 2, 3, 4, 5, 6, 7, 7], ("oldest", "certain")),
        ([1, 2, 3, 4, 5, 7, 6], ("none", "certain")),
    ],
)
def test_an_order_needs_so_many_distinct_times(times, outcome):
    run = run_over(listing(items_at(*times)))
    run.measure(reads._order)
    assert found(run, "order") == outcome


@pytest.mark.parametrize(("count", "certainty"), [(4, "likely"), (5, "certain")])
def test_nulls_are_absent_of_so_many_items(count, certainty):
    run = run_over(listing(items_at(*range(1, count + 1))))
    run.measure(reads._forms)
    assert found(run, "nulls") == ("false", certainty)
    run = run_over(listing(items_at(1, notes=None)))
    run.measure(reads._forms)
    assert found(run, "nulls") == ("true", "certain")


@pytest.mark.parametrize(("count", "certainty"), [(1, "likely"), (2, "likely"), (3, "certain")])
def test_the_status_of_get_needs_so_many_requests(count, certainty):
    items = items_at(*range(1, count + 1), status="completed")
    run = run_over(
        lambda request: httpx.Response(
            200,
            json={"results": items} if request.url.path.endswith("s") else {"status": "Pending"},
        )
    )
    run.measure(reads._get_status)
    assert found(run, "get-status") == ("documented", certainty)


def test_a_page_that_is_always_the_same_shows_no_first_page_and_no_end():
    run = run_over(listing(items_at(3, 2, 1)))
    run.measure(reads._pages)
    assert found(run, "first-page") == (None, "not shown")
    assert found(run, "page-beyond") == (None, "not shown")


def test_a_window_that_is_ignored_shows_no_end():
    run = run_over(listing(items_at(3.5, 2.5, 1.5)))
    run.measure(reads._window)
    assert found(run, "window-ends") == (None, "not shown")
    assert "has a request that is not within it" in run.finding("window-ends")["note"]


def windowed(times):
    """A list whose windows have both ends."""

    def answer(request):
        start, end = (
            datetime.fromisoformat(request.url.params.get(name, default)).timestamp()
            for name, default in (
                ("start_datetime", "1970-01-01T00:00:00Z"),
                ("end_datetime", "2100-01-01T00:00:00Z"),
            )
        )
        items = [
            item
            for item in items_at(*times)
            if start <= item["payment_request"]["created_at"] <= end
        ]
        return httpx.Response(200, json={"results": items})

    return answer


@pytest.mark.parametrize(
    ("times", "certainty"),
    [([10.5], "likely"), ([10.5, 20.5, 30.5], "certain"), ([10, 20, 30], "likely")],
)
def test_the_ends_of_a_window_need_so_many_requests_and_times_that_are_not_cut(times, certainty):
    run = run_over(windowed(times))
    run.measure(reads._window)
    assert found(run, "window-ends") == ("both", certainty)


def test_an_unknown_filter_that_matches_nothing_is_not_ignored():
    run = run_over(
        lambda request: httpx.Response(
            200, json={"results": []} if "conform_unknown" in request.url.params else LIST
        )
    )
    run.measure(reads._unknown_filter)
    assert found(run, "unknown-filter") == ("empty", "certain")


def test_of_two_filters_both_may_count():
    def answer(request):
        words = request.url.params.get_list("direction")
        items = [] if len(words) > 1 else [{"victor_payment_request_id": words[0]}]
        return httpx.Response(200, json={"results": items})

    run = run_over(answer)
    run.measure(reads._repeated_filter)
    assert found(run, "repeated-filter") == ("both", "certain")


def test_a_likely_finding_is_measured_again_when_there_is_more():
    times = [4, 3, 2, 1]
    run = run_over(lambda _: httpx.Response(200, json={"results": items_at(*times)}))
    run.measure(reads._order)
    times[:0] = [7, 6, 5]
    run.measure(reads._order)
    assert found(run, "order") == ("newest", "certain")


# One odd value


def replaced(value, name: str, odd):
    """JSON data with another value of a member, at any depth."""
    if isinstance(value, dict):
        return {
            key: odd(each) if key == name else replaced(each, name, odd)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [replaced(each, name, odd) for each in value]
    return value


def nested(value):
    for _ in range(300):
        value = [value]
    return value


ID = "victor_payment_request_id"
ODD = {
    "amounts with a comma": ("amount", lambda _: "1,50"),
    "amounts that are not finite": ("amount", lambda _: float("nan")),
    "times of two kinds": ("created_at", lambda at: at if int(at * 1000) % 2 else "today"),
    "times that are lists": ("created_at", lambda at: [at]),
    "times out of all bounds": ("created_at", lambda _: 1e300),
    "times without end": ("created_at", lambda _: float("inf")),
    "times that no clock has": ("created_at", lambda at: at * 1e6),
    "ids that are objects": (ID, lambda id: {"value": id}),
    "ids that are lists": (ID, lambda id: [id]),
    "children that are objects": ("victor_payment_request_child_id", lambda id: {"value": id}),
    "results that are a number": ("results", lambda _: 17),
    "results that are a text": ("results", lambda _: "none"),
    "items that are texts": ("results", lambda items: [*map(str, items)]),
    "statuses that are objects": ("status", lambda status: {"word": status}),
    "directions that are numbers": ("direction", len),
    "references that are lists": ("client_reference_id", lambda text: [text]),
    "half a character": ("notes", lambda _: "\ud800"),
    "notes that are nested": ("notes", nested),
    "codes that are objects": ("code", lambda code: {"number": code}),
    "codes that are not finite": ("code", lambda _: float("-inf")),
    "errors that are lists": ("error", lambda error: [error]),
    "a page size that is true": ("page_size", lambda _: True),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    borders(
        ODD,
        "amounts with a comma",
        "times of two kinds",
        "ids that are objects",
        "results that are a number",
        "codes that are not finite",
    ),
)
def test_one_odd_value_ends_no_run(kind, victor_key_pair, tmp_path):
    name, odd = ODD[kind]
    provider = Provider(1)

    def answer(request):
        response = provider.answer(request)
        body = json.dumps(replaced(response.json(), name, odd))
        headers = {"content-type": "application/json", "date": response.headers["date"]}
        return httpx.Response(response.status_code, text=body, headers=headers)

    place = SimpleNamespace(url="https://provider.example", advance=provider.skip)
    measured = Measured(place, VictorJwt(API_KEY, victor_key_pair[0]), tmp_path)
    report = measured(transport=httpx.MockTransport(answer))
    assert report.document["measured_at"], "it has ended"
    json.dumps(report.document, allow_nan=False)
    outbound = [each for each in provider.requests if each["direction"] == "outbound"]
    least, most = report._bounds()
    assert least <= len(outbound) <= most
    assert len(outbound) <= WHOLE.writes
    again = measured(transport=httpx.MockTransport(answer))
    assert len(again.document["findings"]) == len(report.document["findings"])
    assert [each for each in provider.requests if each["direction"] == "outbound"] == outbound


@pytest.mark.parametrize(
    ("probe", "name", "body", "note"),
    [
        (reads._order, "order", {"results": 17}, "results is a number, and no list"),
        (
            reads._order,
            "order",
            {"results": items_at("now")},
            "created_at is a text of 3 characters",
        ),
        (
            reads._forms,
            "times",
            {"results": items_at(1_700_000_000, 1_700_000_000_000)},
            "created_at counts seconds and milliseconds",
        ),
        (
            reads._window,
            "window-ends",
            {"results": items_at(9e17)},
            "created_at is a number, and no time that can be",
        ),
    ],
)
def test_an_odd_value_is_said_by_its_form(probe, name, body, note):
    run = run_over(lambda _: httpx.Response(200, json=body))
    run.measure(probe)
    assert found(run, name) == (None, "not measured")
    assert note in run.finding(name)["note"]


def test_an_odd_amount_after_money_has_moved_is_said_by_its_form():
    items = {"one": "A", "child": "B"}

    def answer(request):
        details = {"payment_details": {"amount": "1,50"}}
        body = {ID: "A", "victor_payment_request_child_id": "B", "payment_request": details}
        return httpx.Response(200, json=body | {"results": [body], "items": items})

    run = run_over(answer)
    run.measure(creates._responses)
    assert found(run, "accepted-amount") == (None, "not measured")
    assert run.finding("accepted-amount")["note"] == (
        "the amount is a text of 4 characters, and no number"
    )


def test_what_no_line_expects_ends_its_probe_alone():
    def broken(run):
        run.read()
        raise TypeError("'<' not supported")

    run = run_over(lambda _: httpx.Response(200, json={}))
    run.measure(Probe(("order",), broken))
    assert found(run, "order") == (None, "not measured")
    assert run.finding("order")["note"] == "call 1 has a value that cannot be read (TypeError)"


# Nothing of a person


def shown(body, status: int = 200):
    run = run_over(lambda _: httpx.Response(status, json=body, headers={"x-request-id": "r-17"}))
    run.read("/SOMEBODYS1")
    return run.document["calls"][0]


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (
            {"code": 7, "message": "error.payer.unknown", "defaultMessage": "Jane Doe is no payer"},
            {
                "code": 7,
                "message": "error.payer.unknown",
                "defaultMessage": "a text of 20 characters",
            },
        ),
        ({"error": "Jane"}, {"error": "a text of 4 characters"}),
        ({"message": "jane.doe"}, {"message": "a text of 8 characters"}),
        ({"code": "043987673645"}, {"code": "a text of 12 digits"}),
        ({"code": 43987673645}, {"code": "a number"}),
        ({"code": "101"}, {"code": "101"}),
        (
            {"codes": ["error.amount.size", "Jane"]},
            {"codes": ["error.amount.size", "a text of 4 characters"]},
        ),
        ({"field": "paymentDetails.amount"}, {"field": "paymentDetails.amount"}),
        ({"field": "Jane Doe"}, {"field": "a text of 8 characters"}),
        ({"Jane Doe": 1}, {"a name of 8 characters": "a number"}),
        ({"status": "NEEDS_REVIEW"}, {"status": "NEEDS_REVIEW"}),
        ({"status": "Jane Doe"}, {"status": "a text of 8 characters"}),
        ({"amount": "12,50"}, {"amount": "a text of 5 characters"}),
        ({"created_at": 1_700_000_000}, {"created_at": "a number"}),
        ({"amount": "043987673645"}, {"amount": "a text of 12 digits"}),
        ({"notes": "Conform to what Jane Doe asks"}, {"notes": "a text of 29 characters"}),
        (
            {"notes": "Conform \u20ac\u6f22\U0001f600 end"},
            {"notes": "Conform \u20ac\u6f22\U0001f600 end"},
        ),
        ({"client_reference_id": "conform17"}, {"client_reference_id": "an id of 9 characters"}),
        ({"client_reference_id": "cabcdef17"}, {"client_reference_id": "cabcdef17"}),
        ({ID: "SOMEBODYS1"}, {ID: "an id of 10 characters"}),
        ({ID: 12345}, {ID: "an id of 5 digits"}),
        ({"account_number": "043987673645"}, {"account_number": "****3645"}),
        ({"due_date": "2026-11-26"}, {"due_date": "a text of 10 characters"}),
        ({"due_date": "Jane"}, {"due_date": "a text of 4 characters"}),
        ({"value": 5}, {"value": "a number"}),
    ],
)
def test_what_others_wrote_is_shown_by_its_form(body, kept):
    assert shown(body)["response"]["body"] == kept


def test_an_id_of_others_is_not_in_the_path_and_what_support_asks_for_stays():
    call = shown({})
    assert call["request"]["path"] == "/v2/payment-requests/an id of 10 characters"
    assert call["response"]["headers"]["x-request-id"] == "r-17"


def test_the_ids_of_the_run_are_shown():
    twin = "victor_payment_request_child_id"
    run = run_over(lambda _: httpx.Response(200, json={ID: "OURS", twin: "TWIN"}))
    run.made("one")
    run.read("/OURS")
    run.respond("answer", "TWIN", status="Accepted")
    paths = [call["request"]["path"].rpartition("/")[2] for call in run.document["calls"]]
    assert paths == ["request-payment", "OURS", "TWIN"]
    assert run.document["calls"][0]["response"]["body"] == {ID: "OURS", twin: "TWIN"}
    again = run_over(lambda _: httpx.Response(200, json={ID: "OURS"}), run.document)
    again.read("/TWIN")
    again.read("/OURS")
    assert run.document["calls"][-1]["response"]["body"] == {ID: "OURS"}
    assert run.document["calls"][-2]["request"]["path"].endswith("/TWIN")


def test_a_code_of_somebody_is_not_in_the_report():
    def answer(request):
        if request.method == "POST":
            return httpx.Response(400, json={"error": {"code": "Jane Doe"}})
        is_odd = request.url.params.get("page_size") == "0"
        return httpx.Response(400 if is_odd else 200, json=PLAIN | LIST)

    run = run_over(answer)
    run.measure(creates._refused_key)
    assert found(run, "error-code") == ("a text of 8 characters", "certain")


# What can be played, and what it says


@pytest.mark.parametrize(
    ("name", "value", "plays"),
    [
        ("error-code", "error.amount.size", None),
        ("error-code", 7, 7),
        ("unknown-id", 404, "404"),
        ("unknown-id", 410, None),
        ("page-beyond", 416, None),
        ("order", "none", None),
        ("notes-limit", 0, 0),
        ("key-repeat", 400, None),
        ("token-life", 0, None),
    ],
)
def test_a_finding_is_played_or_says_that_it_cannot_be(name, value, plays):
    run = run_over(made)
    run.find(name, value)
    finding = run.finding(name)
    assert finding["plays"] == plays
    assert finding["note"] == ("the sandbox cannot play this" if plays is None else "")
    run.save()
    SandboxSettings(**run.document["sandbox"])


@pytest.mark.parametrize(
    ("name", "value", "line", "advice"),
    [
        ("unknown-id", 404, "404: an id that does not exist is refused with 404.", "NotFound is r"),
        ("unknown-id", 410, "410: an id that does not exist is refused with 410.", "StatusError i"),
        (
            "unknown-filter",
            "refuse",
            "refuse: a filter that the document",
            "A misspelt extra_query",
        ),
        ("key-repeat", 409, "409: a repeat is refused.", "Conflict may be raised for"),
        ("key-repeat", "new", "new: a repeat makes another request.", "A key protects nothing"),
        (
            "key-conflict",
            422,
            "422: a used key with another body is refused.",
            "BadRequest is raised",
        ),
    ],
)
def test_a_line_says_what_was_found_beside_what_is_assumed(name, value, line, advice):
    mark = "~" if name in ("unknown-id", "unknown-filter") and value != 410 else "!"
    run = run_over(made)
    run.find(name, value)
    text = Report({"environment": "", "base_url": "", "measured_at": "", **run.document}).text()
    assert f"{mark} {name}: {line}" in text
    assert "  - assumed: " in text
    assert f". {advice}" in text


# Other systems


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (httpx.Response(200, json=[]), ("200", "certain")),
        (httpx.Response(404, json={"message": "none"}), ("404, other", "certain")),
        (httpx.Response(404, json={"hint": "none"}), ("404, other", "likely")),
        (httpx.Response(404, html="<p>"), (None, "not measured")),
        (httpx.Response(401, json={"error": "wrong"}), (None, "not measured")),
        (httpx.Response(503, json={"error": "down"}), (None, "not measured")),
    ],
)
def test_a_read_of_another_system_has_evidence_too(response, outcome):
    """Its own shape is an object with a member that its document declares."""
    document = {"system": "acme", "findings": {}, "calls": [], "plan": {}}
    run = run_over(lambda _: response, document, client={"_generated": victor_api.Client})
    operation = "GET /v2/things/{}"
    run.measure(Probe((operation,), partial(reads._status_of, operation)))
    assert found(run, operation) == outcome
    json.dumps(run.document, allow_nan=False)
