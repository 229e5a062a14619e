"""Which operations of two documents are the same, and the places that have another name now."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from victor_spec.components import Components, Operation
from victor_spec.tree import around

_VERSION = re.compile(r"v?(\d[\d.-]*)((?:alpha|beta|rc|preview)\d*)?", re.IGNORECASE)
"""A segment of a path that is a version: `v1`, `2.1`, `v2beta3`, `2026-01-31`."""


_Version = tuple[list[int], bool, str]
"""The numbers of a version; whether it is no preview; and the word of a preview."""


class Moves:
    """The places of the old document that have another name in the new one, in both directions."""

    def __init__(self) -> None:
        self._now: dict[str, str] = {}
        self._before: dict[str, str] = {}

    def add(self, before: str, after: str) -> None:
        """Note the two names of one part. What is below it has them too."""
        if before != after:
            self._now.setdefault(before, after)
            self._before.setdefault(after, before)

    def now(self, place: str) -> str:
        """The place in the new document of a part of the old one, if the part is still there."""
        return _renamed(place, self._now)

    def before(self, place: str) -> str:
        """A place of the new document in the names of the old one."""
        return _renamed(place, self._before)


def _renamed(place: str, names: dict[str, str]) -> str:
    """A place with the other name of the innermost part at or around it that `names` has."""
    for part in reversed(around(place)) if names else ():
        if part in names:
            return names[part] + place[len(part) :]
    return place


def same_operations(old: Components, new: Components) -> dict[str, Operation]:
    """The operations of both documents, by their old names.

    An operation is the same when its method and path are (names of path parameters make no
    difference); otherwise when its operationId is; otherwise when its method is, and its path
    without versions.
    """
    pairs: dict[str, Operation] = {}
    for key in (wire_name, _id, _without_version):
        paired = {operation.name for operation in pairs.values()}
        earlier = _by_key(old, key, pairs)
        later = _by_key(new, key, paired)
        for value, before in earlier.items():
            after = later.get(value, [])
            is_ambiguous = len(before) > 1 or len(after) > 1
            if key is _id and is_ambiguous:
                continue  # an operationId that stands twice names nothing
            for operation, successor in zip(before, after, strict=False):
                pairs[operation.name] = successor
    return {name: pairs[name] for name in old.operations if name in pairs}


def _by_key(
    components: Components, key: Callable[[Operation], str], paired: Container[str]
) -> dict[str, list[Operation]]:
    """The operations that have no pair, by one of their keys; of several the one to use comes
    first.
    """
    groups: dict[str, list[Operation]] = {}
    for operation in sorted(components.operations.values(), key=_rank, reverse=True):
        value = key(operation)
        if value and operation.name not in paired:
            groups.setdefault(value, []).append(operation)
    return groups


def _id(operation: Operation) -> str:
    """The `operationId`, apart for requests of the provider; empty without one."""
    name = operation.tree.get("operationId")
    return f"{operation.incoming} {name}" if name else ""


def wire_name(operation: Operation) -> str:
    """The method and the path; names of path parameters make no difference."""
    return re.sub(r"{[^{}]*}", "{}", operation.name)


def _without_version(operation: Operation) -> str:
    """The method and the path, without the segments that are a version."""
    segments = wire_name(operation).split("/")
    return "/".join(segment for segment in segments if not _VERSION.fullmatch(segment))


def _rank(operation: Operation) -> tuple[bool, list[_Version]]:
    """Among operations that differ in their version only, a greater value for the one to use."""
    versions: list[_Version] = []
    for segment in operation.name.split("/"):
        version = _VERSION.fullmatch(segment)
        if version is not None:
            numbers = [int(number) for number in re.findall(r"\d+", version[1])]
            preview = version[2] or ""
            versions.append((numbers, not preview, preview))
    is_deprecated = operation.tree.get("deprecated") is True
    return not is_deprecated, versions


def renamed_parameters(old: Operation, new: Operation) -> dict[str, str]:
    """The new names of path parameters: by position in paths of one shape, else first by their
    names.
    """
    before = re.findall(r"{([^{}]*)}", old.name)
    after = re.findall(r"{([^{}]*)}", new.name)
    if _without_version(old) != _without_version(new):
        common = [name for name in before if name in after]
        before = [*dict.fromkeys([*common, *before])]
        after = [*dict.fromkeys([*common, *after])]
    return dict(zip(before, after, strict=False))


def moves_of(old: Components, same: dict[str, Operation]) -> Moves:
    """The places of operations that moved, and of path parameters with other names."""
    moves = Moves()
    items = {each.item_place for each in same.values()}
    for name, new in same.items():
        before = old.operations[name]
        for start, end in ((before.place, new.place), (before.item_place, new.item_place)):
            for first, second in renamed_parameters(before, new).items():
                moves.add(f"{start}.parameters.path:{first}", f"{end}.parameters.path:{second}")
        moves.add(before.place, new.place)
        if before.item_place not in items:
            for part in ("parameters", "servers"):
                moves.add(f"{before.item_place}.{part}", f"{new.item_place}.{part}")
    return moves
