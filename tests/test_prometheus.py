"""What Prometheus scrapes of a real run, the alert rules on it, and the probes of Kubernetes."""

import re
import threading
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import sqlalchemy as sa
import yaml
from prometheus_client import CollectorRegistry, Info
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.bulk.bulk_runs import rows
from tests.outbox.rows import stored
from tests.providers.victor.adapter import invoice
from victor_ext import (
    CallEnded,
    ConfigurationError,
    ConnectionFailed,
    RetryPolicy,
    Victor,
    VictorOAuth,
)
from victor_ext.bulk import BulkSender
from victor_ext.outbox import Outbox
from victor_ext.prometheus import Prometheus

pytestmark = pytest.mark.slow
RULES = Path(__file__).parent.parent / "docs" / "prometheus-alerts.yaml"
RULES_READ = [
    rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]
]
EXPRESSIONS = [rule["expr"] for rule in RULES_READ]


class Scraped:
    """A process that is scraped."""

    def __init__(self, folder):
        self.registry = CollectorRegistry()
        self.metrics = Prometheus(registry=self.registry)
        self.server = self.metrics.serve(0, "127.0.0.1")
        self.outbox = Outbox(sa.create_engine(f"sqlite:///{folder / 'outbox.sqlite'}"))
        self.outbox.create_table()
        stored(self.outbox, invoice())
        self.metrics.watch(self.outbox)

    def get(self, path):
        response = httpx.get(f"http://127.0.0.1:{self.server.server_port}{path}", trust_env=False)
        return response.status_code, response.text


@pytest.fixture
def scraped(tmp_path):
    made = Scraped(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


def by_wsgi(app, method, path):
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://a") as client:
        return client.request(method, path)


def answers(metrics, served_at, method, path):
    """What each way to serve says: the status, the body without its numbers, and the methods."""

    def mounted(environ, start_response):
        shorter = {**environ, "SCRIPT_NAME": "/ops", "PATH_INFO": environ["PATH_INFO"][4:]}
        return metrics.wsgi_app(shorter, start_response)

    found = {"serve": httpx.request(method, f"{served_at}{path}", trust_env=False)}
    found["wsgi"] = by_wsgi(mounted, method, f"/ops{path}")
    app = Starlette(routes=[Mount("/ops", metrics.asgi_app)])
    found["asgi"] = TestClient(app).request(method, f"/ops{path}")
    return {
        name: (each.status_code, each.content[:6], each.headers.get("allow", ""))
        for name, each in found.items()
    }


@pytest.fixture
def served():
    """Metrics, and where they are served."""
    registry = CollectorRegistry()
    metrics = Prometheus(registry=registry)
    Info("build", "", registry=registry).info({"is": "this"})
    server = metrics.serve(0, "127.0.0.1")
    yield metrics, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


METRICS, PROBES = ["/metrics", "/metrics/"], ["/livez", "/readyz", "/readyz/"]
OTHERS = ["/redyz", "/healthz", "/", "/readyz/x", "/Readyz", "/favicon.ico"]


@pytest.mark.parametrize(
    ("method", "paths", "expected"),
    [
        ("GET", METRICS, (200, b"# HELP", "")),
        ("GET", PROBES, (200, b"ok\n", "")),
        ("GET", OTHERS, (404, b"Nothin", "")),
        ("HEAD", METRICS + PROBES, (200, b"", "")),
        ("POST", METRICS + PROBES, (405, b"Ask wi", "GET, HEAD")),
    ],
    ids=["metrics", "probes", "other paths", "heads", "posts"],
)
def test_only_a_get_or_head_of_metrics_or_a_probe_is_answered_with_200(
    served, method, paths, expected
):
    for path in paths:
        said = answers(*served, method, path)
        assert said == dict.fromkeys(said, expected), path


def test_the_rules_are_about_metrics_of_a_real_run(scraped, victor_sandbox, tmp_path):
    parser = pytest.importorskip("promql_parser")
    auth = VictorOAuth(*victor_sandbox.add_oauth_client())
    once = RetryPolicy(max_attempts=1)
    with Victor(auth, base_url=victor_sandbox.url, on_event=scraped.metrics, retry=once) as victor:
        victor_sandbox.inject("lose_answer", operation="create")
        with pytest.raises(ConnectionFailed):
            victor.payment_requests.create(**invoice(2))
        scraped.outbox.send(victor)
        state = f"sqlite:///{tmp_path / 'bulk.sqlite'}"
        sender = BulkSender(
            victor, state=state, batch="b", key_column="invoice_no", storage_key=16 * "x"
        )
        scraped.metrics.watch(sender)
        assert sender.send(rows(3)).exit_status == 0
    text = scraped.get("/metrics")[1]
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]

    def value(name, **labels):
        return sum(
            each.value
            for each in samples
            if each.name == name and labels.items() <= each.labels.items()
        )

    lost = {"victor_ext_outcome": "unknown", "error_type": "ConnectionFailed"}
    assert value("victor_ext_call_duration_seconds_count", **lost) == 1
    assert value("victor_ext_call_duration_seconds_bucket", **lost, le="60.0") == 1
    assert value("victor_ext_outbox_entries", victor_ext_of="Outbox", victor_ext_state="sent") == 1
    assert (
        value(
            "victor_ext_bulk_rows_total", victor_ext_of="BulkSender", victor_ext_outcome="created"
        )
        == 3
    )
    named = set()

    def keep(part):
        named.add(getattr(part, "name", None))

    for expression in EXPRESSIONS:
        parser.walk(parser.parse(expression), keep)
    assert len(named) > 8
    assert named - {each.name for each in samples} == {None}


def test_a_call_that_the_garbage_collector_ends_within_a_recording_is_counted():
    metrics = Prometheus(registry=CollectorRegistry())

    def ended(seconds):
        known = {"method": "GET", "attempts": 1, "waited": 0.0, "quota": 500, "seconds": seconds}
        return CallEnded(**dict.fromkeys(each.name for each in fields(CallEnded)) | known)

    class Seconds(float):
        def __radd__(self, number):  # within a lock of prometheus-client
            metrics(ended(1.0))
            return number + 1.0

    recording = threading.Thread(target=metrics, args=(ended(Seconds()),), daemon=True)
    recording.start()
    recording.join(10)
    assert not recording.is_alive()
    said = by_wsgi(metrics.wsgi_app, "GET", "/metrics").text
    assert re.findall(r"victor_ext_call_duration_seconds_count{.+} (.+)", said) == ["2.0"]


def test_a_second_app_of_a_process_has_a_registry_of_its_own(scraped):
    with pytest.raises(ConfigurationError) as raised:
        Prometheus(registry=scraped.registry)
    assert str(raised.value).startswith("registry: another Prometheus() of this process has it.")
    assert "Prometheus(registry=CollectorRegistry())" in str(raised.value)
    second = Prometheus(registry=CollectorRegistry())
    assert by_wsgi(second.wsgi_app, "GET", "/metrics").status_code == 200


def test_a_probe_tells_a_stalled_worker_from_one_that_pauses(scraped, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("victor_ext._health.time", clock)
    seen = []

    def look(*paths):
        seen.extend(map(scraped.get, paths))

    def provider(_request):
        look("/livez", "/readyz")
        clock.now += 301  # the worker hangs in this call; to be scraped is no step of it
        look("/metrics", "/livez")
        return httpx.Response(401)

    class Pause(threading.Event):
        def wait(self, timeout=None):
            look("/livez", "/readyz")
            clock.now += 4 + 300
            look("/livez")
            self.set()
            return True

    with Victor(
        VictorOAuth("id", "not-a-real-secret"), transport=httpx.MockTransport(provider)
    ) as victor:
        scraped.outbox.run(victor, interval=5.0, stop=Pause())
    look("/livez", "/readyz")
    untried = "".join(
        f"Outbox: outbox.{name}: not tried\n" for name in ("send", "refresh", "handle")
    )
    in_a_call = [(200, "ok\n"), (503, untried), (503, "Outbox: no step for 301 seconds\n")]
    assert [each for each in seen if "HELP" not in each[1]] == [
        *in_a_call,
        *in_a_call,  # a token is asked for twice
        (200, "ok\n"),
        (503, "Outbox: outbox.send: AuthenticationError\n"),
        (200, "ok\n"),
        (200, "ok\n"),
        (200, "ok\n"),  # it has ended
    ]
