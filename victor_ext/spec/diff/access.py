"""What differs in how the API is reached: servers and security."""

from __future__ import annotations

from victor_ext.spec.components import Components, Operation
from victor_ext.spec.tree import Tree, is_mapping, list_at, mapping_at, mappings_at, members

from .changes import Reach, Sides, addresses, effective_servers, server_address, wire_name
from .keywords import as_json

Alternative = frozenset[tuple[str, str]]
"""One way to be admitted: pairs of a scheme and a scope; the scope "" stands for the scheme itself."""

_ADDRESSES = ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl", "oauth2MetadataUrl")


def compare_access(sides: Sides) -> None:
    """Compare servers and security of everything that both documents have."""
    for name, new in sides.same_operations.items():
        old = sides.old.operations[name]
        if not old.incoming:
            _servers(sides, old, new)
            _security(sides, old, new)
    _schemes(sides)


# ---- Servers ----


def _servers(sides: Sides, old: Operation, new: Operation) -> None:
    before, place = effective_servers(sides.old, old)
    after, _ = effective_servers(sides.new, new)
    reach = Reach(frozenset({old.name}))
    if wire_name(old) != wire_name(new) and addresses(sides.old, old) == addresses(sides.new, new):
        first, second = (server_address(servers[0] if servers else {}) for servers in (before, after))
        sides.add("server-shifted", f"{place}servers", reach, first, second)
        return
    if not place and list_at(new.tree, "servers"):
        place = f"{old.place}."
    elif not place and list_at(new.item, "servers"):
        place = f"{old.item_place}."
    _compare_servers(sides, before, after, f"{place}servers", reach)


def _compare_servers(sides: Sides, old: list[Tree], new: list[Tree], place: str, reach: Reach) -> None:
    before, after = ([server_address(each) for each in servers] for servers in (old, new))
    gone = [number for number, address in enumerate(before) if address not in after]
    come = [number for number, address in enumerate(after) if address not in before]
    if not before:
        for number in come:
            sides.add("server-named", f"{place}[{number}].url", reach, "", after[number])
        return
    for number, successor in zip(gone, come, strict=False):
        sides.add("server-changed", f"{place}[{number}].url", reach, before[number], after[successor])
    for number in gone[len(come) :]:
        sides.add("server-removed", f"{place}[{number}].url", reach, before[number])
    for number in come[len(gone) :]:
        sides.add("server-added", f"{place}[{number}].url", reach, "", after[number])
    if after and before[0] != after[0] and before[0] in after:
        sides.add("server-order", f"{place}[0].url", reach, before[0], after[0])
    for number, address in enumerate(before):
        if address in after:
            _variables(sides, old[number], new[after.index(address)], f"{place}[{number}].variables", reach)


def _variables(sides: Sides, old: Tree, new: Tree, place: str, reach: Reach) -> None:
    theirs = mapping_at(new, "variables")
    for name, variable in mappings_at(old, "variables"):
        other, here = mapping_at(theirs, name), f"{place}.{name}"
        if variable.get("default") != other.get("default"):
            sides.add("server-variable", here, reach, str(variable.get("default")), str(other.get("default")))
        before, after = ([str(value) for value in list_at(each, "enum")] for each in (variable, other))
        for value in before if after else []:
            if value not in after:
                sides.add("server-variable-value-removed", here, reach, value)
        for value in after if before else []:
            if value not in before:
                sides.add("server-variable-value-added", here, reach, "", value)


# ---- Security ----


def _security(sides: Sides, old: Operation, new: Operation) -> None:
    renamed = _renamed_schemes(sides)
    before = _alternatives(sides.old, old, {})
    after = _alternatives(sides.new, new, renamed)
    if before == after:
        return
    own = "security" in old.tree or "security" in new.tree
    place, reach = f"{old.place}.security" if own else "security", Reach(frozenset({old.name}))
    if not after or frozenset() in after:
        if before and frozenset() not in before:
            sides.add("security-removed", place, reach, _words(before), "")
        return
    if not before or frozenset() in before:
        sides.add("security-added", place, reach, "", _words(after))
        return
    for alternative in sorted(before - after, key=sorted):
        if not any(other <= alternative for other in after):
            sides.add("security-alternative-removed", place, reach, _words({alternative}))
    for alternative in sorted(after - before, key=sorted):
        sides.add("security-alternative-added", place, reach, "", _words({alternative}))


def _alternatives(components: Components, operation: Operation, renamed: dict[str, str]) -> set[Alternative]:
    """The ways to be admitted; none when the operation is open, an empty one when credentials are optional."""
    given = list_at(operation.tree if "security" in operation.tree else components.document, "security")
    return {
        frozenset(
            (renamed.get(name, name), str(scope)) for name in requirement for scope in ["", *list_at(requirement, name)]
        )
        for requirement in given
        if is_mapping(requirement)
    }


def _words(alternatives: set[Alternative]) -> str:
    words: list[str] = []
    for alternative in alternatives:
        names = sorted(name for name, scope in alternative if not scope)
        scopes = {name: sorted(scope for each, scope in alternative if each == name and scope) for name in names}
        words.append(" and ".join(f"{name} ({', '.join(own)})" if own else name for name, own in scopes.items()))
    return " or ".join(sorted(words))


def _definitions(components: Components) -> dict[str, Tree]:
    named = mapping_at(mapping_at(components.document, "components"), "securitySchemes")
    return {name: components.resolve(tree) for name, tree in members(named)}


def _renamed_schemes(sides: Sides) -> dict[str, str]:
    """New names of schemes that only have another name, with the old ones."""
    old, new = _definitions(sides.old), _definitions(sides.new)
    gone = {as_json(_essence(tree)): name for name, tree in old.items() if name not in new}
    return {
        name: gone[as_json(_essence(tree))]
        for name, tree in new.items()
        if name not in old and as_json(_essence(tree)) in gone
    }


def _essence(scheme: Tree) -> Tree:
    keys = ("type", "in", "name", "scheme")
    essence = {key: str(scheme.get(key, "")) for key in keys}
    if essence["type"] == "http":
        essence["scheme"] = essence["scheme"].lower()
    if essence["in"] == "header":
        essence["name"] = essence["name"].lower()
    return essence


def _schemes(sides: Sides) -> None:
    after = _definitions(sides.new)
    for name, old in _definitions(sides.old).items():
        if name not in after:
            continue  # an operation that needs it says so
        place, reach, new = f"components.securitySchemes.{name}", _reach_of_scheme(sides, name), after[name]
        first, second = (" ".join(value for value in _essence(each).values() if value) for each in (old, new))
        if first != second:
            sides.add("scheme-changed", place, reach, first, second)
        flows = mapping_at(new, "flows")
        for kind, flow in [*mappings_at(old, "flows"), ("", old)]:
            other = mapping_at(flows, kind) if kind else new
            if not other:
                sides.add("scheme-changed", place, reach, f"{second} with the flow {kind}", f"{second} without it")
                continue
            for key in _ADDRESSES:
                if flow.get(key) != other.get(key):
                    sides.add("scheme-address", place, reach, str(flow.get(key)), str(other.get(key)))
            scopes = [mapping_at(each, "scopes") for each in (flow, other)]
            for scope in sorted(scopes[0].keys() - scopes[1].keys()):
                sides.add("scope-removed", place, reach, scope)
            for scope in sorted(scopes[1].keys() - scopes[0].keys()):
                sides.add("scope-added", place, reach, "", scope)


def _reach_of_scheme(sides: Sides, name: str) -> Reach:
    names = {
        operation
        for operation, new in sides.same_operations.items()
        if all(
            any((name, "") in alternative for alternative in _alternatives(components, each, {}))
            for components, each in ((sides.old, sides.old.operations[operation]), (sides.new, new))
        )
    }
    return Reach(frozenset(names))
