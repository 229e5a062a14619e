"""Whether `info.version` moved as far as the changes ask for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from victor_ext.spec.tree import Tree, mapping_at

from .entry import Entry

_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+.].*)?")


def version_problem(old: Tree, new: Tree, entries: Iterable[Entry]) -> str | None:
    """What is wrong with the new version, and what to write; None when it is right.

    A change that breaks on the wire asks for a new major version (a new minor one below 1.0), another entry for a new
    minor one at least, and no change for none; no version goes back.
    """
    before, after = (str(mapping_at(each, "info").get("version", "")) for each in (old, new))
    levels = {entry.wire for entry in entries}
    first, second = _numbers(before), _numbers(after)
    if not levels:
        back = first is not None and second is not None and second < first
        return f"info.version went back from {before} to {after}: write {before} or a later one." if back else None
    step = "major" if "breaks" in levels else "minor" if levels - {"none"} else "patch"
    if first is None:
        return None if before != after else f"info.version is still {before!r}: give it a new value."
    needed = _next(first, step)
    wanted = ".".join(map(str, needed))
    if second is None:
        return f"info.version is {after!r}, which is no version like {before}: write {wanted}."
    if second < needed:
        moved = "is still" if first == second else f"moved from {before} to"
        reason = {"major": "something breaks on the wire", "minor": "something was added", "patch": "something changed"}
        return f"info.version {moved} {after}, though {reason[step]}: write {wanted} or a later one."
    return None


def _numbers(version: str) -> tuple[int, int, int] | None:
    match = _VERSION.fullmatch(version.strip())
    if match is None:
        return None
    major, minor, patch = (int(each or 0) for each in match.groups())
    return major, minor, patch


def _next(version: tuple[int, int, int], step: str) -> tuple[int, int, int]:
    major, minor, patch = version
    if step == "major" and major > 0:
        return major + 1, 0, 0
    return (major, minor + 1, 0) if step == "major" or (step == "minor" and major > 0) else (major, minor, patch + 1)
