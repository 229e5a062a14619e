"""Where requests go: the servers of the document, and those that an operation has of its own."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urljoin

from victor_spec.requests import Requests
from victor_spec.tree import (
    Operation,
    Tree,
    is_callable_url,
    list_at,
    mapping_at,
    mappings_at,
    operations,
)

from .base import Log


def record_servers(document: Tree, log: Log) -> None:
    """Record the servers of the document, and those of the operations that its first server does
    not offer.

    The first server of a list counts, and each variable has its default. A relative URL of an
    operation is joined to the first absolute one of the document: where the document itself was
    served from is not known.
    """
    requests = log.requests
    every = operations(document)
    shared = _servers(document)
    absolute = [server for server in shared if _is_absolute(server.url)]
    usual = (absolute or shared)[:1]
    known: dict[str, _Server] = {}
    for server in shared:
        _declare(server, known)
    for operation in every:
        own = _own_server(operation, absolute[:1], usual)
        if own is not None:
            requests.request(operation.tree).server = own.url
            if own.url not in requests.own_servers:
                requests.own_servers[own.url] = _declare(own, known)
            log("record-servers", f"{operation.where}: {own.url}")
    requests.servers = [server.url for server in absolute]
    if not absolute:
        _share_only_server(requests, len(every))
        requests.base_path = next((server.url for server in shared if server.url), None)
    for template, server in known.items():
        if server.names:
            requests.variables[template] = server.variables


def _own_server(
    operation: Operation, absolute: list[_Server], usual: list[_Server]
) -> _Server | None:
    """The server of an operation, made absolute where the document has an absolute one; None where
    it has the usual one.
    """
    own = _servers(operation.tree) or _servers(operation.item)
    for base in absolute:
        own = [server.relative_to(base) for server in own]
    urls = [server.url for server in own]
    if not own or any(server.url in urls for server in usual):
        return None
    return own[0]


def _share_only_server(requests: Requests, count: int) -> None:
    """Let the only server of all operations be that of the document, which names none."""
    urls = {request.server for request in requests.of.values()}
    if len(urls) != 1 or len(requests.of) != count:
        return
    [url] = urls
    if not url or not _is_absolute(url):
        return
    requests.servers = [url]
    requests.own_servers.clear()
    for request in requests.of.values():
        request.server = None


class _Server(NamedTuple):
    """A server, without a slash at its end."""

    url: str
    """With the default of each variable that has one."""
    template: str
    """The URL as the document writes it, with its variables in braces."""
    variables: Tree

    @property
    def names(self) -> set[str]:
        """The variables in its URL."""
        return {*re.findall(r"{([^{}]+)}", self.template)}

    def relative_to(self, base: _Server) -> _Server:
        """The server with its URL below that of a base server, if it is relative; else as it is.

        Where both have a variable of one name with other values, the template has the defaults.
        """
        if not is_callable_url(self.url):
            return self
        url = _url_below(base.url, self.url)
        template = _url_below(base.template, self.template)
        if template == self.template:
            return _Server(url, template, self.variables)
        if self.differs(base):
            template = url
        return _Server(url, template, {**base.variables, **self.variables})

    def differs(self, other: _Server) -> bool:
        """Whether they give other values to a variable of one name."""
        for name in self.names & other.names:
            own = mapping_at(self.variables, name)
            others = mapping_at(other.variables, name)
            if any(own.get(key) != others.get(key) for key in ("default", "enum")):
                return True
        return False


def _servers(tree: Tree) -> list[_Server]:
    """The servers of the document, of a path item or of an operation."""
    servers: list[_Server] = []
    for server in list_at(tree, "servers"):
        if "url" not in server:
            continue
        template = str(server["url"]).rstrip("/")
        url = template
        for name, variable in mappings_at(server, "variables"):
            if "default" in variable:
                url = url.replace(f"{{{name}}}", variable["default"])
        servers.append(_Server(url.rstrip("/"), template, mapping_at(server, "variables")))
    return servers


def _declare(server: _Server, known: dict[str, _Server]) -> str:
    """The template of a server, which is `known` from now on; its URL where another one has the
    template.
    """
    first = known.setdefault(server.template, server)
    return server.url if server.differs(first) else server.template


def _url_below(base: str, url: str) -> str:
    """A relative URL below a base URL, an absolute one as it is; without a slash at the end."""
    return urljoin(f"{base}/", f"{url}/").rstrip("/")


def _is_absolute(url: str) -> bool:
    """Whether a URL names a host that can be called."""
    return url.lower().startswith(("https://", "http://")) and is_callable_url(url)
