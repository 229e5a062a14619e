"""Run by itself for each tracer and library: `TRACER` names them.

The provider says in the id which headers came.
"""

import os

import pytest
from paying import BOTH, OPTIONS

TRACER = os.environ["TRACER"]


def opentelemetry():
    from opentelemetry import trace
    from opentelemetry.instrumentation import httpx
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from victor_ext.otel import OpenTelemetry

    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    httpx.HTTPXClientInstrumentor().instrument()
    OPTIONS["on_event"] = OpenTelemetry()

    def attempts():  # below the span of the call
        calls = {
            span.context.span_id
            for span in exporter.get_finished_spans()
            if "victor_ext.call_id" in span.attributes
        }
        return [
            span
            for span in exporter.get_finished_spans()
            if span.parent and span.parent.span_id in calls
        ]

    return attempts


def sentry():
    import sentry_sdk
    from sentry_sdk.integrations.httpx import HttpxIntegration as Integration

    seen = []

    def keep(event, _hint):
        seen.extend(span["description"] for span in event["spans"])

    sentry_sdk.init(
        dsn="http://public@127.0.0.1:9/1",
        traces_sample_rate=1.0,
        default_integrations=False,
        integrations=[Integration()],
        before_send_transaction=keep,
    )
    return lambda: seen


def datadog():
    from ddtrace import patch
    from ddtrace.trace import tracer

    seen = []

    class Keep:
        def process_trace(self, trace):
            seen.extend(span.resource for span in trace)

    tracer.configure(trace_processors=[Keep()])
    patch(httpx=True)
    return lambda: seen


@pytest.fixture(scope="module")
def spans():
    return {"opentelemetry": opentelemetry, "sentry": sentry, "datadog": datadog}[TRACER]()


HEADER = {"opentelemetry": "traceparent", "sentry": "sentry-trace", "datadog": "x-datadog-trace-id"}


def traced(pay):
    if TRACER != "sentry":
        return pay()
    import sentry_sdk

    with sentry_sdk.start_transaction(name="test"):
        return pay()


@pytest.mark.parametrize("pay", BOTH)
def test_a_call_is_one_span_and_the_provider_gets_the_trace_header(pay, spans):
    before = len(spans())
    assert HEADER[TRACER] in traced(pay).id
    assert len(spans()) == before + 1
