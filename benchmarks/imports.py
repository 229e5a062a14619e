"""What `import victor_ext` costs, in fresh processes, against `import httpx`."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Figure, compared

ROUNDS = 15


def figures() -> list[Figure]:
    """The best of several processes each, started in turn."""
    first_call = (
        "from victor_ext import Victor, VictorOAuth; "
        "Victor(VictorOAuth('id', 'not-a-secret'), base_url='http://127.0.0.1:1').api"
    )
    statements = {
        "import httpx": "import httpx",
        "import victor_ext": "import victor_ext",
        "... and make a client with its api": first_call,
    }
    best = dict.fromkeys(statements, float("inf"))
    for _ in range(ROUNDS):
        for name, statement in statements.items():
            best[name] = min(best[name], _import_time(statement))
    return compared("import", best, "ms", 1e3, {"import victor_ext": 1.3})


def _import_time(statement: str) -> float:
    code = f"import time; began = time.perf_counter(); {statement}; print(time.perf_counter() - began)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)
