"""Children that a process forks have its sockets: each must read its own answers all the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from victor_ext.sandbox import Sandbox

PROGRAM = """
import os, sys
from victor_ext import Victor, VictorOAuth

url, client_id, client_secret, *ids = sys.argv[1:]

def child(victor, mine, start):
    status = 1
    try:
        os.read(start, 1)  # all of them go off at once, when the parent lets go of the other end
        status = int(victor.payment_requests.get(mine).id != mine)
    finally:
        os._exit(status)

failed = 0
for _ in range(15):
    victor = Victor(VictorOAuth(client_id, client_secret), base_url=url, timeout=5.0)
    victor.payment_requests.get(ids[0])  # the parent has a connection, and it is kept
    start, held = os.pipe()
    children = []
    for mine in ids:
        pid = os.fork()
        if pid == 0:
            os.close(held)
            child(victor, mine, start)
        children.append(pid)
    os.close(held)
    failed += sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0 for pid in children)
    os.close(start)
print(failed)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children_read_their_own_answers() -> None:
    with Sandbox() as sandbox:
        ids = [str(sandbox.create_inbound()) for _ in range(4)]
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, sandbox.url, *sandbox.add_oauth_client(), *ids],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert ran.stdout == "0\n", "so many of 60 reads were of another request, or failed"
