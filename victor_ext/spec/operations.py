"""The operations of a document before any package is made: what it declares of each, and what it leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from openapi_python_client.parser.openapi import Endpoint

from .document import load
from .generate import parsed
from .requests import Declared, evidence, good_answers, members
from .tree import Operation, Tree, hooks, is_json, mapping_at, mappings_at, operations, resolve, trees_at

WARNINGS = {
    "server": "Give the right URL as base_url; http works for this machine only.",
    "operation-without-id": "Its function is named after its path, and changes with it.",
    "pages-without-end": "`paged` reads to an empty page, and refuses a page that comes again.",
    "undocumented-failure": "Errors have classes by status all the same: AuthenticationError, ServerError.",
    "answer-without-schema": "The JSON is given as it comes, without a class.",
    "several-contents": "JSON is read; the others are left out.",
    "webhook-without-security": "Anybody can post: give read_webhook your own check of the signature.",
}
"""What follows for a caller, by the name of each warning."""


class Warned(NamedTuple):
    """A warning about an operation, such as `POST /v1/payments`."""

    rule: str
    place: str
    what: str


class Read(NamedTuple):
    """What was read of a document."""

    operations: list[Declared]
    """As the generated package would have them."""
    evidence: list[dict[str, str]]
    """What a good response to each has, by status."""
    left_out: list[str]
    warnings: list[Warned]


def read_operations(file: Path, copies: Mapping[str, Path]) -> Read:
    """Read the operations of a document. Raises DocumentError, and RuntimeError as `generate` does."""
    tree = load(file, copies)
    _, log, data = parsed(file, tree)
    tags = {} if data is None else data.endpoint_collections_by_tag
    endpoints = [each for tag in tags.values() for each in tag.endpoints]
    rows = [log.requests.declared(each) for each in endpoints]
    by_name = {(each.method, each.path): endpoint for each, endpoint in zip(rows, endpoints, strict=True)}
    return Read(rows, [evidence(each) for each in endpoints], log.left_out, list(_warnings(tree, by_name)))


def _warnings(document: Tree, endpoints: Mapping[tuple[str, str], Endpoint]) -> Iterator[Warned]:
    servers = trees_at(document, "servers")
    if not servers:
        yield Warned("server", "servers", "the document names no server")
    for number, url in enumerate(str(server.get("url", "")) for server in servers):
        if re.match(r"http://(?!localhost|127\.)", url):
            yield Warned("server", f"servers[{number}].url", f"{url} is not encrypted")
    known: dict[str, str] = {}
    for each in operations(document):
        name, endpoint = each.tree.get("operationId"), endpoints.get((each.method.upper(), each.path))
        if not isinstance(name, str) or not name:
            yield Warned("operation-without-id", each.where, "it has no operationId")
        elif known.setdefault(name, each.where) != each.where:
            yield Warned("operation-without-id", each.where, f"its operationId {name} is that of {known[name]} too")
        answers = {status: resolve(document, answer) for status, answer in mappings_at(each.tree, "responses")}
        yield from _of_answers(each, answers)
        if endpoint is not None and each.method == "get":
            yield from _of_pages(each, endpoint, answers)
    for hook in hooks(document):
        if not hook.tree.get("security", document.get("security")):
            yield Warned("webhook-without-security", hook.where, "nothing says how to tell that the provider sent it")


def _of_answers(operation: Operation, answers: Mapping[str, Tree]) -> Iterator[Warned]:
    statuses = {status.lower() for status in answers}
    # Without a word on its security, it is most likely not open.
    wanted = {"401": operation.tree.get("security") == [] or statuses & {"401", "4xx"}}
    wanted["5xx"] = any(status.startswith("5") for status in statuses)
    missing = " and ".join(name for name, is_there in wanted.items() if not is_there)
    if missing and "default" not in statuses:
        yield Warned("undocumented-failure", operation.where, f"no answer is documented for {missing}")
    for status, answer in answers.items():
        kinds = mapping_at(answer, "content")
        if len(kinds) > 1:
            yield Warned("several-contents", operation.where, f"{status} comes as {', '.join(sorted(kinds))}")
        if any(is_json(kind) and not medium.get("schema") for kind, medium in mappings_at(answer, "content")):
            yield Warned("answer-without-schema", operation.where, f"{status} has no schema")


_PAGING = re.compile(
    r"(?i)^(?:page(?:_?(?:number|no|token))?|offset|skip|start|cursor|(?:starting_|ending_)?(?:after|before)|from)$"
)
_END = re.compile(
    r"(?i)has_?more|next|total|last_?page|page_?count|is_?last|cursor|links?$|count$|paging|pagination|^meta$|^page$"
)


def _of_pages(operation: Operation, endpoint: Endpoint, answers: Mapping[str, Tree]) -> Iterator[Warned]:
    paging = [name for each in endpoint.query_parameters if _PAGING.match(name := each.name.get_untrusted_value())]
    # And those of objects in it, such as `{"albums": {"next": ...}}`; not those of the listed items.
    names = {name for each in good_answers(endpoint) for name in members(each.prop, levels=2)}
    headers = {name for answer in answers.values() for name, _ in mappings_at(answer, "headers")}
    has_body = any(each.source["attribute"] != "None" for each in good_answers(endpoint))
    if paging and has_body and not any(_END.search(name) for name in (names | headers).difference(paging)):
        what = f"a list is read in pages ({', '.join(paging)}), and nothing in its answer says which page is the last"
        yield Warned("pages-without-end", operation.where, what)
