"""The forms in which a report is shown."""

from __future__ import annotations

from collections.abc import Callable

from victor_ext.spec.diff.report import Report

from .annotations import as_github, as_junit, as_sarif
from .data import as_json_text
from .markup import as_html, as_markdown

FORMATS: dict[str, Callable[[Report], str]] = {
    "json": as_json_text,
    "markdown": as_markdown,
    "html": as_html,
    "github": as_github,
    "junit": as_junit,
    "sarif": as_sarif,
}
"""By the name of the option; text is the default."""
