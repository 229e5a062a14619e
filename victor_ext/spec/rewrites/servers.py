"""The servers of the document, and those that a path or an operation has for itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

from victor_ext.spec.tree import Tree, is_mapping, list_at, mapping_at

from .base import Log, operations

VARIABLE = re.compile(r"{([^{}]+)}")


def record_servers(document: Tree, log: Log) -> None:
    """Record the servers of the document, and that of each operation that has another one.

    The first server of a list counts, and each variable has its default. An operation that the first server of the
    document offers, too, has no other one. A relative URL is joined to the first absolute one of the document: where
    the document itself was served from is not known.
    """
    shared = _urls(document)
    absolute = [url for url in shared if _is_absolute(url) and not VARIABLE.search(url)]
    for operation in operations(document):
        own = _urls(operation.tree) or _urls(operation.item)
        for url in own[:1] if not {*own} & {*(absolute or shared)[:1]} else []:
            whole = urljoin(f"{absolute[0]}/", f"{url}/").rstrip("/") if absolute else url
            open_variable = VARIABLE.search(whole)
            if open_variable or not _is_absolute(whole):
                reason = (
                    f"has no default for {open_variable[0]}"
                    if open_variable
                    else "is relative, and the document has no other"
                )
                log.left_out.append(f"{operation.where}: its server {url} {reason}: sent to base_url")
                continue
            log.requests.request(operation.tree).server = whole
            log("record-servers", f"{operation.where}: {whole}")
    own_ones = {each.server for each in log.requests.of.values()}
    only = own_ones.pop() if len(own_ones) == 1 else None
    log.requests.servers = absolute or ([only] if only and len(log.requests.of) == len(operations(document)) else [])
    log.requests.base_path = next((url for url in shared if url), None) if not absolute else None


def _urls(tree: Tree) -> list[str]:
    return [
        _url(server) for server in list_at(tree, "servers") if is_mapping(server) and isinstance(server.get("url"), str)
    ]


def _url(server: Tree) -> str:
    """The URL of a server, without a slash at its end, with the default of each variable that has one."""
    variables = mapping_at(server, "variables")

    def value(match: re.Match[str]) -> str:
        variable: Any = variables.get(match[1])
        known: list[Any] = [variable.get("default"), *list_at(variable, "enum")] if is_mapping(variable) else []
        return next((str(each) for each in known if each is not None), match[0])

    return VARIABLE.sub(value, server["url"]).rstrip("/")


def _is_absolute(url: str) -> bool:
    return url.startswith(("https://", "http://"))
