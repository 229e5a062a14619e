"""What a person has decided, in a file beside the document: losses that are accepted, and changes
that are approved.
"""

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from .tree import is_list, is_mapping, reason_of

LITERAL_WORDS = 2
"""What a pattern says of the loss at least."""


class DecisionError(Exception):
    """The file cannot be used; the message says where, and what to write."""


@dataclass(frozen=True)
class Acceptance:
    """One accepted loss, or the losses of one kind (recipe/docs/packages.md)."""

    place: str
    """The whole text of the loss, or the pattern."""
    reason: str
    since: str
    pattern: re.Pattern[str] | None = None

    def matches(self, loss: str) -> bool:
        if self.pattern is None:
            return self.place == loss
        return self.pattern.fullmatch(loss) is not None


@dataclass(frozen=True)
class Approval:
    """One approved change (recipe/docs/changes.md)."""

    fingerprint: str
    reason: str
    scope: str
    """"wire", "python" or "both"."""
    expires: datetime.date


Kind = Literal["accepted", "approved", "overlay", "settings"]
"""The files that stand beside a document."""


def default_path(document: Path, kind: Kind) -> Path:
    """`shop.yaml` has `shop.accepted.yaml` beside it."""
    return document.parent / f"{document.stem}.{kind}.yaml"


def read_accepted(path: Path) -> list[Acceptance]:
    """The accepted losses; none when there is no such file. Raises DecisionError."""
    accepted: list[Acceptance] = []
    forms = ("place", "reason", "since"), ("places", "reason", "since")
    for where, entry in _entries(path, *forms):
        place = entry.get("place") or entry["places"]
        pattern = None if "place" in entry else _pattern(where, place)
        accepted.append(Acceptance(place, entry["reason"], entry["since"], pattern))
    return accepted


def _pattern(where: str, places: str) -> re.Pattern[str]:
    place, _, what = places.partition(": ")
    words = what.split()
    if sum("*" not in word for word in words) < LITERAL_WORDS:
        raise DecisionError(
            f"{where}: places is {places!r}: write the text of a loss, `place: words`, with `*` "
            f"for what differs; at least {LITERAL_WORDS} of its words are no `*`."
        )
    any_place = r"(?:(?!: ).)+"
    ways = [
        re.escape(place).replace(r"\*", any_place),
        *(re.escape(word).replace(r"\*", r"\S+") for word in words),
    ]
    return re.compile(f"{ways[0]}: {' '.join(ways[1:])}")


def read_approvals(path: Path) -> list[Approval]:
    """The approved changes; none when there is no such file. Raises DecisionError."""
    approvals: list[Approval] = []
    for where, entry in _entries(path, ("fingerprint", "reason", "scope", "expires")):
        if entry["scope"] not in ("wire", "python", "both"):
            raise DecisionError(
                f"{where}: the scope is {entry['scope']!r}: write wire, python or both."
            )
        expires = datetime.date.fromisoformat(entry["expires"])
        approvals.append(Approval(entry["fingerprint"], entry["reason"], entry["scope"], expires))
    return approvals


def _entries(path: Path, *forms: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """The entries of a file, each with what to call it and with the keys of one of the forms."""
    try:
        text = path.read_text(encoding="utf-8")
        written: Any = yaml.load(text, yaml.CBaseLoader) or []  # noqa: S506 - it makes only texts
    except FileNotFoundError:
        return
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DecisionError(f"{path} cannot be read: {reason_of(error)}") from error
    if not is_list(written):
        raise DecisionError(f"{path} is not a list: write `- {forms[0][0]}: ...` for each entry.")
    for number, entry in enumerate(written, 1):
        where = f"{path}, entry {number}"
        yield where, _texts_of(entry, where, forms)


def _texts_of(entry: Any, where: str, forms: Sequence[Sequence[str]]) -> dict[str, str]:
    """The texts of an entry. Raises DecisionError for one that has none of the forms."""
    texts: dict[str, str] = {}
    for key, text in entry.items() if is_mapping(entry) else ():
        texts[key] = text.strip() if isinstance(text, str) else ""
    if {*texts} not in map(set, forms) or not all(texts.values()):
        keys = " or ".join(map(", ".join, forms))
        raise DecisionError(f"{where}: write the keys {keys}, each with a text, and no others.")
    for key in {"since", "expires"} & texts.keys():
        parse_day(texts[key], f"{where}: {key}")
    return texts


def parse_day(text: str, what: str) -> datetime.date:
    """A day as YYYY-MM-DD. Raises DecisionError."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise DecisionError(
            f"{what} is {text!r}: write a day as YYYY-MM-DD, such as 2027-01-31."
        ) from None


def add_entries(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write entries at the end of a file, whose comments stay.

    Raises DecisionError, and OSError.
    """
    before = path.read_text(encoding="utf-8").rstrip() if path.exists() else ""
    before = "" if before in ("", "[]") else f"{before}\n"
    if not all(entry["reason"].strip() for entry in entries):
        raise DecisionError("The reason is empty: write why it is right.")
    if re.search(r"^\[", before, re.MULTILINE):
        raise DecisionError(
            f"{path}: write its entries as `- ...`, so that others can be added below them."
        )
    # One by one: of objects that are the same, YAML writes the second as an alias.
    items = (
        yaml.safe_dump([{**entry}], sort_keys=False, allow_unicode=True, width=1_000_000)
        for entry in entries
    )
    if entries:
        path.write_text(before + "".join(items), encoding="utf-8", newline="\n")
