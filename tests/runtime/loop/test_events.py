"""What a listener is told of a call, and what is logged of it."""

import asyncio
import logging
from contextlib import suppress
from functools import partial

import httpx
import pytest
from victor_api.client import Client

from tests.providers.systems import ARGUMENTS
from tests.runtime.fakes import KEY, OK, raises, status
from tests.runtime.fakes import Harness as HarnessOfADocument
from victor_ext import Victor, connect
from victor_ext._runtime.loop.call_events import (
    CallEnded,
    Event,
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
