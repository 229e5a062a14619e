"""What several processes of one service say of themselves (`PROMETHEUS_MULTIPROC_DIR`): one set of
metrics, in which nothing is missing of a process that was killed.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.victor_command import until
from tests.outbox.rows import stored
from tests.programs import python
from tests.providers.victor.adapter import invoice
from victor_ext.outbox import Outbox

pytestmark = pytest.mark.slow
CALLS = "victor_ext_call_duration_seconds_count"
SERVICE = """
import json
import os
import sys
import threading
from contextlib import suppress
import sqlalchemy as sa
from tests.providers.victor.adapter import invoice
from victor_ext import NotFound, Victor, VictorOAuth
from victor_ext.outbox import Outbox
from victor_ext.prometheus import Prometheus

metrics = Prometheus(attributes=json.loads(os.environ.get("ATTRIBUTES", '{"a.b": "c"}')))
auth = VictorOAuth(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
victor = Victor(auth, base_url=os.environ["PROVIDER"], on_event=metrics)
outbox = Outbox(sa.create_engine(os.environ["DATABASE"]))
metrics.watch(outbox)

def read():
    with suppress(NotFound):
        victor.payment_requests.get("none-such")

def create():
    victor.payment_requests.create(**invoice(os.getpid()))

def stall():
    outbox.heartbeat.start("outbox.send")
    outbox.heartbeat.step(-301)

def watch():
    metrics.watch(outbox)

def probe():
    for path in ("/livez", "/readyz"):
        said = metrics._response("GET", path)[2].decode().splitlines()
        assert not [line for line in said if line.startswith("Outbox")]

def work():
    stop = threading.Event()
    stop.set()
    outbox.run(victor, stop=stop)

def fork(*actions):
    if os.fork() == 0:
        said = "failed"
        try:
            for each in actions:
                globals()[each]()
            said = os.getpid()
        finally:
            print(said, flush=True)
            sys.stdin.read()
            os._exit(0)
"""
PROCESS = f"""{SERVICE}
print(metrics.serve(0, "127.0.0.1").server_port, flush=True)
for line in sys.stdin:
    what, *actions = line.split()
    globals()[what](*actions)
    if what != "fork":
        print("done", flush=True)
"""


def ask(url):
    return httpx.get(url, trust_env=False, timeout=30)


def samples(url):
    """The name, the labels and the value of each series."""
    families = text_string_to_metric_families(ask(url).text)
    return [(each.name, each.labels, each.value) for family in families for each in family.samples]


def total(url, name, **labels):
    return sum(
        value for found, of, value in samples(url) if found == name and labels.items() <= of.items()
    )


class Process:
    """One of a service, which does what it is told."""

    def __init__(self, environment, **more):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            env={**environment, **more},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = str(self.process.pid)
        self.url = f"http://127.0.0.1:{self.said()}"

    def said(self):
        return self.process.stdout.readline().strip()

    def begin(self, what):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def do(self, what):
        self.begin(what)
        return self.said()

    def end(self):
        self.process.communicate()
        assert self.process.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def probe(self, name):
        answer = ask(f"{self.url}/{name}")
        return answer.status_code, answer.text

    def total(self, name, **labels):
        return total(f"{self.url}/metrics", name, **labels)


@pytest.fixture
def environment(tmp_path, victor_sandbox):
    client_id, client_secret = victor_sandbox.add_oauth_client()
    (tmp_path / "metrics").mkdir()
    database = f"sqlite:///{tmp_path / 'outbox.sqlite'}"
    outbox = Outbox(sa.create_engine(database))
    outbox.create_table()
    stored(outbox, invoice())
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": client_secret,
        "PROVIDER": victor_sandbox.url,
        "DATABASE": database,
    }


@pytest.fixture
def start(environment):
    """A function that starts a process."""
    with ExitStack() as started:

        def begin(**more):
            process = Process(environment, **more)
            started.callback(process.kill)
            return process

        yield begin


def test_the_calls_of_a_process_that_ended_are_counted_and_an_entry_is_counted_once(start):
    asked, other = start(), start()
    for _ in range(2):
        other.do("read")
    other.end()
    asked.do("read")
    replaced = start()
    replaced.do("read")
    for process in (asked, replaced):
        assert process.total(CALLS, victor_ext_outcome="rejected", a_b="c") == 4
        assert process.total("http_client_request_duration_seconds_count") == 7, "with its tokens"
        assert process.total("victor_ext_outbox_entries", a_b="c") == 1
        assert process.total("victor_ext_retry_quota", a_b="c") == 500


def test_a_call_that_is_under_way_when_its_process_is_killed_is_unknown_once(start, victor_sandbox):
    """As gunicorn does with a worker that takes too long."""
    asked, other, killed = start(), start(), start()
    victor_sandbox.inject("stall", operation="create", times=None)
    killed.begin("create")
    lost = {"http_request_method": "POST", "victor_ext_outcome": "unknown"}
    until(lambda: asked.total("victor_ext_call_active", http_request_method="POST") == 1)
    assert asked.total(CALLS, **lost) == 0
    killed.kill()
    for process in (asked, other, asked, other):
        assert process.total(CALLS, **lost, error_type="ProcessEnded") == 1
        assert process.total("victor_ext_call_active") == 0


@pytest.mark.pull_request
@pytest.mark.parametrize(
    ("its_own", "of_the_killed"), [("{}", '{"a.b": "c"}'), ('{"x": "y"}', "{}")]
)
def test_a_call_of_a_killed_process_with_other_attributes_is_counted(
    start, victor_sandbox, its_own, of_the_killed
):
    """Such as of `victor bulk`, beside a web service."""
    asked, killed = start(ATTRIBUTES=its_own), start(ATTRIBUTES=of_the_killed)
    victor_sandbox.inject("stall", operation="create", times=None)
    killed.begin("create")
    until(lambda: asked.total("victor_ext_call_active", http_request_method="POST") == 1)
    killed.kill()
    assert asked.probe("livez") == (200, "ok\n")
    for _ in range(2):
        assert asked.total(CALLS, http_request_method="POST", error_type="ProcessEnded") == 1


@pytest.mark.pull_request
def test_a_killed_process_that_its_parent_has_not_asked_about_is_gone(start, victor_sandbox):
    asked, killed = start(), start()
    victor_sandbox.inject("stall", operation="create", times=None)
    killed.begin("create")
    until(lambda: asked.total("victor_ext_call_active", http_request_method="POST") == 1)
    killed.process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, int(killed.pid), os.WEXITED | os.WNOWAIT)  # it is a zombie then
    assert asked.total(CALLS, error_type="ProcessEnded") == 1


@pytest.mark.pull_request
def test_a_probe_reads_no_file_but_what_the_workers_write_and_is_always_answered(
    start, environment
):
    """Thousands of replaced processes leave files: to read all takes seconds."""
    asked, stuck = start(), start()
    folder = Path(environment["PROMETHEUS_MULTIPROC_DIR"])
    for name in ("counter_1.db", "gauge_livesum_1.db", f"gauge_liveall_{os.getpid()}.db"):
        (folder / name).write_bytes(b"no metrics")
    assert asked.probe("livez") == (200, "ok\n")
    stuck.do("stall")
    shutil.copy(folder / f"gauge_liveall_{stuck.pid}.db", folder / "counter_1.db")
    [said] = asked.probe("readyz")[1].splitlines()
    assert said.startswith(f"process {stuck.pid}: Outbox: no step for 30")


def test_an_empty_file_of_a_process_that_was_killed_as_it_made_it_is_left_out(start, environment):
    asked = start()
    asked.do("read")
    (Path(environment["PROMETHEUS_MULTIPROC_DIR"]) / "counter_1.db").touch()
    assert asked.total(CALLS) == 1


def test_a_worker_that_is_stuck_in_another_process_makes_the_probes_answer_503(start):
    asked, stuck = start(), start()
    assert asked.probe("livez") == (200, "ok\n")
    assert asked.total("victor_ext_worker_idle_seconds") == 0
    stuck.do("stall")
    assert 301 <= asked.total("victor_ext_worker_idle_seconds", pid=stuck.pid) < 330
    for name in ("livez", "readyz"):
        status, said = asked.probe(name)
        assert status == 503
        assert said.startswith(f"process {stuck.pid}: Outbox: no step for 30")
    assert stuck.probe("livez")[1].startswith("Outbox: no step for 30")
    assert stuck.probe("readyz")[1].endswith("Outbox: outbox.send: not tried\n")
    stuck.kill()
    assert asked.probe("livez") == (200, "ok\n")
    assert asked.total("victor_ext_worker_idle_seconds", pid=stuck.pid) == 0


def test_a_forked_process_counts_its_own_calls_and_has_no_worker_of_its_parent(start):
    asked, parent = start(), start()
    parent.do("read")
    parent.do("stall")
    child = parent.do("fork read")
    assert asked.total(CALLS) == 2
    assert asked.total("victor_ext_retry_quota") == 500
    assert asked.total("victor_ext_worker_idle_seconds", pid=child) == 0
    said = asked.probe("livez")[1]
    assert said.startswith(f"process {parent.pid}: ")
    assert len(said.splitlines()) == 1


@pytest.mark.pull_request
def test_a_forked_process_is_not_stalled_as_its_parent_is(start):
    asked, parent = start(), start()
    parent.do("stall")
    child = parent.do("fork probe watch")
    assert child.isdigit(), "its probes say that its own worker is stalled"
    assert asked.total("victor_ext_worker_idle_seconds", pid=child) == 0


FORKED_IN_A_RECORDING = """
import signal

class Slow:
    def __radd__(self, number):  # within a lock of prometheus_client
        held.set()
        go.wait()
        return number + 1

held, go = threading.Event(), threading.Event()
recording = threading.Thread(target=metrics._active.add, args=(Slow(), {}))
recording.start()
held.wait()
sys.setswitchinterval(10)  # the other thread does not go on by chance before the fork
os.register_at_fork(before=go.set)
child = os.fork()
if child == 0:
    signal.alarm(10)
    read()
    os._exit(0)
recording.join()
print("status", os.waitpid(child, 0)[1])
"""


@pytest.mark.pull_request
def test_a_process_that_was_forked_in_a_recording_of_another_thread_works(environment):
    ran = python("-c", SERVICE + FORKED_IN_A_RECORDING, env=environment)
    assert ran.stdout == "status 0\n", ran.stderr


@pytest.mark.pull_request
def test_a_second_listener_of_a_process_is_refused_where_processes_share_a_folder(environment):
    """Both would write the same series."""
    second = "\nfrom prometheus_client import CollectorRegistry\n"
    second += "Prometheus(registry=CollectorRegistry())"
    ran = python("-c", SERVICE + second, env=environment)
    assert "ConfigurationError: registry: another Prometheus() of this process" in ran.stderr
