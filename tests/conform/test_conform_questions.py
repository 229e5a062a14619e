"""What each question finds, asked of sandboxes that answer it otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import ConfigurationError, Victor, VictorJwt
from victor_ext.conform import (
    Exchange,
    Finding,
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
from victor_ext.sandbox import Sandbox, SandboxSettings

PAYMENT = Payment("043987673645", "aHeq349838")
Start = Callable[..., tuple[Sandbox, Victor]]


@pytest.fixture
def started(victor_key_pair: tuple[str, str]) -> Iterator[Start]:
    """Start a sandbox with options; give it, and a client of it."""
    private, public = victor_key_pair
    with ExitStack() as stack:

        def start(**options: object) -> tuple[Sandbox, Victor]:
            settings = SandboxSettings(**{"demo_data": True, **options})
            sandbox = stack.enter_context(Sandbox(settings))
            sandbox.add_api_key(public, API_KEY)
            auth = VictorJwt(API_KEY, private)
            return sandbox, stack.enter_context(Victor(auth, base_url=sandbox.url))

        yield start


def told(finding: Finding) -> tuple[str, bool]:
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


def test_a_second_run_of_a_day_makes_nothing(started):
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


def test_two_creates_at_once_are_one_request_unless_keys_are_ignored(started):
    for option, seen in (("replay", ("one request", False)), ("new", ("TWO REQUESTS", True))):
        _, victor = started(key_repeat=option)
        _, both = other_body(victor, PAYMENT)
        assert told(both) == seen


@pytest.mark.parametrize(
    ("hours", "seen"), [(None, "kept"), (1, "forgotten: ANOTHER REQUEST")], ids=["kept", "an hour"]
)
def test_a_key_of_an_earlier_day_is_kept_or_forgotten(started, hours, seen):
    sandbox, victor = started(key_life=None if hours is None else hours * 3600.0)
    day = datetime.now(UTC).date()
    same_key(victor, PAYMENT)
    sandbox.advance(2 * 3600)
    assert key_kept(victor, PAYMENT, day).seen == seen


def test_the_key_of_a_day_on_which_nothing_was_asked_is_not_repeated(started):
    sandbox, victor = started()
    made = len(sandbox.requests())
    finding = key_kept(victor, PAYMENT, datetime.now(UTC).date() - timedelta(days=3))
    assert (finding.seen, len(sandbox.requests())) == ("not shown", made)


def test_an_unknown_id_is_told_with_its_status_and_shape(started):
    for status in ("400", "404"):
        _, victor = started(unknown_id=status)
        (finding,) = unknown_id(victor)
        assert finding.question == "an unknown id: /v2/payment-requests/{}"
        assert finding.seen.startswith(f"{status}, an object with ")


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({}, ["0", "an empty page", "100 are granted"]),
        (
            {"first_page": "1", "page_beyond": "404", "max_page_size": 50},
            ["1", "refused with 404", "50 are granted"],
        ),
        ({"page_beyond": "last"}, ["0", "a page with items", "100 are granted"]),
    ],
)
def test_pages_tell_their_first_number_their_end_and_their_size(started, options, seen):
    _, victor = started(**options)
    assert [finding.seen for finding in pages(victor)] == seen


@pytest.mark.parametrize(("lag", "seen"), [(0, "at once"), (5, "within 7 s"), (1e6, "not shown")])
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
def test_the_ends_of_a_window_are_told(started, option, seen, differs):
    _, victor = started(window_ends=option)
    assert told(window_ends(victor)) == (seen, differs)


def test_the_clock_of_the_provider_is_told_against_ours(started):
    for skew, seen in ((0, ("as ours", False)), (120, ("120 s ahead", True))):
        _, victor = started(clock_skew=float(skew))
        told_seen, differs = told(clock(victor))
        # a `Date` has whole seconds
        assert (told_seen in (seen[0], "119 s ahead", "121 s ahead"), differs) == (True, seen[1])


def test_without_a_payment_all_questions_that_read_are_asked_and_nothing_is_written(started):
    sandbox, victor = started()
    questions = [finding.question for finding in ask(victor)]
    assert len(questions) == 6
    assert {call.method for call in sandbox.received()} == {"GET"}


def test_a_provider_that_ignores_keys_makes_seven_requests_as_the_command_says(started):
    sandbox, victor = started(key_repeat="new", key_conflict="new")
    assert sum(1 for _ in ask(victor, PAYMENT)) == 10
    created = [call for call in sandbox.received() if call.method == "POST"]
    assert (len(created), {call.status for call in created}) == (7, {200})


def test_another_system_is_only_read(velo_sandbox):
    with Velo(VeloAuth(*velo_sandbox.add_key()), base_url=velo_sandbox.url) as velo:
        findings = list(ask(velo))
        with pytest.raises(ConfigurationError, match=r"^payment: only Victor is written to"):
            list(ask(velo, PAYMENT))
    assert all(finding.is_shown for finding in findings)
    written = {call.path for call in velo_sandbox.received() if call.method != "GET"}
    assert written == {"/v1/authenticate"}


def test_production_is_never_written_to(victor_key_pair):
    auth = VictorJwt(API_KEY, victor_key_pair[0])
    with (
        Victor(auth, environment="production") as victor,
        pytest.raises(ConfigurationError, match=r"^payment: nothing is written in production"),
    ):
        list(ask(victor, PAYMENT))


@pytest.mark.parametrize("status", [None, 429, 503])
def test_a_provider_that_has_no_time_shows_nothing(status):
    assert Exchange("create 0.01", status).refusal == "not shown"
