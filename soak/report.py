"""What a person sees of a run: a line while it runs, and a table at the end."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from soak.audit import AuditResult
from soak.callers import Orders
from soak.observed import Observed

_PACE = 10.0
"""Seconds between two lines where no terminal is looking."""


@dataclass
class Progress:
    """One line that is written over and over; in a log, a line now and then."""

    orders: Orders
    observed: Observed
    _last: float = field(default_factory=time.monotonic)

    def show(self) -> None:
        """Say how far it is."""
        terminal = sys.stderr.isatty()
        if not terminal and time.monotonic() - self._last < _PACE:
            return
        self._last = time.monotonic()
        done, passed = len(self.observed.words), self.orders.passed
        counts = self.observed.counts
        others = ", ".join(f"{counts[word]} {word}" for word in sorted(counts.keys() - {"success"}))
        line = f"{done:,} of {self.orders.calls:,} creates, {done / passed:,.0f}/s, {passed:.0f} s"
        line += f" of {self.orders.seconds:.0f} s at most" + (f"; {others}" if others else "")
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            print(file=sys.stderr)


def figures(
    observed: Observed, found: AuditResult, proxy: dict[str, Any], passed: float, memory: int, sockets: int | None
) -> dict[str, Any]:
    """Everything that was measured, as JSON data."""
    counts = observed.counts
    cuts = statistics.quantiles(observed.seconds, n=100) if len(observed.seconds) > 1 else [0.0] * 99
    return {
        "sent": len(observed.words),
        "seconds": round(passed, 1),
        "per_second": round(len(observed.words) / passed, 1),
        "attempts": observed.attempts,
        "exchanges": proxy["exchanges"],
        "failed_exchanges": sum(proxy["failed"].values()),
        "made": found.made,
        "observed": dict(counts),
        "duplicates": len(found.duplicates),
        "lost": len(found.lost),
        "wrongly_reported": len(found.wrong),
        "unknown": counts["unknown"],
        "p50_ms": round(cuts[49] * 1000, 1),
        "p99_ms": round(cuts[98] * 1000, 1),
        "peak_memory_mib": round(memory / 2**20, 1),
        "open_sockets": sockets,
        "mischief": proxy["failed"],
        "cases": found.lines(),
    }


def table(run: dict[str, Any]) -> str:
    """The same for people."""
    share = run["failed_exchanges"] / max(1, run["exchanges"])
    observed = ", ".join(f"{count:,} {word}" for word, count in sorted(run["observed"].items()))
    rows = {
        "seed": run["seed"],
        "sent": f"{run['sent']:,} creates in {run['seconds']:,} s ({run['per_second']:,}/s)",
        "attempts": f"{run['attempts']:,} ({run['attempts'] / max(1, run['sent']):.2f} a create)",
        "failed exchanges": f"{run['failed_exchanges']:,} of {run['exchanges']:,} ({share:.1%})",
        "requests made": f"{run['made']:,}",
        "observed": observed,
        "duplicates": run["duplicates"],
        "lost": run["lost"],
        "wrongly reported": run["wrongly_reported"],
        "unknown": run["unknown"],
        "p50": f"{run['p50_ms']} ms",
        "p99": f"{run['p99_ms']} ms",
        "peak memory": f"{run['peak_memory_mib']} MiB",
        "open sockets at the end": "not known here" if run["open_sockets"] is None else run["open_sockets"],
    }
    lines = [f"{name:<24} {value}" for name, value in rows.items()]
    return "\n".join([*lines, *run["cases"]])
