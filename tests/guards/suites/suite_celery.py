import os
import subprocess
import sys


def test_forked_workers_share_no_connection(tmp_path, monkeypatch):
    monkeypatch.setenv("CELERY_FOLDER", str(tmp_path))
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "--pool=prefork", "--concurrency=2"]
    from celery_app import pay

    # Before the worker runs: its broker of files may read a message that is not yet written whole.
    jobs = [pay.delay() for _ in range(20)]
    with subprocess.Popen(
        [*command, "--without-mingle", "--without-gossip", "--without-heartbeat"],
        cwd=os.path.dirname(__file__),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as worker:
        try:
            results = [job.get(timeout=120) for job in jobs]
        finally:
            worker.terminate()
    assert {made for made, _ in results} == {"from-the-provider"}
    assert os.getpid() not in {process for _, process in results}
