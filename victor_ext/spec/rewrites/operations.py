"""Rewrites of operations: parameters in the path, statuses, bodies that cannot be, webhooks and servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urljoin

from victor_ext.spec.requests import HOOKS, KNOWN_METHODS, STANDS_FOR, Hook
from victor_ext.spec.tree import (
    Tree,
    hooks,
    is_json,
    is_url,
    list_at,
    mapping_at,
    mappings_at,
    operations,
    resolve,
    types_of,
    unused,
)

from .base import Log, components, parameters

OF_TRANSPORT = ("content-length", "transfer-encoding", "connection")


def write_status(document: Tree, log: Log) -> None:
    """Write `4xx` and `Default` as OpenAPI has them, `4XX` and `default`."""
    for operation in operations(document):
        answers_by_status = mapping_at(operation.tree, "responses")
        for status in list(answers_by_status):
            meant = "default" if status.lower() == "default" else status.upper()
            if meant != status and meant not in answers_by_status:
                answers_by_status[meant] = answers_by_status.pop(status)
                log("write-status", f"{operation.where} {status}")
            elif not re.fullmatch(r"[1-5](\d\d|XX)|default", meant):
                del answers_by_status[status]
                log.left_out.append(f"{operation.where}: answer {status!r}, which is no status of HTTP")


def drop_empty_body(document: Tree, log: Log) -> None:
    """Drop a body that has no content type: nothing says what to send."""
    for operation in operations(document):
        if "requestBody" in operation.tree and not mapping_at(operation.tree["requestBody"], "content"):
            del operation.tree["requestBody"]
            log("drop-empty-body", operation.where)


def drop_repeated_parameter(document: Tree, log: Log) -> None:
    """Keep the first of several parameters of one name in one place, such as properties of two query objects."""
    for operation in operations(document):
        first: dict[tuple[str, str], Tree] = {}
        for parameter in list_at(operation.tree, "parameters"):
            if first.setdefault((parameter["in"], parameter["name"]), parameter) is not parameter:
                log("drop-repeated-parameter", f"{operation.where} {parameter['name']}")
        operation.tree["parameters"] = list(first.values())


def drop_transport_header(document: Tree, log: Log) -> None:
    """Drop a parameter for a header that the HTTP client writes: a wrong Content-Length breaks the connection.

    Content-Type is one where a request has a body: OpenAPI ignores it, and in a form it has a boundary.
    """
    for operation, parameter in parameters(document):
        name = parameter["name"].lower() if parameter["in"] == "header" else ""
        if name in OF_TRANSPORT or (name == "content-type" and "requestBody" in operation.tree):
            operation.tree["parameters"].remove(parameter)
            log("drop-transport-header", f"{operation.where} {parameter['name']}")


def drop_null_of_path(document: Tree, log: Log) -> None:
    """Drop the null of a parameter in the path: there is no text for it."""
    for operation, parameter in parameters(document):
        schema = resolve(document, parameter["schema"])
        kinds = types_of(schema)
        if parameter.get("in") == "path" and (schema.get("nullable") or "null" in kinds):
            plain = {key: value for key, value in schema.items() if key not in ("nullable", "type")}
            others = [each for each in kinds if each != "null"]
            parameter["schema"] = {**plain, "type": others[0] if len(others) == 1 else others} if others else plain
            log("drop-null-of-path", f"{operation.where} {parameter['name']}")


def declare_path_parameter(document: Tree, log: Log) -> None:
    """Declare each parameter that the path names, and remove those that it does not name."""
    for operation in operations(document):
        named = list(dict.fromkeys(re.findall(r"{([^{}]+)}", operation.path)))
        declared = operation.tree.setdefault("parameters", [])
        for parameter in [each for each in declared if each.get("in") == "path"]:
            parameter["required"] = True
            if parameter["name"] not in named:
                declared.remove(parameter)
                log("declare-path-parameter", f"{operation.where} {parameter['name']} (not in the path)")
        known = {each["name"] for each in declared if each.get("in") == "path"}
        for name in [name for name in named if name not in known]:
            declared.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
            log("declare-path-parameter", f"{operation.where} {name} (not declared)")


def drop_impossible_body(document: Tree, log: Log) -> None:
    """Drop the content of an answer that has no body in HTTP: to HEAD, and with the status 1xx, 204, 205 or 304."""
    for operation in operations(document):
        for status, answer in mapping_at(operation.tree, "responses").items():
            bodiless = operation.method == "head" or status in ("204", "205", "304") or status.startswith("1")
            if bodiless and answer.pop("content", None):
                log("drop-impossible-body", f"{operation.where} {status}")


def read_hooks(document: Tree, log: Log) -> None:
    """Name the bodies of webhooks and callbacks, and have the generator read each as the answer of an operation."""
    named = components(document)
    for hook in [*hooks(document)]:
        body = resolve(document, mapping_at(hook.tree, "requestBody"))
        content = mapping_at(body, "content")
        for number, medium in enumerate(content.values(), 1):
            own = hook.schema + (f"_{number}" if number > 1 else "")
            schema = mapping_at(medium, "schema")
            if schema and "$ref" not in schema:
                while own in named:
                    own += "_body"
                named[own] = schema
                medium["schema"] = {"$ref": f"#/components/schemas/{own}"}
                log("read-hooks", f"{hook.where} is {own}")
        media = {kind: medium for kind, medium in content.items() if is_json(kind)}
        if content and not media:
            log.left_out.append(f"{hook.where}: its body as {', '.join(content)}, which read_webhook does not read")
        elif media:
            method, _, where = hook.where.partition(" ")
            path, method = re.sub("[{}?#]", "_", where), method.lower()
            if method not in KNOWN_METHODS:
                path, method = f"{path}#{method}", "post"
            read = {"operationId": hook.name, "tags": [HOOKS], "responses": {"200": {"content": media}}}
            document["paths"] = mapping_at(document, "paths")  # a document may have webhooks alone
            taken = [each for each, item in document["paths"].items() if method in item]
            path = unused(path, taken)  # `a{b` and `a?b` are two webhooks
            document["paths"].setdefault(path, {})[method] = read
            headers = [resolve(document, each) for each in list_at(hook.tree, "parameters")]
            names = tuple(str(each.get("name")) for each in headers if each.get("in") == "header")
            log.requests.hooks[method, path] = Hook(hook.name, names, tuple(_security(document, hook.tree)))


def _security(document: Tree, operation: Tree) -> Iterator[str]:
    """What the document requires, one text for each alternative: `signature: apiKey in header X-Signature`."""
    schemes = mapping_at(mapping_at(document, "components"), "securitySchemes")
    for requirement in operation.get("security", document.get("security")) or ():
        wholes = [(name, resolve(document, mapping_at(schemes, name))) for name in requirement]
        words = [
            f"{name}: apiKey in {each.get('in')} {each.get('name')}"
            if each.get("type") == "apiKey"
            else f"{name}: {each.get('type')} {each.get('scheme', '')}".rstrip()
            for name, each in wholes
        ]
        yield " and ".join(words) or "none"


def stand_in_for_method(document: Tree, log: Log) -> None:
    """Write an operation whose method the generator does not know as `post` of a path of its own."""
    for operation in operations(document):
        if operation.method in KNOWN_METHODS:
            continue
        document["paths"][f"{operation.path}#{operation.method}"] = {"post": operation.tree}
        operation.tree[STANDS_FOR] = operation.method
        operation.item.pop("additionalOperations" if "." in operation.step else operation.method, None)
        log("stand-in-for-method", operation.where)


def record_servers(document: Tree, log: Log) -> None:
    """Record the servers of the document, and those of the operations that its first server does not offer.

    The first server of a list counts, and each variable has its default. A relative URL of an operation is joined to
    the first absolute one of the document: where the document itself was served from is not known.
    """
    requests, every = log.requests, operations(document)
    shared = _servers(document)
    absolute = [each for each in shared if _is_absolute(each.url)]
    first = (absolute or shared)[:1]
    known: dict[str, _Server] = {}
    for server in shared:
        _declare(server, known)
    for operation in every:
        own = _servers(operation.tree) or _servers(operation.item)
        own = [each.joined(absolute[0]) for each in own] if absolute else own
        if own and not {each.url for each in own} & {each.url for each in first}:
            url = requests.request(operation.tree).server = own[0].url
            if url not in requests.own_servers:
                requests.own_servers[url] = _declare(own[0], known)
            log("record-servers", f"{operation.where}: {url}")
    requests.servers = [each.url for each in absolute]
    [only, *others] = {each.server for each in requests.of.values()} or {None}
    if not absolute and only and not others and len(requests.of) == len(every) and _is_absolute(only):
        requests.servers = [only]
        requests.own_servers.clear()
        for request in requests.of.values():
            request.server = None
    requests.base_path = next((each.url for each in shared if each.url), None) if not absolute else None
    requests.variables = {template: server.variables for template, server in known.items() if server.names}


class _Server(NamedTuple):
    """A server, without a slash at its end."""

    url: str
    """With the default of each variable that has one."""
    template: str
    """As it stands in the document."""
    variables: Tree

    def joined(self, base: _Server) -> _Server:
        """The server that a relative URL means, beside another one."""
        if not is_url(self.url):
            return self
        below = self.beside(base)
        url, template = (
            urljoin(f"{one}/", f"{other}/").rstrip("/")
            for one, other in ((base.url, self.url), (base.template, below.template))
        )
        is_absolute = template == below.template
        return _Server(url, template, below.variables if is_absolute else {**base.variables, **below.variables})

    def beside(self, other: _Server) -> _Server:
        """The server with new names for its variables to which the other one gives other values: `{env_2}` for `{env}`.

        Then values for both can be given at once.
        """
        template, variables = self.template, {**self.variables}
        taken = {*self.names, *other.names}
        for name in self.names & other.names:
            own, others = mapping_at(variables, name), mapping_at(other.variables, name)
            if any(own.get(key) != others.get(key) for key in ("default", "enum")):
                new = unused(name, taken)
                template = template.replace(f"{{{name}}}", f"{{{new}}}")
                variables = {new if each == name else each: value for each, value in variables.items()}
        return _Server(self.url, template, variables)

    @property
    def names(self) -> set[str]:
        return {*re.findall(r"{([^{}]+)}", self.template)}


def _declare(server: _Server, known: dict[str, _Server]) -> str:
    """The template of a server, which is `known` from now on; two servers of one template have the same defaults."""
    while (other := known.setdefault(server.template, server)) is not server:
        own = server.beside(other)
        if own.template == server.template:
            break
        server = own
    return server.template


def _servers(tree: Tree) -> list[_Server]:
    servers: list[_Server] = []
    for server in [each for each in list_at(tree, "servers") if "url" in each]:
        url = template = str(server["url"]).rstrip("/")
        for name, variable in mappings_at(server, "variables"):
            url = url.replace(f"{{{name}}}", variable["default"]) if "default" in variable else url
        servers.append(_Server(url.rstrip("/"), template, mapping_at(server, "variables")))
    return servers


def _is_absolute(url: str) -> bool:
    return url.lower().startswith(("https://", "http://")) and is_url(url)
