"""Make docs/benchmarks.md and its chart from the recorded run, and from nothing else:
`python -m benchmarks.page`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.chart import svg
from benchmarks.figures import TIMES, Line, lines_of
from benchmarks.measures import CONTENDERS, MEASURES

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "benchmarks/results/peers.json"
PAGE = ROOT / "docs/benchmarks.md"
CHART = ROOT / "docs/pictures/benchmarks.svg"
Record = dict[str, Any]
Tell = Callable[[str], None]

_INTRODUCTION = """\
# Benchmarks

<!-- Made by `make bench` from benchmarks/results/peers.json. Edit benchmarks/page.py, never this page. -->

What one call, one item and one start cost, in victor_ext and in other clients for payments. Each client talks to a
server of its own API's shape: the same number of items, and {least} to {most} bytes an item, so that each decodes its
own typed objects. Beside each client **raw httpx asks for the same bytes**, with `json()` and nothing more: `{times}`
is the client's time over that one's, of the same round, and so not the quotient of two rows. 1.00 is httpx with a dict.
"Of its CPU" is the same of the time on the processor, which other work on the machine disturbs less.

As it comes, victor_ext signs one token for all calls of a second. A busy client's calls share it: {busy}.
A lone call, such as one a second, signs its own: {alone}.

![Times of clients as multiples of raw httpx](pictures/benchmarks.svg)

**Where another client is ahead**

{wins}

**How it was measured**

- {machine}; Python {python}; {taken}; {seconds} seconds. The machine's load was {before} before and {after} after the
  run{loaded}.
- The server is a raw socket in a process of its own. What it takes of each figure is in the row of the bare socket.
- Each client runs in a process of its own, in one environment without any extra of ours, as its documentation says and
  with its better settings: connections that are kept where it can, no telemetry, no second attempts. Only one table
  and the rows that say so are over TLS. As it comes, victor_ext signs a token for each second; the others have a secret
  for good. The lone calls are made one after the other, with a clock that is a second later for each. "Token reused" is
  `VictorJwt(reuse=200)`: a token is used for 200 seconds. A GET asks for one of a thousand payments in turn. Python's
  garbage collector is on.
- Below 1.00: victor_ext uses httpx's requests, responses and errors, but sockets, connections and a parser of its own
  (see [how it is built](architecture.md)).
- The clients are measured in turn, round by round; each round begins with another one. A figure is the median of the
  rounds; in brackets stand the lowest and the highest. CPU is the client's, not the server's.
- The stock client cannot read what the provider really sends (`OUTBOUND`, times as numbers): it gets the document's
  spelling.
- Versions: {versions}.

`make bench` does it again (about 8 minutes; `make bench BENCH=--quick` only prints), in an environment of the peers'
own. A test makes this page again from the record and compares.
"""


def markdown(record: Record) -> str:
    """The page."""
    sizes = [each for _, each in record["bytes"].values()]
    before, after = record["load"]
    parts = [
        _INTRODUCTION.format(
            times=TIMES,
            least=min(sizes),
            most=max(sizes),
            wins="\n".join(wins(record)) or "- Nowhere in this run.",
            before=before,
            after=after,
            busy=_told(record, "victor"),
            alone=_told(record, "victor_alone"),
            loaded=": it was busy with other work, which the spread shows" if before > 1 else "",
            versions=", ".join(f"{name} {number}" for name, number in record["versions"].items()),
            **{name: record[name] for name in ("machine", "python", "taken", "seconds")},
        )
    ]
    for name, measure in MEASURES.items():
        parts += [f"## {measure.title}\n", _table(lines_of(name, record))]
        if measure.note:
            parts.append(measure.note + "\n")
    return "\n".join(parts)


def _told(record: Record, name: str) -> str:
    """What a client takes for the calls that each user makes, as far as they were measured."""
    measures = (("get", "a GET"), ("create", "a create"), ("awaited", "an awaited GET"))
    told = [
        (what, line)
        for measure, what in measures
        for line in lines_of(measure, record)
        if line.name == name
    ]
    return ", ".join(f"{what} takes {line.shown}" for what, line in told)


def wins(record: Record) -> list[str]:
    """A line for each measure in which another client is ahead of ours."""
    found = []
    for name, measure in MEASURES.items():
        lines = lines_of(name, record)
        ours = next((line for line in lines if line.name in ("victor", "victor_tls")), None)
        if ours is None:
            continue
        ahead = [line for line in lines if CONTENDERS[line.name].peer and line.judged < ours.judged]
        if ahead:
            told = ", ".join(
                f"{line.label} ({line.shown})"
                for line in sorted(ahead, key=lambda line: line.judged)
            )
            found.append(f"- {measure.title}: {told}; victor_ext {ours.shown}.")
    return found


def beyond_limits(record: Record) -> list[str]:
    """A line for each ratio of ours that is beyond its limit."""
    found = []
    for name, measure in MEASURES.items():
        found += [
            f"{measure.title}: {line.limited:.2f} is more than the limit, {measure.limit:.2f}."
            for line in lines_of(name, record)
            if line.name == "victor" and measure.limit is not None and line.limited > measure.limit
        ]
    return found


def _table(lines: list[Line]) -> str:
    headings = lines[0].headings
    rows = [f"| {line.label} | {' | '.join(line.cells)} |" for line in lines]
    return "\n".join(
        [f"| client | {' | '.join(headings)} |", f"|---|{'---:|' * len(headings)}", *rows, ""]
    )


def as_text(record: Record) -> str:
    """The record as JSON, with the rounds of a contender on one line."""
    measures = [
        f"  {json.dumps(name)}: {{\n"
        + ",\n".join(f"   {json.dumps(row)}: {json.dumps(rounds)}" for row, rounds in rows.items())
        + "\n  }"
        for name, rows in record["measures"].items()
    ]
    rest = json.dumps(
        {name: value for name, value in record.items() if name != "measures"}, indent=1
    )
    return rest[:-2] + ',\n "measures": {\n' + ",\n".join(measures) + "\n }\n}\n"


def write(record: Record) -> None:
    """Write the page and the chart."""
    PAGE.write_text(markdown(record), encoding="utf-8")
    CHART.write_text(svg(record), encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(RECORD.read_text(encoding="utf-8")))
