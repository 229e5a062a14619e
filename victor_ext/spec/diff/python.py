"""What a change does to the code that uses the generated package: which functions, models and enums it breaks.

The rules are those of `packages`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from victor_ext.spec.document import load
from victor_ext.spec.generate import package_name
from victor_ext.spec.tree import Tree

from .changes import SCHEMAS
from .entry import Level, PythonChange, worst
from .packages import Finding, Packages, Side
from .surface import UNSET, Argument, Words, text_of


def python_changes(
    old: Path, new: Path, *, name: str | None = None, trees: tuple[Tree, Tree] | None = None
) -> Mapping[str, PythonChange]:
    """Generate both packages into a temporary folder and compare them.

    `trees` is what `load` made of the documents; None loads them. `name` is the name of the package; None takes it from
    the old document. The places are those of the old document where it has them. Raises the errors of `generate`.
    """
    package = package_name(old) if name is None else name
    before, after = trees or (load(old), load(new))
    with tempfile.TemporaryDirectory() as folder:
        earlier = Side(old, before, Path(folder, "old"), package)
        newer = Side(new, after, Path(folder, "new"), package)
    return package_changes(earlier, newer, package)


def package_changes(old: Side, new: Side, package: str) -> Mapping[str, PythonChange]:
    """Compare two packages; `package` is the name that is reported."""
    packages = Packages(old, new)
    by_place: dict[str, list[PythonChange]] = {}
    for each in (*_function_findings(packages), *_webhook_findings(packages), *_class_findings(packages)):
        change = PythonChange(each.level, (f"{package}.{each.name}",), each.what)
        by_place.setdefault(each.place, []).append(change)
    return {place: PythonChange.joined(_worst(found)) for place, found in sorted(by_place.items())}


def _worst(changes: list[PythonChange]) -> list[PythonChange]:
    level = worst(each.level for each in changes)
    return [each for each in changes if each.level == level]


def _function_findings(packages: Packages) -> Iterator[Finding]:
    for module, now in packages.functions.items():
        place, (folder, _, leaf) = packages.old.functions[module], module.rpartition(".")
        if now is None:
            yield Finding(packages.cause([place], place), "breaks", module, f"the function {leaf} is gone")
            continue
        new_folder, _, new_leaf = now.rpartition(".")
        if leaf != new_leaf:
            at = packages.renamed_by(place) or place
            yield Finding(at, "breaks", module, f"the function {leaf} is now {new_leaf}")
        if folder != new_folder:
            yield Finding(f"{place}.tags", "breaks", module, f"the module {module} is now {now}")
        yield from _FunctionPair(packages, module, now).findings()
    for module in packages.new.surface.functions:
        if module not in packages.functions.values():
            at = packages.outermost_new(packages.new.functions[module])
            yield Finding(at, "fine", module, f"the function {_leaf(module)} is new")


def _leaf(module: str) -> str:
    return module.rpartition(".")[2]


Places = Mapping[tuple[str, str], tuple[str, ...]]


def _pairs(
    packages: Packages, old: tuple[str, Iterable[str], Places], new: tuple[str, Iterable[str], Places]
) -> dict[str, str]:
    """The new name of each argument, or attribute, of an owner that is still there: its own, or that of its place."""
    (owner, before, earlier), (now, after, later) = old, new
    pairs = {name: name for name in before if name in after}
    for name in before:
        places = {packages.moved(place) for place in earlier.get((owner, name), ())}
        same = [each for each in after if each not in pairs.values() and places & {*later.get((now, each), ())}]
        if name not in pairs and same:
            pairs[name] = same[0]
    return pairs


def _required(old: Argument, new: Argument, of: Finding) -> Iterator[Finding]:
    if new.required and not old.required:
        yield of._replace(level="breaks", what=f"{of.what} is required now")
    if old.required and not new.required:
        yield of._replace(level="fine", what=f"{of.what} may be left out now")


class _FunctionPair:
    def __init__(self, packages: Packages, module: str, now: str) -> None:
        self._packages = packages
        self._module = module
        self._now = now
        self._place = packages.old.functions[module]
        self._old = packages.old.surface.functions[module]
        self._new = packages.new.surface.functions[now]
        earlier, later = self._old.arguments, self._new.arguments
        self._names = _pairs(packages, (module, earlier, packages.old.arguments), (now, later, packages.new.arguments))

    def findings(self) -> Iterator[Finding]:
        leaf = _leaf(self._now)
        lost = [each for each in self._old.names if each not in self._new.names]
        if lost:
            what = f"{leaf} has no {' and no '.join(lost)} now, because no answer has a content"
            yield Finding(self._responses(), "breaks", self._module, what)
        before, after = self._old.returns, self._new.returns
        if (level := self._packages.is_read(before, after)) != "none":
            what = f"{leaf} returns {text_of(after)}, not {text_of(before)}"
            yield Finding(self._responses(), level, self._module, what)
        for name, argument in self._old.arguments.items():
            yield from self._argument(name, argument)
        yield from self._order()
        for name in self._new.arguments:
            if name not in self._names.values():
                yield self._added(name)

    def _responses(self) -> str:
        """The first response that differs."""
        start, new_start = f"{self._place}.responses", f"{self._packages.moved(self._place)}.responses"
        for place in self._packages.old.components.by_place:
            if place.startswith(f"{start}.") and (cause := self._packages.cause([place], "")):
                return cause
        for place in self._packages.new.components.by_place:
            if place.startswith(f"{new_start}.") and (around := self._packages.new_around(place)):
                return around
        return start

    def _argument(self, name: str, argument: Argument) -> Iterator[Finding]:
        places = self._places(name)
        at = self._packages.cause(places, next(iter(places), self._place))
        shown, what = f"{self._module}({name})", f"the argument {name} of {_leaf(self._now)}"
        if name not in self._names:
            yield Finding(at, "breaks", shown, f"{what} is gone")
            return
        after = self._names[name]
        if after != name:
            yield Finding(at, "breaks", shown, f"{what} is now {after}")
        new = self._new.arguments[after]
        level = self._packages.is_passed(argument.type, new.type)
        if level != "none":
            types = f"{text_of(new.type - {UNSET})}, not {text_of(argument.type - {UNSET})}"
            yield Finding(at, level, shown, f"{what} is {types}")
        yield from _required(argument, new, Finding(at, level, shown, what))

    def _places(self, name: str) -> list[str]:
        """Where an argument comes from: also the operation's own reference to a shared parameter."""
        places = list(self._packages.old.arguments.get((self._module, name), ()))
        for tree in [self._packages.old.tree(place) for place in places]:
            if "in" in tree and "name" in tree:
                key = f".parameters.{tree['in']}:{tree['name']}"
                places += [f"{self._place}{key}", f"{self._place.rpartition('.')[0]}{key}"]
        return [place for place in dict.fromkeys(places) if place in self._packages.old]

    def _order(self) -> Iterator[Finding]:
        both = self._old.arguments, self._new.arguments
        old, new = ([name for name, each in arguments.items() if each.positional] for arguments in both)
        order = [self._names[name] for name in old if name in self._names]
        if order != [name for name in new if name in order]:
            what = f"the arguments of {_leaf(self._now)} by position are {', '.join(new)}, not {', '.join(old)}"
            yield Finding(self._place, "breaks", self._module, what)

    def _added(self, name: str) -> Finding:
        argument, side = self._new.arguments[name], self._packages.new
        places = list(side.arguments.get((self._now, name), ()))
        operation, trees = side.functions[self._now], [side.tree(place) for place in places]
        places += [f"{operation}.parameters.{tree['in']}:{tree['name']}" for tree in trees if "in" in tree]
        what = f"the argument {name} of {_leaf(self._now)} is new{' and required' if argument.required else ''}"
        level: Level = "breaks" if argument.required else "fine"
        return Finding(self._packages.added(places, operation), level, f"{self._now}({name})", what)


def _webhook_findings(packages: Packages) -> Iterator[Finding]:
    for name, before in packages.old.surface.webhooks.items():
        place = packages.old.hooks.get(name, f"webhooks.{name}")
        shown = f"webhooks.read_webhook({name})"
        after = packages.new.surface.webhooks.get(name)
        if after is None:
            yield Finding(place, "breaks", shown, f"read_webhook has no {name}")
        elif (level := packages.is_read(before, after)) != "none":
            what = f"read_webhook returns {text_of(after)} for {name}, not {text_of(before)}"
            yield Finding(packages.cause([place], place), level, shown, what)


def _class_findings(packages: Packages) -> Iterator[Finding]:
    old, new = packages.old.surface, packages.new.surface
    earlier = {packages.moved(place) for places in packages.old.classes.values() for place in places}
    for name, now in packages.classes.items():
        places = packages.old.classes.get(name, ())
        default = next(iter(places), f"{SCHEMAS}{name}")
        if now is None:
            yield Finding(packages.cause(places, default), "breaks", f"models.{name}", f"the class {name} is gone")
            continue
        if now != name:
            at = _named_after(packages, places) or packages.cause(places, default)
            yield Finding(at, "breaks", f"models.{name}", f"the class {name} is now {now}")
        if name in old.models:
            yield from _ModelPair(packages, name, now).findings()
        else:
            yield from _members(name, old.enums[name], new.enums[now], packages.cause(places, default))
    for name in (*new.models, *new.enums):
        places = packages.new.classes.get(name, ())
        if name not in packages.classes.values() and earlier.isdisjoint(places):
            at = next((packages.outermost_new(place) for place in places), f"{SCHEMAS}{name}")
            yield Finding(at, "fine", f"models.{name}", f"the class {name} is new")


def _named_after(packages: Packages, places: tuple[str, ...]) -> str | None:
    """What a class is named after, if that has another name now: a schema, or the function of an operation."""
    for place in places:
        part = packages.moves.part(place)
        if part is not None and part.startswith(SCHEMAS):
            return part
        for operation in packages.old.functions.values():
            if place.startswith(f"{operation}.") and (cause := packages.renamed_by(operation)):
                return cause
    return None


def _members(name: str, old: Words, new: Words, at: str) -> Iterator[Finding]:
    for member in {**old.members, **new.members}:
        shown, before, after = f"{name}.{member}", old.members.get(member), new.members.get(member)
        if member not in new.members:
            yield Finding(at, "breaks", f"models.{shown}", f"{shown} is gone")
        elif member not in old.members:
            yield Finding(at, "fine", f"models.{shown}", f"{shown} is new")
        elif before != after:
            yield Finding(at, "look", f"models.{shown}", f"{shown} is {after!r}, not {before!r}")


class _ModelPair:
    def __init__(self, packages: Packages, name: str, now: str) -> None:
        self._packages = packages
        self._name = name
        self._now = now
        old, new = packages.old.surface, packages.new.surface
        self._old = old.models[name]
        self._new = new.models[now]
        self._sent = name in old.sent
        # What answers no longer have cannot be read in the wrong way.
        self._received = name in old.received and now in new.received
        attributes = packages.old.attributes, packages.new.attributes
        self._names = _pairs(packages, (name, self._old, attributes[0]), (now, self._new, attributes[1]))

    def findings(self) -> Iterator[Finding]:
        for attribute, before in self._old.items():
            yield from self._attribute(attribute, before)
        for attribute, added in self._new.items():
            if attribute not in self._names.values():
                yield self._added(attribute, added)

    def _attribute(self, attribute: str, old: Argument) -> Iterator[Finding]:
        places = self._packages.old.attributes.get((self._name, attribute), ())
        around = self._packages.old.classes.get(self._name, ())
        place = next(iter((*places, *around)), f"{SCHEMAS}{self._name}")
        shown, what = f"models.{self._name}.{attribute}", f"{self._now}.{self._names.get(attribute)}"
        if attribute not in self._names:
            at = self._packages.cause([*places, *around], place)
            yield Finding(at, "breaks", shown, f"{self._name}.{attribute} is gone")
            return
        at = self._packages.cause(places, place)
        if self._names[attribute] != attribute:
            yield Finding(at, "breaks", shown, f"{self._name}.{attribute} is now {what}")
        new = self._new[self._names[attribute]]
        levels: list[Level] = [self._packages.is_read(old.type, new.type)] if self._received else []
        if self._sent:
            levels.append(self._packages.is_passed(old.type, new.type))
        if worst(levels) != "none":
            yield Finding(at, worst(levels), shown, f"{what} is {text_of(new.type)}, not {text_of(old.type)}")
        if self._sent:
            yield from _required(old, new, Finding(place, "fine", shown, what))

    def _added(self, attribute: str, new: Argument) -> Finding:
        side = self._packages.new
        places = [*side.attributes.get((self._now, attribute), ()), *side.classes.get(self._now, ())]
        needed = self._sent and new.required
        what = f"{self._now}.{attribute} is new{' and required' if needed else ''}"
        at = self._packages.added(places, f"{SCHEMAS}{self._now}")
        return Finding(at, "breaks" if needed else "fine", f"models.{self._now}.{attribute}", what)
