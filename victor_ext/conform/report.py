"""What was measured: a file for programs, Markdown for people, and a comparison of two."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from victor_ext import ConfigurationError
from victor_ext.privacy import is_object

from .assumptions import ASSUMPTIONS, assumption_of
from .run import CREATE, ELSEWHERE, UNMEASURED

FORMAT = 1
"""Of the file."""
_NOTHING_TO_DO = "nothing to do."
"""With what the advice ends of a difference that asks nothing of the user."""
_MOST_NUMBERS = 12
"""How many calls are named one by one."""
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
        return [finding for finding in self.findings if finding["differs"]]

    @property
    def failures(self) -> list[Finding]:
        """What could not be measured, and may be later."""
        return [finding for finding in self.findings if finding["certainty"] == "not measured"]

    @property
    def made(self) -> list[str]:
        """The ids of the payment requests that are known to be made."""
        ids = [call["id"] for call in self._creates if call["id"]]
        return [*dict.fromkeys(ids)]

    @property
    def _creates(self) -> list[dict[str, Any]]:
        writes = [call for call in self.document["calls"] if "step" in call]
        return [call for call in writes if call["request"]["path"] == CREATE]

    @property
    def creates(self) -> str:
        """What was made: the number with the ids, or its bounds where answers leave it open."""
        if not self._creates and not self.document["plan"].get("payer"):
            return "Only reads were sent: nothing was created or changed."
        named = ", ".join(self.made) or "none"
        least, most = self._bounds()
        if least == most:
            return f"Payment requests that were made: {least} ({named})."
        return (
            f"At least {least} payment requests were made ({named}), at most {most}: 'calls' in "
            "the file has those whose answer does not say it."
        )

    def _bounds(self) -> tuple[int, int]:
        """The least and the greatest number of payment requests that may have been made.

        A create counts until a refusal, or the id of an earlier one in its answer, proves that it
        made nothing.
        """
        named_keys: set[str | None] = set()
        accepted_keys: list[str | None] = []
        doubtful = 0
        ids = set[str]()
        for call in self._creates:
            key, id, state = call["request"].get("key"), call["id"], call["state"]
            if state == "refused":
                continue
            if id:
                named_keys.add(key)
            elif state == "made":
                accepted_keys.append(key)
            if not id or (state == "found" and id in ids):
                doubtful += 1
            ids.update([id] if id else [])
        # A repeat under the key of another one may have made nothing more.
        unnamed = {key for key in accepted_keys if key} - named_keys
        least = len(self.made) + len(unnamed) + accepted_keys.count(None)
        return least, len(self.made) + doubtful

    def text(self) -> str:
        """The report in Markdown: for a terminal, and for a ticket of the provider."""
        document = self.document
        system = ", ".join(filter(None, (document["system"], document["environment"])))
        blocks = [
            f"# {system} ({document['base_url']}), {document['measured_at']}",
            "\n".join(map(self._item_of, self.findings)),
            self.creates,
        ]
        lost = [each["assumption"] for each in self.failures if ELSEWHERE in each["note"]]
        if lost:
            names = ", ".join(lost)
            blocks.append(f"To run it again with this file cannot measure {names}: {ELSEWHERE}.")
        blocks.append(self.summary)
        return "\n\n".join(blocks)

    @property
    def summary(self) -> str:
        """How many findings there are of each kind, such as `2 not asked`."""
        without = [finding for finding in self.findings if finding["value"] is None]
        kinds = Counter(finding["certainty"] for finding in without)
        counts = [f"{len(self.differences)} differ"]
        counts += [f"{kinds[kind]} {kind}" for kind in UNMEASURED if kinds[kind]]
        measured = [finding for finding in self.findings if finding["value"] is not None]
        expected = [finding for finding in measured if finding["assumption"] in ASSUMPTIONS]
        text = f"{len(expected)} assumptions measured: {', '.join(counts)}."
        others = len(measured) - len(expected)
        if not others:
            return text
        noun = "read was" if others == 1 else "reads were"
        return f"{others} {noun} measured of which nothing is assumed. {text}"

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
        return [
            name
            for name, (old, new) in self._differing(before).items()
            if not old["certainty"] == new["certainty"] == "certain"
        ]

    def comparison(self, before: Report) -> str:
        """The changes since an earlier report in Markdown, and what could not be compared."""
        changes = [f"- changed: {change}" for change in self.changes(before)]
        blocks = ["\n".join(changes) or "Nothing that was compared has changed."]
        names = ", ".join(self.not_compared(before))
        if names:
            blocks.append(
                f"Not compared, since one of the two did not measure them for certain: {names}."
            )
        for name in ("system", "environment", "base_url"):
            earlier = before.document[name]
            if earlier != self.document[name]:
                blocks.append(f"The earlier file has another {name}: {earlier}.")
        return "\n\n".join(blocks)

    def _differing(self, before: Report) -> dict[str, tuple[Finding, Finding]]:
        nothing: Finding = {"value": None, "certainty": ""}
        old, new = before.document["findings"], self.document["findings"]
        differing: dict[str, tuple[Finding, Finding]] = {}
        for name in old | new:
            earlier, later = old.get(name, nothing), new.get(name, nothing)
            if earlier["value"] != later["value"]:
                differing[name] = (earlier, later)
        return differing

    def _item_of(self, finding: Finding) -> str:
        """A finding as an item of a list, and what belongs to it as items below."""
        details: list[str] = []
        if finding["differs"]:
            details.append(_assumed(finding))
            if finding["evidence"]:
                details.append(f"shown by: {_calls(finding['evidence'])} in the file")
            elif assumption_of(finding["assumption"]).not_in_calls:
                reason = assumption_of(finding["assumption"]).not_in_calls
                details.append(f"shown by: {reason}")
        if self._is_of_an_earlier_run(finding):
            date = finding["measured_at"]
            details.append(f"measured at {date}, not repeated: {ELSEWHERE} to repeat it")
        if finding["note"]:
            details.append(finding["note"])
        return "\n  - ".join([_headline(finding), *details])

    def _is_of_an_earlier_run(self, finding: Finding) -> bool:
        if finding["value"] is None:
            return False
        measured_at: str = finding["measured_at"]
        began_at: str = self.document.get("began_at", "")
        return measured_at < began_at


def _headline(finding: Finding) -> str:
    name, value = finding["assumption"], finding["value"]
    if value is None:
        return f"- {name}: {finding['certainty']}. {finding['sentence']}"
    likely = " (likely)" if finding["certainty"] == "likely" else ""
    if name not in ASSUMPTIONS:
        return f"- {name}{likely}: {finding['found']}."
    mark = "="
    if finding["differs"]:
        mark = "~" if finding["means"].endswith(_NOTHING_TO_DO) else "!"
    return f"- {mark} {name}: {value}{likely}: {finding['found']}."


def _assumed(finding: Finding) -> str:
    """What is assumed in place of what was found, and what that means for the user."""
    assumed = finding["assumed"]
    words = assumption_of(finding["assumption"]).told(assumed)
    return f"assumed: {assumed}: {words}. {finding['means']}"


def _calls(numbers: list[int]) -> str:
    if len(numbers) > _MOST_NUMBERS:
        return f"{len(numbers)} calls from {min(numbers)} to {max(numbers)}"
    noun = "call" if len(numbers) == 1 else "calls"
    return f"{noun} {', '.join(map(str, numbers))}"


def load(file: str | os.PathLike[str]) -> Report:
    """The report in a file. Raises `ConfigurationError` if there is none."""
    path = Path(file)
    try:
        document: Document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        document = {}
    is_ours = is_object(document) and document.get("format") == FORMAT
    if not is_ours or not {"plan", "findings", "calls"} <= document.keys():
        raise ConfigurationError(
            f"{path} is no file of 'victor conform' of format {FORMAT}: name another one."
        )
    return Report(document)
