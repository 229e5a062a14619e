"""What differs in how the API is reached: servers and security."""

from itertools import zip_longest

from victor_spec.components import Components, Operation
from victor_spec.tree import (
    Tree,
    is_mapping,
    list_at,
    mapping_at,
    mappings_at,
    members,
    trees_at,
)

from .changes import Reach, Sides
from .keywords import keywords

Alternative = frozenset[tuple[str, str]]
"""One way to be admitted: pairs of a scheme and a scope; the scope "" stands for the scheme itself.
"""

_ADDRESSES = ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl", "oauth2MetadataUrl")


def compare_access(sides: Sides) -> None:
    """Compare servers and security of everything that both documents have."""
    for name, new in sides.same_operations.items():
        old = sides.old.operations[name]
        if not old.incoming:
            _servers(sides, old, new)
            _security(sides, old, new)
    _schemes(sides)


def _servers(sides: Sides, old: Operation, new: Operation) -> None:
    (former, place), (latter, new_place) = (
        _effective_servers(sides.old, old),
        _effective_servers(sides.new, new),
    )
    start, reach = f"{sides.moves.before(place or new_place)}servers", Reach(frozenset({old.name}))
    before, after = (
        {str(each.get("url", "/")).rstrip("/") or "/": each for each in given}
        for given in (former, latter)
    )
    numbers = {address: number for number, address in enumerate(before)}
    gone = [address for address in before if address not in after]
    come = [address for address in after if address not in before]
    for address, successor in zip_longest(gone, come, fillvalue=""):
        kind = "server-added" if before else "server-named"
        if address:
            kind = "server-changed" if successor else "server-removed"
        number = numbers[address] if address else list(after).index(successor)
        sides.add(kind, f"{start}[{number}].url", reach, address, successor)
    for first, second in [*zip(before, after, strict=False)][:1]:
        if first != second and first in after:
            sides.add("server-order", f"{start}[0].url", reach, first, second)
    for address in before.keys() & after.keys():
        for name, variable in mappings_at(before[address], "variables"):
            other = mapping_at(mapping_at(after[address], "variables"), name)
            place = f"{start}[{numbers[address]}].variables.{name}"
            sides.differ_in(keywords(variable), keywords(other), place, reach)


def _effective_servers(components: Components, operation: Operation) -> tuple[list[Tree], str]:
    """The servers of an operation, and what their places begin with."""
    for tree, place in ((operation.tree, operation.place), (operation.item, operation.item_place)):
        if list_at(tree, "servers"):
            return trees_at(tree, "servers"), f"{place}."
    return trees_at(components.document, "servers"), ""


def _security(sides: Sides, old: Operation, new: Operation) -> None:
    before, after = (
        _alternatives(sides.old, old, {}),
        _alternatives(sides.new, new, _renamed_schemes(sides)),
    )
    was_open, is_open = (not each or frozenset() in each for each in (before, after))
    own = "security" in old.tree or "security" in new.tree
    place, reach = f"{old.place}.security" if own else "security", Reach(frozenset({old.name}))
    if is_open and not was_open:
        sides.add("security-removed", place, reach, _words(before))
    elif was_open and not is_open:
        sides.add("security-added", place, reach, "", _words(after))
    elif not is_open:
        for alternative in sorted(before - after, key=sorted):
            if not any(other <= alternative for other in after):
                sides.add("security-alternative-removed", place, reach, _words({alternative}))
        for alternative in sorted(after - before, key=sorted):
            sides.add("security-alternative-added", place, reach, "", _words({alternative}))


def _alternatives(
    components: Components, operation: Operation, renamed: dict[str, str]
) -> set[Alternative]:
    """The ways to be admitted; none when the operation is open, an empty one when credentials are
    optional.
    """
    given = list_at(
        operation.tree if "security" in operation.tree else components.document, "security"
    )
    return {
        frozenset(
            (renamed.get(name, name), str(scope))
            for name in requirement
            for scope in ["", *list_at(requirement, name)]
        )
        for requirement in given
        if is_mapping(requirement)
    }


def _words(alternatives: set[Alternative]) -> str:
    words: list[str] = []
    for alternative in alternatives:
        names = sorted(name for name, scope in alternative if not scope)
        scopes = {
            name: sorted(scope for each, scope in alternative if each == name and scope)
            for name in names
        }
        words.append(
            " and ".join(
                f"{name} ({', '.join(own)})" if own else name for name, own in scopes.items()
            )
        )
    return " or ".join(sorted(words))


def _definitions(components: Components) -> dict[str, Tree]:
    named = mapping_at(mapping_at(components.document, "components"), "securitySchemes")
    return {name: components.resolve(tree) for name, tree in members(named)}


def _renamed_schemes(sides: Sides) -> dict[str, str]:
    """New names of schemes that only have another name, with the old ones."""
    old, new = _definitions(sides.old), _definitions(sides.new)
    gone = {_essence(tree): name for name, tree in old.items() if name not in new}
    return {
        name: gone[_essence(tree)]
        for name, tree in new.items()
        if name not in old and _essence(tree) in gone
    }


def _essence(scheme: Tree) -> str:
    """The kind of credentials, as in `http bearer` and `apiKey header x-key`; other names have
    their letter case.
    """
    words = [str(scheme[key]) for key in ("type", "in", "name", "scheme") if scheme.get(key)]
    exact = scheme.get("in") in ("query", "cookie")
    return " ".join(words if exact else [*words[:1], *(each.lower() for each in words[1:])])


def _schemes(sides: Sides) -> None:
    after = _definitions(sides.new)
    for name, old in _definitions(sides.old).items():
        if name not in after:
            continue  # an operation that needs it says so
        same, new = sides.same_operations.items(), after[name]
        names = {
            at
            for at, now in same
            if _uses(sides.old, sides.old.operations[at], name) and _uses(sides.new, now, name)
        }
        place, reach = f"components.securitySchemes.{name}", Reach(frozenset(names))
        sides.differ("scheme-changed", place, reach, _essence(old), _essence(new))
        for kind, flow in [*mappings_at(old, "flows"), ("", old)]:
            other = mapping_at(mapping_at(new, "flows"), kind) if kind else new
            if not other:
                former, latter = (
                    f"{_essence(old)} with the flow {kind}",
                    f"{_essence(new)} without it",
                )
                sides.add("scheme-changed", place, reach, former, latter)
                continue
            for key in _ADDRESSES:
                sides.differ(
                    "scheme-address", place, reach, str(flow.get(key)), str(other.get(key))
                )
            for scope in sorted(
                mapping_at(flow, "scopes").keys() - mapping_at(other, "scopes").keys()
            ):
                sides.add("scope-removed", place, reach, scope)


def _uses(components: Components, operation: Operation, scheme: str) -> bool:
    return any(
        (scheme, "") in alternative for alternative in _alternatives(components, operation, {})
    )
