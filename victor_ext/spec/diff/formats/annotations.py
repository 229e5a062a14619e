"""The report for tools that show findings beside the code: GitHub's annotations, JUnit and SARIF."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from victor_ext.spec.diff.approvals import Column
from victor_ext.spec.diff.entry import Entry, Level
from victor_ext.spec.diff.report import COLUMNS, Report, levels_text, one_line, operations_text

_NAMES: dict[Column, str] = {"wire": "on the wire", "python": "in Python"}
_SEVERITIES: dict[Level, str] = {"breaks": "error", "look": "warning", "fine": "note", "none": "none"}


def as_github(report: Report) -> str:
    """Workflow commands: an error for what breaks, a warning for what has to be looked at, and the summary."""
    lines: list[str] = []
    for entry in report.entries:
        unapproved = any(report.approvals.counts(entry, column) for column in COLUMNS)
        if unapproved or "look" in (entry.wire, entry.python):
            command = "error" if unapproved else "warning"
            message = f"{entry.what} ({levels_text(report, entry)}; {operations_text(entry)}; {entry.fingerprint})"
            lines.append(_command(command, report, entry.place, message))
    lines += [_command("warning", report, "", each) for each in report.notices()]
    return "\n".join([*lines, _command("notice", report, "", report.summary())])


def _command(command: str, report: Report, title: str, message: str) -> str:
    line = f",line={report.lines.of(title)}" if title and report.lines is not None else ""
    properties = f"file={_property(report.file)}{line}" + (f",title={_property(title)}" if title else "")
    return f"::{command} {properties}::{_data(message)}"


def _data(text: str) -> str:
    """As the toolkit of GitHub's actions escapes it."""
    return one_line(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def as_junit(report: Report) -> str:
    """A test suite for each column, and a test case for each entry; what is approved is skipped."""
    suites = ElementTree.Element("testsuites", name="victor spec diff")
    for column in COLUMNS:
        entries = [entry for entry in report.entries if _level(entry, column) != "none"]
        failing = [entry for entry in entries if report.approvals.counts(entry, column)]
        skipped = [entry for entry in entries if report.approval(entry, column) is not None]
        counts = {"tests": len(entries), "failures": len(failing), "errors": 0, "skipped": len(skipped)}
        suite = ElementTree.SubElement(
            suites, "testsuite", {"name": _NAMES[column], **{key: str(count) for key, count in counts.items()}}
        )
        for entry in entries:
            _test_case(report, entry, column, suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode")


def _test_case(report: Report, entry: Entry, column: Column, suite: ElementTree.Element) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=_NAMES[column], name=_xml(entry.place))
    approval = report.approval(entry, column)
    message = _xml(entry.what)
    if approval is not None:
        ElementTree.SubElement(case, "skipped", message=_xml(f"approved until {approval.expires}: {approval.reason}"))
    elif _level(entry, column) == "breaks":
        failure = ElementTree.SubElement(case, "failure", type=f"{column}-breaks", message=message)
        failure.text = _xml("\n".join([entry.what, operations_text(entry), *entry.names, entry.fingerprint]))
    else:
        ElementTree.SubElement(case, "system-out").text = f"{_level(entry, column)}: {message}"


def _xml(text: str) -> str:
    """A text without the characters that XML does not have."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def as_sarif(report: Report) -> str:
    """SARIF 2.1.0: a result for each column of an entry that says something; what is approved is suppressed."""
    results = [
        _result(report, entry, column)
        for entry in report.entries
        for column in COLUMNS
        if _level(entry, column) != "none"
    ]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "victor spec diff", "rules": _rules()}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    log: dict[str, Any] = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2)


def _rules() -> list[dict[str, Any]]:
    texts = {"breaks": "Something breaks", "look": "A person has to look", "fine": "It does no harm"}
    return [
        {
            "id": f"{column}-{level}",
            "shortDescription": {"text": f"{text} {_NAMES[column]}"},
            "defaultConfiguration": {"level": _SEVERITIES[level]},
        }
        for column in COLUMNS
        for level, text in texts.items()
        if level in _SEVERITIES
    ]


def _result(report: Report, entry: Entry, column: Column) -> dict[str, Any]:
    level, approval = _level(entry, column), report.approval(entry, column)
    line = 1 if report.lines is None else report.lines.of(entry.place)
    artifact = {"uri": quote(report.file.replace("\\", "/"))}
    result: dict[str, Any] = {
        "ruleId": f"{column}-{level}",
        "level": _SEVERITIES[level],
        "message": {"text": f"{one_line(entry.place)}: {one_line(entry.what)} ({operations_text(entry)})"},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": line}},
                "logicalLocations": [{"fullyQualifiedName": entry.place, "kind": "member"}],
            }
        ],
        "partialFingerprints": {"victorSpecDiff/v1": f"{column}-{entry.fingerprint}"},
    }
    if approval is not None:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": approval.reason}]
    return result


def _level(entry: Entry, column: Column) -> Level:
    return entry.wire if column == "wire" else entry.python
