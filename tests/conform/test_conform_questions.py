"""What each question finds, asked of sandboxes that answer it otherwise."""

import re
from contextlib import ExitStack
from datetime import UTC, datetime

import httpx
import pytest

from tests.providers.running import ONCE
from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import ConfigurationError, Victor, VictorJwt
from victor_ext.conform import (
    Payment,
    ask,
    key_kept,
    listed_after,
    other_body,
    pages,
    same_key,
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


def page(*items):
    return httpx.Response(200, json={"page": 0, "page_size": 1000, "results": [*items]})
