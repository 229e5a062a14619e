"""What differs between two documents, and what it does on the wire: their tables, step by step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml

from victor_spec.tree import Tree, is_among

from .facts import BOTH, LOWER, RECEIVED, SCHEMAS, SENT, UPPER, Owner, Part, Table, bases, texts

Level = Literal["breaks", "look", "fine", "none"]
LEVELS: tuple[Level, ...] = ("none", "fine", "look", "breaks")
"""From the least to the worst."""


class Rule(NamedTuple):
    """What a kind of change does to what is sent, and received; and in words."""

    sent: Level
    received: Level
    words: str


RULES = {
    kind: Rule(*row)
    for kind, row in yaml.safe_load(
        (files("victor_spec.diff") / "rules.yaml").read_text(encoding="utf-8")
    ).items()
}
_OF_A_TYPE = ("date", "date-time", "uuid")
"""The formats that are a type of their own in Python."""
_WIDER = {("int32", "int64"), ("float", "double")}
_TOGETHER = frozenset({"is", "label", "$ref", "enum", "inherits", "type", "union"})
"""What says nothing by itself."""
Parts = dict[str, Part]
Difference = tuple[str, str, str]
"""The kind, the old value and the new one."""


@dataclass(frozen=True)
class Change:
    """One place, with all that changed there."""

    place: str
    what: str
    wire: Level
    operations: tuple[str, ...]
    direction: str
    """`sent`, `received`, or `both`."""


def worst(levels: Iterator[Level] | list[Level]) -> Level:
    return LEVELS[max(map(LEVELS.index, levels), default=0)]


def compare(old: Tree, new: Tree) -> list[Change]:
    """The changes on the wire of two documents that were read, by place."""
    return _Comparison(Table(old), Table(new)).entries()


def changed_texts(old: Tree, new: Tree) -> int:
    """How many descriptions and examples differ."""
    before, after = dict(texts(old)), dict(texts(new))
    return sum(before[place] != after[place] for place in before.keys() & after.keys())


class _Comparison:
    def __init__(self, old: Table, new: Table) -> None:
        self._old, self._new = old, new
        self._noted: dict[str, dict[str, tuple[Level, dict[str, int]]]] = {}
        """By place, and by what is said there: its level, and the operations with their ways."""
        self._done: set[tuple[str, str]] = set()
        self._followed: set[tuple[str, str, str]] = set()
        self._within: list[tuple[str, str]] = []
        """The pairs of references that are followed right now, so that a circle comes to an end."""
        self._operations()
        for place in old.owners.keys() & new.owners.keys():
            self._pair(place, place)

    def _operations(self) -> None:
        """Compare the operations: the same method and path, or else the same operationId."""
        latter = {_nameless(name): name for name in self._new.operations}
        same = {
            name: latter[_nameless(name)]
            for name in self._old.operations
            if _nameless(name) in latter
        }
        for id_, name in self._old.ids.items():
            moved = self._new.ids.get(id_, "")
            if name and moved and name not in same and moved not in same.values():
                same[name] = moved
        for name, place in self._old.operations.items():
            if name not in same:
                self._note("operation-removed", place, place, self._old.owners[place].asks)
                continue
            if _nameless(name) != _nameless(same[name]):
                self._note("operation-moved", place, place, BOTH, new=same[name])
            self._pair(place, self._new.operations[same[name]])
        for name, place in self._new.operations.items():
            if name not in same.values():
                self._note("operation-added", place, place, self._new.owners[place].asks)

    def _pair(self, before: str, after: str) -> None:
        """Compare two owners, once, at the place of the old one."""
        if (before, after) not in self._done:
            self._done.add((before, after))
            old, new = self._old.owners[before], self._new.owners[after]
            parts = _with_answers(old.parts, new.parts), _with_answers(new.parts, old.parts)
            self._compare(*parts, before, old)

    def _compare(self, before: Parts, after: Parts, place: str, home: Owner) -> None:
        """Compare two parts step by step; `home` is the owner whose users are reached."""
        done: list[str] = []
        for step in sorted({*before, *after}):
            if any(_is_inside(step, outer) for outer in done):
                continue
            old, new = before.get(step), after.get(step)
            at = f"{place}{step}".removeprefix(".")
            if old is None or new is None or ("is" in old.says) != ("is" in new.says):
                self._come_or_gone(at, old, new, home)
                done.append(step)
            elif old.says.get("union") != new.says.get("union"):
                kind = "became-union" if new.says.get("union") else "no-longer-union"
                self._note(kind, at, home.place, old.ways | new.ways)
                done.append(step)
            elif self._leads_elsewhere(old.says, new.says):
                self._follow(before, after, step, at, home)
                done.append(step)
            else:
                shared = old.says.get("inherits", set()) & new.says.get("inherits", set())
                for kind, *values in self._differences(old, new):
                    name = kind.partition("-")[0]
                    place_of_all = name if name in shared else at
                    self._note(kind, place_of_all, home.place, old.ways | new.ways, *values)

    def _come_or_gone(self, at: str, old: Part | None, new: Part | None, home: Owner) -> None:
        """Say of what stands in one document alone that it is new, or gone."""
        part = new if old is None or (new is not None and "is" in new.says) else old
        if part is None:
            return
        verb = "removed" if part is old else "added"
        kind = f"{part.says.get('is', 'schema')}-{verb}"
        if "is" not in part.says and "required" in part.says:  # it is declared elsewhere
            kind = "required-gone" if part is old else "required-set"
        elif part.says.get("required") and f"required-{kind}" in RULES:
            kind = f"required-{kind}"
        label = str(part.says.get("label", ""))
        if label:
            at = at.removesuffix(f"({label})")
        self._note(kind, at, home.place, part.ways, label, label)

    def _leads_elsewhere(self, old: dict[str, Any], new: dict[str, Any]) -> bool:
        """Whether another part is referred to: not the same one, nor one with another name now."""
        before, after = old.get("$ref"), new.get("$ref")
        if before is not None and after is not None:
            if before != after and before not in self._new.owners and after not in self._old.owners:
                self._note(
                    "schema-renamed",
                    before,
                    before,
                    BOTH,
                    before.removeprefix(SCHEMAS),
                    after.removeprefix(SCHEMAS),
                )
                self._pair(before, after)
                return False
            return bool(before != after)
        return before != after or {*bases(old)} != {*bases(new)}

    def _follow(self, before: Parts, after: Parts, step: str, at: str, home: Owner) -> None:
        """Compare what two references lead to, or what is written out, at the place of these."""
        pair = (_leads_to(before[step].says), _leads_to(after[step].says))
        if pair in self._within or (at, *pair) in self._followed:
            return
        self._followed.add((at, *pair))
        self._within.append(pair)
        old, new = _whole(self._old, before, step, set()), _whole(self._new, after, step, set())
        self._compare(old, new, at, home)
        self._within.pop()

    def _differences(self, old: Part, new: Part) -> Iterator[Difference]:
        """What differs between two parts themselves."""
        before, after = old.says, new.says
        keys = {*before, *after}
        is_other_type = False
        if before.get("type") != after.get("type"):
            change = _types(before.get("type"), after.get("type"))
            yield change
            if is_other_type := change[0] == "type-changed":
                keys &= {"null", "required"}
        names = sorted(key for key in keys if before.get(key) != after.get(key))
        is_enum = "enum" in before, "enum" in after
        if len(_words(before)) == len(_words(after)) == 1 and _words(before) != _words(after):
            yield "constant-changed", _words(before)[0], _words(after)[0]
            names = [key for key in names if not key.startswith("word ")]
        if is_enum[0] != is_enum[1] and not is_other_type:
            words = ", ".join(sorted(_words(before) or _words(after)))
            yield "became-enum" if is_enum[1] else "no-longer-enum", words, words
        for key in names:
            if key not in _TOGETHER and not (key.startswith("word ") and is_enum[0] != is_enum[1]):
                yield from _difference(key, before.get(key), after.get(key))
        for way, word in ((SENT, "read-only"), (RECEIVED, "write-only")):
            if before.get("is") == "property" and old.ways & way and not new.ways & way:
                yield f"became-{word}", "", ""
            elif before.get("is") == "property" and new.ways & way and not old.ways & way:
                start = "required-" if way == SENT and after.get("required") else ""
                yield f"{start}no-longer-{word}", "", ""

    # ---- Entries ----

    def _note(self, kind: str, at: str, home: str, ways: int, old: str = "", new: str = "") -> None:
        rule = RULES[kind]
        reach = {**self._new.reach.get(home, {}), **self._old.reach.get(home, {})}
        if kind.startswith("operation-"):
            reach = {
                name: ways
                for table in (self._old, self._new)
                for name, place in table.operations.items()
                if place == home
            }
        found = {name: own & ways for name, own in reach.items() if own & ways}
        directions = 0
        for own in found.values():
            directions |= own
        levels: list[Level] = []
        if directions & SENT:
            levels.append(rule.sent)
        if directions & RECEIVED:
            levels.append(rule.received)
        words = rule.words.replace("{old}", old).replace("{new}", new)
        said = self._noted.setdefault(at, {})
        level, known = said.get(words, ("none", {}))
        said[words] = (worst([level, *levels]), {**known, **found})

    def entries(self) -> list[Change]:
        """All changes, one for each place."""
        entries: list[Change] = []
        for place, said in sorted(self._noted.items()):
            ordered = sorted(said, key=lambda words: -LEVELS.index(said[words][0]))
            ways: dict[str, int] = {}
            for _, found in said.values():
                ways |= {name: own | ways.get(name, 0) for name, own in found.items()}
            directions = {way for own in ways.values() for way in (SENT, RECEIVED) if own & way}
            only = directions.pop() if len(directions) == 1 else 0
            direction = {SENT: "sent", RECEIVED: "received"}.get(only, "both")
            wire = worst([level for level, _ in said.values()])
            entries.append(Change(place, "; ".join(ordered), wire, (*sorted(ways),), direction))
        return entries


def _nameless(name: str) -> str:
    """A method and a path; names of path parameters make no difference."""
    return re.sub(r"{[^{}]*}", "{}", name)


def _with_answers(parts: Parts, others: Parts) -> Parts:
    """The parts of an operation. An answer that only the other form of it names is as the default
    one describes it.
    """
    default = ".responses.DEFAULT"
    whole = {**parts}
    for step, other in others.items():
        if other.says.get("is") == "answer" and step not in parts:
            for inner, part in parts.items():
                if inner == default or _is_inside(inner, default):
                    whole[step + inner.removeprefix(default)] = part
    return whole


def _is_inside(step: str, outer: str) -> bool:
    return step.startswith(outer) and step[len(outer) : len(outer) + 1] in (".", "[", "(")


def _whole(table: Table, parts: Parts, step: str, seen: set[str]) -> Parts:
    """What stands at a step and below, with what it refers to and is composed of."""
    whole: dict[str, Part] = {}
    ways = parts[step].ways
    for each, part in parts.items():
        if each == step or _is_inside(each, step):
            whole[each[len(step) :]] = Part(part.ways, dict(part.says))
    own = whole[""].says
    for place in [own.pop("$ref", ""), *bases(own)]:
        own.pop(f"base {place}", None)
        if place in table.owners and place not in seen:
            seen.add(place)
            for inner, part in _whole(table, table.owners[place].parts, "", seen).items():
                known = whole.get(inner)
                says = part.says if known is None else {**part.says, **known.says}
                whole[inner] = Part(part.ways & ways if known is None else known.ways, says)
    return whole


def _leads_to(says: dict[str, Any]) -> str:
    """All that a schema refers to, or is composed of."""
    return " ".join([str(says.get("$ref", "")), *sorted(bases(says))])


def _words(says: Mapping[str, Any]) -> list[str]:
    return [key.removeprefix("word ") for key in says if key.startswith("word ")]


def _types(old: frozenset[str] | None, new: frozenset[str] | None) -> Difference:
    """What it means that other types are admitted; None admits any."""
    kind = "type-changed"
    if new is None or (old is not None and all(is_among(each, new) for each in old)):
        kind = "type-widened"
    elif old is None or all(is_among(each, old) for each in new):
        kind = "type-narrowed"
    words = [" or ".join(sorted(each)) if each else "anything" for each in (old, new)]
    return kind, words[0], words[1]


def _difference(key: str, old: Any, new: Any) -> Iterator[Difference]:
    """What it means that one thing is said otherwise; None stands for an absent one."""
    name, _, rest = key.partition(" ")
    before, after = old or (), new or ()
    if name == "security" and bool(before) != bool(after):
        yield f"security-{'needed' if after else 'open'}", "", " or ".join(after)
    elif name in ("security", "servers"):
        yield from ((f"{name}-removed", each, "") for each in before if each not in after)
        yield from ((f"{name}-added", "", each) for each in after if each not in before)
    elif name in ("null", "required", "closed", "uniqueItems", "deprecated"):
        yield f"{name}-{'set' if new else 'gone'}", "", ""
    elif name == "word":
        yield f"word-{'added' if new else 'removed'}", rest, rest
    elif name in (*LOWER, *UPPER):
        yield _limit(key, old, new)
    elif name == "format":
        yield _format(old, new)
    elif name in ("other", "multipleOf"):
        yield _presence(
            "constraint", old and (rest or f"{name} {old}"), new and (rest or f"{name} {new}")
        )
    elif name == "selects":
        yield _presence("selected", old and rest, new and rest)
    elif name != "base":
        yield _presence(name, old, new)


def _format(old: Any, new: Any) -> Difference:
    if (old, new) in _WIDER:
        return "format-widened", old, new
    typed = "type-" if old in _OF_A_TYPE or (old is None and new in _OF_A_TYPE) else ""
    return _presence(f"{typed}format", old, new)


def _limit(key: str, old: Any, new: Any) -> Difference:
    words = [f"{key} {each}" for each in (old, new)]
    is_known = all(isinstance(each, int | float) and each is not True for each in (old, new))
    if old is None or new is None or not is_known:
        return _presence("limit", old and words[0], new and words[1])
    is_tighter = (new > old) == (key in LOWER)
    return "limit-tightened" if is_tighter else "limit-loosened", words[0], words[1]


def _presence(name: str, old: Any, new: Any) -> Difference:
    if old is None:
        return f"{name}-added", "", str(new)
    if new is None:
        return f"{name}-removed", str(old), ""
    return f"{name}-changed", str(old), str(new)
