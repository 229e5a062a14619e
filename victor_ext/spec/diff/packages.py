"""Compare two generated packages: what of the code that uses the old one fails with the new one.

The rules, for a caller who names the arguments of constructors and takes results with the declared types:

- `breaks`: the code fails at run time or in `mypy --strict`. A module, function, argument, class, attribute or member
  is gone or has another name; an argument is new and required, or became so; the order of arguments that can be given
  by position changed; what is passed is no longer accepted; what is read may have a type that was not declared.
- `look`: the code runs and type-checks, but what is read has a narrower or another type than before.
- `fine`: something is new, or accepts more than before.

Constructors count for models that requests are made of, what is read for models that answers are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .blame import Blame
from .entry import Level
from .surface import Model, Surface, Type, Words, class_names, fits, renamed, without_unset


class Finding(NamedTuple):
    """One changed name."""

    place: str
    level: Level
    name: str
    """Without the name of the package: `models.Card.price`."""
    what: str


class Packages:
    """Two packages, and which names of the new one stand for which names of the old one."""

    def __init__(self, old: Surface, new: Surface, blame: Blame) -> None:
        self.old = old
        self.new = new
        self.blame = blame
        modules = {place: module for module, place in blame.new.functions.items()}
        self.functions: dict[str, str | None] = {}
        """The new module of each old one; None for one that is gone."""
        for module in old.functions:
            found = modules.get(blame.moved(blame.old.functions[module]))
            self.functions[module] = found or (module if module in new.functions else None)
        self.classes = {name: self._class_now(name) for name in old.classes}
        """The new class of each old one; None for one that is gone."""
        self._names = {name: now for name, now in self.classes.items() if now is not None}
        self._bases = {name: each.base for surface in (old, new) for name, each in surface.enums.items()}

    def _class_now(self, name: str) -> str | None:
        kind: Mapping[str, Model | Words] = self.new.models if name in self.old.models else self.new.enums
        if name in kind:
            return name
        places = {self.blame.moved(place) for place in self.blame.old.classes.get(name, ())}
        return next((each for each in kind if places & set(self.blame.new.classes.get(each, ()))), None)

    def places(self, name: str, *, new: bool = False) -> tuple[str, ...]:
        """What a class is made of; where that is not known, what an attribute that has it is made of."""
        surface, side = (self.new, self.blame.new) if new else (self.old, self.blame.old)
        own = side.classes.get(name, ())
        if own or name not in surface.classes:
            return own
        holders = [
            (model, attribute)
            for model, made in surface.models.items()
            for attribute, each in made.attributes.items()
            if name in class_names(each.type)
        ]
        return tuple(place for holder in holders for place in side.attributes.get(holder, ()))

    def today(self, type_: Type) -> Type:
        """An old type with the new names of its classes."""
        return renamed(type_, self._names)

    def is_read(self, before: Type, after: Type) -> Level:
        """What it does to a reader that `after` is declared, and not `before`."""
        if before == after:
            return "none"
        return "look" if fits(after, before, self._bases) else "breaks"

    def is_passed(self, before: Type, after: Type) -> Level:
        """What it does to a caller that `after` is accepted, and not `before`. Whether it may be absent is left out."""
        before, after = without_unset(before), without_unset(after)
        if before == after:
            return "none"
        return "fine" if fits(before, after, self._bases) else "breaks"

    def differ_in_names(self, before: Type, after: Type) -> bool:
        """Whether two types differ in the names of classes only, which are made from the same parts of the document."""
        old, new = self.blame.old.classes, self.blame.new.classes
        names: dict[str, str] = {}
        for name in class_names(before):
            places = {self.blame.moved(place) for place in old.get(name, ())}
            same = [each for each in class_names(after) if places & set(new.get(each, ()))]
            names[name] = same[0] if same else name
        return renamed(before, names) == after

    def had_class(self, name: str) -> bool:
        """Whether the old package had another class for what a new class is made of."""
        before = {self.blame.moved(place) for places in self.blame.old.classes.values() for place in places}
        return any(place in before for place in self.blame.new.classes.get(name, ()))

    def renamed_by(self, place: str) -> str | None:
        """What gave the function of an operation another name: its id, or its path; None when both are the same."""
        now = self.blame.moved(place)
        ids = [side.tree(at).get("operationId") for side, at in ((self.blame.old, place), (self.blame.new, now))]
        if ids[0] != ids[1]:
            return f"{place}.operationId"
        return place if ids[0] is None and now != place else None
