import json
import os
import subprocess
import sys


def test_forked_workers_share_no_connection():
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool=prefork", "--concurrency=2"]
    reading, writing = os.pipe()
    with subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip", "--without-heartbeat"],
        cwd=os.path.dirname(__file__),
        env={**os.environ, "RESULTS": str(writing)},
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        os.close(writing)
        try:
            with open(reading) as results:
                made = [json.loads(results.readline()) for _ in range(20)]
        finally:
            worker.terminate()
    assert {name for name, _ in made} == {"from-the-provider"}
    assert worker.pid not in {process for _, process in made}
