"""What a listener is told of a call, and what is logged of it."""

import asyncio
import dataclasses
import logging
from contextlib import suppress
from functools import partial

import httpx
import pytest
from victor_api.client import Client

from tests.providers.systems import ARGUMENTS
from tests.runtime.fakes import KEY, OK, Happens, raises, status
from tests.runtime.fakes import Harness as HarnessOfADocument
from victor_ext import BadRequest, Victor, connect
from victor_ext._runtime.loop.call_events import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Event,
    RetryScheduled,
)
from victor_ext._runtime.loop.events import LISTENER_ERRORS
from victor_ext.errors import Outcome, VictorError

ID = "a7ffd43c37c1"
Harness = partial(HarnessOfADocument, extensions={})
LOGGER = "victor_ext.client"


NAMES = {
    "operation": None,
    "method": "POST",
    "path_template": None,
    "path": "/payments",
    "server_address": "pay.example",
    "server_port": 443,
    "idempotency_key": KEY,
}


def story(*script, method="POST", **options):
    """The events of one call of the small provider, whatever becomes of it."""
    observed = []
    harness = Harness(list(script), on_event=observed.append, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LISTENER_ERRORS, "log")
        with suppress(VictorError, ZeroDivisionError, KeyboardInterrupt, asyncio.CancelledError):
            harness.call(method, KEY if method == "POST" else None)
    return observed


def ended(events):
    assert isinstance(events[-1], CallEnded)
    assert [type(event) for event in events].count(CallEnded) == 1
    return events[-1]


class TestTheStoryOfACall:
    def test_a_listener_is_told_each_step_of_a_call(self):
        events = story(raises(httpx.ReadTimeout, 2.0), Happens(200, seconds=1.0))
        call = {"call_id": events[0].call_id, **NAMES}
        end = {"attempts": 2, "status_code": 200, "error": None, "outcome": None, "seconds": 3.5}
        assert events == [
            CallStarted(**call),
            AttemptStarted(**call, attempt=1),
            AttemptEnded(**call, attempt=1, status_code=None, error="ReadTimeout", seconds=2.0),
            RetryScheduled(
                **call,
                attempt=2,
                wait=0.5,
                reason="no response arrived in time (it happened)",
                quota=490,
            ),
            AttemptStarted(**call, attempt=2),
            AttemptEnded(**call, attempt=2, status_code=200, error=None, seconds=1.0),
            CallEnded(**call, **end, request_id=None, quota=500),
        ]

    def test_a_tracer_is_asked_for_headers_by_the_attempts_alone(self):
        asked = []

        class Tracer:
            inject = property(lambda self: asked.append("again"))

            def __call__(self, event): ...

        Harness([status(503), OK], on_event=Tracer()).call("POST", KEY)
        assert len(asked) == 2

    def test_an_event_cannot_be_changed(self):
        events = story(status(503), OK)
        assert {type(event) for event in events} == set(Event.__args__)
        for event in events:
            with pytest.raises(dataclasses.FrozenInstanceError):
                event.path = "/elsewhere"  # type: ignore[misc] # it is what must fail

    @pytest.mark.parametrize(
        ("happens", "expected"),
        [
            (
                Happens(400, b'{"detail": "no"}', [("X-Request-Id", "r-1")]),
                (400, "BadRequest", Outcome.REJECTED, "r-1"),
            ),
            (raises(httpx.ConnectError), (None, "ConnectionFailed", Outcome.NOT_SENT, None)),
            (status(503), (503, "ServerError", Outcome.UNKNOWN, None)),
            (Happens(200, b"no JSON"), (200, "UnreadableResponse", Outcome.UNKNOWN, None)),
            (Happens(200, headers=[("X-Request-Id", "r-2")]), (200, None, None, "r-2")),
            (raises(ZeroDivisionError), (None, "ZeroDivisionError", Outcome.UNKNOWN, None)),
        ],
        ids=lambda value: "" if isinstance(value, Happens) else str(value[1]),
    )
    def test_the_last_event_has_the_status_the_error_and_the_outcome(self, happens, expected):
        end = ended(story(happens))
        assert (end.status_code, end.error, end.outcome, end.request_id) == expected

    @pytest.mark.parametrize("what", [KeyboardInterrupt, asyncio.CancelledError])
    def test_an_interrupted_call_ends_too(self, what):
        """A span or a gauge of calls under way would stay open for ever."""
        end = ended(story(raises(what)))
        assert (end.error, end.outcome, end.attempts) == ("Interrupted", Outcome.UNKNOWN, 1)


class TestAListenerThatRaises:
    def test_the_client_counts_how_often_its_listener_raised(self):
        def on_event(event):
            assert not isinstance(event, CallEnded)

        provider = httpx.MockTransport(lambda _request: httpx.Response(404))
        with connect(
            Client, base_url="http://localhost", transport=provider, on_event=on_event
        ) as client:
            assert client.listener_failures == 0
            with pytest.raises(VictorError):
                client.with_options(deadline=1.0).api.get_httpx_client().get("/")
            assert client.listener_failures == 1

    @pytest.mark.parametrize("kind", Event.__args__)
    def test_an_error_of_a_listener_is_raised_when_the_test_setting_says_so(
        self, kind, monkeypatch
    ):
        def on_event(event):
            if isinstance(event, kind):
                raise LookupError("a mistake of the listener")

        monkeypatch.setenv(LISTENER_ERRORS, "raise")
        Harness([status(503), OK], on_event=on_event).fails(LookupError, match="a mistake")

    def test_the_pytest_plugin_has_the_errors_of_listeners_raised(self, monkeypatch):
        import os

        from victor_ext.testing import plugin

        class Config:
            def addinivalue_line(self, *_line): ...

        monkeypatch.delenv(LISTENER_ERRORS)
        plugin.pytest_configure(Config())  # type: ignore[arg-type] # all that it uses
        assert os.environ[LISTENER_ERRORS] == "raise"


class TestTheLog:
    def test_a_retry_is_one_record_with_everything_to_search_by(self, caplog):
        caplog.set_level(logging.INFO)
        Harness([status(503), status(503), OK]).call("POST", KEY)
        record, second = [each for each in caplog.records if each.name == LOGGER]
        assert record.getMessage().startswith("POST /payments: attempt 1 failed (status 503")
        assert vars(second)["call_id"] == vars(record)["call_id"]
        told = {
            name.removeprefix("call_"): value
            for name, value in vars(record).items()
            if "call_" in name
        }
        assert told.pop("id")
        assert told.pop("reason").startswith("status 503")
        assert told == {**NAMES, "attempt": 2, "wait": 0.5, "quota": 495}

    def test_a_call_is_one_record_at_debug(self, caplog):
        caplog.set_level(logging.DEBUG)
        Harness([Happens(200, seconds=1.25)]).call("POST", KEY)
        Harness([status(400)]).fails(BadRequest, "POST", KEY)
        good, bad = [each for each in caplog.records if each.name == LOGGER]
        assert good.getMessage() == "POST /payments: 200 after 1 attempts, 1.250 s"
        assert bad.getMessage() == "POST /payments: BadRequest after 1 attempts, 0.000 s"
        assert (vars(bad)["call_outcome"], vars(bad)["call_status_code"]) == ("rejected", 400)
        assert vars(good)["call_id"] != vars(bad)["call_id"]

    def test_the_id_of_a_payment_is_not_in_the_text_of_a_log_record(self, caplog):
        caplog.set_level(logging.DEBUG)
        provider = httpx.MockTransport(lambda _request: httpx.Response(404))
        with (
            Victor(**ARGUMENTS["victor"], transport=provider) as victor,
            pytest.raises(VictorError),
        ):
            victor.payment_requests.get(ID)
        text = [each.getMessage() for each in caplog.records if each.name == LOGGER]
        assert len(text) == 1
        assert ID not in text[0]
