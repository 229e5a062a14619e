"""What a document does not say of its operations, and a caller has to know."""

import re
from collections.abc import Iterator, Mapping, Sequence

from openapi_python_client.parser.openapi import Endpoint

from .requests import Requests, good_answers, members
from .tree import Operation, Tree, hooks, mappings_at, operations, resolve, trees_at

GAPS = {
    "server": "Give the right URL as base_url; http works for this machine only.",
    "own-server": "It is called at base_url, unless servers= leads there.",
    "pages-without-end": "Read to an empty page, and refuse a page that comes again.",
    "undocumented-failure": "These failures have no model: see their status.",
    "webhook-without-security": "Anybody can post: pass read_webhook a check of the signature "
    "(verify=).",
}
"""What follows for a caller, by the name of each gap."""
_UNENCRYPTED = re.compile(r"http://(?!localhost|127\.)")
_PAGING = re.compile(
    r"(?i)^(?:page(?:_?(?:number|no|token))?|offset|skip|start|cursor|"
    r"(?:starting_|ending_)?(?:after|before)|from)$"
)
_END = re.compile(
    r"(?i)has_?more|next|total|last_?page|page_?count|is_?last|cursor|links?$|count$|paging|"
    r"pagination|^meta$|^page$"
)

Gap = tuple[str, str]
"""The name of a gap, and its place with what is missing there."""


def gaps(document: Tree, endpoints: Sequence[Endpoint], requests: Requests) -> dict[str, list[str]]:
    """The gaps of a document, by the names in `GAPS`.

    `endpoints` are what the generator made of its operations.
    """
    by_name = {
        (endpoint.method.upper(), requests.declared(endpoint).path): endpoint
        for endpoint in endpoints
    }
    places: dict[str, list[str]] = {name: [] for name in GAPS}
    for name, place in _gaps(document, by_name, requests):
        places[name].append(place)
    return places


def _gaps(
    document: Tree, endpoints: Mapping[tuple[str, str], Endpoint], requests: Requests
) -> Iterator[Gap]:
    """Each gap, with its name in `GAPS` and its place."""
    yield from _of_servers(document)
    for (method, path), endpoint in endpoints.items():
        server = requests.request_of(endpoint).server
        if server:
            yield "own-server", f"{method} {path}: its server is {server}"
    for operation in operations(document):
        yield from _of_failures(document, operation)
        made = endpoints.get((operation.method.upper(), operation.path))
        if operation.method == "get" and made is not None:
            yield from _of_pages(document, operation, made)
    for hook in hooks(document):
        if not hook.tree.get("security", document.get("security")):
            what = "nothing says how to tell that the provider sent it"
            yield "webhook-without-security", f"{hook.where}: {what}"


def _of_servers(document: Tree) -> Iterator[Gap]:
    """The gaps of servers: none is named, or one is not encrypted."""
    servers = trees_at(document, "servers")
    if not servers:
        yield "server", "servers: the document names no server"
    for number, server in enumerate(servers):
        url = str(server.get("url", ""))
        if _UNENCRYPTED.match(url):
            yield "server", f"servers[{number}].url: {url} is not encrypted"


def _of_failures(document: Tree, operation: Operation) -> Iterator[Gap]:
    """The failures of an operation that no response is documented for."""
    statuses = _answers(document, operation).keys()
    if "default" in statuses:
        return
    missing: list[str] = []
    is_open = operation.tree.get("security") == []  # without a word, it is most likely not
    if not is_open and not statuses & {"401", "4xx"}:
        missing.append("401")
    if not any(status.startswith("5") for status in statuses):
        missing.append("5xx")
    if missing:
        what = f"no answer is documented for {' and '.join(missing)}"
        yield "undocumented-failure", f"{operation.where}: {what}"


def _of_pages(document: Tree, operation: Operation, endpoint: Endpoint) -> Iterator[Gap]:
    """A list that is read in pages, of which nothing says which one is the last."""
    names = [parameter.name.get_untrusted_value() for parameter in endpoint.query_parameters]
    paging = [name for name in names if _PAGING.match(name)]
    bodies = [
        answer.prop for answer in good_answers(endpoint) if answer.source["attribute"] != "None"
    ]
    if not paging or not bodies:
        return
    # Those of objects in a body, too: `{"albums": {"next": ...}}`; not those of the listed items.
    told = {name for body in bodies for name in members(body, levels=2)}
    for answer in _answers(document, operation).values():
        told |= {name for name, _ in mappings_at(answer, "headers")}
    if not any(_END.search(name) for name in told.difference(paging)):
        what = (
            f"a list is read in pages ({', '.join(paging)}), and nothing in its answer says which "
            "page is the last"
        )
        yield "pages-without-end", f"{operation.where}: {what}"


def _answers(document: Tree, operation: Operation) -> dict[str, Tree]:
    """The responses of an operation by status in small letters, references followed."""
    return {
        status.lower(): resolve(document, answer)
        for status, answer in mappings_at(operation.tree, "responses")
    }
