"""What looks like a finding, and is none or another one: each provider in a few lines."""

import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from email.utils import formatdate
from itertools import cycle

import httpx
import pytest

from tests.conform.conftest import made, run_over
from victor_ext.conform import creates, reads
from victor_ext.conform.exchanges import Over, Unmeasured, moment
from victor_ext.conform.report import Report

ID = "victor_payment_request_id"
PLAIN = {"error": "no"}


def found(run, name: str) -> tuple[str | None, str]:
    finding = run.finding(name)
    return finding["value"], finding["certainty"]


def an_item(id: str, at: object = 1_700_000_000, **more: object) -> dict:
    return {ID: id, "status": "pending", "payment_request": {"created_at": at}} | more


def a_list(*items: dict) -> httpx.Response:
    return httpx.Response(200, json={"results": [*items]})


def echo_of(request, **more: object) -> httpx.Response:
    """What a create is answered that keeps all."""
    body = json.loads(request.content)
    return httpx.Response(200, json={ID: "A"} | body | {"payment_request": body} | more)


@pytest.mark.parametrize("at", [1_700_000_000.123456, 1_700_000_000_123.456])
def test_a_window_ends_at_the_microsecond_of_a_request(at):
    assert moment(at) == "2023-11-14T22:13:20.123456Z"
    assert moment(1_700_000_000.123) == "2023-11-14T22:13:20.123Z"
    kept = datetime.fromisoformat(moment(at))

    def answer(request):
        start, end = (request.url.params.get(f"{name}_datetime") for name in ("start", "end"))
        is_within = start is None or (
            datetime.fromisoformat(start) <= kept <= datetime.fromisoformat(end)
        )
        return a_list(*([an_item("A", at)] if is_within else []))

    run = run_over(answer)
    run.measure(reads._window)
    assert run.finding("window-ends")["value"] == "both"


def test_a_date_of_some_responses_is_none_of_each():
    dates = iter([{"date": "Tue, 14 Nov 2023 22:13:20 GMT"}, {}] * 3)
    run = run_over(lambda _: httpx.Response(200, json={}, headers=next(dates)))
    for _ in range(6):
        run.read()
    run.measure(reads.connection)
    assert found(run, "date-header") == ("some", "certain")
    assert "cannot play this" in run.finding("date-header")["note"]


def test_a_page_of_a_proxy_without_a_date_says_nothing_of_the_provider():
    run = run_over(
        lambda request: (
            httpx.Response(404, html="<p>")
            if "odd" in request.url.path
            else httpx.Response(200, json={}, headers={"date": "Tue, 14 Nov 2023 22:13:20 GMT"})
        )
    )
    for path in ("", "", "/odd", "", "", ""):
        try:
            run.read(path)
        except Unmeasured:
            assert path
    run.measure(reads.connection)
    assert found(run, "date-header") == ("true", "certain")


def test_times_may_count_microseconds():
    run = run_over(lambda _: a_list(*(an_item(id, 1_700_000_000_000_000) for id in "ABC")))
    run.measure(reads._forms)
    assert found(run, "times") == (None, "not measured")


@pytest.mark.parametrize("body", [{}, {ID: "OTHER"}])
def test_what_is_answered_to_any_id_shows_no_lag(body):
    def answer(request):
        if request.method == "POST":
            return made("A")
        return (
            a_list(an_item("A"))
            if "start_datetime" in str(request.url)
            else httpx.Response(200, json=body)
        )

    run = run_over(answer)
    run.measure(creates._lags)
    assert found(run, "list-lag") == ("0", "certain")
    assert found(run, "get-lag") == (None, "not shown")


def statuses_over(before: object, repeated: object, now: object):
    """A provider whose create, repeat and list say these statuses."""
    said = iter([before, before, repeated])

    def answer(request):
        if request.method == "POST":
            return httpx.Response(200, json={ID: "A", "status": next(said)})
        return a_list(an_item("A", status=now))

    return answer


@pytest.mark.parametrize(
    ("before", "repeated", "now", "outcome"),
    [
        ("created", "created", "pending", ("replay", "certain")),
        ("Neu, siehe oben", "Neu, siehe oben", "Offen", ("replay", "certain")),
        ("Neu, siehe oben", "Offen", "Offen", ("current", "certain")),
        (100, 101, 101, ("current", "certain")),
        ("created", "failed", "pending", ("current", "certain")),
        ("created", "created", "created", ("replay", "likely")),
        (None, None, "pending", (None, "not shown")),
    ],
)
def test_a_repeat_is_compared_with_the_first_answer(before, repeated, now, outcome):
    run = run_over(statuses_over(before, repeated, now))
    run.measure(creates._repeats)
    assert found(run, "key-repeat") == outcome


def test_a_status_in_words_of_its_own_is_not_compared_with_that_of_the_file():
    said = iter(["Neu, siehe oben", "Neu, siehe oben"])

    def answer(request):
        if request.method == "POST":
            return httpx.Response(200, json={ID: "A", "status": next(said)})
        return httpx.Response(503)

    run = run_over(answer)
    run.measure(creates._repeats)
    again = run_over(statuses_over("", "Neu, siehe oben", "Neu, siehe oben"), run.document)
    again.measure(creates._repeats)
    assert found(again, "key-repeat") == (None, "not shown")


@pytest.mark.parametrize("accepted", ["early", "late"])
def test_early_tokens_are_not_late_ones(accepted):
    def answer(request):
        issued, expires = map(int, request.headers["authorization"].split())
        is_good = issued < 0 < expires or (issued > 0) is (accepted == "early")
        return a_list() if is_good else httpx.Response(401, json=PLAIN)

    run = run_over(answer)
    run.token = lambda issued, expires: f"{issued} {expires}"
    run.measure(creates._leeway)
    assert found(run, "leeway") == (None, "not shown")
    assert f"8 s {accepted} is accepted" in run.finding("leeway")["note"].replace("10 s", "8 s")


@pytest.mark.parametrize(
    ("becomes", "outcome"),
    [
        ({}, "strip"),
        ({"€": "?", "漢": "?", "😀": "?", "é": "?", "ß": "?"}, "replace"),
        ({"€": "EUR", "é": "e", "ß": "ss"}, None),
        ({"€": "?", "é": "?"}, None),
    ],
)
def test_characters_are_left_out_or_replaced_or_something_else(becomes, outcome):
    def answer(request):
        text = json.loads(request.content)["payment_details"].get("notes", "")
        kept = "".join(each if each.isascii() else becomes.get(each, "") for each in text)
        return echo_of(request, payment_request={"payment_details": {"notes": kept}})

    run = run_over(answer)
    run.measure(creates._characters)
    assert run.finding("other-characters")["value"] == outcome
    assert found(run, "notes-characters") == ("ascii", "certain")
    assert found(run, "reference-characters") == ("any", "certain")


def test_a_reference_is_measured_though_notes_are_not_repeated():
    def answer(request):
        body = json.loads(request.content) if request.method == "POST" else {}
        return httpx.Response(200, json={ID: "A"} | body)

    run = run_over(answer)
    run.measure(creates._lengths)
    assert found(run, "notes-limit") == (None, "not shown")
    assert found(run, "reference-limit") == ("128", "certain")


def test_the_key_of_a_refused_create_needs_no_list_that_is_refused():
    def answer(request):
        if request.method == "GET":
            return a_list()
        amount = json.loads(request.content)["payment_details"]["amount"]
        return made("A") if amount != "x" else httpx.Response(400, json={"error": {"code": 7}})

    run = run_over(answer)
    run.measure(creates._refused_key)
    assert found(run, "refused-key") == ("free", "certain")
    assert found(run, "error-code") == ("7", "certain")
    assert found(run, "error-shape") == (None, "not shown")


def test_errors_of_two_shapes_are_mixed_whatever_is_read_later():
    def answer(request):
        if request.method == "GET":
            is_odd = request.url.params.get("page_size") == "0"
            return httpx.Response(400, json={"problem": 1}) if is_odd else a_list()
        return httpx.Response(400, json={"error": {"code": 7}})

    run = run_over(answer)
    run.measure(reads._errors)
    assert found(run, "error-shape") == ("other", "likely")
    run.measure(creates._refused_key)
    assert run.finding("error-shape")["value"] == "mixed"
    run.measure(reads._errors)
    run.forget_reads([reads._errors])
    assert run.finding("error-shape")["value"] == "mixed"


def test_a_twin_that_names_its_parent_is_found():
    def answer(request):
        if request.method == "POST":
            return made("A")
        if "victor_payment_request_parent_id" in request.url.params:
            return a_list(an_item("B", victor_payment_request_parent_id="A"), an_item("C"))
        return a_list(an_item("A"))

    run = run_over(answer)
    assert creates._twin(run, "twin") == "B"
    assert found(run, "twins") == ("true", "certain")


def test_of_two_requests_without_a_direction_none_is_known_as_ours():
    def answer(request):
        if request.method == "POST":
            raise httpx.ReadTimeout("none")
        reference = run.writes["one"]["details"]["reference"]
        return a_list(*(an_item(id, client_reference_id=reference) for id in "AB"))

    run = run_over(answer)
    with pytest.raises(Unmeasured):
        run.create("one")
    run.settle()
    assert "At least 0 payment requests were made (none), at most 1" in Report(run.document).creates


@pytest.mark.parametrize(
    ("body", "is_list_good", "outcome"),
    [
        ({"error": {"code": 1}}, True, ("403", "certain")),
        ({"problem": 1}, True, ("403", "likely")),
        ({"error": {"code": 1}}, False, (None, "not measured")),
        (None, True, (None, "not measured")),
    ],
)
def test_a_403_is_a_rule_beside_a_list_that_is_answered(body, is_list_good, outcome):
    def answer(request):
        is_odd = request.url.params.get("page_size") == "0"
        if is_odd or not is_list_good:
            return httpx.Response(403, json=body) if body else httpx.Response(403)
        return a_list()

    run = run_over(answer)
    run.measure(reads._errors)
    assert found(run, "invalid-status") == outcome


def test_a_create_that_is_refused_as_its_caller_is_shows_nothing_later_either():
    run = run_over(lambda _: httpx.Response(403, json=PLAIN))
    with pytest.raises(Unmeasured, match="the credentials are refused"):
        run.create("one")
    again = run_over(lambda _: a_list(), run.document)
    with pytest.raises(Unmeasured, match="never sent again"):
        again.create("one")
    assert again.writes["one"]["state"] == "refused"


def test_a_request_of_an_earlier_run_shows_no_lag():
    def answer(request):
        if request.method == "POST":
            return made("A")
        return httpx.Response(503)

    run = run_over(answer)
    run.measure(creates._lags)
    later = run_over(lambda _: httpx.Response(200, json=an_item("A")), run.document)
    later.measure(creates._lags)
    assert found(later, "get-lag") == (None, "not measured")
    assert "measure into another file" in later.finding("get-lag")["note"]


def test_a_repeat_of_a_later_run_shows_no_key_in_progress():
    clock = [1_700_000_000.0]

    def answer(request):
        is_first = len(run.writes) < 2
        return made("A") if is_first else httpx.Response(409, json={"error": {"code": 1}})

    run = run_over(answer, now=lambda: clock[0])
    run.made("repeat 1")
    clock[0] += 3600
    later = run_over(lambda _: made("A"), run.document, now=lambda: clock[0])
    later.measure(creates._repeats)
    assert later.finding("key-in-progress")["value"] is None
    assert found(later, "key-repeat") == (None, "not shown")


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_refused_repeat_of_a_create_that_met_a_503_shows_no_rule(status):
    """The first one may have been made, and its key may be refused for that."""

    def answer(request):
        is_long = len(request.headers["idempotency-key"]) == 129
        is_first = is_long and "again" not in [*run.writes][-1]
        if is_long:
            return httpx.Response(503) if is_first else httpx.Response(status, json=PLAIN)
        return made(request.headers["idempotency-key"])

    run = run_over(answer)
    run.measure(creates._key_lengths)
    assert found(run, "key-longest") == (None, "not measured")


def shuffled() -> Callable[[httpx.Request], httpx.Response]:
    """A provider whose list begins elsewhere each time; a page beyond the end is the first one."""
    turns = cycle([0, 1, 2, 1, 2, 0, 2, 1])

    def answer(request):
        turn = next(turns)
        ids = "ABCD"[turn:] + "ABCD"[:turn]
        wanted = request.url.params.get_list("direction")[-1:]
        items = [an_item(id) for id in ids if not wanted or (id < "C") is (wanted == ["inbound"])]
        return a_list(*items[: 1 if request.url.params.get("page_size") == "1" else None])

    return answer


def test_a_list_that_changes_while_it_is_read_shows_no_page():
    run = run_over(shuffled())
    run.measure(reads._pages)
    assert run.finding("page-beyond")["value"] is None
    assert run.finding("page-beyond")["note"] == "the list changes while it is read"


def test_filters_are_compared_in_any_order():
    run = run_over(shuffled())
    run.measure(reads._repeated_filter)
    assert found(run, "repeated-filter") == ("last", "certain")


def test_what_a_proxy_says_instead_of_a_later_page_ends_the_items():
    def answer(request):
        if request.url.params.get("page", "0") != "0":
            return httpx.Response(416, html="<p>")
        return a_list(*(an_item(id, direction="INBOUND") for id in "ABC"))

    run = run_over(answer)
    run.measure(reads._forms)
    assert found(run, "directions") == ("upper", "certain")
    with pytest.raises(Unmeasured):
        run.listed_items(is_whole=True)


def test_a_certain_finding_of_a_text_is_not_replaced_by_what_the_file_shows():
    def answer(request):
        if request.method == "POST":
            kept = json.loads(request.content)
            details = kept["payment_details"]
            details["notes"] = re.sub(r"[^\x00-\x7f]", "", details.get("notes", ""))
            return httpx.Response(200, json={ID: "A", "payment_request": kept} | kept)
        return httpx.Response(404, json={"error": "no"})

    run = run_over(answer)
    run.measure(creates._characters)
    assert found(run, "notes-characters") == ("ascii", "certain")
    again = run_over(answer, run.document)
    again.measure(creates._characters)
    assert found(again, "notes-characters") == ("ascii", "certain")
    run.document["findings"].clear()
    later = run_over(answer, run.document)
    later.measure(creates._characters)
    assert found(later, "notes-characters") == (None, "not shown"), "the file has no texts"


@pytest.mark.parametrize(
    ("name", "value", "waited"), [("key-in-progress", 7, 7), ("key-in-progress", None, 63)]
)
def test_what_was_not_measured_is_waited_for_as_long_as_it_may_take(name, value, waited):
    slept = []
    run = run_over(lambda _: made("A"), sleep=slept.append)
    if value is not None:
        run.find(name, value)
    run.rest(name)
    assert slept == [waited]


def test_pages_that_share_a_request_do_not_show_which_is_the_first():
    """The list is shuffled, and the page that is read again is the same one by chance."""
    single = {"0": "A", "1": "B", "2": "C", "1000000": ""}
    plain = {"0": "ABCD", "1": "BAEF", "2": "", "3": ""}

    def answer(request):
        page = request.url.params.get("page", "0")
        is_single = "page_size" in request.url.params
        return a_list(*map(an_item, (single if is_single else plain)[page]))

    run = run_over(answer)
    run.measure(reads._pages)
    assert found(run, "first-page") == (None, "not shown")
    assert "order of the list changes" in run.finding("first-page")["note"]
    plain["1"] = "EFGH"
    steady = run_over(answer)
    steady.measure(reads._pages)
    assert found(steady, "first-page") == ("0", "certain")


@pytest.mark.parametrize(("lag", "least", "most"), [(2.5, 0, 3), (4, 2, 5)])
def test_a_lag_is_the_time_since_the_create_was_answered(lag, least, most):
    """Each call takes a second, and looks at the list come after those at the id."""
    clock = [1_700_000_000.0]
    shown_from = [0.0]

    def sleep(seconds):
        clock[0] += seconds

    def answer(request):
        clock[0] += 1
        if request.method == "POST":
            shown_from[0] = clock[0] + lag
            return made("A")
        is_list = "start_datetime" in str(request.url)
        if clock[0] < shown_from[0]:
            return a_list() if is_list else httpx.Response(404, json={"error": "no"})
        return a_list(an_item("A")) if is_list else made("A")

    run = run_over(answer, now=lambda: clock[0], sleep=sleep)
    run.measure(creates._lags)
    assert found(run, "get-lag") == (str(most), "certain")
    assert f"between {least} and {most} s" in run.finding("get-lag")["note"]


@pytest.mark.parametrize("limit", [5, 10])
def test_a_text_that_is_cut_shows_no_stripped_characters(limit):
    def answer(request):
        body = json.loads(request.content)
        details = body["payment_details"]
        if "notes" in details:
            details["notes"] = details["notes"][:limit]
        return httpx.Response(200, json={ID: "A"} | body | {"payment_request": body})

    run = run_over(answer)
    run.measure(creates._characters)
    shown = ("any", "certain") if limit == 10 else (None, "not shown")
    assert found(run, "notes-characters") == shown
    assert found(run, "other-characters") == (None, "not shown")


@pytest.mark.parametrize(("skew", "has_date"), [(-45, True), (-45, False)])
def test_the_life_of_a_token_is_by_the_clock_of_the_provider(skew, has_date):
    now = time.time() + skew
    headers = {"date": formatdate(now, usegmt=True)} if has_date else {}

    def answer(_):
        return httpx.Response(200, json={"expires": (now + 120) * 1000}, headers=headers)

    over = Over(httpx.Client(transport=httpx.MockTransport(answer), verify=False))
    over.handle_request(httpx.Request("POST", "https://provider.example/v2/auth/token"))
    run = run_over(answer)
    run.token_life, run.is_token_life_known = over.token_life, over.has_date
    run.measure(reads._token_life)
    certainty = "certain" if has_date else "likely"
    assert found(run, "token-life")[1] == certainty
    assert not has_date or found(run, "token-life")[0] == "120"
