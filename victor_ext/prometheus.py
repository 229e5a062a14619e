"""Metrics for Prometheus, and probes for Kubernetes (extra `prometheus`):
`Victor(auth, on_event=Prometheus())`.

The metrics are those of `victor_ext.otel`, in the registry of prometheus-client: a program that has
a `/metrics` has them there. `serve` makes one: `/metrics`, `/livez` and `/readyz`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakSet
from wsgiref.simple_server import WSGIServer

from . import ConfigurationError

try:
    from opentelemetry import trace
    from opentelemetry.exporter.prometheus import PrometheusMetricReader
    from opentelemetry.sdk.metrics import Histogram, MeterProvider
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
    from prometheus_client import REGISTRY, CollectorRegistry, make_wsgi_app, start_http_server  # pyright: ignore[reportUnknownVariableType] - untyped

    from .otel import OpenTelemetry
except ImportError as error:
    raise ImportError(
        "victor_ext.prometheus needs an extra: pip install 'victor-ext[prometheus]'"
    ) from error

__all__ = ("Prometheus",)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of the histograms, up to the default deadline: OpenTelemetry's own are for milliseconds.
"""
_LARGEST_PORT = 65_535
_used: WeakSet[CollectorRegistry] = WeakSet()


class Prometheus(OpenTelemetry):
    """A listener for `on_event` that measures the calls of all clients of a process, and what it is
    to `watch`.

    It makes the spans of `OpenTelemetry`, too, where the program has a tracer.

    Args:
        registry: Takes the metrics; by default the one that all of prometheus-client uses.
        tracer_provider: As for `OpenTelemetry`; so are `attributes`.

    Raises:
        ConfigurationError: Another one has the registry: a process needs one, for all its clients.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry = REGISTRY,
        tracer_provider: trace.TracerProvider | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        if registry in _used:  # each metric would be there twice, and Prometheus would take none
            raise ConfigurationError(
                "Another Prometheus() has this registry: share one between all clients."
            )
        _used.add(registry)
        reader = PrometheusMetricReader(
            disable_target_info=True, scope_info_enabled=False, registry=registry
        )
        buckets = ExplicitBucketHistogramAggregation(_SECONDS)
        views = [View(instrument_type=Histogram, instrument_unit="s", aggregation=buckets)]
        provider = MeterProvider([reader], views=views, shutdown_on_exit=False)
        super().__init__(
            tracer_provider=tracer_provider, meter_provider=provider, attributes=attributes
        )
        self._registry = registry
        self._metrics_app: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)

    def wsgi_app(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """A WSGI application: `/livez` and `/readyz` for probes; else the metrics.

        A probe is answered with 200, or with 503 and what is wrong with a worker of what is
            watched: it has taken no
        step for five minutes; or, of `/readyz`, a pass of it has failed when it was last tried, or
        was not tried yet.
        """
        path = environ.get("PATH_INFO")
        if path not in ("/livez", "/readyz"):
            return self._metrics_app(environ, start_response)
        said = ((each, each.heartbeat.problems(ready=path == "/readyz")) for each in self._boxes)
        wrong = [
            f"{type(each).__name__}: {problem}\n" for each, problems in said for problem in problems
        ]
        start_response(
            "503 Service Unavailable" if wrong else "200 OK", [("Content-Type", "text/plain")]
        )
        return ["".join(wrong or ["ok\n"]).encode()]

    def serve(self, port: int, host: str = "0.0.0.0") -> WSGIServer:  # noqa: S104 - Prometheus asks from elsewhere
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
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= _LARGEST_PORT:  # pyright: ignore[reportUnnecessaryIsInstance] - of untyped callers
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
