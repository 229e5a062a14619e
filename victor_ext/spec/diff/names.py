"""Compare the functions, models and enums of two generated packages; see `packages` for the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .changes import SCHEMAS
from .entry import Level, worst
from .packages import Blame, Finding, Packages, Side
from .surface import UNSET, Argument, Attribute, Function, Words, text_of


def function_findings(packages: Packages) -> Iterator[Finding]:
    for module, now in packages.functions.items():
        place, leaf = packages.blame.old.functions[module], _leaf(module)
        if now is None:
            yield Finding(packages.blame.cause([place], place), "breaks", module, f"the function {leaf} is gone")
            continue
        (folder, _, _), (new_folder, _, new_leaf) = module.rpartition("."), now.rpartition(".")
        if leaf != new_leaf:
            at = packages.renamed_by(place) or place
            yield Finding(at, "breaks", module, f"the function {leaf} is now {new_leaf}")
        if folder != new_folder:
            yield Finding(f"{place}.tags", "breaks", module, f"the module {module} is now {now}")
        yield from _FunctionPair(packages, module, now).findings()
    for module in packages.new.functions:
        if module not in packages.functions.values():
            at = packages.blame.outermost_new(packages.blame.new.functions[module])
            yield Finding(at, "fine", module, f"the function {_leaf(module)} is new")


def _leaf(module: str) -> str:
    return module.rpartition(".")[2]


Places = Mapping[tuple[str, str], tuple[str, ...]]


def _pairs(
    blame: Blame, old: tuple[str, Iterable[str]], new: tuple[str, Iterable[str]], of: Callable[[Side], Places]
) -> dict[str, str]:
    """The new name of each argument, or attribute, of an owner that is still there: its own, or that of its place."""
    (owner, before), (now, after) = old, new
    pairs = {name: name for name in before if name in after}
    for name in before:
        places = {blame.moved(place) for place in of(blame.old).get((owner, name), ())}
        same = [each for each in after if each not in pairs.values() and places & {*of(blame.new).get((now, each), ())}]
        if name not in pairs and same:
            pairs[name] = same[0]
    return pairs


def _required(old: Argument | Attribute, new: Argument | Attribute, of: Finding) -> Iterator[Finding]:
    if new.required and not old.required:
        yield of._replace(level="breaks", what=f"{of.what} is required now")
    if old.required and not new.required:
        yield of._replace(level="fine", what=f"{of.what} may be left out now")


class _FunctionPair:
    def __init__(self, packages: Packages, module: str, now: str) -> None:
        self._packages = packages
        self._blame = packages.blame
        self._module = module
        self._now = now
        self._place = packages.blame.old.functions[module]
        self._old: Function = packages.old.functions[module]
        self._new: Function = packages.new.functions[now]
        self._names = _pairs(
            packages.blame, (module, self._old.arguments), (now, self._new.arguments), lambda side: side.arguments
        )

    def findings(self) -> Iterator[Finding]:
        leaf = _leaf(self._now)
        lost = [each for each in self._old.names if each not in self._new.names]
        if lost:
            what = f"{leaf} has no {' and no '.join(lost)} now, because no answer has a content"
            yield Finding(self._responses(), "breaks", self._module, what)
        yield from self._returns()
        for name, argument in self._old.arguments.items():
            yield from self._argument(name, argument)
        yield from self._order()
        for name in self._new.arguments:
            if name not in self._names.values():
                yield self._added(name)

    def _responses(self) -> str:
        """The first response that differs."""
        start, new_start = f"{self._place}.responses", f"{self._blame.moved(self._place)}.responses"
        for place in self._blame.old.components.by_place:
            if place.startswith(f"{start}.") and (cause := self._blame.cause([place], "")):
                return cause
        for place in self._blame.new.components.by_place:
            if place.startswith(f"{new_start}.") and (around := self._blame.new_around(place)):
                return around
        return start

    def _returns(self) -> Iterator[Finding]:
        before, after = self._packages.today(self._old.returns), self._new.returns
        level = self._packages.is_read(before, after)
        if level != "none":
            what = f"{_leaf(self._now)} returns {text_of(after)}, not {text_of(self._old.returns)}"
            yield Finding(self._responses(), level, self._module, what)

    def _argument(self, name: str, argument: Argument) -> Iterator[Finding]:
        places = self._places(name)
        at = self._blame.cause(places, next(iter(places), self._place))
        shown, what = f"{self._module}({name})", f"the argument {name} of {_leaf(self._now)}"
        if name not in self._names:
            yield Finding(at, "breaks", shown, f"{what} is gone")
            return
        after = self._names[name]
        if after != name:
            yield Finding(at, "breaks", shown, f"{what} is now {after}")
        new = self._new.arguments[after]
        before, now = self._packages.today(argument.type), new.type
        level: Level = self._packages.is_passed(before, now)
        if level != "none":
            types = f"{text_of(now - {UNSET})}, not {text_of(argument.type - {UNSET})}"
            yield Finding(at, level, shown, f"{what} is {types}")
        yield from _required(argument, new, Finding(at, level, shown, what))

    def _places(self, name: str) -> list[str]:
        """Where an argument comes from: also the operation's own reference to a shared parameter."""
        places = list(self._blame.old.arguments.get((self._module, name), ()))
        for tree in [self._blame.old.tree(place) for place in places]:
            if "in" in tree and "name" in tree:
                key = f".parameters.{tree['in']}:{tree['name']}"
                places += [f"{self._place}{key}", f"{self._place.rpartition('.')[0]}{key}"]
        return [place for place in dict.fromkeys(places) if place in self._blame.old]

    def _order(self) -> Iterator[Finding]:
        both = self._old.arguments, self._new.arguments
        old, new = ([name for name, each in arguments.items() if each.positional] for arguments in both)
        order = [self._names[name] for name in old if name in self._names]
        if order != [name for name in new if name in order]:
            what = f"the arguments of {_leaf(self._now)} by position are {', '.join(new)}, not {', '.join(old)}"
            yield Finding(self._place, "breaks", self._module, what)

    def _added(self, name: str) -> Finding:
        argument, blame = self._new.arguments[name], self._blame
        places = list(blame.new.arguments.get((self._now, name), ()))
        operation, trees = blame.new.functions[self._now], [blame.new.tree(place) for place in places]
        places += [f"{operation}.parameters.{tree['in']}:{tree['name']}" for tree in trees if "in" in tree]
        what = f"the argument {name} of {_leaf(self._now)} is new{' and required' if argument.required else ''}"
        level: Level = "breaks" if argument.required else "fine"
        return Finding(blame.added(places, operation), level, f"{self._now}({name})", what)


def webhook_findings(packages: Packages) -> Iterator[Finding]:
    for name, before in packages.old.webhooks.items():
        place = packages.blame.old.hooks.get(name, f"webhooks.{name}")
        shown = f"webhooks.read_webhook({name})"
        after = packages.new.webhooks.get(name)
        if after is None:
            yield Finding(place, "breaks", shown, f"read_webhook has no {name}")
        elif (level := packages.is_read(packages.today(before), after)) != "none":
            what = f"read_webhook returns {text_of(after)} for {name}, not {text_of(before)}"
            yield Finding(packages.blame.cause([place], place), level, shown, what)


def class_findings(packages: Packages) -> Iterator[Finding]:
    blame = packages.blame
    earlier = {blame.moved(place) for places in blame.old.classes.values() for place in places}
    for name, now in packages.classes.items():
        places = blame.old.classes.get(name, ())
        default = next(iter(places), f"{SCHEMAS}{name}")
        if now is None:
            yield Finding(blame.cause(places, default), "breaks", f"models.{name}", f"the class {name} is gone")
            continue
        if now != name:
            at = _named_after(packages, places) or blame.cause(places, default)
            yield Finding(at, "breaks", f"models.{name}", f"the class {name} is now {now}")
        if name in packages.old.models:
            yield from _ModelPair(packages, name, now).findings()
        else:
            yield from _members(name, packages.old.enums[name], packages.new.enums[now], blame.cause(places, default))
    for name in (*packages.new.models, *packages.new.enums):
        places = blame.new.classes.get(name, ())
        if name not in packages.classes.values() and earlier.isdisjoint(places):
            at = next((blame.outermost_new(place) for place in places), f"{SCHEMAS}{name}")
            yield Finding(at, "fine", f"models.{name}", f"the class {name} is new")


def _named_after(packages: Packages, places: tuple[str, ...]) -> str | None:
    """What a class is named after, if that has another name now: a schema, or the function of an operation."""
    for place in places:
        part = packages.blame.moves.part(place)
        if part is not None and part.startswith(SCHEMAS):
            return part
        for operation in packages.blame.old.functions.values():
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
        self._blame = packages.blame
        self._name = name
        self._now = now
        self._old = packages.old.models[name]
        self._new = packages.new.models[now]
        self._sent = name in packages.old.sent
        # What answers no longer have cannot be read in the wrong way.
        self._received = name in packages.old.received and now in packages.new.received
        self._names = _pairs(packages.blame, (name, self._old), (now, self._new), lambda side: side.attributes)

    def findings(self) -> Iterator[Finding]:
        for attribute, before in self._old.items():
            yield from self._attribute(attribute, before)
        for attribute, added in self._new.items():
            if attribute not in self._names.values():
                yield self._added(attribute, added)

    def _attribute(self, attribute: str, old: Attribute) -> Iterator[Finding]:
        places = self._blame.old.attributes.get((self._name, attribute), ())
        around = self._blame.old.classes.get(self._name, ())
        place = next(iter((*places, *around)), f"{SCHEMAS}{self._name}")
        shown, what = f"models.{self._name}.{attribute}", f"{self._now}.{self._names.get(attribute)}"
        if attribute not in self._names:
            at = self._blame.cause([*places, *around], place)
            yield Finding(at, "breaks", shown, f"{self._name}.{attribute} is gone")
            return
        at = self._blame.cause(places, place)
        if self._names[attribute] != attribute:
            yield Finding(at, "breaks", shown, f"{self._name}.{attribute} is now {what}")
        new = self._new[self._names[attribute]]
        before = self._packages.today(old.type)
        levels: list[Level] = [self._packages.is_read(before, new.type)] if self._received else []
        if self._sent:
            levels.append(self._packages.is_passed(before, new.type))
        if worst(levels) != "none":
            yield Finding(at, worst(levels), shown, f"{what} is {text_of(new.type)}, not {text_of(old.type)}")
        if self._sent:
            yield from _required(old, new, Finding(place, "fine", shown, what))

    def _added(self, attribute: str, new: Attribute) -> Finding:
        side = self._blame.new
        places = [*side.attributes.get((self._now, attribute), ()), *side.classes.get(self._now, ())]
        needed = self._sent and new.required
        what = f"{self._now}.{attribute} is new{' and required' if needed else ''}"
        at = self._blame.added(places, f"{SCHEMAS}{self._now}")
        return Finding(at, "breaks" if needed else "fine", f"models.{self._now}.{attribute}", what)
