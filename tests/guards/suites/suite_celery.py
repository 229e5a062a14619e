import json
import os
import subprocess
import sys


def test_each_call_of_a_forked_worker_gets_its_response(tmp_path):
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "celery_app",
        "worker",
        "--pool=prefork",
        "--concurrency=2",
    ]
    reading, writing = os.pipe()
    log = tmp_path / "worker.txt"
    with (
        log.open("w") as shown,
        subprocess.Popen(
            [*command, "--without-mingle", "--without-gossip", "--without-heartbeat"],
            cwd=os.path.dirname(__file__),
            env={**os.environ, "RESULTS": str(writing)},
            pass_fds=[writing],
            stdout=subprocess.DEVNULL,
            stderr=shown,
        ) as worker,
    ):
        os.close(writing)
        try:
            with open(reading) as results:
                lines = [results.readline() for _ in range(20)]
        finally:
            worker.terminate()
    assert all(lines), log.read_text()
    made = [json.loads(line) for line in lines]
    assert {name for name, _ in made} == {"from-the-provider"}
    assert worker.pid not in {process for _, process in made}
