"""What one call does over several attempts: outcomes, waits, the deadline, redirects, 401,
listeners.
"""

import asyncio
import sys

import httpx
import msgspec
import pytest

from tests.runtime.fakes import (
    BEHAVIOUR,
    BOTH,
    KEY,
    OK,
    Happens,
    Harness,
    OneRow,
    raises,
    status,
)
from victor_ext import errors
from victor_ext._runtime.auth.tokens import SignedToken
from victor_ext._runtime.core.clock import REUSED_IMMEDIATELY
from victor_ext._runtime.loop.call_events import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    RetryScheduled,
)
from victor_ext._runtime.loop.operations import RepeatsId
from victor_ext._runtime.loop.retry import RetryPolicy
from victor_ext.errors import Outcome

DAY_AND_AN_HOUR = 25 * 3600.0
WITH_A_KEY = [
    (
        [status(503), Happens(error=httpx.ReadError, seconds=1.0, suspended=DAY_AND_AN_HOUR)],
        r"slept for 90000 s, or its clock was set.*forgotten",
        (Outcome.UNKNOWN, 2),
    ),
    (
        [Happens(error=httpx.ConnectError, suspended=DAY_AND_AN_HOUR)],
        "forgotten the key",  # which only an earlier call can have used
        (Outcome.NOT_SENT, 1),
    ),
    (
        [Happens(429, b'{"detail": "later"}', suspended=DAY_AND_AN_HOUR)],
        "forgotten the key",
        (Outcome.REJECTED, 1),
    ),
]
SLEPT = [
    *((KEY, 60.0, script, errors.TimedOut, words, ends) for script, words, ends in WITH_A_KEY),
    *(
        (
            None,
            deadline,
            [Happens(error=httpx.ConnectError, suspended=seconds)],
            errors.DeadlineExceeded,
            "another process may have taken it for lost",
            (Outcome.NOT_SENT, 1),
        )
        for deadline, seconds in ((60.0, 61.0), (900.0, 301.0), (None, 301.0))
    ),
    (
        None,
        None,
        [Happens(429, b'{"detail": "no"}', {"retry-after": "1"}, suspended=3600.0)],
        errors.RateLimited,
        "that a machine may sleep",
        (Outcome.REJECTED, 1),
    ),
]

LOST = raises(httpx.ReadTimeout)
NO_CONNECTION = raises(httpx.ConnectError)
WAITS_FOR_CONFLICTS = msgspec.structs.replace(BEHAVIOUR, waits_for_conflicts=True)
UNREADABLE = Happens(body=b'{"id": "a7f')


class TestTheOutcomeIsTheWholeCalls:
    @pytest.mark.parametrize("in_progress", [True, False])
    def test_a_write_is_sent_again_while_its_key_is_being_worked_on(self, in_progress):
        working = Happens(403, b'{"detail": "in progress"}')
        happens = working if in_progress else status(409)
        options = {"behaviour": BEHAVIOUR if in_progress else WAITS_FOR_CONFLICTS}
        assert Harness([happens, OK], **options).call("POST", KEY).status_code == 200
        harness = Harness([happens], **options)
        raised = harness.fails(errors.Conflict, "POST", ends=(Outcome.UNKNOWN, 1))
        assert raised.in_progress is in_progress

    @pytest.mark.parametrize("begun", [LOST, status(503), UNREADABLE], ids=str)
    def test_only_a_write_is_sent_again_after_a_conflict_if_an_earlier_attempt_may_have_worked(
        self, begun
    ):
        assert Harness([begun, status(409), OK]).call("POST", KEY).status_code == 200
        assert Harness([begun, status(409)]).fails(errors.Conflict, "GET").attempts == 2

    @pytest.mark.parametrize("before", [[], [NO_CONNECTION], [status(429)]], ids=str)
    def test_a_conflict_before_any_work_ends_the_call(self, before):
        harness = Harness([*before, status(409)])
        harness.fails(errors.Conflict, "POST", KEY, ends=(Outcome.UNKNOWN, 1 + len(before)))

    @pytest.mark.parametrize("last", [*map(status, (400, 401, 404, 409, 429)), NO_CONNECTION])
    @pytest.mark.parametrize(
        ("begun", "outcome"),
        [
            (LOST, Outcome.UNKNOWN),
            (status(503), Outcome.UNKNOWN),
            (UNREADABLE, Outcome.UNKNOWN),
        ],
    )
    def test_a_later_refusal_takes_back_no_work_that_an_attempt_may_have_done(
        self, begun, outcome, last
    ):
        raised = Harness([begun, last]).fails(errors.VictorError, "POST", KEY)
        assert raised.outcome is outcome

    @pytest.mark.parametrize("before", [NO_CONNECTION, status(429)], ids=str)
    def test_a_refusal_is_told_as_rejected_if_no_earlier_attempt_may_have_worked(self, before):
        harness = Harness([before, status(400)])
        harness.fails(errors.BadRequest, "POST", ends=(Outcome.REJECTED, 2))


def test_the_date_of_a_cached_response_does_not_correct_the_clock():
    """RFC 9111, 5.1: `Age` says that the response was made earlier."""
    for happens, skew in ((Happens(headers={"Age": "3600"}), 0.0), (OK, -3600.0)):
        harness = Harness([happens], drift=-3600.0)
        harness.call()
        assert harness.clock.skew == pytest.approx(skew)


def test_a_response_on_a_connection_just_used_must_name_the_object_that_was_read():
    behaviour = msgspec.structs.replace(BEHAVIOUR, operations=OneRow(id=RepeatsId("payment", "id")))
    options = {"behaviour": behaviour, "extensions": {REUSED_IMMEDIATELY: True}}
    assert Harness([Happens(body=b'{"id": "payments"}')], **options).call().status_code == 200
    harness = Harness([Happens(body=b"{}")], **options)
    harness.fails(errors.UnreadableResponse, match="does not name what was requested")
    assert (
        Harness([Happens(body=b"{}")], behaviour=behaviour, extensions={}).call().status_code == 200
    )


class TestTheMessageSaysWhatIsKnown:
    @pytest.mark.parametrize(
        ("count", "end"),
        [(10, r"field_9: odd 9\. "), (11, r"odd 9; and 1 more"), (25, "odd 9; and 15 more")],
    )
    def test_an_error_message_lists_ten_problems_and_counts_the_rest(self, count, end):
        found = tuple(errors.Problem(f"field_{n}", "odd", f"odd {n}") for n in range(count))
        behaviour = msgspec.structs.replace(BEHAVIOUR, problems=lambda _answer: found)
        harness = Harness([status(400)], behaviour=behaviour)
        raised = harness.fails(errors.BadRequest, "POST", match=f"field_0: odd 0; .*{end}")
        assert raised.problems == found

    @pytest.mark.parametrize(
        ("script", "key", "words"),
        [
            ([raises(httpx.ConnectError)], KEY, r"\(it happened\)\. This call was not sent"),
            ([status(400)], KEY, "The provider did not execute it"),
            ([LOST], KEY, f"repeat it with idempotency_key='{KEY}'"),
            ([LOST], None, "no key makes a repeat safe"),
            (
                [status(409)],
                KEY,
                f"{KEY}' may have been used before, .* With a new key the provider could",
            ),
        ],
    )
    def test_the_message_of_a_write_says_what_may_have_been_done(self, script, key, words):
        raised = Harness(script).fails(errors.VictorError, "POST", key, match=words)
        assert "POST /payments at Pay (test) failed" in str(raised)

    def test_the_message_of_a_failed_read_says_nothing_of_work_done(self):
        words = r"after 6 attempts: no response arrived in time \(it happened\)\.$"
        Harness([LOST]).fails(errors.TimedOut, match=words)


class TestWaiting:
    @pytest.mark.parametrize("code", [429, 503])
    @pytest.mark.parametrize(
        ("asked", "slept", "left"),
        [("61", [], 60), ("3600", [], 60), ("60", [], 60), ("40", [40.5], 19.5)],
    )
    def test_a_wait_that_does_not_fit_the_deadline_raises_at_once_and_says_when(
        self, code, asked, slept, left
    ):
        harness = Harness([status(code, retry_after=asked)])
        why = (
            f"longer than the {left} s that are left of the deadline of 60 s. .* no other "
            f"request within {asked} s"
        )
        raised = harness.fails(errors.StatusError, "POST", KEY, match=why)
        assert raised.retry_after == float(asked)
        assert harness.sleeps == slept
        assert harness.quota.available == 500 - 5 * len(slept)


class TestTheDeadline:
    def test_a_call_without_a_pool_place_for_three_quarters_of_its_deadline_is_not_sent(self):
        harness = Harness([raises(httpx.PoolTimeout, 20.0), raises(httpx.PoolTimeout, 25.0), OK])
        harness.fails(errors.DeadlineExceeded, "POST", ends=(Outcome.NOT_SENT, 2))
        assert len(harness.sleeps) == 1, "after 20 of 60 s, and not after 45.5"

    @pytest.mark.parametrize("key", [KEY, None])
    def test_a_timeout_at_the_deadline_is_raised_as_deadline_exceeded(self, key):
        harness = Harness([raises(httpx.ReadTimeout, seconds=8.0)], deadline=8.0)
        raised = harness.fails(errors.DeadlineExceeded, "POST", key)
        assert isinstance(raised, errors.TimedOut)
        assert (raised.outcome, raised.attempts) == (Outcome.UNKNOWN, 1)
        assert harness.sleeps == []

    def test_a_refusal_that_comes_after_the_deadline_is_a_refusal(self):
        harness = Harness([Happens(400, b'{"detail": "no"}', seconds=8.5)], deadline=8.0)
        harness.fails(errors.BadRequest, "POST", KEY, ends=(Outcome.REJECTED, 1))

    @pytest.mark.parametrize("deadline", [None, 3 * 86_400.0])
    @pytest.mark.parametrize(
        ("first", "error"),
        [
            (status(503, retry_after="90000"), errors.ServerError),
            (status(429, retry_after="86101"), errors.RateLimited),
            (raises(httpx.ReadTimeout, seconds=86_100.0), errors.DeadlineExceeded),
        ],
    )
    def test_a_key_is_sent_for_a_day_at_most_whatever_the_deadline_is(self, first, error, deadline):
        harness = Harness([first, OK], deadline=deadline)
        raised = harness.fails(error, "POST", KEY, match="the day for which providers keep a key")
        assert (len(harness.received), raised.idempotency_key) == (1, KEY)
        assert Harness([first, OK], deadline=deadline).call().status_code == 200

    @pytest.mark.parametrize(("key", "deadline", "script", "error", "words", "ends"), SLEPT)
    def test_a_write_is_not_sent_again_by_a_machine_that_slept_too_long(
        self, key, deadline, script, error, words, ends
    ):
        """By then the provider may have forgotten the key. Without one, whoever waits for the end
        of the call may have called it lost, and acted on that: with a long deadline or none, five
        minutes of sleep end it.
        """
        harness = Harness([*script, OK], deadline=deadline)
        raised = harness.fails(error, "POST", key, match=words, ends=ends)
        assert (raised.idempotency_key, len(harness.received)) == (key, len(script))

    @pytest.mark.parametrize(
        ("method", "key", "slept"),
        [
            ("GET", None, Happens(503, suspended=90_000.0)),  # changes nothing
            ("POST", None, Happens(error=httpx.ConnectError, suspended=40.0)),
            ("POST", KEY, Happens(503, suspended=3.0)),  # a correction of the clock
            ("POST", KEY, Happens(503, suspended=-90_000.0)),  # its clock was set back
        ],
    )
    def test_a_call_goes_on_after_the_machine_slept_if_nothing_could_be_done_twice(
        self, method, key, slept
    ):
        assert Harness([slept, OK]).call(method, key).status_code == 200

    @pytest.mark.parametrize("longer", [0.5, 5.0])
    def test_a_deadline_that_passed_during_the_wait_sends_nothing_more(self, longer):
        harness = Harness([status(503), OK], deadline=1.0)
        sleep = harness.clock.sleep
        harness.clock.sleep = lambda seconds: sleep(seconds + longer)
        raised = harness.fails(errors.DeadlineExceeded, "POST", KEY)
        assert len(harness.received) == 1
        assert raised.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("mode", BOTH)
def test_what_a_callers_function_raises_between_two_attempts_has_a_note_with_the_key(mode):
    signed = iter(["Token t"])

    def sign(_now):
        for token in signed:
            return token
        raise OSError("the vault is sealed")

    harness = Harness([status(503), OK], mode, auth=lambda clock, _: SignedToken(sign, clock))
    raised = harness.fails(OSError, "POST", KEY, match="the vault is sealed")
    assert KEY in "".join(raised.__notes__)
    assert len(harness.received) == 1


def test_a_used_up_retry_quota_raises_the_last_error():
    harness = Harness(
        [status(500), status(502), status(503, retry_after="7")], policy=RetryPolicy(quota=12)
    )
    raised = harness.fails(
        errors.ServerError, "POST", KEY, match="retry quota.* no other request within 7 s"
    )
    assert (raised.status_code, raised.attempts, raised.retry_after) == (503, 3, 7.0)
    assert harness.quota.available == 2


class TestRedirects:
    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_a_redirect_ends_the_call_and_says_where_to_without_the_query(self, code):
        """Whoever redirects a write may have done it before."""
        for method, key in (("POST", KEY), ("POST", None), ("GET", None)):
            harness = Harness([status(code, location="/new/payments?token=hunter2"), OK])
            raised = harness.fails(
                errors.StatusError,
                method,
                key,
                match=r"\(/new/payments\)",
                ends=(Outcome.UNKNOWN, 1),
            )
            assert "hunter2" not in str(raised)


class TestRefusedTokens:
    UNAUTHORIZED = Happens(401, b'{"detail": "no"}')

    @pytest.mark.parametrize("drift", [-3600.0, -10.0, 10.0, 400.0])
    @pytest.mark.parametrize(("method", "key"), [("GET", None), ("POST", KEY), ("POST", None)])
    def test_a_clock_that_is_off_is_corrected_once(self, drift, method, key):
        harness = Harness([self.UNAUTHORIZED, OK], drift=drift)
        harness.call(method, key)
        assert len(harness.received) == 2
        harness.call()
        assert harness.signed_at == [harness.clock.local(), *[harness.clock.local() + drift] * 2]
        assert harness.sleeps == []
        assert harness.quota.available == 500, "signing again is no retry"

    def test_a_clock_is_corrected_no_second_time_in_a_call(self):
        harness = Harness([self.UNAUTHORIZED], drift=400.0)
        network = harness.network
        handle = network.handle_request

        def jumping(request):
            network.drift += 1000.0
            return handle(request)

        network.handle_request = jumping
        harness.fails(errors.AuthenticationError)
        assert len(harness.received) == 2

    @pytest.mark.parametrize("drift", [None, 0.0, 1.0, -1.0])
    def test_with_a_clock_that_is_right_a_401_is_final(self, drift):
        harness = Harness([self.UNAUTHORIZED, OK], drift=drift)
        raised = harness.fails(
            errors.AuthenticationError, "POST", KEY, match="Check the credentials"
        )
        assert (raised.outcome, len(harness.received)) == (Outcome.REJECTED, 1)


@pytest.mark.parametrize("mode", BOTH)
class TestAListener:
    """What it raises is logged, and costs no call its result."""

    @pytest.mark.parametrize(
        "kind", [CallStarted, AttemptStarted, AttemptEnded, RetryScheduled, CallEnded]
    )
    def test_a_listener_that_raises_costs_no_call_its_result(self, mode, kind, caplog):
        def on_event(event):
            if isinstance(event, kind):
                raise httpx.ConnectError("mine")

        harness = Harness([status(503), OK], mode, on_event=on_event)
        assert harness.call("POST", KEY).status_code == 200
        assert [one.key for one in harness.received] == [KEY, KEY]
        assert harness.sleeps == [0.5]
        logged = [record for record in caplog.records if record.levelname == "ERROR"]
        assert len(logged) == {AttemptStarted: 2, AttemptEnded: 2}.get(kind, 1)
        for record in logged:
            assert record.name == "victor_ext.client"
            assert "on_event raised ConnectError" in record.getMessage()
            assert f"{kind.__name__} of POST /payments" in record.getMessage()
            assert (
                f"{__file__}:{on_event.__code__.co_firstlineno + 2} in on_event"
                in record.getMessage()
            )

    def test_an_error_without_words_is_logged_by_its_class(self, mode, caplog):
        class Mute(Exception):
            def __str__(self):
                raise RuntimeError("no words")

        def on_event(event):
            raise Mute

        assert Harness(mode=mode, on_event=on_event).call().status_code == 200
        assert "on_event raised Mute" in caplog.text

    @pytest.mark.parametrize("kind", [CallStarted, AttemptStarted, AttemptEnded, CallEnded])
    @pytest.mark.parametrize("mine", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    def test_an_exception_of_a_listener_that_ends_a_program_or_a_task_ends_the_call(
        self, mode, kind, mine
    ):
        def on_event(event):
            if isinstance(event, kind):
                raise mine

        Harness(mode=mode, on_event=on_event).fails(mine, "POST", KEY)

    def test_a_listener_sees_no_exception_of_the_http_library(self, mode):
        """A listener that logs with a traceback would show what the library's frames hold."""
        seen = []
        harness = Harness([LOST, OK], mode, on_event=lambda _event: seen.append(sys.exc_info()[1]))
        harness.call("POST", KEY)
        assert seen == [None] * 7


class TestTheGuard:
    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/payments",
            "http://pay.example/payments",
            "https://pay.example:444/payments",
        ],
    )
    def test_a_request_to_another_origin_is_refused_before_it_is_signed(self, url):
        harness = Harness()
        raised = harness.fails(
            errors.ConfigurationError, url=url, match=r"https://pay\.example only"
        )
        assert harness.received == []
        assert harness.signed_at == []
        assert raised.outcome is Outcome.NOT_SENT
