"""Run it: `python -m soak --help`."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from soak import callers, machinery
from soak.audit import audit
from soak.observed import Observed
from soak.report import Progress, figures, table
from victor_ext import VictorJwt, VictorOAuth
from victor_ext.sandbox import RemoteSandbox

_OWNER = "soak"
"""Both kinds of credentials are of one owner, so that a key means the same in sync and async clients."""


def soak(creates: int, workers: int, seconds: float, seed: int, patience: float, rate: float) -> dict[str, Any]:
    """One run, with a sandbox and a proxy of its own; all its figures."""
    sandbox_words = ("-m", "victor_ext.sandbox", "--port", "0", "--quiet", "--json", "--keep-received", "0")
    with machinery.process(*sandbox_words) as sandbox_process:
        url = machinery.first_line(sandbox_process)["url"]
        words = {"upstream": urlsplit(url).port, "seed": seed, "patience": patience, "rate": rate}
        options = [word for name, value in words.items() for word in (f"--{name}", str(value))]
        with machinery.process("-m", "soak.proxy", *options) as proxy_process:
            port = machinery.first_line(proxy_process)["port"]
            sandbox = RemoteSandbox(url, timeout=60.0)
            orders, observed = callers.Orders(seed, creates, seconds), Observed()
            before = machinery.open_sockets()
            _run(sandbox, orders, observed, workers, f"http://127.0.0.1:{port}", patience)
            passed, memory, after = orders.passed, machinery.peak_memory(), machinery.open_sockets()
            # It ends when nothing is on its way to the sandbox any more: from then on the record stands still.
            proxy = machinery.last_line(proxy_process)
            sockets = None if before is None or after is None else after - before
            return {"seed": seed} | figures(observed, audit(sandbox, observed, seed), proxy, passed, memory, sockets)


def _run(
    sandbox: RemoteSandbox, orders: callers.Orders, observed: Observed, workers: int, url: str, patience: float
) -> None:
    api_key, private_key = sandbox.new_api_key(_OWNER)
    client_id, client_secret = sandbox.add_oauth_client(_OWNER)
    options: dict[str, Any] = {"base_url": url, "timeout": patience, "deadline": 30.0, "retry": callers.retry()}
    threads = callers.Team(VictorJwt(api_key, private_key, reuse=30), options, workers // 2, orders, observed)
    tasks = callers.Team(VictorOAuth(client_id, client_secret), options, workers - workers // 2, orders, observed)
    progress = Progress(orders, observed)
    before = signal.signal(signal.SIGINT, lambda *_: setattr(orders, "stopped", True))
    try:
        orders.started = time.monotonic()
        for _ in callers.run(threads, tasks):
            progress.show()
    finally:
        signal.signal(signal.SIGINT, before)
        progress.end()


def main() -> int:
    """The command. 0: the promise was kept; 1: it was broken."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=sys.modules["soak"].__doc__)
    parser.add_argument("--creates", type=int, default=100_000, help="calls to make (100000)")
    parser.add_argument("--workers", type=int, default=64, help="half of them threads, half of them tasks (64)")
    parser.add_argument("--seconds", type=float, default=420.0, help="begin no call after so long (420)")
    parser.add_argument("--seed", type=int, default=None, help="of the proxy's dice (random)")
    parser.add_argument("--patience", type=float, default=1.0, help="seconds that a call waits for an answer (1)")
    parser.add_argument("--rate", type=float, default=0.2, help="the share of exchanges that fail (0.2)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    run = soak(options.creates, options.workers, options.seconds, seed, options.patience, options.rate)
    print(json.dumps(run) if options.json else table(run))
    return 1 if run["duplicates"] or run["lost"] or run["wrongly_reported"] else 0


if __name__ == "__main__":
    sys.exit(main())
