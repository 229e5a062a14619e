"""Compare the functions of two generated packages; see `packages` for the rules."""

from __future__ import annotations

from collections.abc import Iterator

from .annotations import Type, text_of
from .entry import Level
from .packages import Finding, Packages
from .surface import Argument, Function, without_unset


def function_findings(packages: Packages) -> Iterator[Finding]:
    """What changed in the functions."""
    for module, now in packages.functions.items():
        place, leaf = packages.blame.old.functions[module], _leaf(module)
        if now is None:
            yield Finding(packages.blame.cause([place], place), "breaks", module, f"the function {leaf} is gone")
        else:
            yield from _names(packages, module, now, place)
            yield from _Pair(packages, module, now).findings()
    for module in packages.new.functions:
        if module not in packages.functions.values():
            at = packages.blame.outermost_new(packages.blame.new.functions[module])
            yield Finding(at, "fine", module, f"the function {_leaf(module)} is new")


def _leaf(module: str) -> str:
    return module.rpartition(".")[2]


def _names(packages: Packages, module: str, now: str, place: str) -> Iterator[Finding]:
    (folder, _, leaf), (new_folder, _, new_leaf) = module.rpartition("."), now.rpartition(".")
    if leaf != new_leaf:
        at = f"{place}.operationId" if packages.has_new_id(place) else place
        yield Finding(at, "breaks", module, f"the function {leaf} is now {new_leaf}")
    if folder != new_folder:
        yield Finding(f"{place}.tags", "breaks", module, f"the module {module} is now {now}")


class _Pair:
    """A function, and what it is now."""

    def __init__(self, packages: Packages, module: str, now: str) -> None:
        self._packages = packages
        self._blame = packages.blame
        self._module = module
        self._now = now
        self._place = packages.blame.old.functions[module]
        self._old: Function = packages.old.functions[module]
        self._new: Function = packages.new.functions[now]
        self._names = dict(self._pairs())

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

    def _pairs(self) -> Iterator[tuple[str, str]]:
        """The old and the new name of each argument that is still there."""
        old, new = self._old, self._new
        free = [name for name in new.arguments if name not in old.arguments]
        for name in old.arguments:
            if name in new.arguments:
                yield name, name
                continue
            places = {self._blame.moved(place) for place in self._blame.old.arguments.get((self._module, name), ())}
            same = [each for each in free if places & set(self._blame.new.arguments.get((self._now, each), ()))]
            if not places and name in old.positional[: len(new.positional)]:  # the document does not declare it
                same = [each for each in [new.positional[old.positional.index(name)]] if each in free]
            if len(same) == 1:
                free.remove(same[0])
                yield name, same[0]

    def _responses(self) -> str:
        """The first response that differs."""
        start, new_start = f"{self._place}.responses", f"{self._blame.moved(self._place)}.responses"
        for place in self._blame.old.components.by_place:
            if place.startswith(f"{start}.") and (found := self._blame.cause([place], "")):
                return found
        for place in self._blame.new.components.by_place:
            if place.startswith(f"{new_start}.") and (around := self._blame.new_around(place)):
                return around
        return start

    def _returns(self) -> Iterator[Finding]:
        before, after = self._packages.today(self._old.returns), self._new.returns
        level = self._packages.is_read(before, after)
        if level != "none":
            at = f"{self._place}.operationId" if self._is_new_name(before, after) else self._responses()
            what = f"{_leaf(self._now)} returns {text_of(after)}, not {text_of(self._old.returns)}"
            yield Finding(at, level, self._module, what)

    def _is_new_name(self, before: Type, after: Type) -> bool:
        """Whether a type differs because its classes are named after the function."""
        return self._packages.has_new_id(self._place) and self._packages.differ_in_names(before, after)

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
            cause = f"{self._place}.operationId" if self._is_new_name(before, now) else at
            types = f"{text_of(without_unset(now))}, not {text_of(without_unset(argument.type))}"
            yield Finding(cause, level, shown, f"{what} is {types}")
        if new.required and not argument.required:
            yield Finding(at, "breaks", shown, f"{what} is required now")
        if argument.required and not new.required:
            yield Finding(at, "fine", shown, f"{what} may be left out now")
        if argument.positional and not new.positional:
            yield Finding(at, "breaks", shown, f"{what} cannot be given by position now")

    def _places(self, name: str) -> list[str]:
        """Where an argument comes from: also the operation's own reference to a shared parameter."""
        places = list(self._blame.old.arguments.get((self._module, name), ()))
        for tree in [self._blame.old.tree(place) for place in places]:
            if "in" in tree and "name" in tree:
                key = f".parameters.{tree['in']}:{tree['name']}"
                places += [f"{self._place}{key}", f"{self._place.rpartition('.')[0]}{key}"]
        return [place for place in dict.fromkeys(places) if place in self._blame.old]

    def _order(self) -> Iterator[Finding]:
        old, new = self._old.positional, self._new.positional
        order = [self._names[name] for name in old if name in self._names]
        if order != [name for name in new if name in order]:
            what = f"the arguments of {_leaf(self._now)} by position are {', '.join(new)}, not {', '.join(old)}"
            yield Finding(self._place, "breaks", self._module, what)

    def _added(self, name: str) -> Finding:
        argument, blame = self._new.arguments[name], self._blame
        places = list(blame.new.arguments.get((self._now, name), ()))
        operation, trees = blame.new.functions[self._now], [blame.new.tree(place) for place in places]
        places += [f"{operation}.parameters.{tree['in']}:{tree['name']}" for tree in trees if "in" in tree]
        at = next((found for place in places if (found := blame.new_around(place))), None)
        word = "new and required" if argument.required else "new"
        what = f"the argument {name} of {_leaf(self._now)} is {word}"
        shown = f"{self._now}({name})"
        return Finding(at or next(iter(places), self._place), "breaks" if argument.required else "fine", shown, what)
