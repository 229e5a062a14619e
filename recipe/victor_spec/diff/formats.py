"""The forms in which a report is shown: text, JSON, Markdown, and annotations of a workflow."""

import html
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from victor_spec.tree import around

from .changes import Entry, Level
from .report import COLUMNS, Report, levels_text, one_line

TITLES: dict[Level, str] = {
    "breaks": "Breaks",
    "look": "Look",
    "fine": "Fine",
    "none": "No effect by itself",
}
_COLOURS: dict[Level, str] = {"breaks": "31", "look": "33", "fine": "32", "none": "2"}
_MIN_WIDTH = 40


def as_text(report: Report, *, width: int = 100, colour: bool = False) -> str:
    """The report in plain text, wrapped at `width` columns; `colour` adds escape sequences of
    terminals.
    """
    lines: list[str] = []
    for level, entries in report.by_level():
        lines += [
            _in_colour(f"{TITLES[level]} ({len(entries)})", level, colour=colour, bold=True),
            "",
        ]
        for entry in entries:
            lines += [*_entry(report, entry, level, max(width, _MIN_WIDTH), colour=colour), ""]
    lines += [one_line(each) for each in report.notices()]
    return "\n".join([*lines, report.summary()])


def _entry(
    report: Report, entry: Entry, level: Level, width: int, *, colour: bool
) -> Iterator[str]:
    """The lines of one entry in plain text."""
    yield "  " + _in_colour(one_line(entry.place), level, colour=colour)
    wrapper = textwrap.TextWrapper(
        width, initial_indent="    ", subsequent_indent="      ", break_on_hyphens=False
    )
    texts = [
        entry.shortened(),
        f"{levels_text(report, entry)}; {entry.reached_by()}",
        ", ".join(entry.names),
    ]
    for text in (*texts, *_approvals_in_words(report, entry), f"fingerprint {entry.fingerprint}"):
        yield from wrapper.wrap(one_line(text))


def _in_colour(text: str, level: Level, *, colour: bool, bold: bool = False) -> str:
    """A text in the colour of a level."""
    if not colour:
        return text
    weight = "1;" if bold else ""
    return f"\x1b[{weight}{_COLOURS[level]}m{text}\x1b[0m"


def as_json_text(report: Report) -> str:
    """`{"entries": [...], "counts": {...}}`; the members of an entry are those of `Entry`.

    `python` is null in both where Python was not compared: "none" would say that nothing differs.
    """
    entries: list[dict[str, Any]] = []
    for entry in report.entries:
        members = asdict(entry)
        if not report.python_compared:
            members["python"] = None
        entries.append(members)
    return json.dumps({"entries": entries, "counts": report.counts()}, indent=2)


def as_github(report: Report) -> str:
    """Workflow commands: an error for what breaks, a warning for what has to be looked at, and the
    summary.
    """
    lines: list[str] = []
    breaking = report.breaking()
    for entry in report.entries:
        if entry in breaking or "look" in (entry.wire, entry.python):
            command = "error" if entry in breaking else "warning"
            message = (
                f"{entry.shortened()} ({levels_text(report, entry)}; {entry.reached_by()}; "
                f"{entry.fingerprint})"
            )
            lines.append(_command(command, report, entry.place, message))
    lines += [_command("warning", report, "", each) for each in report.notices()]
    return "\n".join([*lines, _command("notice", report, "", report.summary())])


def _command(command: str, report: Report, title: str, message: str) -> str:
    """A workflow command, at the line of the innermost place that has one."""
    properties = f"file={_property(report.file)}"
    known = [place for place in around(title) if place in report.lines]
    if known:
        properties += f",line={report.lines[known[-1]]}"
    if title:
        properties += f",title={_property(title)}"
    return f"::{command} {properties}::{_data(message)}"


def _data(text: str) -> str:
    """A text as the message of a workflow command, escaped as by the toolkit of GitHub."""
    return one_line(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    """A text as the value of a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_markdown(report: Report) -> str:
    """The report in GitHub's Markdown: a table for each level."""
    lines = [f"## {_code(report.old)} → {_code(report.new)}", "", report.summary(), ""]
    for level, entries in report.by_level():
        title = f"{TITLES[level]} ({len(entries)})"
        table = [
            "| on the wire | in Python | place and change | operations |",
            "| --- | --- | --- | --- |",
        ]
        table += [_row(report, entry) for entry in entries]
        if level in ("breaks", "look"):
            lines += [f"### {title}", "", *table, ""]
        else:
            lines += [f"<details><summary>{title}</summary>", "", *table, "", "</details>", ""]
    return "\n".join([*lines, *(f"- {_escaped(each)}" for each in report.notices())]).rstrip("\n")


def _row(report: Report, entry: Entry) -> str:
    """One entry as a row of a table."""
    what = [_code(entry.place), _escaped(entry.shortened())]
    if entry.names:
        what.append(", ".join(map(_code, entry.names)))
    what += map(_escaped, _approvals_in_words(report, entry))
    what.append(f"<sub>{entry.fingerprint}</sub>")
    python = entry.python if report.python_compared else "?"
    reached = _escaped(entry.reached_by())
    return f"| {entry.wire} | {python} | {'<br>'.join(what)} | {reached} |"


def _approvals_in_words(report: Report, entry: Entry) -> list[str]:
    """The approvals of an entry in words."""
    approvals = dict.fromkeys(report.approval(entry, column) for column in COLUMNS)
    return [
        f"approved ({each.scope}) until {each.expires}: {each.reason}"
        for each in approvals
        if each is not None
    ]


def _escaped(text: str) -> str:
    """A text in which Markdown has no meaning."""
    return re.sub(r"([\\`*_{}\[\]<>()#+|!~@&-])", r"\\\1", one_line(text))


def _code(text: str) -> str:
    """A text as code in a table."""
    shown = html.escape(one_line(text)).replace("|", "&#124;").replace("`", "&#96;")
    return f"<code>{shown}</code>"


FORMATS: dict[str, Callable[[Report], str]] = {
    "json": as_json_text,
    "markdown": as_markdown,
    "github": as_github,
}
"""By the name of the option; text is the default."""
