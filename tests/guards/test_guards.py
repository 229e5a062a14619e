"""What users put in front of httpx stands in front of this package: their mocks, guards, clocks and tracers.

And what their services run in: other event loops, green threads, forked workers.

Each suite is one as a user writes it, run by pytest in a process of its own with the real library. None passes
`transport=`. A listening socket counts what reaches the provider.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytestmark = pytest.mark.slow
SUITES = Path(__file__).parent / "suites"
ROOT = SUITES.parents[2]
LIBRARIES = Path(sys.prefix) / "guards"


class Provider(ThreadingHTTPServer):
    """Does the work, counts it, and says in the id what headers it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.paid = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Provider)
        self.server.paid += 1
        self.rfile.read(int(self.headers["content-length"]))
        traced = " ".join(name.lower() for name in self.headers if "trace" in name.lower())
        body = json.dumps({"victor_payment_request_id": traced or "from-the-provider", "status": "created"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


ROWS = [
    ("respx", [], 0),
    ("pytest_httpx", ["-p", "pytest_httpx"], 0),
    ("vcrpy", [], 0),
    ("pytest_socket", ["-p", "pytest_socket", "--allow-hosts=127.0.0.2"], 0),
    ("clocks", [], 0),
    ("tracing-opentelemetry", [], 2),
    ("tracing-sentry", [], 2),
    ("tracing-datadog", [], 2),
    ("uvloop", [], 1),
    ("trio", [], 1),
    ("gevent", [], 20),
    ("celery", [], 21),
]
FIRST_TIER = ("respx", "pytest_httpx", "pytest_socket", "tracing-sentry", "clocks", "celery")
"""One for each place where they stand: httpcore, the transports of httpx, sockets, `Client.send`, time, and a fork."""


@pytest.mark.skipif(not LIBRARIES.exists(), reason="`make .venv/guards` installs the libraries")
@pytest.mark.parametrize(
    ("name", "options", "paid"),
    [pytest.param(*row, id=row[0], marks=[pytest.mark.nightly] if row[0] not in FIRST_TIER else []) for row in ROWS],
)
def test_suite(provider: Provider, name: str, options: list[str], paid: int) -> None:
    suite, _, tracer = name.partition("-")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (SUITES, ROOT, LIBRARIES))),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PROVIDER_URL": provider.url,
        "TRACER": tracer,
    }
    environment.pop("DJANGO_SETTINGS_MODULE", None)  # of a test before, in this process: Celery would look for it
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, *options]
    ran = subprocess.run(
        [*command, SUITES / f"suite_{suite}.py"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert provider.paid == paid, ran.stdout
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"[1-9]\d* passed", ran.stdout)
