"""What several worker processes of one service say of themselves: one set of metrics, one probe."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.victor_command import until
from victor_ext import ConfigurationError, worker_folder
from victor_ext.health import Heartbeat
from victor_ext.prometheus import Prometheus
from victor_ext.worker_folder import WorkerFolder, _asked

pytestmark = pytest.mark.pull_request
SERVICE = """
import os
from contextlib import suppress
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from victor_ext import NotFound, Victor, VictorOAuth
from victor_ext.outbox import Outbox
from victor_ext.prometheus import Prometheus

metrics = Prometheus(folder=os.environ["FOLDER"])
auth = VictorOAuth(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
victor = Victor(auth, base_url=os.environ["PROVIDER"], on_event=metrics)
outbox = Outbox(sa.create_engine("sqlite://"))
metrics.watch(outbox)

def call(request):
    with suppress(NotFound):
        victor.payment_requests.get("none-such")
    return JSONResponse(os.getpid())

def begin(request):
    outbox.heartbeat.start("outbox.send")
    return JSONResponse(os.getpid())

routes = [Route("/call", call), Route("/begin", begin), Mount("/ops", metrics.asgi_app)]
app = Starlette(routes=routes)
"""
CALLS = "victor_ext_call_duration_seconds_count"


class Service:
    """A real `uvicorn --workers 2`; each request comes on a connection of its own."""

    def __init__(self, folder, provider):
        (folder / "some_service.py").write_text(SERVICE, encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        client_id, client_secret = provider.add_oauth_client()
        self.folder = folder / "m"
        given = {"FOLDER": str(self.folder), "CLIENT_ID": client_id, "PROVIDER": provider.url}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "some_service:app", "--workers=2", f"--port={port}"],
            cwd=folder,
            env={**os.environ, **given, "CLIENT_SECRET": client_secret},
        )

    def get(self, path):
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=30)

    def is_up(self):
        try:
            return self.get("/ops/livez").status_code == 200 and len(self.pids()) == 2
        except httpx.TransportError:
            return False

    def pids(self):
        """The processes whose series the metrics have."""
        return {pid for pid, _ in self.samples("python_info")}

    def samples(self, name):
        """The process of each sample of a name, with its value."""
        families = text_string_to_metric_families(self.get("/ops/metrics").text)
        samples = (sample for family in families for sample in family.samples)
        return [(each.labels["pid"], each.value) for each in samples if each.name == name]


@pytest.fixture
def service(tmp_path, victor_sandbox):
    made = Service(tmp_path, victor_sandbox)
    try:
        until(made.is_up)
        yield made
    finally:
        made.process.send_signal(signal.SIGTERM)
        made.process.wait(30)


def test_each_worker_has_the_metrics_and_the_readiness_of_all(service):
    calls = {}
    for _ in range(200):
        pid = str(service.get("/call").json())
        calls[pid] = calls.get(pid, 0) + 1
        if len(calls) == 2:
            break
    assert len(calls) == 2, "one process took every connection"
    for _ in range(10):  # whoever answers
        assert dict(service.samples(CALLS)) == calls

    begun = str(service.get("/begin").json())
    for _ in range(10):
        ready = service.get("/ops/readyz")
        said = f"process {begun}: Outbox: outbox.send: not tried\n"
        assert (ready.status_code, ready.text) == (503, said)
        assert service.get("/ops/livez").status_code == 200

    os.kill(int(begun), signal.SIGKILL)
    until(lambda: service.is_up() and begun not in service.pids())
    assert service.get("/ops/readyz").text == "ok\n"
    assert len([*service.folder.glob("*.sock")]) == 2, "what has ended has no socket"


def test_a_worker_that_does_not_answer_makes_metrics_and_probes_answer_503(service):
    """Numbers without it would look like a fall."""
    [stopped, _] = sorted(service.pids())
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(service.folder / "1-silent.sock"))
    listener.listen()
    with listener:
        for path in ("/ops/metrics", "/ops/readyz", "/ops/livez"):
            response = service.get(path)
            assert (response.status_code, response.text) == (503, "process 1: no answer\n")
    assert stopped in service.pids()


class Moody:
    """A collector of the program's that fails for a while."""

    fails = False

    def collect(self):
        if self.fails:
            raise RuntimeError("the database is away")
        return []


@pytest.fixture
def asked(tmp_path):
    registry = CollectorRegistry()
    moody = Moody()
    metrics = Prometheus(registry=registry, folder=tmp_path / "m")
    registry.register(moody)
    return metrics, moody


@pytest.fixture
def other(asked, tmp_path):
    """Another process."""
    return WorkerFolder(tmp_path / "m", lambda _question: "")


@pytest.fixture
def own(other, tmp_path):
    """The socket of the process itself."""
    (own,) = set((tmp_path / "m").glob("*.sock")) - {other._own}
    return own


def test_a_failure_while_metrics_are_collected_is_said_and_keeps_its_socket(asked, own):
    metrics, moody = asked
    moody.fails = True
    for _ in range(2):
        assert metrics._response("GET", "/metrics")[0] == 503, "it is said, not left out"
        with pytest.raises(ConnectionError, match="no end"):
            _asked(own, "/metrics")
        assert own.exists()


def test_a_process_whose_metrics_failed_once_answers_again_later(asked, own):
    metrics, moody = asked
    moody.fails = True
    metrics._response("GET", "/metrics")
    with pytest.raises(ConnectionError, match="no end"):
        _asked(own, "/metrics")
    moody.fails = False
    assert "python_info" not in _asked(own, "/metrics")
    assert metrics._response("GET", "/metrics")[0] == 200


def test_a_process_counts_itself_though_its_own_socket_was_removed(asked, tmp_path):
    metrics, moody = asked
    (own,) = (tmp_path / "m").glob("*.sock")
    own.unlink()
    moody.fails = True
    assert metrics._response("GET", "/metrics")[0] == 503
    box = SimpleNamespace(heartbeat=Heartbeat())
    box.heartbeat.start("outbox.send")
    metrics._boxes.append(box)
    assert metrics._response("GET", "/readyz")[0] == 503


@pytest.mark.parametrize("removed", ["the socket", "the folder"])
def test_a_process_whose_socket_was_removed_is_counted_again(tmp_path, monkeypatch, removed):
    monkeypatch.setattr(worker_folder, "_LOOK_SECONDS", 0.01)
    shared = tmp_path / "m"
    asker, silenced = (WorkerFolder(shared, lambda _question, name=name: name) for name in "ab")
    if removed == "the folder":
        shutil.rmtree(shared)
    else:
        silenced._own.unlink()

    def counted():
        return sorted(answer or "" for _, answer in asker.ask("/metrics"))

    until(lambda: counted() == ["a", "b"])
    assert silenced._own.is_socket()


def test_the_log_says_that_the_folder_of_a_process_cannot_be_restored(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(worker_folder, "_LOOK_SECONDS", 0.01)
    silenced = WorkerFolder(tmp_path / "m", lambda _question: "well")
    shutil.rmtree(tmp_path / "m")
    (tmp_path / "m").write_text("a file")
    until(lambda: "The other processes do not count this one: folder" in caplog.text)
    (tmp_path / "m").unlink()
    until(silenced._own.exists)
    assert _asked(silenced._own, "/livez") == "well"


def test_a_process_that_cannot_accept_a_connection_answers_again_later(tmp_path):
    """A process without a free file descriptor answers again once it has one."""
    folder = WorkerFolder(tmp_path / "m", lambda _question: "well")
    failures = [OSError(24, "full")]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "m" / "2-full.sock"))
    listener.listen()

    def accept():
        if failures:
            raise failures.pop()
        return listener.accept()

    serve = partial(folder._serve, SimpleNamespace(accept=accept))
    threading.Thread(target=serve, daemon=True).start()
    assert _asked(tmp_path / "m" / "2-full.sock", "/livez") == "well"
    assert failures == []


def test_a_folder_that_cannot_have_a_socket_is_refused_and_leaves_the_registry_usable(tmp_path):
    (tmp_path / "file").write_text("")
    registry = CollectorRegistry()
    for folder, says in (
        ("", "^folder is empty"),
        (" ", "^folder is empty"),
        (tmp_path / "file" / "below", "folder cannot have the socket"),
        (tmp_path / ("x" * 120), "folder cannot have the socket"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            Prometheus(registry=registry, folder=folder)
    Prometheus(registry=registry, folder=tmp_path / "m")
