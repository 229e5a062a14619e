"""Compare the models and enums of two generated packages; see `packages` for the rules."""

from __future__ import annotations

from collections.abc import Iterator

from .annotations import text_of
from .blame import SCHEMAS
from .entry import Level, worst
from .packages import Finding, Packages
from .surface import Attribute, Model, Words


def class_findings(packages: Packages) -> Iterator[Finding]:
    """What changed in the models and enums."""
    blame = packages.blame
    for name, now in packages.classes.items():
        places = packages.places(name)
        default = next(iter(places), f"{SCHEMAS}{name}")
        if now is None:
            yield Finding(blame.cause(places, default), "breaks", f"models.{name}", f"the class {name} is gone")
            continue
        if now != name:
            at = _named_after(packages, places) or blame.cause(places, default)
            yield Finding(at, "breaks", f"models.{name}", f"the class {name} is now {now}")
        if name in packages.old.models:
            yield from _Pair(packages, name, now).findings()
        else:
            yield from _members(name, packages.old.enums[name], packages.new.enums[now], blame.cause(places, default))
    for name in packages.new.classes:
        if name not in packages.classes.values() and not packages.had_class(name):
            places = packages.places(name, new=True)
            at = next((blame.outermost_new(place) for place in places), f"{SCHEMAS}{name}")
            yield Finding(at, "fine", f"models.{name}", f"the class {name} is new")


def _named_after(packages: Packages, places: tuple[str, ...]) -> str | None:
    """What a class is named after, if that has another name now: a schema, or the function of an operation."""
    for place in places:
        for schema in packages.blame.schemas:
            if place == SCHEMAS + schema or place.startswith((f"{SCHEMAS}{schema}.", f"{SCHEMAS}{schema}[")):
                return SCHEMAS + schema
        for operation in packages.blame.old.functions.values():
            if place.startswith(f"{operation}.") and packages.has_new_id(operation):
                return f"{operation}.operationId"
    return None


def _members(name: str, old: Words, new: Words, at: str) -> Iterator[Finding]:
    for member, value in old.members.items():
        shown = f"models.{name}.{member}"
        if member not in new.members:
            yield Finding(at, "breaks", shown, f"{name}.{member} is gone")
        elif new.members[member] != value:
            yield Finding(at, "look", shown, f"{name}.{member} is {new.members[member]!r}, not {value!r}")
    for member in new.members:
        if member not in old.members:
            yield Finding(at, "fine", f"models.{name}.{member}", f"{name}.{member} is new")


class _Pair:
    """A model, and what it is now."""

    def __init__(self, packages: Packages, name: str, now: str) -> None:
        self._packages = packages
        self._blame = packages.blame
        self._name = name
        self._now = now
        self._old: Model = packages.old.models[name]
        self._new: Model = packages.new.models[now]
        self._sent = name in packages.old.sent
        # What answers no longer have cannot be read in the wrong way.
        self._received = name in packages.old.received and now in packages.new.received
        self._names = dict(self._pairs())

    def findings(self) -> Iterator[Finding]:
        for attribute, before in self._old.attributes.items():
            yield from self._attribute(attribute, before)
        for attribute, added in self._new.attributes.items():
            if attribute not in self._names.values():
                yield self._added(attribute, added)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """The old and the new name of each attribute that is still there."""
        free = [each for each in self._new.attributes if each not in self._old.attributes]
        for attribute in self._old.attributes:
            if attribute in self._new.attributes:
                yield attribute, attribute
                continue
            places = {self._blame.moved(place) for place in self._blame.old.attributes.get((self._name, attribute), ())}
            same = [each for each in free if places & set(self._blame.new.attributes.get((self._now, each), ()))]
            if same:
                yield attribute, same[0]

    def _attribute(self, attribute: str, old: Attribute) -> Iterator[Finding]:
        places = self._blame.old.attributes.get((self._name, attribute), ())
        around = self._packages.places(self._name)
        place = next(iter((*places, *around)), f"{SCHEMAS}{self._name}")
        shown, what = f"models.{self._name}.{attribute}", f"{self._now}.{self._names.get(attribute)}"
        if attribute not in self._names:
            at = self._blame.cause([*places, *around], place)
            yield Finding(at, "breaks", shown, f"{self._name}.{attribute} is gone")
            return
        at = self._blame.cause(places, place)
        if self._names[attribute] != attribute:
            yield Finding(at, "breaks", shown, f"{self._name}.{attribute} is now {what}")
        new = self._new.attributes[self._names[attribute]]
        before = self._packages.today(old.type)
        levels: list[Level] = [self._packages.is_read(before, new.type)] if self._received else []
        if self._sent:
            levels.append(self._packages.is_passed(before, new.type))
        if worst(levels) != "none":
            yield Finding(at, worst(levels), shown, f"{what} is {text_of(new.type)}, not {text_of(old.type)}")
        if self._sent and new.required and not old.required:
            yield Finding(place, "breaks", shown, f"{what} is required now")
        if self._sent and old.required and not new.required:
            yield Finding(place, "fine", shown, f"{what} may be left out now")

    def _added(self, attribute: str, new: Attribute) -> Finding:
        places = [
            *self._blame.new.attributes.get((self._now, attribute), ()),
            *self._packages.places(self._now, new=True),
        ]
        at = next((found for place in places if (found := self._blame.new_around(place))), None)
        needed = self._sent and new.required
        what = f"{self._now}.{attribute} is new{' and required' if needed else ''}"
        default = next(iter(places), f"{SCHEMAS}{self._now}")
        return Finding(at or default, "breaks" if needed else "fine", f"models.{self._now}.{attribute}", what)
