"""What differs in how an operation is reached: servers and security."""

from __future__ import annotations

from itertools import zip_longest

from victor_spec.components import Components, Operation
from victor_spec.tree import Tree, list_at, mapping_at, mappings_at, members, trees_at

from .changes import SENT
from .keywords import keyword_changes, keywords
from .pairs import Pair
from .schemas import SchemaComparison

Alternative = frozenset[tuple[str, str]]
"""One way to be admitted: pairs of a scheme and a scope; the scope "" stands for the scheme itself.
"""

_ADDRESSES = ("authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl", "oauth2MetadataUrl")


def compare_access(sides: SchemaComparison, pair: Pair, old: Operation, new: Operation) -> None:
    """Compare the servers that an operation is sent to, and the credentials that it needs."""
    _servers(sides, pair, old, new)
    _security(sides, pair, old, new)
    before = _definitions(sides.old)
    after = _definitions(sides.new)
    used = _schemes(_alternatives(sides.old, old, {}))
    for name in used & _schemes(_alternatives(sides.new, new, {})):
        if name in before and name in after:
            _compare_scheme(pair, f"components.securitySchemes.{name}", before[name], after[name])


def _servers(sides: SchemaComparison, pair: Pair, old: Operation, new: Operation) -> None:
    """Compare the servers that an operation is sent to."""
    old_servers, place = _effective_servers(sides.old, old)
    new_servers, new_place = _effective_servers(sides.new, new)
    start = f"{sides.moves.before(place or new_place)}servers"
    before = _by_address(old_servers)
    after = _by_address(new_servers)
    numbers = {address: number for number, address in enumerate(after)}
    numbers |= {address: number for number, address in enumerate(before)}
    gone = [address for address in before if address not in after]
    fresh = [address for address in after if address not in before]
    for address, successor in zip_longest(gone, fresh, fillvalue=""):
        kind = "server-added" if before else "server-named"
        if address:
            kind = "server-changed" if successor else "server-removed"
        place = f"{start}[{numbers[address or successor]}].url"
        pair.say(kind, address, successor, at=place, directions=SENT)
    first = next(iter(before), "")
    second = next(iter(after), "")
    if before and second != first and first in after:
        pair.say("server-order", first, second, at=f"{start}[0].url", directions=SENT)
    for address in before.keys() & after.keys():
        place = f"{start}[{numbers[address]}].variables"
        _variables(pair, place, before[address], after[address])


def _variables(pair: Pair, place: str, old: Tree, new: Tree) -> None:
    """Compare the variables in the URL of a server."""
    after = mapping_at(new, "variables")
    for name, variable in mappings_at(old, "variables"):
        former = keywords(variable)
        latter = keywords(mapping_at(after, name))
        for keyword in sorted({*former, *latter}):
            before = former.get(keyword)
            if before != latter.get(keyword):
                for kind, *values in keyword_changes(keyword, before, latter.get(keyword)):
                    pair.say(kind, *values, at=f"{place}.{name}", directions=SENT)


def _by_address(servers: list[Tree]) -> dict[str, Tree]:
    """Servers by their URLs, without a slash at the end."""
    by_address: dict[str, Tree] = {}
    for server in servers:
        address = str(server.get("url", "/")).rstrip("/")
        by_address[address or "/"] = server
    return by_address


def _effective_servers(components: Components, operation: Operation) -> tuple[list[Tree], str]:
    """The servers of an operation, and what their places begin with."""
    own = (operation.tree, operation.place)
    shared = (operation.item, operation.item_place)
    for tree, place in (own, shared):
        if list_at(tree, "servers"):
            return trees_at(tree, "servers"), f"{place}."
    return trees_at(components.document, "servers"), ""


def _security(sides: SchemaComparison, pair: Pair, old: Operation, new: Operation) -> None:
    """Compare the credentials that an operation needs. A way that needs less than an old one stands
    for it.
    """
    before = _alternatives(sides.old, old, {})
    after = _alternatives(sides.new, new, _renamed_schemes(sides))
    is_own = "security" in old.tree or "security" in new.tree
    place = f"{old.place}.security" if is_own else "security"
    was_open = not before or frozenset() in before
    is_open = not after or frozenset() in after
    if was_open and is_open:
        return
    if is_open:
        pair.say("security-removed", _words(before), at=place, directions=SENT)
        return
    if was_open:
        pair.say("security-added", "", _words(after), at=place, directions=SENT)
        return
    for alternative in before - after:
        if not any(other <= alternative for other in after):
            words = _words({alternative})
            pair.say("security-alternative-removed", words, at=place, directions=SENT)
    for alternative in after - before:
        words = _words({alternative})
        pair.say("security-alternative-added", "", words, at=place, directions=SENT)


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


def _renamed_schemes(sides: SchemaComparison) -> dict[str, str]:
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


def _schemes(alternatives: set[Alternative]) -> set[str]:
    """The schemes that some ways to be admitted need."""
    return {name for alternative in alternatives for name, _ in alternative}


def _compare_scheme(pair: Pair, place: str, old: Tree, new: Tree) -> None:
    """Compare a security scheme, its addresses and its flows."""
    before = _essence(old)
    after = _essence(new)
    if before != after:
        pair.say("scheme-changed", before, after, at=place, directions=SENT)
    flows = mapping_at(new, "flows")
    _compare_flow(pair, place, old, new)
    for kind, flow in mappings_at(old, "flows"):
        if mapping_at(flows, kind):
            _compare_flow(pair, place, flow, flows[kind])
        else:
            texts = f"{before} with the flow {kind}", f"{after} without it"
            pair.say("scheme-changed", *texts, at=place, directions=SENT)


def _compare_flow(pair: Pair, place: str, old: Tree, new: Tree) -> None:
    """Compare the addresses and scopes of a flow, or of a scheme itself."""
    for key in _ADDRESSES:
        before = str(old.get(key))
        after = str(new.get(key))
        if before != after:
            pair.say("scheme-address", before, after, at=place, directions=SENT)
    for scope in mapping_at(old, "scopes"):
        if scope not in mapping_at(new, "scopes"):
            pair.say("scope-removed", scope, at=place, directions=SENT)
