"""From the times of a record to the figures that are shown.

Nothing is stored but times, units and sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

from benchmarks.measures import CONTENDERS, MEASURES, Measure

TIMES = "\N{MULTIPLICATION SIGN}"
_SCALES = {"call": (1e6, "µs a call"), "process": (1e3, "ms")}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table.

    Attributes:
        name: The contender.
        label: What it is called.
        headings: Of the cells.
        cells: What is shown.
        judged: The number by which it is compared with others: less is better.
        form: How that number is written.
        cpu: The time on the processor, as a multiple of raw httpx; none of what is no time.
    """

    name: str
    label: str
    headings: tuple[str, ...]
    cells: tuple[str, ...]
    judged: float
    form: str
    cpu: float | None = None


class _Round(NamedTuple):
    """What a contender took for so many calls, items or processes."""

    units: int
    seconds: float
    cpu: float


def lines_of(name: str, record: dict[str, Any]) -> list[Line]:
    """The rows of a measure, in the order of the record."""
    measure, rows = MEASURES[name], record["measures"][name]
    make = {"memory": _memory, "size": _size}.get(measure.kind, _timed)
    return [make(measure, row, rounds) for row, rounds in rows.items()]


def _timed(measure: Measure, name: str, rounds: list[Any]) -> Line:
    """Each round: units, seconds and seconds of CPU, of the contender and of raw httpx."""
    measured = [(_Round(*own), _Round(*raw)) for own, raw in rounds]
    seconds = median(own.seconds / own.units for own, _ in measured)
    ratios = [own.seconds / own.units / (raw.seconds / raw.units) for own, raw in measured]
    cpu_ratio = median(own.cpu / own.units / (raw.cpu / raw.units) for own, raw in measured)
    ratio = median(ratios)
    if measure.what == "item":
        unit, time = "items a second", f"{1 / seconds:,.0f}"
    else:
        scale, unit = _SCALES[measure.what]
        time = number(seconds * scale)
    figures = {
        unit: time,
        f"{TIMES} raw httpx": f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
        "of its CPU": f"{cpu_ratio:.2f}",
    }
    headings, cells = tuple(figures), tuple(figures.values())
    return Line(name, CONTENDERS[name].label, headings, cells, ratio, ".2f", cpu_ratio)


def _memory(_: Measure, name: str, rounds: list[Any]) -> Line:
    peak, grown, items = rounds[0]
    cells = (f"{peak:.1f}", f"{grown:.1f}", f"{items:,}")
    headings = ("MB at most", "growth, MB", "items")
    label = CONTENDERS[name].label
    return Line(name, label, headings, cells, peak, ".1f")


def _size(_: Measure, name: str, rounds: list[Any]) -> Line:
    size, packages = rounds[0]
    cells = (f"{size:.1f}", f"{packages}")
    return Line(name, CONTENDERS[name].label, ("MB", "packages"), cells, size, ".1f")


def number(value: float) -> str:
    """Three figures that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
