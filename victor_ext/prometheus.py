"""Metrics for Prometheus, and probes for Kubernetes (extra `prometheus`):
`Victor(auth, on_event=Prometheus())`.

The metrics are those of `victor_ext.otel`, made with prometheus-client: a program that has a
`/metrics` has them there. `serve` makes one: `/metrics`, `/livez` and `/readyz`.
"""

import asyncio
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from math import inf, nan
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal, cast
from weakref import WeakSet
from wsgiref.simple_server import WSGIServer

from . import ConfigurationError
from ._health import stall
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
        make_wsgi_app,  # pyright: ignore[reportUnknownVariableType] - untyped
        start_http_server,
        values,
    )
    from prometheus_client.metrics_core import Metric
    from prometheus_client.multiprocess import MultiProcessCollector
    from prometheus_client.registry import Collector
    from prometheus_client.samples import Sample

    from .otel import OpenTelemetry

__all__ = ("Prometheus",)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Bounds of the histograms of seconds, up to the default deadline."""
_NUMBERS = (1, 2, 3, 5, 10)
"""Bounds of the histogram of attempts."""
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_ACTIVE = "victor_ext_call_active"
_IDLE = "victor_ext_worker_idle_seconds"
_METRICS = "/metrics"
_PROBES = ("/livez", "/readyz")
_METHODS = ("GET", "HEAD")
_NO_SUCH_PATH = b"Nothing is here: ask for /metrics, /livez or /readyz.\n"
_LARGEST_PORT = 65_535
_log = logging.getLogger(__name__)
_used: WeakSet[CollectorRegistry] = WeakSet()  # the registries that a `Prometheus` has
# Whoever uses prometheus-client's locks has this one: a process that is forked while another thread
# has one of those would wait for it for ever. Re-entrant: a signal may fork within a recording.
_lock = threading.RLock()
if sys.platform != "win32":
    os.register_at_fork(
        before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
    )


class Prometheus(OpenTelemetry):
    """A listener for `on_event` that measures the calls of all clients of a process, and what it is
    to `watch`.

    It makes the spans of `OpenTelemetry`, too, where the program has a tracer.

    The worker processes of one service share a folder, which the variable
    `PROMETHEUS_MULTIPROC_DIR` names: each of them then answers for all, and what a process has
    counted stays when it ends.

    Args:
        registry: Takes the metrics; by default the one that all of prometheus-client uses. A second
            app in one process has its own `CollectorRegistry()`. With the folder, there is no
            second one: make one listener.
        tracer_provider: As for `OpenTelemetry`; so are `attributes`.

    Raises:
        ConfigurationError: Another one has the registry: share one between all clients of an app;
            or the folder cannot be used.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry = REGISTRY,
        tracer_provider: trace.TracerProvider | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self._registry = self._answered = registry
        self._made: list[_Instrument] = []
        self._read: list[Callable[[], Metric]] = []  # what is read with each answer
        self._folder = _shared_folder()
        if registry in _used or (self._folder is not None and _used):
            raise ConfigurationError(  # each metric would be there twice
                "registry: another Prometheus() of this process has it. Share that one between "
                "all clients; a second app in the process writes "
                f"Prometheus(registry=CollectorRegistry()), and cannot have one with {_FOLDER}."
            )
        if self._folder is not None:
            self._answered = CollectorRegistry()
            self._answered.register(_Collected(self._of_files))
        self._answered.register(_Collected(lambda: [read() for read in self._read]))
        self._metrics_app: Callable[..., Iterable[bytes]] = make_wsgi_app(self._answered)
        super().__init__(tracer_provider=tracer_provider, attributes=attributes)
        if self._folder is not None:
            names = [*self._attributes, "victor_ext.of", "victor_ext.table"]
            labels = [_label(each) for each in names]
            steps = Gauge(
                _IDLE,
                "Since the last step of a worker",
                labels,
                registry=None,
                multiprocess_mode="liveall",
            )
            self._steps = _Instrument(steps, names, self._one_at_a_time)
        for each in self._made:  # only now: nothing of one that could not be made stays
            registry.register(each)
        _used.add(registry)

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
            metric = Histogram(*declared, registry=None, buckets=buckets)
        elif kind == "counter":
            metric = Counter(*declared, registry=None)
        elif kind == "up_down_counter":
            metric = Gauge(*declared, registry=None, multiprocess_mode="livesum")
        else:
            # A minimum would be 0 for a forked process, which begins with its parent's gauges at 0.
            metric = Gauge(*declared, registry=None, multiprocess_mode="livemostrecent")
            if not names and self._folder is None:
                metric.set(nan)  # before the first call; 0 would be an alert
        made = _Instrument(metric, names, self._one_at_a_time)
        self._made.append(made)
        return made

    def _observed(
        self,
        kind: Literal["counter", "gauge"],
        name: str,
        unit: str,
        description: str,
        read: Callable[[], list[metrics.Observation]],
    ) -> None:
        named = _named(name, unit)
        if self._folder is not None and named == _IDLE:
            return  # in the folder, where the other processes find it

        def observed() -> Metric:
            metric = Metric(named, description, kind)
            try:
                found = read()
            except Exception:  # noqa: BLE001 - such as while the database is away
                _log.warning("%s cannot be read.", name, exc_info=True)
                found = []
            for each in found:
                labels = {_label(key): str(value) for key, value in (each.attributes or {}).items()}
                suffix = "_total" if kind == "counter" else ""
                metric.add_sample(named + suffix, labels, each.value)
            return metric

        self._read.append(observed)

    def watch(self, box: Any) -> None:
        super().watch(box)
        if self._folder is None:
            return
        # Another process may answer: it reads the time of the last step of a worker from the
        # folder.
        last_step = self._steps
        labels = self._box_labels(box)

        def write(at: float | None) -> None:
            try:
                last_step.set(inf if at is None else at, labels)
            except Exception:  # noqa: BLE001 - metrics do not end a worker
                _log.warning("%s cannot be written.", self._folder, exc_info=True)

        def tell(at: float | None) -> None:
            self._one_at_a_time(partial(write, at))

        box.heartbeat.tell(tell)

    def _of_files(self) -> Iterable[Metric]:
        """The metrics of all processes that share the folder, also of those that have ended."""
        if self._folder is None:
            return
        self._count_what_was_killed(self._folder)
        for family in _merged(self._folder.glob("*.db")):
            if family.name == _IDLE:
                family.samples = [each._replace(value=_idle(each.value)) for each in family.samples]
            yield family

    def _count_what_was_killed(self, folder: Path) -> None:
        """Count each call that was under way when its process was killed as `unknown`, and let the
        process be alive no longer.
        """
        for path in folder.glob("gauge_live*.db"):
            try:
                if not _is_alive(_pid(path)):
                    self._count_killed(path)
            except Exception:  # noqa: BLE001 - such as of another program
                _log.warning("%s cannot be counted.", path, exc_info=True)

    def _count_killed(self, path: Path) -> None:
        """Count the calls of a file, which is removed: no other process counts them, too."""
        names = self._duration.names
        lost = {"victor_ext_outcome": "unknown", "error_type": "ProcessEnded"}
        calls: list[dict[str, str]] = []
        for sample in _samples(path, _ACTIVE):
            labels = {**sample.labels, **lost}  # those of a listener with other `attributes`
            call = {name: labels.get(_label(name), "") for name in names}
            calls += [call] * int(sample.value)
        with suppress(FileNotFoundError):  # another process has counted it
            path.unlink()
            for call in calls:
                self._one_at_a_time(partial(self._duration.record, 0, call))

    def wsgi_app(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """A WSGI application: `/metrics`, and `/livez` and `/readyz` for probes.

        Any other path is a 404: a misspelt probe would always be healthy. It may be mounted below a
        path.

        A probe is answered with 200, or with 503 and what is wrong with a worker of what is
        watched: it has taken no step for five minutes, in whatever process that shares the folder;
        or, of `/readyz`, a pass of it in this process has failed when it was last tried, or was not
        tried yet.
        """
        method = environ.get("REQUEST_METHOD", "GET")
        path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
        body: Iterable[bytes]
        if _last_part(path) == _METRICS and method in _METHODS:
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
        _receive: Callable[[], Awaitable[Any]],
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
        if question == _METRICS:
            body = generate_latest(self._answered)
            return HTTPStatus.OK, {"Content-Type": CONTENT_TYPE_LATEST}, body
        problems = "".join(f"{line}\n" for line in self._problems(ready=question == "/readyz"))
        if problems:
            return HTTPStatus.SERVICE_UNAVAILABLE, text, problems.encode()
        return HTTPStatus.OK, text, b"ok\n"

    def _problems(self, *, ready: bool) -> Iterable[str]:
        """What is wrong with a worker of what is watched."""
        for box in tuple(self._boxes):  # another thread may call `watch`
            for problem in box.heartbeat.problems(ready=ready):
                yield f"{type(box).__name__}: {problem}"
        if self._folder is None:
            return
        for path in self._folder.glob("gauge_liveall_*.db"):  # not all: there may be thousands
            try:
                pid = _pid(path)
                is_other = pid != os.getpid() and _is_alive(pid)
                steps = _samples(path, _IDLE) if is_other else []
            except Exception:  # noqa: BLE001 - such as of another program
                _log.warning("%s cannot be read.", path, exc_info=True)
                continue
            for step in steps:
                for problem in stall(_idle(step.value)):
                    yield f"process {pid}: {step.labels['victor_ext_of']}: {problem}"

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
            server, _ = start_http_server(port, host, self._answered)
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


class _Instrument(Collector):
    """A metric of prometheus-client, in the words of OpenTelemetry."""

    def __init__(
        self,
        metric: Any,
        names: Sequence[str],
        one_at_a_time: Callable[[Callable[[], object]], None],
    ) -> None:
        self.metric = metric
        self.names = names
        self._one_at_a_time = one_at_a_time

    def describe(self) -> Iterable[Metric]:
        described: Iterable[Metric] = self.metric.describe()
        return described

    def collect(self) -> Iterable[Metric]:
        found: list[Metric] = []

        def read() -> None:
            with _lock:
                found.extend(self.metric.collect())

        self._one_at_a_time(read)
        return found

    def _of(self, attributes: Mapping[str, Any]) -> Any:
        if not self.names:
            return self.metric
        return self.metric.labels(*(attributes.get(name, "") for name in self.names))

    def add(self, number: int, attributes: Mapping[str, Any]) -> None:
        with _lock:
            self._of(attributes).inc(number)

    def record(self, number: float, attributes: Mapping[str, Any]) -> None:
        with _lock:
            self._of(attributes).observe(number)

    def set(self, number: float, attributes: Mapping[str, Any]) -> None:
        with _lock:
            self._of(attributes).set(number)


class _Collected(Collector):
    """What a function returns whenever the metrics are asked for."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        return self._collect()


def _named(name: str, unit: str) -> str:
    """The name of a metric in Prometheus; `{call}` is no unit there."""
    return _label(f"{name}.seconds" if unit == "s" else name)


def _label(name: str) -> str:
    """The name of an attribute in Prometheus."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def _shared_folder() -> Path | None:
    """The folder that the processes share, if any; raises `ConfigurationError` if they cannot."""
    folder = os.environ.get(_FOLDER)
    writes_files = values.ValueClass is not values.MutexValue
    if folder is None and not writes_files:
        return None
    if folder is None or not writes_files:
        raise ConfigurationError(
            f"{_FOLDER} was set after prometheus_client was imported, which reads it only then; or "
            "removed; or written in small letters. Set it, in capitals, in the environment that "
            "the service starts in."
        )
    if not Path(folder).is_absolute():  # prometheus_client asks for it whenever it makes a file
        raise ConfigurationError(f"{_FOLDER}={folder!r} must be an absolute path.")
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"{_FOLDER}={folder!r}: no file can be made there ({error.strerror}). Make the folder, "
            "empty, for the user that the service runs as, before it starts."
        ) from error
    return Path(folder)


def _merged(files: Iterable[Path]) -> Iterable[Metric]:
    """The metrics in some files of the folder."""
    written: list[str] = []
    for file in files:
        with suppress(FileNotFoundError):  # that of a process that has just ended
            # An empty one, of a process that was killed as it began to write, would be an error.
            if file.stat().st_size:
                written.append(str(file))
    untyped = cast("Any", MultiProcessCollector)
    families: Iterable[Metric] = untyped.merge(written)
    return families


def _samples(file: Path, name: str) -> list[Sample]:
    """The samples of one metric in a file of the folder."""
    return [each for family in _merged([file]) if family.name == name for each in family.samples]


def _idle(at: float) -> float:
    """The seconds since the time of a step, which is the same in all processes of a machine; 0 for
    a forked process, which begins with its parent's gauges at 0.
    """
    return max(0.0, time.monotonic() - at) if at else 0.0


def _pid(file: Path) -> int:
    """The id of the process that writes a file of the folder."""
    return int(file.stem.rpartition("_")[2])


def _is_alive(pid: int) -> bool:
    """Whether a process of this id runs. On Windows, to ask so would end it."""
    if sys.platform == "win32":
        return True
    with suppress(OSError):  # there is no /proc, or no such process
        # One that has ended, and that its parent has not asked about, still has its id.
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return state != b"Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True
