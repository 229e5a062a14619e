"""What differs in how an operation is reached: servers and security."""

from __future__ import annotations

from itertools import zip_longest

from victor_spec.components import Components, Operation
from victor_spec.tree import Tree, list_at, mapping_at, mappings_at, members, trees_at

from .changes import SENT
from .keywords import changes_of_keywords
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


# ---- Servers ----


def _servers(sides: SchemaComparison, pair: Pair, old: Operation, new: Operation) -> None:
    """Compare the servers that an operation is sent to, by their URLs."""
    before, place = _effective_servers(sides.old, old)
    after, new_place = _effective_servers(sides.new, new)
    start = f"{sides.moves.before(place or new_place)}servers"
    numbers = {address: f"{start}[{number}]" for number, address in enumerate(after)}
    numbers |= {address: f"{start}[{number}]" for number, address in enumerate(before)}
    gone = [address for address in before if address not in after]
    fresh = [address for address in after if address not in before]
    for address, successor in zip_longest(gone, fresh, fillvalue=""):
        kind = "server-added" if before else "server-named"
        if address:
            kind = "server-changed" if successor else "server-removed"
        at = f"{numbers[address or successor]}.url"
        pair.say(kind, address, successor, at=at, directions=SENT)
    first = next(iter(before), "")
    second = next(iter(after), "")
    if before and second != first and first in after:
        pair.say("server-order", first, second, at=f"{start}[0].url", directions=SENT)
    for address in before.keys() & after.keys():
        variables = mapping_at(after[address], "variables")
        for name, variable in mappings_at(before[address], "variables"):
            at = f"{numbers[address]}.variables.{name}"
            for kind, *values in changes_of_keywords(variable, mapping_at(variables, name)):
                pair.say(kind, *values, at=at, directions=SENT)


def _effective_servers(components: Components, operation: Operation) -> tuple[dict[str, Tree], str]:
    """The servers of an operation by their URLs, without a slash at the end; and what their places
    begin with.
    """
    holders = [
        (operation.tree, f"{operation.place}."),
        (operation.item, f"{operation.item_place}."),
        (components.document, ""),
    ]
    tree, start = next((each for each in holders if list_at(each[0], "servers")), holders[-1])
    by_address: dict[str, Tree] = {}
    for server in trees_at(tree, "servers"):
        address = str(server.get("url", "/")).rstrip("/")
        by_address[address or "/"] = server
    return by_address, start


# ---- Security ----


def _security(sides: SchemaComparison, pair: Pair, old: Operation, new: Operation) -> None:
    """Compare the credentials that an operation needs. A way that needs less than an old one stands
    for it.
    """
    former = _definitions(sides.old)
    latter = _definitions(sides.new)
    before = _alternatives(sides.old, old, {})
    after = _alternatives(sides.new, new, _renamed_schemes(former, latter))
    is_own = "security" in old.tree or "security" in new.tree
    place = f"{old.place}.security" if is_own else "security"
    was_open = not before or frozenset() in before
    is_open = not after or frozenset() in after
    if is_open and not was_open:
        pair.say("security-removed", _words(before), at=place, directions=SENT)
    elif was_open and not is_open:
        pair.say("security-added", "", _words(after), at=place, directions=SENT)
    elif not is_open:
        for alternative in before - after:
            if not any(other <= alternative for other in after):
                words = _words({alternative})
                pair.say("security-alternative-removed", words, at=place, directions=SENT)
        for alternative in after - before:
            words = _words({alternative})
            pair.say("security-alternative-added", "", words, at=place, directions=SENT)
    used = {name for alternative in before for name, _ in alternative}
    for name in used & {
        name for alternative in _alternatives(sides.new, new, {}) for name, _ in alternative
    }:
        if name in former and name in latter:
            at = f"components.securitySchemes.{name}"
            _compare_scheme(pair, at, former[name], latter[name])


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
    words: list[str] = []
    for alternative in alternatives:
        schemes: list[str] = []
        for name in sorted({scheme for scheme, _ in alternative}):
            scopes = sorted(scope for scheme, scope in alternative if scheme == name and scope)
            schemes.append(f"{name} ({', '.join(scopes)})" if scopes else name)
        words.append(" and ".join(schemes))
    return " or ".join(sorted(words))


def _definitions(components: Components) -> dict[str, Tree]:
    """The security schemes of a document by their names."""
    named = mapping_at(mapping_at(components.document, "components"), "securitySchemes")
    return {name: components.resolve(tree) for name, tree in members(named)}


def _renamed_schemes(old: dict[str, Tree], new: dict[str, Tree]) -> dict[str, str]:
    """New names of schemes that only have another name, with the old ones."""
    gone = {_essence(tree): name for name, tree in old.items() if name not in new}
    renamed: dict[str, str] = {}
    for name, tree in new.items():
        if name not in old and _essence(tree) in gone:
            renamed[name] = gone[_essence(tree)]
    return renamed


def _essence(scheme: Tree) -> str:
    """The kind of credentials, as in `http bearer` and `apiKey header x-key`; other names have
    their letter case.
    """
    kind, *words = [str(scheme.get(key) or "") for key in ("type", "in", "name", "scheme")]
    if scheme.get("in") not in ("query", "cookie"):
        words = [word.lower() for word in words]
    return " ".join(filter(None, [kind, *words]))


def _compare_scheme(pair: Pair, place: str, old: Tree, new: Tree) -> None:
    """Compare a security scheme, and the addresses and scopes of it and of its flows."""
    before = _essence(old)
    after = _essence(new)
    if before != after:
        pair.say("scheme-changed", before, after, at=place, directions=SENT)
    flows = {"": new, **mapping_at(new, "flows")}
    for kind, flow in [("", old), *mappings_at(old, "flows")]:
        other = mapping_at(flows, kind)
        if not other:
            texts = f"{before} with the flow {kind}", f"{after} without it"
            pair.say("scheme-changed", *texts, at=place, directions=SENT)
            continue
        for key in _ADDRESSES:
            if str(flow.get(key)) != str(other.get(key)):
                texts = str(flow.get(key)), str(other.get(key))
                pair.say("scheme-address", *texts, at=place, directions=SENT)
        for scope in mapping_at(flow, "scopes"):
            if scope not in mapping_at(other, "scopes"):
                pair.say("scope-removed", scope, at=place, directions=SENT)
