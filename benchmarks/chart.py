"""The chart of the page: an SVG with a ground of its own, so that it is legible on a light page and
on a dark one.
"""

from __future__ import annotations

from html import escape
from typing import Any

from benchmarks.figures import TIMES, lines_of
from benchmarks.measures import CONTENDERS, MEASURES

SHOWN = ("get", "create")
_MOST = 20
"""A longer bar is cut, and says so: the others would be too short to compare."""
_WIDTH, _LEFT, _BAR, _GAP = 860, 350, 14, 6
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.ground { fill: #ffffff; stroke: #d0d7de }
.peer { fill: #8c959f }
.ours { fill: #1a7f37 }
.raw { fill: #57606a }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ground { fill: #161b22; stroke: #30363d }
.peer { fill: #6e7681 }
.ours { fill: #3fb950 }
.raw { fill: #8b949e }
}
"""


def svg(record: dict[str, Any]) -> str:
    """Bars of the ratios to raw httpx, a group for each measure that is shown."""
    drawn: list[str] = []
    y = 16
    for name in SHOWN:
        lines = [line for line in lines_of(name, record) if line.name != "bare"]
        longest = min(_MOST, max(line.judged for line in lines))
        y += 18
        drawn.append(
            f'<text class="title" x="16" y="{y}">{escape(MEASURES[name].title)}: {TIMES} raw '
            "httpx</text>"
        )
        y += 8
        for line in lines:
            kind = "raw" if line.name == "raw" else "peer" if CONTENDERS[line.name].peer else "ours"
            width = max(1, round((_WIDTH - _LEFT - 110) * min(line.judged, longest) / longest))
            shown = f"{line.judged:.2f}" + (", cut" if line.judged > longest else "")
            label = escape(CONTENDERS[line.name].plain)
            drawn += [
                f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end">{label}</text>',
                (
                    f'<rect class="{kind}" x="{_LEFT}" y="{y + 1}" width="{width}" height="{_BAR}" '
                    'rx="2"/>'
                ),
                f'<text x="{_LEFT + width + 6}" y="{y + 12}">{shown}</text>',
            ]
            y += _BAR + _GAP
        y += 10
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 8}" role="img" '
        f'aria-label="Times of clients as multiples of raw httpx; shorter is faster">'
    )
    ground = f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{y + 7}" rx="6"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", ground, *drawn, "</svg>", ""])
