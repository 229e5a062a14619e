"""Metrics for Prometheus, and probes for Kubernetes (extra `prometheus`):
`Victor(auth, on_event=Prometheus())`.

The metrics are those of `victor_ext.otel`, made with prometheus-client: a program that has a
`/metrics` has them there, also one of several processes (`PROMETHEUS_MULTIPROC_DIR`). `serve` makes
one: `/metrics`, `/livez` and `/readyz`.
"""

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from math import nan
from typing import Any, Literal, cast
from wsgiref.simple_server import WSGIServer

from ._version import needs_extra

with needs_extra(__name__, "prometheus"):
    from opentelemetry import metrics, trace
    from prometheus_client import (  # pyright: ignore[reportUnknownVariableType] - untyped
        CONTENT_TYPE_LATEST,
        REGISTRY,
        CollectorRegistry,
        Counter,
        Gauge,
        Histogram,
        generate_latest,
        start_http_server,
    )
    from prometheus_client.metrics_core import Metric
    from prometheus_client.multiprocess import MultiProcessCollector
    from prometheus_client.registry import Collector

    from .otel import OpenTelemetry

__all__ = ("Prometheus",)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of the histograms of seconds, up to the default deadline."""
_NUMBERS = (1, 2, 3, 5, 10)
"""Bounds of the histogram of attempts."""
_PROBES = ("/livez", "/readyz")
_log = logging.getLogger(__name__)


class Prometheus(OpenTelemetry):
    """A listener for `on_event` that measures the calls of all clients of a process, and what it is
    to `watch`.

    It makes the spans of `OpenTelemetry`, too, where the program has a tracer.

    Args:
        registry: Takes the metrics; by default the one that all of prometheus-client uses. A second
            app in one process has its own `CollectorRegistry()`.
        tracer_provider: As for `OpenTelemetry`; so are `attributes`.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry = REGISTRY,
        tracer_provider: trace.TracerProvider | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self._registry = self._answered = registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            # What all processes have written is answered, and what this one alone can read.
            self._answered = CollectorRegistry()
            cast("Any", MultiProcessCollector)(self._answered)  # untyped
        super().__init__(tracer_provider=tracer_provider, attributes=attributes)

    def _instrument(
        self,
        kind: Literal["counter", "gauge", "histogram", "up_down_counter"],
        name: str,
        unit: str,
        description: str,
        *attributes: str,
    ) -> Any:
        names = [*dict.fromkeys((*self._attributes, *attributes))]
        declared = (_named(name, unit), description, [_label(each) for each in names])
        metric: Counter | Gauge | Histogram
        if kind == "histogram":
            buckets = _SECONDS if unit == "s" else _NUMBERS
            metric = Histogram(*declared, registry=self._registry, buckets=buckets)
        elif kind == "counter":
            metric = Counter(*declared, registry=self._registry)
        else:
            mode: Any = "livesum" if kind == "up_down_counter" else "livemostrecent"
            metric = Gauge(*declared, registry=self._registry, multiprocess_mode=mode)
            if kind == "gauge" and not names:
                metric.set(nan)  # before the first call; 0 would be an alert
        return _Instrument(metric, names)

    def _observed(
        self,
        name: str,
        unit: str,
        description: str,
        read: Callable[[], list[metrics.Observation]],
    ) -> None:
        def observed() -> Metric:
            metric = Metric(_named(name, unit), description, "gauge")
            try:
                observations = read()
            except Exception:  # noqa: BLE001 - such as while the database is away
                _log.warning("%s cannot be read.", name, exc_info=True)
                observations = []
            for each in observations:
                labels = {_label(key): str(value) for key, value in (each.attributes or {}).items()}
                metric.add_sample(metric.name, labels, each.value)
            return metric

        self._answered.register(_Observed(observed))

    def wsgi_app(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """A WSGI application: `/metrics`, and `/livez` and `/readyz` for probes. It may be mounted
        below a path.

        A probe is answered with 200, or with 503 and what is wrong with a worker of what is watched
        in this process: it has taken no step for five minutes; or, of `/readyz`, a pass of it has
        failed when it was last tried, or was not tried yet.
        """
        status, headers, content = self._response(environ.get("PATH_INFO", ""))
        start_response(f"{int(status)} {status.phrase}", [*headers.items()])
        return [content]

    async def asgi_app(
        self,
        scope: Mapping[str, Any],
        _receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """The same as an ASGI application, to mount in FastAPI or Starlette, such as at `/ops`."""
        respond = partial(self._response, scope["path"])
        status, named, body = await asyncio.get_running_loop().run_in_executor(None, respond)
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _response(self, path: str) -> tuple[HTTPStatus, dict[str, str], bytes]:
        """The response to a request: the status, the headers and the body."""
        question = f"/{path.rstrip('/').rpartition('/')[2]}"  # it may be mounted below any path
        text = {"Content-Type": "text/plain"}
        if question == "/metrics":
            texts: list[bytes] = []
            # The garbage collector may end a call here, which would wait for a lock of this thread.
            self._one_at_a_time(lambda: texts.append(generate_latest(self._answered)))
            return HTTPStatus.OK, {"Content-Type": CONTENT_TYPE_LATEST}, texts[0]
        if question not in _PROBES:  # a misspelt probe would always be healthy
            return HTTPStatus.NOT_FOUND, text, b"Ask for /metrics, /livez or /readyz.\n"
        problems = [
            f"{type(box).__name__}: {problem}\n"
            for box in tuple(self._boxes)  # another thread may call `watch`
            for problem in box.heartbeat.problems(ready=question == "/readyz")
        ]
        if problems:
            return HTTPStatus.SERVICE_UNAVAILABLE, text, "".join(problems).encode()
        return HTTPStatus.OK, text, b"ok\n"

    def serve(self, port: int, host: str = "0.0.0.0") -> WSGIServer:  # noqa: S104 - for others
        """Serve `wsgi_app` from a thread in the background.

        Args:
            port: The port; 0: a free one.
            host: The address to listen on; by default all of IPv4.

        Returns:
            The server: `server_port` is its port, `shutdown()` and `server_close()` end it.

        Raises:
            OSError: The port cannot be used.
        """
        server, _ = start_http_server(port, host, self._answered)
        server.set_app(self.wsgi_app)
        return server


class _Instrument:
    """A metric of prometheus-client, in the words of OpenTelemetry."""

    def __init__(self, metric: Any, names: Sequence[str]) -> None:
        self._metric = metric
        self._names = names

    def _of(self, attributes: Mapping[str, Any]) -> Any:
        if not self._names:
            return self._metric
        return self._metric.labels(*(attributes.get(name, "") for name in self._names))

    def add(self, number: int, attributes: Mapping[str, Any]) -> None:
        self._of(attributes).inc(number)

    def record(self, number: float, attributes: Mapping[str, Any]) -> None:
        self._of(attributes).observe(number)

    def set(self, number: float, attributes: Mapping[str, Any]) -> None:
        self._of(attributes).set(number)


class _Observed(Collector):
    """What a function returns whenever the metrics are asked for."""

    def __init__(self, read: Callable[[], Metric]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return [self._read()]


def _named(name: str, unit: str) -> str:
    """The name of a metric in Prometheus; `{call}` is no unit there."""
    return _label(f"{name}.seconds" if unit == "s" else name)


def _label(name: str) -> str:
    """The name of an attribute in Prometheus."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)
