"""Metrics for Prometheus, and probes for Kubernetes (extra `prometheus`):
`Victor(auth, on_event=Prometheus())`.

The metrics are those of `victor_ext.otel`, in the registry of prometheus-client: a program that has
a `/metrics` has them there. `serve` makes one: `/metrics`, `/livez` and `/readyz`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from os import PathLike
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary
from wsgiref.simple_server import WSGIServer

from . import ConfigurationError
from ._version import needs_extra

with needs_extra(__name__, "prometheus"):
    from opentelemetry import trace
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import Histogram, MeterProvider
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
    from prometheus_client import (  # pyright: ignore[reportUnknownVariableType] - untyped
        CONTENT_TYPE_LATEST,
        REGISTRY,
        CollectorRegistry,
        generate_latest,
        make_wsgi_app,  # pyright: ignore[reportUnknownVariableType] - untyped
        start_http_server,
    )
    from prometheus_client.metrics_core import Metric
    from prometheus_client.parser import text_string_to_metric_families
    from prometheus_client.registry import Collector

    from .otel import OpenTelemetry
    from .worker_folder import WorkerFolder

__all__ = ("Prometheus",)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of the histograms, up to the default deadline: OpenTelemetry's own are for milliseconds.
"""
_METRICS = "/metrics"
_PROBES = ("/livez", "/readyz")
_METHODS = ("GET", "HEAD")
_NO_SUCH_PATH = b"Nothing is here: ask for /metrics, /livez or /readyz.\n"
_LARGEST_PORT = 65_535
_used: WeakSet[CollectorRegistry] = WeakSet()  # the registries that a `Prometheus` has
_in_folders: WeakValueDictionary[Path, "Prometheus"] = WeakValueDictionary()
"""Those of this process by their folder."""


class Prometheus(OpenTelemetry):
    """A listener for `on_event` that measures the calls of all clients of a process, and what it is
    to `watch`.

    It makes the spans of `OpenTelemetry`, too, where the program has a tracer.

    Args:
        registry: Takes the metrics; by default the one that all of prometheus-client uses. A second
            app in one process has its own `CollectorRegistry()`, and its own `folder`.
        folder: Shared by the worker processes of one service on one machine, such as those of
            `uvicorn --workers 4`: each of them answers for all. Each series then has the label
            `pid`. None: a process answers for itself alone.
        tracer_provider: As for `OpenTelemetry`; so are `attributes`.

    Raises:
        ConfigurationError: Another one has the registry: share one between all clients of an app;
            or the folder cannot be used.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry = REGISTRY,
        folder: str | PathLike[str] | None = None,
        tracer_provider: trace.TracerProvider | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        if registry in _used:  # each metric would be there twice, and Prometheus would take none
            raise ConfigurationError(
                "registry: another Prometheus() of this process has it. Share that one between "
                "all clients; a second app in the process writes "
                "Prometheus(registry=CollectorRegistry()), and names a folder of its own if it "
                "has one."
            )
        place = None if folder is None else Path(folder).absolute()
        if place in _in_folders:  # the process would answer with the metrics of one of them
            raise ConfigurationError(
                f"folder: another Prometheus() of this process has {place}. Name another folder."
            )
        self._registry = registry
        # Before anything is registered: the folder may be refused.
        self._workers = None if folder is None else WorkerFolder(folder, self._own_answer)
        _used.add(registry)
        if place is not None:
            _in_folders[place] = self
        reader = PrometheusMetricReader(
            disable_target_info=True, scope_info_enabled=False, registry=registry
        )
        buckets = ExplicitBucketHistogramAggregation(_SECONDS)
        views = [View(instrument_type=Histogram, instrument_unit="s", aggregation=buckets)]
        provider = MeterProvider([reader], views=views, shutdown_on_exit=False)
        super().__init__(
            tracer_provider=tracer_provider, meter_provider=provider, attributes=attributes
        )
        self._metrics_app: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)

    def wsgi_app(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """A WSGI application: `/metrics`, and `/livez` and `/readyz` for probes.

        Any other path is a 404: a misspelt probe would always be healthy. It may be mounted below a
        path.

        A probe is answered with 200, or with 503 and what is wrong with a worker of what is
        watched: it has taken no step for five minutes; or, of `/readyz`, a pass of it has failed
        when it was last tried, or was not tried yet. With a `folder`, the workers of all processes
        count, and one that does not answer in five seconds is a 503 of each of the three.
        """
        method = environ.get("REQUEST_METHOD", "GET")
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        body: Iterable[bytes]
        if self._workers is None and _last_part(path) == _METRICS and method in _METHODS:
            # It also compresses, and has the formats that are asked for.
            body = self._metrics_app({**environ, "REQUEST_METHOD": "GET"}, start_response)
        else:
            status, headers, content = self._response(method, path)
            start_response(f"{int(status)} {status.phrase}", [*headers.items()])
            body = [content]
        return [] if method == "HEAD" else body

    async def asgi_app(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],  # noqa: ARG002 - ASGI passes it
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """The same as an ASGI application, to mount in FastAPI or Starlette, such as at `/ops`."""
        respond = partial(self._response, scope["method"], scope["path"])
        status, named, body = await asyncio.get_running_loop().run_in_executor(None, respond)
        headers = [(name.lower().encode(), value.encode()) for name, value in named.items()]
        if scope["method"] == "HEAD":
            body = b""
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _response(self, method: str, path: str) -> tuple[HTTPStatus, dict[str, str], bytes]:
        """The response to a request: the status, the headers and the body."""
        question = _last_part(path)
        text = {"Content-Type": "text/plain"}
        if question != _METRICS and question not in _PROBES:
            return HTTPStatus.NOT_FOUND, text, _NO_SUCH_PATH
        if method not in _METHODS:
            allowed = {**text, "Allow": ", ".join(_METHODS)}
            return HTTPStatus.METHOD_NOT_ALLOWED, allowed, b"Ask with GET or HEAD.\n"
        if self._workers is None:
            answers: list[tuple[str, str | None]] = [("", self._own_answer(question))]
        else:
            answers = [*self._workers.ask(question)]
        problems = [f"process {pid}: no answer\n" for pid, answer in answers if answer is None]
        texts = {pid: answer for pid, answer in answers if answer is not None}
        if question != _METRICS:
            for pid, answer in texts.items():
                prefix = f"process {pid}: " if pid else ""
                problems += [f"{prefix}{line}\n" for line in answer.splitlines()]
        if problems:
            return HTTPStatus.SERVICE_UNAVAILABLE, text, "".join(problems).encode()
        if question != _METRICS:
            return HTTPStatus.OK, text, b"ok\n"
        metrics = generate_latest(_MetricsOfProcesses(texts))
        return HTTPStatus.OK, {"Content-Type": CONTENT_TYPE_LATEST}, metrics

    def _own_answer(self, question: str) -> str:
        """What this process alone answers: to `/metrics`, its metrics; to a probe, a line for each
        problem of what it watches.
        """
        if question not in _PROBES:
            return generate_latest(self._registry).decode()
        lines: list[str] = []
        for box in tuple(self._boxes):  # another thread may call `watch`
            problems = box.heartbeat.problems(ready=question == "/readyz")
            lines += [f"{type(box).__name__}: {problem}\n" for problem in problems]
        return "".join(lines)

    def serve(self, port: int, host: str = "0.0.0.0") -> WSGIServer:  # noqa: S104 - for others
        """Serve `wsgi_app` from a thread in the background.

        Args:
            port: The port; 0: a free one.
            host: The address to listen on; by default all of IPv4.

        Returns:
            The server: `server_port` is its port, `shutdown()` and `server_close()` end it.

        Raises:
            OSError: The port cannot be used: another process has it, or the system allows it not.
            ConfigurationError: There is no such port.
        """
        is_number = isinstance(port, int)  # pyright: ignore[reportUnnecessaryIsInstance] - untyped
        if not is_number or isinstance(port, bool) or not 0 <= port <= _LARGEST_PORT:
            raise ConfigurationError(
                f"port={port!r:.40} must be a whole number from 0 to {_LARGEST_PORT}; 0 is a free "
                "port."
            )
        try:
            server, _ = start_http_server(port, host, self._registry)
        except OSError as error:
            raise OSError(
                f"port={port} of host={host!r} cannot be used ({error.strerror or error}). If "
                "another process serves its metrics there, give each its own port; 0 is a free one."
            ) from error
        server.set_app(self.wsgi_app)
        return server


def _last_part(path: str) -> str:
    """The last part of a path, `/metrics`: the application may be mounted below any other path."""
    return f"/{path.rstrip('/').rpartition('/')[2]}"


class _MetricsOfProcesses(Collector):
    """The metrics of several processes: each series has the label `pid`, the id of its process. The
    metrics of a process without an id have no such label.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for pid, text in self._texts.items():
            labels = {"pid": pid} if pid else {}
            for family in text_string_to_metric_families(text):
                empty = Metric(family.name, family.documentation, family.type)
                joined = families.setdefault(family.name, empty)
                joined.samples += [
                    sample._replace(labels={**sample.labels, **labels}) for sample in family.samples
                ]
        return families.values()
