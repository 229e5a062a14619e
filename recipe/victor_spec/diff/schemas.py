"""What differs between two schemas. Each pair is compared once: of one name, or written out at one
place.

A reference that leads to another schema than before is one change of the place that has it, unless
the earlier schema is gone: then it was renamed, or written out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from victor_spec.tree import Tree, members, named_schemas

from .changes import LEVELS, RULES, Change, Level, Notice, Reach, Sides, worst
from .keywords import Difference, canonical
from .shape import SCHEMAS, Child, Part, Shape, Shapes, Union, keyword_differences


class SchemaComparison(Sides):
    """Compares schemas, and adds what it finds to the changes."""

    def __init__(self, old: Shapes, new: Shapes, notice: Notice) -> None:
        super().__init__(old, new, notice)
        self._instead: dict[str, str] = {}
        """By the place of a schema that a reference led to, the place where it leads now; "" for
        what is inline.
        """
        self._kept: set[str] = set()
        """The places of schemas that some reference leads to in both documents."""
        self._visited: set[tuple[int, int]] = set()
        self._known: dict[tuple[int, int, bool], tuple[list[Change], list[tuple[Tree, Tree]]]] = {}
        """What differs between two schemas themselves (as text or not), and the pairs of schemas
        that they refer to.
        """
        self._links: list[tuple[Tree, Tree]] | None = None
        """Collects pairs while two schemas are compared apart from any place; None otherwise."""

    def named(self) -> None:
        """Compare the schemas that have one place in both documents, and find those that are
        gone.
        """
        old, new = self.old.by_place, self.new.by_place
        named = [f"{SCHEMAS}{name}" for name, _ in members(named_schemas(self.old.document))]
        referenced = [place for place, each in old.items() if id(each.tree) in self.old.referenced]
        pending = dict.fromkeys([*named, *referenced])
        pending = {
            each: None
            for each in pending
            if each in new and old[each].kind == new[each].kind == "schema"
        }
        while kept := [place for place in pending if place in self._kept]:  # which finds others
            for place in kept:
                del pending[place]
                self.compare(self.old.part(place), self.new.part(place))
        equal = {
            canonical(each): f"{SCHEMAS}{name}"
            for name, each in members(named_schemas(self.new.document))
        }
        for place in [*pending, *(place for place in named if place not in new)]:
            self._settle(place, equal)

    def _settle(self, place: str, equal: Mapping[str, str]) -> None:
        """Compare a schema with the one of its name, unless all that refers to it refers to another
        one now.

        That one is its successor, which only has another name: if the name is new, or moved on too,
        or if the schema is the same as this one. `equal` has the new schemas by their meaning, for
        what nothing refers to.
        """
        component, namesake = self.old.by_place[place], self.new.by_place.get(place)
        successor = self._instead.get(
            place, "" if namesake else equal.get(canonical(component.tree), "")
        )
        later = self.new.by_place[successor].tree if successor.startswith(SCHEMAS) else None
        if namesake is not None:
            if later is None or place in self._kept:
                self.compare(self.old.part(place), self.new.part(place))
            elif self._is_same(component.tree, later) and not self._is_same(
                component.tree, namesake.tree
            ):
                self._renamed(place, successor)
        elif later is not None and (
            successor not in self.old.by_place or self.moves.now(successor) != successor
        ):
            self._renamed(place, successor)
        elif place not in self._instead:
            reach = self.reach(component, None)
            # what used it was compared with what is there now
            if not reach.sent and not reach.received:
                self.add("schema-removed", place, reach)

    def _renamed(self, place: str, successor: str) -> None:
        reach = self.reach(self.old.by_place[place], self.new.by_place[successor])
        self.add(
            "schema-renamed",
            place,
            reach,
            place.removeprefix(SCHEMAS),
            successor.removeprefix(SCHEMAS),
        )
        self.moves.add(place, successor)

    def _replaces(self, before: str, after: str) -> None:
        """Note what is used instead of a schema; a schema with a name first."""
        if not self._instead.get(before):
            self._instead[before] = after

    def compare(self, old: Part, new: Part) -> None:
        """Compare two schemas; `old` says what the place is called."""
        (old_end, old_referred), (new_end, new_referred) = (
            self.old.end(old.tree),
            self.new.end(new.tree),
        )
        before, after = self.old.place(old_end, old.place), self.new.place(new_end, new.place)
        if old_referred and new_referred and before == after:
            self._kept.add(before)
            return  # compared by name
        if self._links is not None and (old_referred or new_referred):
            self._links.append((old_end, new_end))
            return
        if old_referred:
            self._replaces(before, after if new_referred else "")
            if before in self.new.by_place:
                self._replaced(old, new, old_end, new_end)
                return
            old = self.old.part(before)
            new = self.new.part(after) if new_referred else new
        if self._is_new(old_end, new_end):
            self._walk(old, new, old_end, new_end)

    def _is_new(self, old: Tree, new: Tree) -> bool:
        """Whether a pair was not compared yet; it counts as compared from now on."""
        pair = (id(old), id(new))
        is_new = pair not in self._visited
        self._visited.add(pair)
        return is_new

    def _replaced(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        """Note a reference that leads to something else, if that differs."""
        pairs = [(old_end, new_end)]
        changes = list(self._differences(pairs, as_text=old.as_text))
        for pair in pairs[1:]:
            first, second = self.old.of(pair[0]), self.new.of(pair[1])
            if first is not None and second is not None:
                self._replaces(first.place, second.place)
        if changes:
            received = max(
                (each.rule for each in changes), key=lambda rule: LEVELS.index(rule.received)
            )
            sent = worst(each.rule.sent for each in changes)
            rule = received._replace(sent=sent, words=RULES["replaced"].words)
            names = self.old.label(old.tree), self.new.label(new.tree)
            change = Change(old.place, "replaced", *names, rule, _summary(changes))
            self.note(change, self.reach(old.component, new.component))

    def _is_same(self, old: Tree, new: Tree) -> bool:
        ends = self.old.end(old)[0], self.new.end(new)[0]
        return next(self._differences([ends]), None) is None

    def _differences(
        self, pairs: list[tuple[Tree, Tree]], *, as_text: bool = False
    ) -> Iterator[Change]:
        """The changes of a pair of schemas, and of those that they refer to by different names,
        which are added.
        """
        seen = {(id(old), id(new)) for old, new in pairs}
        for pair in pairs:  # it grows
            changes, links = self._difference(*pair, as_text=as_text)
            yield from changes
            for link in links:
                if (id(link[0]), id(link[1])) not in seen:
                    seen.add((id(link[0]), id(link[1])))
                    pairs.append(link)

    def _difference(
        self, old: Tree, new: Tree, *, as_text: bool
    ) -> tuple[list[Change], list[tuple[Tree, Tree]]]:
        key = (id(old), id(new), as_text)
        if key not in self._known:
            self._known[key] = [], []  # until it is known: a cycle adds nothing
            kept = self.changes, self._visited, self._links
            self.changes, self._visited, self._links = {}, {key[:2]}, []
            self._walk(Part(old, "", "", None, as_text=as_text), Part(new, "", "", None), old, new)
            self._known[key] = [*self.changes], self._links
            self.changes, self._visited, self._links = kept
        return self._known[key]

    def _walk(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        before, after = self.old.shape(old_end), self.new.shape(new_end)
        self._kept |= before.common(after)
        self._bases(before, after)
        if before.unions or after.unions:
            self._unions(old, new, before, after)
        if "discriminator" in old_end and before.value("discriminator") == after.value(
            "discriminator"
        ):
            self._values(old, new, old_end, new_end)
        differences = keyword_differences(before, after, as_text=old.as_text)
        if bool(before.unions) != bool(after.unions):
            self._note(old, new, [each for each in differences if each[0].startswith("null-")])
            return
        self._note(old, new, differences)
        if all(kind != "type-changed" for kind, _, _ in differences):
            self._children(old, new, before, after)

    def _bases(self, before: Shape, after: Shape) -> None:
        """Compare the bases that have other names, which are common ones then."""
        gone = [place for place in before.bases if place not in self.new.by_place]
        fresh = [place for place in after.bases if place not in self.old.by_place]
        for first, second in zip(gone, fresh, strict=True) if len(gone) == len(fresh) else ():
            old, new = self.old.by_place[first], self.new.by_place[second]
            before.bases[second] = after.bases[first] = None
            if self._links is None:
                self._replaces(first, second)
                self.compare(self.old.part(first), self.new.part(second))
            else:
                self._links.append((old.tree, new.tree))

    def _note(self, old: Part, new: Part, differences: Iterable[Difference]) -> None:
        reach = self.reach(old.component, new.component)
        either = self.reach(old.component, new.component, either=True)
        for kind, former, latter in differences:
            here = either if kind.endswith(("read-only", "write-only")) else reach
            if kind == "no-longer-read-only" and new.required:
                kind = "required-no-longer-read-only"  # noqa: PLW2901 - the same change of a required property
            # what a named schema is in an answer is no text
            if kind == "type-as-text" and reach.received:
                self.add("type-changed", old.place, Reach(received=reach.received), former, latter)
                here = Reach(reach.sent)
            if kind != "type-as-text" or here.sent or not reach.received:
                self.add(kind, old.place, here, former, latter)

    def _children(self, old: Part, new: Part, before: Shape, after: Shape) -> None:
        bases, prefix = before.common(after), ".properties."
        required = {f"{prefix}{name}": name for name in (*before.required, *after.required)}
        for step in sorted({*before.children, *after.children, *required}):
            first, second = before.children.get(step), after.children.get(step)
            is_own = not {each.home for each in (first, second) if each is not None} <= bases
            place = old.below + step
            old_part = old if first is None else self.old.child_part(old, first, place)
            new_part = new if second is None else self.new.child_part(new, second, place)
            reach = self.reach(old_part.component, new_part.component)
            if step in required and (first is None) == (second is None):
                self._requiredness(required[step], before, after, place, reach)
            if not is_own:
                continue
            if first is not None and second is not None:
                self.compare(
                    old_part, replace(new_part, required=required.get(step) in after.required)
                )
            elif not step.startswith(prefix):
                if step != ".additionalProperties" or before.value("closed") == after.value(
                    "closed"
                ):
                    is_part = step.startswith((".prefixItems", ".patternProperties"))
                    gone = "part-not-described" if is_part else "items-not-described"
                    kind = "items-described" if first is None else gone
                    self.add(kind, place, self.reach(old.component, new.component))
            elif first is None:
                is_required = step.removeprefix(prefix) in after.required
                self.add(
                    "required-property-added" if is_required else "optional-property-added",
                    place,
                    reach,
                )
            else:
                self.add(
                    "property-undeclared" if after.value("open") else "property-removed",
                    place,
                    reach,
                )

    def _requiredness(
        self, name: str, before: Shape, after: Shape, place: str, reach: Reach
    ) -> None:
        bases = before.common(after)
        for kind, one, other in (
            ("became-required", after, before),
            ("became-optional", before, after),
        ):
            if (
                name in one.required
                and name not in other.required
                and one.required[name] not in bases
            ):
                self.add(kind, place, reach)

    def _unions(self, old: Part, new: Part, before: Shape, after: Shape) -> None:
        """Compare the unions of two schemas. What has no union counts as a union of itself."""
        bases = before.common(after)
        first, second = (
            [union for union in shape.unions if union.home not in bases]
            for shape in (before, after)
        )
        single = [
            Union("", shape.place, [Child(part.tree, shape.place, "")], discriminated=False)
            for part, shape in ((old, before), (new, after))
        ]
        for one, other in zip_longest(first, second):
            former, latter = one or single[0], other or single[1]
            if former.keyword and latter.keyword and former.keyword != latter.keyword:
                reach = self.reach(old.component, new.component)
                self.add("union-kind", old.place, reach, former.keyword, latter.keyword)
            self._members(old, new, former, latter)

    def _members(self, old: Part, new: Part, former: Union, latter: Union) -> None:
        reach = self.reach(old.component, new.component)
        pairs = self._paired(former, latter)
        for member in former.members:
            if all(member is not each for each, _ in pairs):
                name = self.old.label(member.tree)
                is_admitted = not latter.keyword and self._admits(
                    member.tree, latter.members[0].tree
                )
                whole = self.new.label(new.tree) if is_admitted else ""
                self.add(
                    "member-joined" if is_admitted else "member-removed",
                    old.place,
                    reach,
                    name,
                    whole,
                )
        for member in latter.members:
            if all(member is not each for _, each in pairs):
                is_known = (
                    not former.keyword
                    and self._levels(former.members[0].tree, member.tree)[1] != "breaks"
                )
                added = (
                    "variant-added"
                    if former.discriminated and latter.discriminated
                    else "member-added"
                )
                name = self.new.label(member.tree)
                self.add("member-split" if is_known else added, old.place, reach, "", name)
        is_sent = old.component is None or bool(reach.sent)
        if (
            is_sent
            and not former.keyword
            and latter.keyword == "oneOf"
            and not latter.discriminated
        ):
            fits = [
                each for each in latter.members if self._admits(former.members[0].tree, each.tree)
            ]
            if len(fits) > 1:
                names = " and ".join(self.new.label(each.tree) for each in fits)
                self.add("member-ambiguous", old.place, reach, "", names)
        for first, second in pairs:
            place = old.below + first.step
            old_part = self.old.child_part(old, first, place) if first.step else old
            new_part = self.new.child_part(new, second, place) if second.step else new
            if first.step and second.step:
                self.compare(old_part, new_part)
            else:
                self._with_member(old_part, new_part)

    def _paired(self, former: Union, latter: Union) -> list[tuple[Child, Child]]:
        """The members that stand for each other: of one name or text, of one meaning, of one kind.

        A single schema is also paired with a member that admits all that it does, or that it admits
        all of.
        """
        before, after = [*former.members], [*latter.members]
        names = {each: self.old.identity(each.tree) for each in before}
        names |= {each: self.new.identity(each.tree) for each in after}
        is_single = not (former.keyword and latter.keyword)
        ways: tuple[Callable[[Child, Child], bool], ...] = (
            lambda one, other: names[one] == names[other],
            lambda one, other: self._is_same(one.tree, other.tree),
            lambda one, other: is_single and self._admits(one.tree, other.tree),
            self._could_be,
        )
        pairs: list[tuple[Child, Child]] = []
        for is_pair in ways:
            for first in [*before]:
                second = next((member for member in after if is_pair(first, member)), None)
                if second is not None:
                    pairs.append((first, second))
                    before.remove(first)
                    after.remove(second)
        return pairs

    def _could_be(self, one: Child, other: Child) -> bool:
        """Whether an inline member may be another one, changed: objects with half of their
        properties in common.
        """
        (first, old_referred), (second, new_referred) = (
            self.old.end(one.tree),
            self.new.end(other.tree),
        )
        kept = (
            self.old.place(first, "?") in self.new.by_place
            or self.new.place(second, "?") in self.old.by_place
        )
        if (old_referred or new_referred) and kept:
            return False
        before, after = self.old.shape(first).children, self.new.shape(second).children
        return 2 * len(before.keys() & after.keys()) >= max(len(before), len(after)) > 0

    def _admits(self, old: Tree, new: Tree) -> bool:
        """Whether the new schema admits all that is sent by the old one."""
        return self._levels(old, new)[0] != "breaks"

    def _levels(self, old: Tree, new: Tree) -> tuple[Level, Level]:
        """The worst that differs between two schemas when they are sent, and when they are
        received.
        """
        changes = [*self._differences([(self.old.end(old)[0], self.new.end(new)[0])])]
        return worst(each.rule.sent for each in changes), worst(
            each.rule.received for each in changes
        )

    def _with_member(self, old: Part, new: Part) -> None:
        """Compare a single schema with the member of a union that it became, or was.

        Null is said of the whole.
        """
        old_end, new_end = self.old.end(old.tree)[0], self.new.end(new.tree)[0]
        before, after = self.old.shape(old_end), self.new.shape(new_end)
        is_named = before.place.startswith(SCHEMAS) and before.place == after.place
        if (
            not is_named
            and not before.unions
            and not after.unions
            and self._is_new(old_end, new_end)
        ):
            differences = keyword_differences(before, after)
            self._note(old, new, [each for each in differences if not each[0].startswith("null-")])
            self._children(old, new, before, after)

    def _values(self, old: Part, new: Part, old_end: Tree, new_end: Tree) -> None:
        """Compare two discriminators: which value stands for which schema."""
        former, latter = self.old.mapping_of(old_end), self.new.mapping_of(new_end)
        reach = self.reach(old.component, new.component)
        for value in sorted({*former, *latter}):
            if value not in latter:
                now = next(
                    (
                        each
                        for each in latter
                        if each not in former and latter[each] == former[value]
                    ),
                    "",
                )
                kind = "discriminator-value-renamed" if now else "discriminator-value-removed"
                self.add(kind, old.place, reach, value, now)
            elif value not in former:
                if latter[value] not in [
                    each for name, each in former.items() if name not in latter
                ]:
                    self.add("discriminator-value-added", old.place, reach, "", value)
            elif self._is_another(former[value], latter[value]):
                name = latter[value].removeprefix(SCHEMAS)
                self.add("discriminator-value-changed", old.place, reach, value, name)
        before, after = self.old.default_of(old_end), self.new.default_of(new_end)
        if self._is_another(before, after):
            kind = "changed" if before and after else "added" if after else "removed"
            names = (each.removeprefix(SCHEMAS) for each in (before, after))
            self.add(f"discriminator-default-{kind}", old.place, reach, *names)

    def _is_another(self, before: str, after: str) -> bool:
        """Whether two places have different schemas: not the same one with another name."""
        old, new = self.old.by_place, self.new.by_place
        if before == after or before not in old or after not in new:
            return before != after
        return before in new or (
            after in old and not self._is_same(old[before].tree, new[after].tree)
        )


def _summary(changes: Sequence[Change], most: int = 3) -> str:
    ordered = sorted(changes, key=lambda each: -max(map(LEVELS.index, each.rule[:2])))
    words = [
        f"{each.place.removeprefix('.')}: {each.words()}".removeprefix(": ")
        for each in ordered[:most]
    ]
    return "; ".join(words) + (f"; and {len(changes) - most} more" if len(changes) > most else "")
