"""What Prometheus scrapes of a real run, the alert rules on it, and the probes of Kubernetes."""

import os
import re
import threading
import time
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import sqlalchemy as sa
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from tests.bulk.bulk_runs import rows
from tests.outbox.rows import stored
from tests.payments import invoice
from victor_ext import (
    CallEnded,
    ConnectionFailed,
    RetryPolicy,
    Victor,
    VictorOAuth,
)
from victor_ext._event_queue.health import Heartbeat
from victor_ext.bulk import BulkSender, BulkStopped
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
        self.state = f"sqlite:///{folder / 'bulk.sqlite'}"

    def bulk_sender(self, victor):
        options = {"batch": "b", "key_column": "invoice_no", "storage_key": 16 * "x"}
        sender = BulkSender(victor, state=self.state, **options)
        self.metrics.watch(sender)
        return sender

    def get(self, path):
        response = httpx.get(f"http://127.0.0.1:{self.server.server_port}{path}", trust_env=False)
        return response.status_code, response.text


@pytest.fixture
def scraped(tmp_path):
    made = Scraped(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("victor_ext._event_queue.health.time", clock)
    return clock


@pytest.mark.parametrize(
    ("path", "status", "begins"),
    [
        ("/metrics", 200, "# HELP"),
        ("/livez", 200, "ok"),
        ("/ops/readyz/", 200, "ok"),
        ("/redyz", 404, "Ask"),
        ("/", 404, "Ask"),
    ],
)
def test_only_metrics_and_probes_are_answered_with_200(scraped, path, status, begins):
    found = scraped.get(path)
    assert (found[0], found[1][: len(begins)]) == (status, begins)
    app = Starlette(routes=[Mount("/ops", scraped.metrics.asgi_app)])
    said = TestClient(app).get(f"/ops{path.removeprefix('/ops')}")
    assert (said.status_code, said.text[: len(begins)]) == (status, begins)


def test_the_rules_are_about_metrics_of_a_real_run(scraped, victor_sandbox):
    parser = pytest.importorskip("promql_parser")
    auth = VictorOAuth(*victor_sandbox.add_oauth_client())
    once = RetryPolicy(max_attempts=1)
    with Victor(auth, base_url=victor_sandbox.url, on_event=scraped.metrics, retry=once) as victor:
        victor_sandbox.inject("lose_answer", operation="create")
        with pytest.raises(ConnectionFailed):
            victor.payment_requests.create(**invoice(2))
        scraped.outbox.send(victor)
        sender = scraped.bulk_sender(victor)
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
    named = set()

    def keep(part):
        named.add(getattr(part, "name", None))

    for expression in EXPRESSIONS:
        parser.walk(parser.parse(expression), keep)
    assert len(named) > 7
    assert named - {each.name for each in samples} == {None}


def test_a_call_that_the_garbage_collector_ends_within_a_recording_is_counted():
    metrics = Prometheus(registry=CollectorRegistry())

    def ended(seconds):
        known = {"method": "GET", "attempts": 1, "quota": 500, "seconds": seconds}
        return CallEnded(**dict.fromkeys(each.name for each in fields(CallEnded)) | known)

    class Seconds(float):
        def __radd__(self, number):  # within a lock of prometheus-client
            metrics(ended(1.0))
            return number + 1.0

    recording = threading.Thread(target=metrics, args=(ended(Seconds()),), daemon=True)
    recording.start()
    recording.join(10)
    assert not recording.is_alive()
    body = b"".join(metrics.wsgi_app({"PATH_INFO": "/metrics"}, lambda *_: None)).decode()
    assert re.findall(r"victor_ext_call_duration_seconds_count{.+} (.+)", body) == ["2.0"]


def test_a_probe_tells_a_stalled_worker_from_one_that_pauses(scraped, clock):
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


def test_a_probe_sees_a_bulk_worker_that_hangs_in_a_call(scraped, clock):
    probed = []

    def provider(_request):
        clock.now += 301
        probed.append(scraped.get("/livez"))
        return httpx.Response(401)

    with Victor(
        VictorOAuth("id", "not-a-real-secret"), transport=httpx.MockTransport(provider)
    ) as victor:
        sender = scraped.bulk_sender(victor)
        with pytest.raises(BulkStopped):
            sender.send(rows(1))
    assert (503, "BulkSender: no step for 301 seconds\n") in probed
    assert scraped.get("/livez") == (200, "ok\n")


def test_a_forked_process_is_not_stalled_as_its_parent_is(monkeypatch):
    """It has the object of the worker, but not the worker."""
    heartbeat = Heartbeat()
    heartbeat.start("outbox.send")
    later, other = time.monotonic() + 1000.0, os.getpid() + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert len([*heartbeat.problems(ready=True)]) == 2
    monkeypatch.setattr(os, "getpid", lambda: other)
    assert (heartbeat.idle, [*heartbeat.problems(ready=True)]) == (0.0, [])
