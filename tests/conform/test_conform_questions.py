"""What each question finds, asked of sandboxes that answer it otherwise."""

import re
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.providers.running import ONCE
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import ConfigurationError, Victor, VictorJwt, zulu
from victor_ext.conform import (
    Exchange,
    Payment,
    ask,
    clock,
    key_kept,
    listed_after,
    other_body,
    pages,
    same_key,
    unknown_id,
    window_ends,
)
from victor_ext.providers.velo import Velo, VeloAuth

PAYMENT = Payment("043987673645", "aHeq349838")


@pytest.fixture
def started(sandboxes, victor_key_pair):
    """Start a sandbox with options; give it, and a client of it."""
    with ExitStack() as stack:

        def start(**options):
            sandbox = sandboxes(**options)
            auth = VictorJwt(API_KEY, victor_key_pair[0])
            return sandbox, stack.enter_context(Victor(auth, base_url=sandbox.url))

        yield start


@pytest.fixture
def answered(victor_key_pair):
    """Make a client of staging that gets these responses, and tries each call once."""

    def make(respond, **options):
        auth = VictorJwt(API_KEY, victor_key_pair[0])
        return Victor(auth, transport=httpx.MockTransport(respond), retry=ONCE, **options)

    return make


def told(finding):
    return finding.seen, finding.differs


@pytest.mark.parametrize(
    ("option", "seen", "differs"),
    [
        ("replay", "the same request", False),
        ("current", "the same request", False),
        ("409", "refused with 409", True),
        ("new", "ANOTHER REQUEST", True),
    ],
)
def test_a_repeat_is_the_same_request_or_refused_or_another_one(started, option, seen, differs):
    _, victor = started(key_repeat=option)
    finding = same_key(victor, PAYMENT)
    assert told(finding) == (seen, differs)
    first, repeat = finding.exchanges
    assert (first.id == repeat.id) == (seen == "the same request")


def test_a_second_run_on_the_same_day_makes_no_new_request(started):
    sandbox, victor = started()
    same_key(victor, PAYMENT)
    made = len(sandbox.requests())
    assert told(same_key(victor, PAYMENT)) == ("the same request", False)
    assert len(sandbox.requests()) == made


@pytest.mark.parametrize(
    ("option", "seen", "differs"),
    [
        ("409", "refused with 409", False),
        ("422", "refused with 422", True),
        ("replay", "the same request", True),
        ("new", "ANOTHER REQUEST", True),
    ],
)
def test_another_body_under_a_used_key_is_refused_replayed_or_made(started, option, seen, differs):
    _, victor = started(key_conflict=option)
    other, _ = other_body(victor, PAYMENT)
    assert told(other) == (seen, differs)


@pytest.mark.parametrize(
    ("option", "seen", "differs"),
    [("replay", "one request", False), ("new", "TWO REQUESTS", True)],
)
def test_two_creates_at_once_are_one_request_unless_keys_are_ignored(
    started, option, seen, differs
):
    _, victor = started(key_repeat=option)
    _, both = other_body(victor, PAYMENT)
    assert told(both) == (seen, differs)


@pytest.mark.parametrize(
    ("options", "days", "seen"),
    [
        ({}, 3, "kept"),
        ({"key_repeat": "409"}, 3, "kept: refused with 409"),
        ({"key_life": 3600.0}, 0, "forgotten: ANOTHER REQUEST"),
        ({"key_life": 3600.0}, 3, "refused with 400: forgotten, or the due date is checked first"),
    ],
)
def test_a_key_of_an_earlier_day_is_kept_or_forgotten(started, options, days, seen):
    sandbox, victor = started(**options)
    day = datetime.now(UTC).date()
    same_key(victor, PAYMENT)
    sandbox.advance(2 * 3600 + days * 86_400)
    assert key_kept(victor, PAYMENT, day).seen == seen


def test_the_key_of_an_earlier_day_without_a_request_is_not_sent(started):
    sandbox, victor = started()
    made = len(sandbox.requests())
    finding = key_kept(victor, PAYMENT, datetime.now(UTC).date() - timedelta(days=3))
    assert (finding.seen, len(sandbox.requests())) == ("not shown: no request of that day", made)


@pytest.mark.parametrize("status", ["400", "404"])
def test_conform_tells_the_status_and_shape_of_the_answer_to_an_unknown_id(started, status):
    _, victor = started(unknown_id=status)
    (finding,) = unknown_id(victor)
    assert finding.question == "an unknown id: /v2/payment-requests/{}"
    assert finding.seen.startswith(f"{status}, an object with ")


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({}, ["0", "an empty page", "N items or more"]),
        (
            {"first_page": "1", "page_beyond": "404", "max_page_size": 50},
            ["1", "refused with 404", "N items or more"],
        ),
        ({"page_beyond": "last"}, ["0", "a page with items", "N items or more"]),
    ],
)
def test_pages_tell_their_first_number_their_end_and_their_size(started, options, seen):
    _, victor = started(**options)
    shown = [re.sub("^[0-9]+ items", "N items", finding.seen) for finding in pages(victor)]
    assert shown == seen


def test_the_page_size_is_the_number_of_items_of_a_page_that_another_page_follows(started):
    _, victor = started(max_page_size=2, demo_data=False)
    for _ in range(2):
        list(other_body(victor, PAYMENT))
    *_, size = pages(victor)
    assert size.seen == "2 items"


@pytest.mark.parametrize(
    ("lag", "seen"), [(0, "at once"), (5, "after about 7 s"), (1e6, "not after 63 s")]
)
def test_a_new_request_is_listed_after_some_seconds(started, lag, seen):
    sandbox, victor = started(list_lag=float(lag))
    assert listed_after(victor, PAYMENT, sleep=sandbox.advance).seen == seen


@pytest.mark.parametrize(
    ("option", "seen", "differs"),
    [
        ("both", "start and end", False),
        ("start", "start", True),
        ("end", "end", True),
        ("neither", "neither", True),
    ],
)
def test_conform_tells_which_ends_of_a_window_are_included(started, option, seen, differs):
    _, victor = started(window_ends=option)
    assert told(window_ends(victor)) == (seen, differs)


@pytest.mark.parametrize(
    ("skew", "seen", "differs"),
    [(0.0, r"as ours", False), (120.0, r"(119|120|121) s ahead", True)],  # `Date` has seconds
)
def test_conform_tells_how_far_the_providers_clock_is_from_ours(started, skew, seen, differs):
    _, victor = started(clock_skew=skew)
    finding = clock(victor)
    assert re.fullmatch(seen, finding.seen)
    assert finding.differs is differs


def test_without_a_payment_all_questions_that_read_are_asked_and_nothing_is_written(started):
    sandbox, victor = started()
    questions = [finding.question for finding in ask(victor)]
    assert len(questions) == 6
    assert {call.method for call in sandbox.received()} == {"GET"}


def test_conform_only_reads_a_system_other_than_victor(velo_sandbox):
    with Velo(VeloAuth(*velo_sandbox.add_key()), base_url=velo_sandbox.url) as velo:
        findings = list(ask(velo))
        with pytest.raises(ConfigurationError, match=r"^payment: only Victor is written to"):
            list(ask(velo, PAYMENT))
    questions = {finding.question for finding in findings if finding.is_shown}
    assert len(questions) == len(findings)
    asked = {"an unknown id: /v1/webhooks/{}", "a list: /v1/webhooks", "the provider's clock"}
    assert asked <= questions
    written = {call.path for call in velo_sandbox.received() if call.method != "GET"}
    assert written == {"/v1/authenticate"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"environment": "production"}, "payment: nothing is written in production"),
        ({"base_url": "https://api.stage.victorfi.com.evil.invalid"}, "payment: api.stage.victorf"),
    ],
    ids=["production", "a host that looks like the provider's"],
)
@pytest.mark.parametrize("question", [same_key, other_body, listed_after, ask])
def test_conform_writes_nothing_in_production_or_to_an_unknown_host(
    answered, options, words, question
):
    def refuse(request):
        raise AssertionError(request)

    with (
        answered(refuse, **options) as victor,
        pytest.raises(ConfigurationError, match=f"^{words}"),
    ):
        list(question(victor, PAYMENT))


def test_conform_writes_to_a_host_that_the_caller_named(answered):
    made = httpx.Response(200, json={"victor_payment_request_id": "R1"})
    with answered(lambda _: made, base_url="https://gateway.example") as victor:
        assert same_key(victor, replace(PAYMENT, host="gateway.example")).is_shown


AT = datetime(2026, 3, 4, 5, 6, 7, 123_000, tzinfo=UTC)


def item(id, at=AT):
    times = {"created_at": round(at.timestamp() * 1000)}
    return {"victor_payment_request_id": id, "payment_request": times}


def page(*items):
    return httpx.Response(200, json={"page": 0, "page_size": 1000, "results": [*items]})


@pytest.mark.parametrize(
    ("repeat", "seen"),
    [((409, "R1"), "refused with 409"), ((200, None), "accepted, without an id")],
)
def test_the_id_of_a_repeat_counts_only_in_an_answer_of_success(answered, repeat, seen):
    left = [(200, "R1"), repeat, (200, "R2")]

    def respond(_request):
        status, id = left.pop(0) if left else (503, None)
        return httpx.Response(status, json={"victor_payment_request_id": id} if id else {})

    with answered(respond) as victor:
        other, both = other_body(victor, PAYMENT)
    assert (other.seen, both.seen) == (seen, "not shown")


OUT, HTML = httpx.Response(503), httpx.Response(200, html="<p>maintenance</p>")
REFUSED = httpx.Response(400, json={})


@pytest.mark.parametrize(
    ("responses", "seen"),
    [
        ([OUT, page(item("A"))], "not shown"),
        ([page(item("A")), page(item("B")), page(item("C"))], "not shown"),
        ([page(item("A")), page(), page(item("A"))], "not shown"),
        ([REFUSED, page(item("A")), REFUSED], "1"),
        ([HTML, page(item("A")), HTML], "not shown"),
    ],
)
def test_the_first_page_number_is_shown_only_if_the_pages_do_not_change(answered, responses, seen):
    left = list(responses)
    with answered(lambda _: left.pop(0) if left else HTML) as victor:
        first, beyond, size = pages(victor)
    assert (first.seen, beyond.seen, size.seen) == (seen, "not shown", "not shown")


@pytest.mark.parametrize(
    ("at", "is_filtered", "seen"),
    [
        (AT, True, "start"),
        (AT.replace(microsecond=0), True, "not shown"),
        (AT, False, "not shown"),
    ],
    ids=["exact", "cut to seconds", "the filter is ignored"],
)
def test_the_ends_of_a_window_are_shown_only_by_an_item_with_an_exact_time(
    answered, at, is_filtered, seen
):
    """The provider lists what is at the start of a window, and not what is at its end."""

    def respond(request):
        query = request.url.params
        if not is_filtered or "start_datetime" not in query:
            return page(item("A", at))
        start, end = (zulu.parse(query[name]) for name in ("start_datetime", "end_datetime"))
        return page(item("A", at)) if start <= at < end else page()

    with answered(respond) as victor:
        assert window_ends(victor).seen == seen


@pytest.mark.parametrize("status", [None, 429, 503])
def test_an_answer_without_a_status_or_with_429_or_503_shows_nothing(status):
    assert Exchange("create 0.01", status).refusal == "not shown"
