"""Traces and metrics of a client's calls, with OpenTelemetry (extra `otel`):
`Victor(auth, on_event=OpenTelemetry())`.

A span is a whole call, of kind CLIENT, and a child of the span that is current where the call is
made. Its attempts are events of it, and carry its `traceparent`. It is the current span while an
attempt is sent: the spans that the instrumentation of httpx makes of attempts are its children.
Attributes follow the semantic conventions for HTTP, or begin with `victor_ext.`. No attribute of a
metric, and no name of a span, holds an id: paths are those of the document.
"""

import logging
from collections.abc import Callable, Mapping
from contextvars import Token
from functools import partial
from threading import local
from typing import Any, Literal

from . import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    ConfigurationError,
    Event,
    RetryScheduled,
    __version__,
)
from ._event_queue.health import Heartbeat
from ._version import needs_extra

with needs_extra(__name__, "otel"):
    from opentelemetry import context, metrics, propagate, trace
    from opentelemetry.context.context import Context

__all__ = ("OpenTelemetry",)

_log = logging.getLogger(__name__)
_NAME = "victor_ext"  # of the tracer and the meter
_CALL = ("http.request.method", "url.template")
_RESULT = ("http.response.status_code", "error.type")
_SERVER = ("server.address", "server.port")


class OpenTelemetry:
    """A listener for `on_event` that makes a span of each call, and the metrics that
    docs/observability.md lists.

    Args:
        tracer_provider: Makes the spans; None: the global one.
        meter_provider: Takes the metrics; None: the global one.
        attributes: Added to every span and metric, such as `{"deployment.environment.name":
            "production"}`. What the listener itself says of a call replaces one of the same name.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, __version__, tracer_provider)
        self._meter = metrics.get_meter(_NAME, __version__, meter_provider)
        self._attributes = dict(attributes or {})
        # both by the id of the call: its span, and what ends the time in which that is current
        self._spans: dict[str, trace.Span] = {}
        self._entered: dict[str, Token[Context]] = {}
        self._boxes: list[Any] = []  # what `watch` was called with
        self._thread = local()  # `waiting`: the acts that wait in `_one_at_a_time`; else None
        made = self._instrument
        outcome = "victor_ext.outcome"
        self._duration = made(
            "histogram",
            "victor_ext.call.duration",
            "s",
            "Duration of whole calls",
            *_CALL,
            outcome,
            "error.type",
        )
        self._attempts = made(
            "histogram",
            "victor_ext.call.attempts",
            "{attempt}",
            "Attempts of a call",
            *_CALL,
            outcome,
        )
        self._active = made(
            "up_down_counter", "victor_ext.call.active", "{call}", "Calls under way", *_CALL
        )
        self._exchange = made(
            "histogram",
            "http.client.request.duration",
            "s",
            "Duration of HTTP requests",
            *_CALL,
            *_SERVER,
            *_RESULT,
        )
        self._retries = made(
            "counter", "victor_ext.retries", "{retry}", "Repeated attempts", *_CALL
        )
        self._quota = made(
            "gauge", "victor_ext.retry.quota", "{point}", "What is left of the retry quota"
        )
        self._tokens = made(
            "counter", "victor_ext.token.requests", "{request}", "Requests for a token", *_RESULT
        )
        self._wait = made(
            "histogram", "victor_ext.connection.wait", "s", "Waiting for a free connection", *_CALL
        )
        self._opened = made(
            "counter", "victor_ext.connection.opened", "{connection}", "Connections opened"
        )

    def _instrument(
        self,
        kind: Literal["counter", "gauge", "histogram", "up_down_counter"],
        name: str,
        unit: str,
        description: str,
        *_attributes: str,
    ) -> Any:
        """Make a metric, whose values have these attributes, and those of every metric. Prometheus
        has to know them before the first value, OpenTelemetry does not.
        """
        return getattr(self._meter, f"create_{kind}")(name, unit, description)

    def _observed(
        self,
        name: str,
        unit: str,
        description: str,
        read: Callable[[], list[metrics.Observation]],
    ) -> None:
        """Make a gauge that is read with each export."""

        def observed(_: metrics.CallbackOptions) -> list[metrics.Observation]:
            return read()

        self._meter.create_observable_gauge(name, [observed], unit, description)

    def __call__(self, event: Event) -> None:
        """Take an event of a client."""
        self._one_at_a_time(partial(self._take, event))

    def _one_at_a_time(self, act: Callable[[], object]) -> None:
        """Run an act on spans and metrics; if another one runs in this thread, after its end.

        The garbage collector ends a dropped call wherever the thread is: also where it has a lock
        of the metrics, which it cannot take twice.
        """
        waiting: list[Callable[[], object]] | None = getattr(self._thread, "waiting", None)
        if waiting is not None:
            waiting.append(act)
            return
        self._thread.waiting = waiting = []
        try:
            act()
        finally:
            self._thread.waiting = None
            for each in waiting:
                self._one_at_a_time(each)

    def _take(self, event: Event) -> None:
        if isinstance(event, CallStarted):
            self._call_started(event)
        elif isinstance(event, AttemptStarted):
            self._leave(event)
            self._entered[event.call_id] = context.attach(
                trace.set_span_in_context(self._span_of(event))
            )
        elif isinstance(event, AttemptEnded):
            self._leave(event)
            self._attempt_ended(event)
        elif isinstance(event, RetryScheduled):
            self._span_of(event).add_event(
                "victor_ext.retry", {"victor_ext.retry.wait": event.wait}
            )
            self._retries.add(1, self._labels(event))
            self._quota.set(event.quota, self._attributes)
        elif isinstance(event, CallEnded):
            self._leave(event)
            self._call_ended(event)

    def watch(self, box: Any) -> None:
        """Measure an outbox, an inbox or a bulk sender with each export: what it has, and how its
        worker does.

        Two statements count what a box has; an awaited one cannot be counted here: watch a blocking
        one on the same tables before it. Watch all of them with one listener: OpenTelemetry takes
        the gauges of the first one.

        Args:
            box: An `Outbox` or `Inbox`, Django's, an awaited one, or a `BulkSender`.

        Raises:
            ConfigurationError: It is something else, such as an engine.
        """
        if not isinstance(getattr(box, "heartbeat", None), Heartbeat):
            raise ConfigurationError(
                f"box must be an outbox, an inbox or a BulkSender, not {type(box).__name__}."
            )
        if _is_awaited(box) and not self._has_blocking(box):
            _log.warning(
                "An awaited %s is not counted: watch a blocking one on the same tables before it.",
                type(box).__name__,
            )
        self._boxes.append(box)
        if len(self._boxes) == 1:  # the gauges read all boxes, also those that come later
            self._create_gauges()

    def _has_blocking(self, awaited: Any) -> bool:
        """Whether a blocking box on a table of this name is watched, which counts its rows."""
        name = awaited.table.name
        boxes = (box for box in self._boxes if hasattr(box, "table"))
        return any(box.table.name == name and not _is_awaited(box) for box in boxes)

    def _create_gauges(self) -> None:
        """Make the metrics that are read from the boxes with each export."""
        made = self._observed
        entries = partial(self._counts, "counts", "victor_ext.state")
        made("victor_ext.outbox.entries", "{entry}", "Entries by state", entries)
        events = partial(self._counts, "event_counts", "victor_ext.state")
        made("victor_ext.events", "{event}", "Events by state", events)
        idle = self._idle_seconds
        made("victor_ext.worker.idle", "s", "Since the last step of a worker", idle)

    def _counts(self, method: str, label: str) -> list[metrics.Observation]:
        """The numbers that this method of the boxes returns by words, such as states, each with its
        word as this label. An awaited box cannot be counted here.
        """
        observations: list[metrics.Observation] = []
        for box in self._boxes:
            count = getattr(box, method, None)
            if count is None or _is_awaited(box):
                continue
            labels = self._box_labels(box)
            for word, number in count().items():
                observations.append(metrics.Observation(number, {**labels, label: word}))
        return observations

    def _idle_seconds(self) -> list[metrics.Observation]:
        """The seconds since the last step of each box's worker."""
        return [
            metrics.Observation(box.heartbeat.idle, self._box_labels(box)) for box in self._boxes
        ]

    def _box_labels(self, box: Any) -> dict[str, str]:
        """The attributes of the metrics of a box: its kind, and its table."""
        table = {"victor_ext.table": box.table.name} if hasattr(box, "table") else {}
        return {
            **self._attributes,
            "victor_ext.of": type(box).__name__.removeprefix("Django"),
            **table,
        }

    def inject(self, event: AttemptStarted, carrier: dict[str, str]) -> None:
        """Write the headers of the call's span, such as `traceparent`, for the provider.

        `event` is the attempt that begins; they are written to `carrier`, by name.
        """
        propagate.inject(carrier, trace.set_span_in_context(self._span_of(event)))

    def _labels(self, event: Event, **more: Any) -> dict[str, Any]:
        """The attributes of a metric, with `more` of them. A value of None leaves one out."""
        call = {"http.request.method": event.method, "url.template": event.path_template}
        return {**self._attributes, **_without_none({**call, **more})}

    def _call_started(self, event: CallStarted) -> None:
        name = f"{event.method} {event.path_template}" if event.path_template else event.method
        names = ("operation", "call_id", "idempotency_key")
        more = {f"victor_ext.{name}": getattr(event, name) for name in names}
        self._spans[event.call_id] = self._tracer.start_span(
            name,
            kind=trace.SpanKind.CLIENT,
            attributes=self._labels(event, **more, **_server(event)),
        )
        self._active.add(1, self._labels(event))

    def _attempt_ended(self, event: AttemptEnded) -> None:
        # As the conventions have it: the kind of failure, or the status where that is an error.
        error = event.error
        if not error and event.status_code is not None and event.status_code >= 400:
            error = str(event.status_code)
        result = _without_none(
            {"http.response.status_code": event.status_code, "error.type": error}
        )
        is_repeat = event.attempt > 1 and not event.for_token
        attributes = {
            "http.request.resend_count": event.attempt - 1 if is_repeat else None,
            "victor_ext.duration": event.seconds,
            "victor_ext.connection.wait": event.waited,
            "victor_ext.connection.open": event.connecting,
        }
        name = "victor_ext.token" if event.for_token else "victor_ext.attempt"
        self._span_of(event).add_event(name, result | _without_none(attributes))
        self._exchange.record(event.seconds, self._labels(event, **_server(event), **result))
        if event.for_token:
            self._tokens.add(1, {**self._attributes, **result})
        if event.waited is not None:
            self._wait.record(event.waited, self._labels(event))
        if event.connecting:
            self._opened.add(1, self._attributes)

    def _call_ended(self, event: CallEnded) -> None:
        outcome = "success" if event.outcome is None else event.outcome.value
        span = self._spans.pop(event.call_id, trace.INVALID_SPAN)
        result = {
            "http.response.status_code": event.status_code,
            "http.request.resend_count": event.attempts - 1 if event.attempts > 1 else None,
            "error.type": event.error,
            "victor_ext.outcome": outcome,
            "victor_ext.request_id": event.request_id,
        }
        span.set_attributes(_without_none(result))
        if event.error is not None:
            span.set_status(trace.StatusCode.ERROR, event.error)
        span.end()
        labels = self._labels(event, **{"victor_ext.outcome": outcome, "error.type": event.error})
        self._duration.record(event.seconds, labels)
        self._attempts.record(
            event.attempts, self._labels(event, **{"victor_ext.outcome": outcome})
        )
        self._active.add(-1, self._labels(event))
        self._quota.set(event.quota, self._attributes)

    def _leave(self, event: Event) -> None:
        """Make the span of a call current no longer."""
        token = self._entered.pop(event.call_id, None)
        # Only where it is current: a task that was dropped ends within another task.
        if token is not None and trace.get_current_span() is self._span_of(event):
            context.detach(token)

    def _span_of(self, event: Event) -> trace.Span:
        """The span of a call; an invalid one if the call began before there was this listener."""
        return self._spans.get(event.call_id, trace.INVALID_SPAN)


def _is_awaited(box: Any) -> bool:
    """Whether the methods of a box are awaited."""
    return bool(getattr(box, "is_awaited", False))


def _server(event: Event) -> dict[str, Any]:
    """The attributes of the server that a request is for."""
    return {"server.address": event.server_address, "server.port": event.server_port}


def _without_none(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that have a value."""
    return {name: value for name, value in attributes.items() if value is not None}
