"""What differs in how the API is reached: servers and security."""

from itertools import zip_longest

from victor_spec.components import Components, Operation
from victor_spec.tree import (
    Tree,
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
    """Compare the servers that an operation is sent to."""
    old_servers, place = _effective_servers(sides.old, old)
    new_servers, new_place = _effective_servers(sides.new, new)
    start = f"{sides.moves.before(place or new_place)}servers"
    reach = Reach(sent=frozenset({old.name}))
    before = _by_address(old_servers)
    after = _by_address(new_servers)
    old_numbers = _numbers(before)
    new_numbers = _numbers(after)
    gone = [address for address in before if address not in after]
    fresh = [address for address in after if address not in before]
    for address, successor in zip_longest(gone, fresh, fillvalue=""):
        number = old_numbers[address] if address else new_numbers[successor]
        kind = _kind_of_server(address, successor, is_first=not before)
        sides.add(kind, f"{start}[{number}].url", reach, address, successor)
    first = next(iter(before), "")
    second = next(iter(after), "")
    if before and second != first and first in after:
        sides.add("server-order", f"{start}[0].url", reach, first, second)
    for address in before.keys() & after.keys():
        here = f"{start}[{old_numbers[address]}].variables"
        _variables(sides, before[address], after[address], here, reach)


def _variables(sides: Sides, old: Tree, new: Tree, place: str, reach: Reach) -> None:
    """Compare the variables in the URL of a server."""
    after = mapping_at(new, "variables")
    for name, variable in mappings_at(old, "variables"):
        former = keywords(variable)
        latter = keywords(mapping_at(after, name))
        sides.differ_in(former, latter, f"{place}.{name}", reach)


def _numbers(by_address: dict[str, Tree]) -> dict[str, int]:
    """The place in the list that each server has."""
    return {address: number for number, address in enumerate(by_address)}


def _by_address(servers: list[Tree]) -> dict[str, Tree]:
    """Servers by their URLs, without a slash at the end."""
    by_address: dict[str, Tree] = {}
    for server in servers:
        address = str(server.get("url", "/")).rstrip("/")
        by_address[address or "/"] = server
    return by_address


def _kind_of_server(address: str, successor: str, *, is_first: bool) -> str:
    """The kind of change: `address` is gone, `successor` is new, and either may be empty.

    `is_first` says that the old document had no servers.
    """
    if address:
        return "server-changed" if successor else "server-removed"
    return "server-named" if is_first else "server-added"


def _effective_servers(components: Components, operation: Operation) -> tuple[list[Tree], str]:
    """The servers of an operation, and what their places begin with."""
    own = (operation.tree, operation.place)
    shared = (operation.item, operation.item_place)
    for tree, place in (own, shared):
        if list_at(tree, "servers"):
            return trees_at(tree, "servers"), f"{place}."
    return trees_at(components.document, "servers"), ""


def _security(sides: Sides, old: Operation, new: Operation) -> None:
    """Compare the credentials that an operation needs."""
    before = _alternatives(sides.old, old, {})
    after = _alternatives(sides.new, new, _renamed_schemes(sides))
    is_own = "security" in old.tree or "security" in new.tree
    place = f"{old.place}.security" if is_own else "security"
    reach = Reach(frozenset({old.name}))
    if _is_open(before) and _is_open(after):
        return
    if _is_open(after):
        sides.add("security-removed", place, reach, _words(before))
    elif _is_open(before):
        sides.add("security-added", place, reach, "", _words(after))
    else:
        _compare_alternatives(sides, before, after, place, reach)


def _is_open(alternatives: set[Alternative]) -> bool:
    """Whether an operation can be called without credentials."""
    return not alternatives or frozenset() in alternatives


def _compare_alternatives(
    sides: Sides, before: set[Alternative], after: set[Alternative], place: str, reach: Reach
) -> None:
    """Compare the ways to be admitted. A way that needs less than an old one stands for it."""
    for alternative in before - after:
        is_covered = any(other <= alternative for other in after)
        if not is_covered:
            sides.add("security-alternative-removed", place, reach, _words({alternative}))
    for alternative in after - before:
        sides.add("security-alternative-added", place, reach, "", _words({alternative}))


def _alternatives(
    components: Components, operation: Operation, renamed: dict[str, str]
) -> set[Alternative]:
    """The ways to be admitted; none when the operation is open, an empty one when credentials are
    optional.
    """
    owner = operation.tree if "security" in operation.tree else components.document
    alternatives: set[Alternative] = set()
    for requirement in trees_at(owner, "security"):
        pairs: list[tuple[str, str]] = []
        for name in requirement:
            scopes = ["", *map(str, list_at(requirement, name))]
            pairs += [(renamed.get(name, name), scope) for scope in scopes]
        alternatives.add(frozenset(pairs))
    return alternatives


def _words(alternatives: set[Alternative]) -> str:
    """Alternatives in words: `key and oauth (read, write) or basic`."""
    return " or ".join(sorted(map(_words_of_alternative, alternatives)))


def _words_of_alternative(alternative: Alternative) -> str:
    """One way to be admitted in words: `key and oauth (read, write)`."""
    scopes: dict[str, list[str]] = {}
    for name, scope in sorted(alternative):
        scopes.setdefault(name, [])
        if scope:
            scopes[name].append(scope)
    words: list[str] = []
    for name, own in scopes.items():
        words.append(f"{name} ({', '.join(own)})" if own else name)
    return " and ".join(words)


def _definitions(components: Components) -> dict[str, Tree]:
    """The security schemes of a document by their names."""
    named = mapping_at(mapping_at(components.document, "components"), "securitySchemes")
    return {name: components.resolve(tree) for name, tree in members(named)}


def _renamed_schemes(sides: Sides) -> dict[str, str]:
    """New names of schemes that only have another name, with the old ones."""
    old = _definitions(sides.old)
    new = _definitions(sides.new)
    gone = {_essence(tree): name for name, tree in old.items() if name not in new}
    renamed: dict[str, str] = {}
    for name, tree in new.items():
        essence = _essence(tree)
        if name not in old and essence in gone:
            renamed[name] = gone[essence]
    return renamed


def _essence(scheme: Tree) -> str:
    """The kind of credentials, as in `http bearer` and `apiKey header x-key`; other names have
    their letter case.
    """
    kind, *words = [str(scheme.get(key) or "") for key in ("type", "in", "name", "scheme")]
    has_case = scheme.get("in") in ("query", "cookie")
    if not has_case:
        words = [word.lower() for word in words]
    return " ".join(filter(None, [kind, *words]))


def _schemes(sides: Sides) -> None:
    """Compare the schemes that both documents have: one that is gone is missed by an operation."""
    after = _definitions(sides.new)
    for name, old in _definitions(sides.old).items():
        if name in after:
            _compare_scheme(sides, name, old, after[name])


def _compare_scheme(sides: Sides, name: str, old: Tree, new: Tree) -> None:
    """Compare a security scheme, its addresses and its flows."""
    place = f"components.securitySchemes.{name}"
    reach = Reach(frozenset(_users_of_scheme(sides, name)))
    before = _essence(old)
    after = _essence(new)
    sides.differ("scheme-changed", place, reach, before, after)
    flows = mapping_at(new, "flows")
    for kind, flow in mappings_at(old, "flows"):
        other = mapping_at(flows, kind)
        if other:
            _compare_flow(sides, flow, other, place, reach)
        else:
            texts = f"{before} with the flow {kind}", f"{after} without it"
            sides.add("scheme-changed", place, reach, *texts)
    _compare_flow(sides, old, new, place, reach)


def _users_of_scheme(sides: Sides, name: str) -> set[str]:
    """The operations that need a scheme in both documents."""
    users: set[str] = set()
    for operation, new in sides.same_operations.items():
        old = sides.old.operations[operation]
        if _uses(sides.old, old, name) and _uses(sides.new, new, name):
            users.add(operation)
    return users


def _compare_flow(sides: Sides, old: Tree, new: Tree, place: str, reach: Reach) -> None:
    """Compare the addresses and scopes of a flow, or of a scheme itself."""
    for key in _ADDRESSES:
        before = str(old.get(key))
        after = str(new.get(key))
        sides.differ("scheme-address", place, reach, before, after)
    scopes = mapping_at(new, "scopes")
    for scope in mapping_at(old, "scopes"):
        if scope not in scopes:
            sides.add("scope-removed", place, reach, scope)


def _uses(components: Components, operation: Operation, scheme: str) -> bool:
    """Whether one of the ways to be admitted to an operation needs a scheme."""
    alternatives = _alternatives(components, operation, {})
    return any((scheme, "") in alternative for alternative in alternatives)
