"""`victor spec`, with the one command that needs both the generator and the client:
`victor spec operations`.

It reads a document before any package is made: what it declares of each operation, and what it
leaves open.
"""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from victor_ext import ConfigurationError, HeaderKey
from victor_ext._exit_status import FAILED
from victor_ext.providers.connected.declared_keys import key_place, says_key
from victor_ext.providers.connected.operations import UNDECLARED, Row, rows_of
from victor_ext.spec import command_line
from victor_ext.spec.commands import Command, add_reading, reading, show
from victor_ext.spec.document import load
from victor_ext.spec.generate import operation_module, package_name, parsed
from victor_ext.spec.requests import evidence, good_answers, members
from victor_ext.spec.tree import Operation, Tree, hooks, mappings_at, operations, resolve, trees_at

if TYPE_CHECKING:  # without the extra, the import of `victor_ext.spec` says what to install
    from openapi_python_client.parser.openapi import Endpoint

_ADVICE = {
    "undeclared-key": UNDECLARED,
    "write-without-key": "After a lost response it is not repeated: look it up, or ask the "
    "provider.",
    "id-not-told": "Name its place: connect(made={...}). Else its status is not followed.",
    "server": "Give the right URL as base_url; http works for this machine only.",
    "own-server": "It is called at base_url, unless connect(servers=...) leads there.",
    "pages-without-end": "`paged` reads to an empty page, and refuses a page that comes again.",
    "undocumented-failure": "Errors have classes by status all the same: AuthenticationError, "
    "ServerError.",
    "webhook-without-security": "Anybody can post: pass read_webhook a check of the signature "
    "(verify=).",
}
"""What follows for a caller, by the name of each warning."""
_SHOWN = 5
"""The places of a warning that are printed as text."""
_EVIDENCE_WIDTH = 60


class Warned(NamedTuple):
    """A warning about an operation, such as `POST /v1/payments`."""

    rule: str
    place: str
    what: str


def main(arguments: Sequence[str], *, prog: str) -> int:
    return command_line.main(arguments, prog=prog, also=(OPERATIONS,))


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "documents", metavar="SPEC", nargs="+", type=Path, help="an OpenAPI 3 document"
    )
    key = (
        "the header, the parameter or the member of the bodies with the idempotency key (default: "
        "the one that the document says is a key)"
    )
    command.add_argument("--key", metavar="NAME", type=_key_name, help=key)
    command.add_argument(
        "--json",
        action="store_true",
        help="print one line of JSON for each document, with the module of each operation",
    )
    named = "the name of the package, for the modules (default: <document>_api)"
    command.add_argument("--name", metavar="NAME", help=named)
    skip = "leave a warning out; repeatable"
    command.add_argument(
        "--skip", metavar="WARNING", choices=_ADVICE, action="append", default=[], help=skip
    )
    fail = "end with 1 for a warning, or for what was left out"
    command.add_argument("--fail-on-warning", action="store_true", help=fail)
    add_reading(command)


def _key_name(text: str) -> str:
    try:
        return HeaderKey(text).name
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _run(options: argparse.Namespace) -> int:
    return max(_show(document, options) for document in options.documents)


def _show(document: Path, options: argparse.Namespace) -> int:
    tree = load(document, **reading(options))
    _, log, data = parsed(document, tree)
    tags = {} if data is None else data.endpoint_collections_by_tag
    package = package_name(document) if options.name is None else options.name
    modules = {
        f"{package}.{operation_module(tag, endpoint)}": endpoint
        for tag, collection in tags.items()
        for endpoint in collection.endpoints
    }
    endpoints = [*modules.values()]
    declared = [log.requests.declared(each) for each in endpoints]
    by_name = {
        (each.method, each.path): endpoint
        for each, endpoint in zip(declared, endpoints, strict=True)
    }
    place = key_place(declared, options.key)
    rows = rows_of(declared, place)
    good = [evidence(each) for each in endpoints]
    served = [
        (each, log.requests.request_of(endpoint).server)
        for each, endpoint in zip(rows, endpoints, strict=True)
    ]
    own = [
        Warned("own-server", each.operation, f"its server is {server}")
        for each, server in served
        if server
    ]
    every = [
        *_of_keys(rows, options.key, declared, place),
        *_of_ids(rows, good),
        *own,
        *_of_document(tree, by_name),
    ]
    warned = [each for each in every if each.rule not in options.skip]
    if options.json:
        told = [
            {**row._asdict(), "evidence": each, "module": module}
            for row, each, module in zip(rows, good, modules, strict=True)
        ]
        found = {
            "document": document.name,
            "key": _key(place),
            "operations": told,
            "left_out": log.left_out,
        }
        print(json.dumps({**found, "warnings": [each._asdict() for each in warned]}))
    else:
        show(*_table(rows, good), "", *_warnings(warned))
        writes = [each for each in rows if not each.reads]
        sent_once = sum(not each.repeated for each in writes)
        counts = f"{len(rows)} operations, {len(writes)} writes, {sent_once} sent once"
        show(f"{document.name}: {counts}; key: {_key(place)}")
        show(*(f"LEFT OUT: {each}" for each in log.left_out))
    return FAILED if (warned or log.left_out) and options.fail_on_warning else 0


def _of_keys(
    rows: Sequence[Row], key: str | None, declared: Sequence[Any], place: Any
) -> Iterator[Warned]:
    if key is not None and not any(each.declared for each in rows):
        yield Warned("undeclared-key", key, "no operation declares it")
    elif key is not None and not says_key(declared, place):
        yield Warned("undeclared-key", key, "the document does not say that it is a key")
    yield from (
        Warned("write-without-key", each.operation, each.why) for each in rows if not each.repeated
    )


def _of_ids(rows: Sequence[Row], good: Sequence[Mapping[str, str]]) -> Iterator[Warned]:
    """Writes that make something, where the document does not tell the place of its id."""
    names = {row.operation for row in rows}
    for row, answers in zip(rows, good, strict=True):
        path = row.operation.partition(" ")[2]
        makes = not row.reads and f"GET {path}/{{}}" in names
        has_body = any(body != "no body" for body in answers.values())
        if makes and has_body and row.id is None:
            yield Warned("id-not-told", row.operation, "its answer has no id, or several")


def _key(place: Any) -> str | None:
    """What `connect` gets."""
    return repr(place) if hasattr(place, "name") else None


def _table(rows: Sequence[Row], good: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """The rows in columns, each as wide as its widest cell."""
    cells = [("OPERATION", "REPEATED", "LOOK UP", "A GOOD RESPONSE")]
    for row, answers in zip(rows, good, strict=True):
        whole = (
            "; ".join(f"{status}: {what}" for status, what in answers.items()) or "none is declared"
        )
        repeated = f"{'yes' if row.repeated else 'no'}: {row.why}"
        shown = textwrap.shorten(whole, _EVIDENCE_WIDTH, placeholder=" ...")
        cells.append((row.operation, repeated, row.look_up or "-", shown))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()


def _warnings(warned: Sequence[Warned]) -> Iterator[str]:
    for rule, count in Counter(each.rule for each in warned).items():
        yield f"{rule} ({count}): {_ADVICE[rule]}"
        places = [each for each in warned if each.rule == rule]
        yield from (f"    {each.place}: {each.what}" for each in places[:_SHOWN])
        if count > _SHOWN:
            yield f"    ... and {count - _SHOWN} more (--json)"


def _of_document(document: Tree, endpoints: Mapping[tuple[str, str], Endpoint]) -> Iterator[Warned]:
    servers = trees_at(document, "servers")
    if not servers:
        yield Warned("server", "servers", "the document names no server")
    for number, url in enumerate(str(server.get("url", "")) for server in servers):
        if re.match(r"http://(?!localhost|127\.)", url):
            yield Warned("server", f"servers[{number}].url", f"{url} is not encrypted")
    for each in operations(document):
        yield from _of_answers(document, each, endpoints.get((each.method.upper(), each.path)))
    for hook in hooks(document):
        if not hook.tree.get("security", document.get("security")):
            yield Warned(
                "webhook-without-security",
                hook.where,
                "nothing says how to tell that the provider sent it",
            )


_PAGING = re.compile(
    r"(?i)^(?:page(?:_?(?:number|no|token))?|offset|skip|start|cursor|(?:starting_|ending_)?(?:after|before)|from)$"
)
_END = re.compile(
    r"(?i)has_?more|next|total|last_?page|page_?count|is_?last|cursor|links?$|count$|paging|pagination|^meta$|^page$"
)


def _of_answers(
    document: Tree, operation: Operation, endpoint: Endpoint | None
) -> Iterator[Warned]:
    answers = {
        status.lower(): resolve(document, each)
        for status, each in mappings_at(operation.tree, "responses")
    }
    # Without a word on its security, it is most likely not open.
    wanted = {"401": operation.tree.get("security") == [] or answers.keys() & {"401", "4xx"}}
    wanted["5xx"] = any(status.startswith("5") for status in answers)
    missing = " and ".join(name for name, is_there in wanted.items() if not is_there)
    if missing and "default" not in answers:
        yield Warned(
            "undocumented-failure", operation.where, f"no answer is documented for {missing}"
        )
    if operation.method != "get" or endpoint is None:
        return
    paging = [
        name
        for each in endpoint.query_parameters
        if _PAGING.match(name := each.name.get_untrusted_value())
    ]
    bodies = [each.prop for each in good_answers(endpoint) if each.source["attribute"] != "None"]
    # And those of objects in it, such as `{"albums": {"next": ...}}`; not those of the listed
    # items.
    names = {name for body in bodies for name in members(body, levels=2)}
    names |= {name for answer in answers.values() for name, _ in mappings_at(answer, "headers")}
    if paging and bodies and not any(_END.search(name) for name in names.difference(paging)):
        what = (
            f"a list is read in pages ({', '.join(paging)}), and nothing in its answer says "
            "which page is the last"
        )
        yield Warned("pages-without-end", operation.where, what)


OPERATIONS = Command(
    "operations",
    "say of each operation whether it is repeated, what a good response has, and how to look it up",
    f"Warnings: {', '.join(_ADVICE)}. Exit status: 0, 1 for a warning with --fail-on-warning, 2 "
    "for misuse or an unreadable document.",
    _add_arguments,
    _run,
)
