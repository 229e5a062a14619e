"""Spans and metrics, read from the SDK's in-memory exporters."""

import json
from contextlib import suppress
from types import SimpleNamespace

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.providers.running import Script
from tests.providers.systems import ARGUMENTS, CLIENTS, of_every_system, refusal
from victor_ext import (
    NotFound,
    RetryPolicy,
    VictorError,
)
from victor_ext._event_queue.health import Heartbeat
from victor_ext.otel import OpenTelemetry

NOT_FOUND = refusal("victor", 404)
ID = "a7ffd43c37c1"
TEMPLATE = "/v2/payment-requests/{victor_payment_request_id}"


class Observed:
    """A listener, and what it has exported."""

    def __init__(self):
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        tracers = self.tracers = TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._metrics])
        self.tracer = tracers.get_tracer("the service")
        self.listener = OpenTelemetry(
            tracer_provider=tracers,
            meter_provider=self.meters,
            attributes={"deployment.environment.name": "test"},
        )

    @property
    def spans(self):
        return self._spans.get_finished_spans()

    def metrics(self):
        """The points of each metric: attributes, and a sum, a last value, or the count of a
        histogram.
        """
        data = self._metrics.get_metrics_data()
        found = {}
        for resource in data.resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = [
                        (
                            dict(point.attributes or {}),
                            getattr(point, "count", None) or getattr(point, "value", None),
                        )
                        for point in metric.data.data_points
                    ]
        return found


@pytest.fixture
def observed():
    return Observed()


def client_of(system, observed, provider):
    options = {"retry": RetryPolicy(base=0.0), "on_event": observed.listener}
    return CLIENTS[system][0](**ARGUMENTS[system], transport=Script(provider).transport, **options)


def failing_once(**record):
    script = [
        httpx.Response(503),
        httpx.Response(200, json=record, headers={"X-Request-Id": "r-1"}),
    ]
    return lambda _request: script.pop(0)


def test_a_call_is_a_span_with_its_attempts_as_events(observed):
    victor = client_of(
        "victor", observed, failing_once(victor_payment_request_id=ID, status="PENDING")
    )
    with victor, observed.tracer.start_as_current_span("pay an invoice") as parent:
        victor.payment_requests.get(ID)
    span, _ = observed.spans
    assert (span.name, span.kind, span.status.status_code) == (
        f"GET {TEMPLATE}",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert span.parent is not None
    assert span.parent.span_id == parent.get_span_context().span_id
    attributes = dict(span.attributes or {})
    assert attributes.pop("victor_ext.call_id")
    assert attributes == {
        "deployment.environment.name": "test",
        "server.address": "api.stage.victorfi.com",
        "server.port": 443,
        "http.request.method": "GET",
        "url.template": TEMPLATE,
        "http.response.status_code": 200,
        "http.request.resend_count": 1,
        "victor_ext.operation": "get_payment_request",
        "victor_ext.outcome": "success",
        "victor_ext.request_id": "r-1",
    }
    told = [(event.name, dict(event.attributes or {})) for event in span.events]
    for _, each in told:
        each.pop("victor_ext.duration", None)
    assert told == [
        ("victor_ext.token", {"http.response.status_code": 200}),
        ("victor_ext.attempt", {"http.response.status_code": 503, "error.type": "503"}),
        ("victor_ext.retry", {"victor_ext.retry.wait": 0.0}),
        ("victor_ext.attempt", {"http.response.status_code": 200, "http.request.resend_count": 1}),
    ]


ALWAYS = {"deployment.environment.name": "test"}
A_READ = {**ALWAYS, "http.request.method": "GET", "url.template": TEMPLATE}


@pytest.fixture
def good_and_bad(observed):
    """What is observed of a call that is tried twice and succeeds, and of one that fails."""
    script = failing_once(victor_payment_request_id=ID, status="PENDING")
    with client_of("victor", observed, script) as victor:
        victor.payment_requests.get(ID)
    with (
        client_of("victor", observed, lambda _request: NOT_FOUND) as victor,
        pytest.raises(NotFound),
    ):
        victor.payment_requests.get(ID)
    return observed


def test_attempts_turns_retries_and_requests_for_tokens_are_counted(good_and_bad):
    metrics = good_and_bad.metrics()
    assert [count for _, count in metrics["victor_ext.call.attempts"]] == [1, 1]
    assert metrics["victor_ext.call.active"] == [(A_READ, 0)]
    assert metrics["victor_ext.retries"] == [(A_READ, 1)]
    assert metrics["victor_ext.retry.quota"] == [(ALWAYS, 500)]
    assert metrics["victor_ext.token.requests"] == [
        ({**ALWAYS, "http.response.status_code": 200}, 2)
    ]
    statuses = [
        each["http.response.status_code"] for each, _ in metrics["http.client.request.duration"]
    ]
    assert statuses == [200, 503, 200, 404]
    # a transport of the caller's own does not tell
    assert "victor_ext.connection.wait" not in metrics


BY_ID = of_every_system(
    __name__,
    {
        "victor": "payment_requests.get",
        "velo": "payouts.get",
        "eastpay": "payments.inquire",
        "flexfactor": "orders.get",
    },
)
"""The method of each system that reads an object by its id."""


@pytest.mark.parametrize("system", BY_ID)
def test_no_label_and_no_name_holds_an_id(system, observed):
    from tests.providers.test_operations_table import GUID, Recorder, use

    answers = Recorder(system)
    paths = []

    def provider(request):
        paths.append(request.url.path)
        return answers(request)

    with client_of(system, observed, provider) as client, suppress(VictorError):
        use(BY_ID[system])(client)
    assert any(GUID in path for path in paths)
    assert GUID not in json.dumps(observed.metrics())
    assert observed.spans
    for span in observed.spans:
        assert GUID not in span.name
        assert GUID not in str(dict(span.attributes or {}))


class SomeOutbox:
    heartbeat = Heartbeat()
    table = SimpleNamespace(name="out")
    unclear = 2

    def counts(self):
        return {"unclear": self.unclear, "sent": 0}

    def event_counts(self):
        return {"dead": 1}


def labels(of, table, state):
    return {
        "deployment.environment.name": "test",
        "victor_ext.of": of,
        "victor_ext.table": table,
        "victor_ext.state": state,
    }


def test_each_export_has_the_entries_of_a_watched_outbox_by_their_state_at_that_moment(observed):
    box = SomeOutbox()
    observed.listener.watch(box)
    for box.unclear in (2, 5):
        assert observed.metrics()["victor_ext.outbox.entries"] == [
            (labels("SomeOutbox", "out", "unclear"), box.unclear),
            (labels("SomeOutbox", "out", "sent"), 0),
        ]
