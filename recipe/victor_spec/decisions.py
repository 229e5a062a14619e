"""What a person has accepted, in `<document>.accepted.yaml` beside the document: what a package
lacks, and what a newer document breaks.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from .tree import is_list, is_mapping, reason_of

BREAKS = "breaks: "
"""What the text of a break begins with."""
Kind = Literal["accepted", "overlay", "settings"]
"""The files that stand beside a document."""


class DecisionError(Exception):
    """The file cannot be used; the message says where, and what to write."""


@dataclass(frozen=True)
class Acceptance:
    """One accepted loss, or break."""

    place: str
    """The whole text of it."""
    reason: str
    since: str


def default_path(document: Path, kind: Kind) -> Path:
    """`shop.yaml` has `shop.accepted.yaml` beside it."""
    return document.parent / f"{document.stem}.{kind}.yaml"


def read_accepted(path: Path) -> list[Acceptance]:
    """What is accepted; nothing when there is no such file. Raises DecisionError."""
    try:
        text = path.read_text(encoding="utf-8")
        written: Any = yaml.load(text, yaml.CBaseLoader) or []  # noqa: S506 - it makes only texts
    except FileNotFoundError:
        return []
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DecisionError(f"{path} cannot be read: {reason_of(error)}") from error
    keys = {"place", "reason", "since"}
    for entry in written if is_list(written) else [written]:
        texts = entry.values() if is_mapping(entry) and entry.keys() == keys else [None]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise DecisionError(
                f"{path}: write a list of entries with the keys place, reason and since, each with "
                "a text, and no others."
            )
    return [Acceptance(**entry) for entry in written]


def accept(path: Path, texts: Iterable[str], reason: str) -> list[str]:
    """Write an entry for each text that has none at the end of a file, whose comments stay; returns
    these texts.

    Raises DecisionError, and OSError.
    """
    if not reason.strip():
        raise DecisionError("The reason is empty: write why it is right.")
    known = {each.place for each in read_accepted(path)}
    added = [text for text in dict.fromkeys(texts) if text not in known]
    before = path.read_text(encoding="utf-8").rstrip() if path.exists() else ""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = [{"place": text, "reason": reason.strip(), "since": today} for text in added]
    if rows:
        text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=1_000_000)
        path.write_text(f"{before}\n{text}".lstrip(), encoding="utf-8", newline="\n")
    return added
