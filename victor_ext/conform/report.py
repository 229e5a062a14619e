"""What was measured, for people and for programs: text, HTML for the provider's support, and a
comparison of two.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from victor_ext import ConfigurationError
from victor_ext._output import page_of
from victor_ext.privacy import is_object

from .run import CREATE, ELSEWHERE, UNMEASURED

FORMAT = 1
"""Of the file."""
Document = dict[str, Any]
Finding = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """A measurement. `document` is that of the file."""

    document: Document

    @property
    def findings(self) -> list[Finding]:
        """All of them, in the order of the page."""
        return [*self.document["findings"].values()]

    @property
    def differences(self) -> list[Finding]:
        """The findings that differ from what is assumed."""
        return [each for each in self.findings if each["differs"]]

    @property
    def failures(self) -> list[Finding]:
        """What could not be measured, and may be later."""
        return [each for each in self.findings if each["certainty"] == "not measured"]

    @property
    def made(self) -> list[str]:
        """The ids of the payment requests that are known to be made."""
        return [*dict.fromkeys(each["id"] for each in self._creates if each["id"])]

    @property
    def _creates(self) -> list[dict[str, Any]]:
        return [
            each
            for each in self.document["calls"]
            if "step" in each and each["request"]["path"] == CREATE
        ]

    @property
    def creates(self) -> str:
        """What was made, and of how many it is not known."""
        text = (
            f"Payment requests that were made: {len(self.made)} ({', '.join(self.made) or 'none'})."
        )
        unknown = sum(
            each["state"] in ("sent", "unknown") and not each["id"] for each in self._creates
        )
        if unknown:
            text += (
                f"\nOf {unknown} more, it is not known whether they were made: see 'calls' in "
                "the file."
            )
        return text

    def text(self) -> str:
        """The report as lines of text."""
        return "\n".join(self._lines())

    def changes(self, before: Report) -> list[str]:
        """What is measured otherwise than in an earlier report, each.

        See `not_compared` for what is left out.
        """
        return [
            f"{name}: {old['value']} before, {new['value']} now"
            for name, (old, new) in self._differing(before).items()
            if old["certainty"] == new["certainty"] == "certain"
        ]

    def not_compared(self, before: Report) -> list[str]:
        """The names of what only one of two reports has measured, or what is only likely in one and
        differs.
        """
        differing = self._differing(before).items()
        return [
            name for name, pair in differing if {each["certainty"] for each in pair} != {"certain"}
        ]

    def _differing(self, before: Report) -> dict[str, tuple[Finding, Finding]]:
        nothing: Finding = {"value": None, "certainty": ""}
        old, new = before.document["findings"], self.document["findings"]
        pairs = {name: (old.get(name, nothing), new.get(name, nothing)) for name in {**old, **new}}
        return {name: pair for name, pair in pairs.items() if pair[0]["value"] != pair[1]["value"]}

    def comparison(self, before: Report) -> str:
        """The changes since an earlier report, as lines of text, and what could not be compared."""
        lines = [f"changed: {each}" for each in self.changes(before)] or [
            "Nothing that was compared has changed."
        ]
        if names := self.not_compared(before):
            lines.append(
                "Not compared, since one of the two did not measure them for certain: "
                f"{', '.join(names)}."
            )
        lines += [
            f"The earlier file has another {name}: {before.document[name]}."
            for name in ("system", "environment", "base_url")
            if before.document[name] != self.document[name]
        ]
        return "\n".join(lines)

    def html(self) -> str:
        """The report as a page that loads nothing, with each redacted exchange: for the provider's
        support.

        It needs the extra `cli`.
        """
        shown = partial(json.dumps, indent=2, ensure_ascii=False)
        return "".join(page_of("victor_ext.conform", "report.html", report=self, shown=shown))

    @property
    def summary(self) -> str:
        """How many findings there are of each kind, such as `2 not asked`."""
        kinds = Counter(each["certainty"] for each in self.findings if each["value"] is None)
        without = "".join(f", {kinds[kind]} {kind}" for kind in UNMEASURED)
        measured = len(self.findings) - kinds.total()
        return f"{measured} assumptions measured: {len(self.differences)} differ{without}."

    def _lines(self) -> Iterator[str]:
        document = self.document
        place = ", ".join(filter(None, [document["system"], document["environment"]]))
        yield f"{place} ({document['base_url']}), {document['measured_at']}"
        for finding in self.findings:
            is_measured = finding["value"] is not None
            mark = "!" if finding["differs"] else "=" if is_measured else "-"
            value = finding["value"] if is_measured else finding["certainty"]
            likely = " (likely)" if finding["certainty"] == "likely" else ""
            yield f"{mark} {finding['assumption']}: {value}{likely}. {finding['sentence']}"
            if finding["differs"]:
                yield f"    assumed: {finding['assumed']}. {finding['means']}"
            if is_measured and finding["measured_at"] < document.get("began_at", ""):
                yield (
                    f"    measured at {finding['measured_at']}, not repeated: {ELSEWHERE} to "
                    "repeat it"
                )
            if finding["note"]:
                yield f"    {finding['note']}"
        yield self.creates
        if lost := [each["assumption"] for each in self.failures if ELSEWHERE in each["note"]]:
            yield f"To run it again with this file cannot measure {', '.join(lost)}: {ELSEWHERE}."
        yield self.summary


def load(file: str | os.PathLike[str]) -> Report:
    """The report in a file. Raises `ConfigurationError` if there is none."""
    path = Path(file)
    try:
        document: Document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        document = {}
    if not is_object(document) or document.get("format") != FORMAT:
        raise ConfigurationError(
            f"{path} is no file of 'victor conform' of format {FORMAT}: name another one."
        )
    return Report(document)
