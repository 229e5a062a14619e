"""Ctrl-C at any moment of a call: a program that catches it goes on calling, from every thread.

`VICTOR_INTERRUPTS=20000` tries it more often.
"""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.faults.certificates import Authority
from tests.faults.raw_sockets import Background
from tests.faults.test_cancellations import provider_on
from tests.programs import python

pytestmark = pytest.mark.slow
INTERRUPTS = int(os.environ.get("VICTOR_INTERRUPTS", "300"))
PATIENCE = 60.0 + INTERRUPTS / 20

PROGRAM = """
import json, os, random, signal, ssl, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
import httpx
from victor_ext import RetryPolicy, Victor, VictorError, VictorOAuth

url, times, pem = sys.argv[1], int(sys.argv[2]), sys.argv[3]
victor = Victor(
    VictorOAuth("id", "not-a-secret"), base_url=url, verify=ssl.create_default_context(cadata=pem) if pem else True,
    limits=httpx.Limits(max_connections=4), timeout=httpx.Timeout(10.0, pool=3.0), deadline=10.0,
    retry=RetryPolicy(max_attempts=2, base=0.0, quota=10**9),
)
armed, dice, span = False, random.Random(times), 0.005
counts = {"interrupted": 0, "in time": 0, "wrong": []}

def ring(*_):
    if armed:
        raise KeyboardInterrupt

def interrupted(subject, seconds):
    global armed
    try:
        try:
            armed = True
            signal.setitimer(signal.ITIMER_REAL, seconds)
            found = victor.payment_requests.get(subject).id
        finally:
            armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        armed = False
        return True
    if found != subject:
        counts["wrong"].append(f"{subject}: got {found}")
    return False

def check(number):
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(victor.payment_requests.get, [f"T{number}N{each}" for each in range(8)]):
            if not found.id.startswith(f"T{number}N"):
                counts["wrong"].append(f"T{number}: got {found.id}")

signal.signal(signal.SIGALRM, ring)
check("before")
number = 0
while counts["interrupted"] < times and not counts["wrong"]:
    number += 1
    try:
        if interrupted(f"S{number}", dice.uniform(0, span)):
            counts["interrupted"] += 1
            span *= 1.02
        else:
            counts["in time"] += 1
            span /= 1.02
        if number % 200 == 0:
            check(number)
    except VictorError as error:
        counts["wrong"].append(str(error))
if not counts["wrong"]:
    check("after")
victor.close()
counts["open"] = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
print(json.dumps(counts))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs timers that signal")
@pytest.mark.parametrize("tls", [False, True], ids=["tcp, one token", "tls, a token each"])
def test_calls_that_are_interrupted(background: Background, authority: Authority, tls: bool) -> None:
    with provider_on(background, authority, tls=tls) as provider:
        given = [provider.url(), str(INTERRUPTS // 2), authority.pem if tls else ""]
        ran = python("-c", PROGRAM, *given, timeout=PATIENCE)
        provider.quiet.wait_for(lambda: not provider.open, "the connections of a client that was closed")
    assert (ran.stderr, ran.returncode) == ("", 0)
    observed = json.loads(ran.stdout)
    assert observed["wrong"] == []
    assert observed["in time"] > INTERRUPTS // 100
    assert observed["open"] < 10
    print(f"over {'TLS' if tls else 'TCP'}: {observed}")
