"""Children that a process forks have its sockets: each must read its own answers all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from victor_ext.sandbox import Sandbox

PROGRAM = """
import os, sys
from victor_ext import Victor, VictorOAuth

url, client_id, client_secret, *ids = sys.argv[1:]
victor = Victor(VictorOAuth(client_id, client_secret), base_url=url)
victor.payment_requests.get(ids[0])  # the parent has a connection, and it is kept

def read_my_own(mine):
    for _ in range(20):
        assert victor.payment_requests.get(mine).id == mine

children = []
for mine in ids[1:]:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            read_my_own(mine)
            status = 0
        finally:
            os._exit(status)
    children.append(child)
read_my_own(ids[0])
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children_read_their_own_answers() -> None:
    with Sandbox() as sandbox:
        ids = [sandbox.create_inbound() for _ in range(4)]
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, sandbox.url, *sandbox.add_oauth_client(), *ids],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (ran.stderr, ran.returncode) == ("", 0)
    assert json.loads(ran.stdout) == [0, 0, 0]
