"""Approved changes: what a person has looked at, and why it may pass.

The file has a list of mappings with the keys `fingerprint`, `reason`, `scope` (wire, python or both) and `expires`
(a date; the last day on which the approval counts).
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from victor_ext.spec.document import read_entries
from victor_ext.spec.tree import is_list, is_mapping

from .entry import Entry

Scope = Literal["wire", "python", "both"]
Column = Literal["wire", "python"]

_KEYS = ("fingerprint", "reason", "scope", "expires")
_SCOPES: tuple[Scope, ...] = ("wire", "python", "both")


class ApprovalError(Exception):
    """The file of approvals cannot be used; the message names the place and what to write."""


@dataclass(frozen=True)
class Approval:
    """One approved change."""

    fingerprint: str
    reason: str
    scope: Scope
    expires: datetime.date

    def covers(self, column: Column) -> bool:
        """Whether it is about a column."""
        return self.scope in (column, "both")


@dataclass(frozen=True)
class Approvals:
    """The approvals of one comparison."""

    approved: Sequence[Approval] = ()
    today: datetime.date = datetime.date.min

    def of(self, entry: Entry, column: Column) -> Approval | None:
        """The approval that lets a column of an entry pass."""
        return next((each for each in self._all(entry) if each.covers(column) and each.expires >= self.today), None)

    def expired(self, entry: Entry) -> list[Approval]:
        """The approvals of an entry that no longer count, unless it has others."""
        expired = [each for each in self._all(entry) if each.expires < self.today]
        return expired if expired == self._all(entry) else []

    def unknown(self, entries: Iterable[Entry]) -> list[Approval]:
        """The approvals that no entry has: their change is gone, or is another one now."""
        known = {entry.fingerprint for entry in entries}
        return [each for each in self.approved if each.fingerprint not in known]

    def counts(self, entry: Entry, column: Column) -> bool:
        """Whether a column of an entry breaks something and was not approved."""
        level = entry.wire if column == "wire" else entry.python
        return level == "breaks" and self.of(entry, column) is None

    def _all(self, entry: Entry) -> list[Approval]:
        return [each for each in self.approved if each.fingerprint == entry.fingerprint]


def read_approvals(path: Path) -> list[Approval]:
    """The approvals in a file; none when there is no such file. Raises ApprovalError."""
    items = read_entries(path, ApprovalError)
    if not is_list(items):
        raise ApprovalError(f"{path} is not a list: write `- fingerprint: ...` for each approved change.")
    return [_approval(item, f"{path}, item {number}") for number, item in enumerate(items, 1)]


def _approval(item: object, where: str) -> Approval:
    if not is_mapping(item) or set(item) != set(_KEYS):
        keys = sorted(item) if is_mapping(item) else item
        raise ApprovalError(f"{where} has {keys!r}: write the keys {', '.join(_KEYS)}.")
    fingerprint, reason, scope, expires = (item[key] for key in _KEYS)
    if not isinstance(fingerprint, str) or not re.fullmatch(r"[0-9a-f]{16}", fingerprint):
        raise ApprovalError(f"{where}: the fingerprint is {fingerprint!r}: copy the 16 digits that the report shows.")
    if not isinstance(reason, str) or not reason.strip():
        raise ApprovalError(f"{where}: the reason is empty: write why the change may pass.")
    known: Scope | None = next((each for each in _SCOPES if each == scope), None)
    if known is None:
        raise ApprovalError(f"{where}: the scope is {scope!r}: write wire, python or both.")
    return Approval(fingerprint, reason, known, parse_date(expires, where))


def parse_date(text: object, where: str) -> datetime.date:
    """A date as `YYYY-MM-DD`. Raises ApprovalError."""
    try:
        if isinstance(text, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise ApprovalError(f"{where}: the date is {text!r}: write a day as YYYY-MM-DD, such as 2027-01-31.")


def write_approvals(path: Path, added: Sequence[Approval]) -> None:
    """Add approvals at the end of a file, which is made if there is none. Comments in it stay. Raises OSError."""
    earlier = path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else ""
    items = [
        f"- fingerprint: '{each.fingerprint}'\n  reason: {json.dumps(each.reason, ensure_ascii=False)}\n"
        f"  scope: {each.scope}\n  expires: {each.expires.isoformat()}"
        for each in added
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*([earlier] if earlier else []), *items]) + "\n", encoding="utf-8")
