"""Rewrites of operations: parameters and how each is sent, statuses, bodies that cannot be, webhooks and servers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

from victor_ext.spec.requests import DEFAULT_STYLES, HOOKS, STYLES, Hook, Style
from victor_ext.spec.tree import (
    Operation,
    Tree,
    hooks,
    in_place_of,
    is_json,
    is_url,
    list_at,
    mapping_at,
    mappings_at,
    operations,
    resolve,
    types_of,
)

from .base import Log, children, components, parameters

OF_TRANSPORT = ("content-length", "transfer-encoding", "connection")
SCALAR_HEADERS = ("string", "integer", "number", "boolean")


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
        listed = list_at(schema, "type")
        if parameter.get("in") == "path" and (schema.get("nullable") or "null" in listed):
            kinds = [each for each in listed if each != "null"] if listed else [schema.get("type")]
            plain = {key: value for key, value in schema.items() if key not in ("nullable", "type")}
            parameter["schema"] = {**plain, "type": kinds[0] if len(kinds) == 1 else kinds} if any(kinds) else plain
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
            path = re.sub("[{}?#]", "_", hook.where.partition(" ")[2])
            read = {"operationId": hook.name, "tags": [HOOKS], "responses": {"200": {"content": media}}}
            document["paths"] = mapping_at(document, "paths")  # a document may have webhooks alone
            document["paths"][path] = {hook.where.partition(" ")[0].lower(): read}
            headers = [resolve(document, each) for each in list_at(hook.tree, "parameters")]
            names = tuple(str(each.get("name")) for each in headers if each.get("in") == "header")
            log.requests.hooks[path] = Hook(hook.name, names, tuple(_security(document, hook.tree)))


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


def record_servers(document: Tree, log: Log) -> None:
    """Record the servers of the document, and those of the operations that its first server does not offer.

    The first server of a list counts, and each variable has its default. A relative URL is joined to the first absolute
    one of the document: where the document itself was served from is not known.
    """
    shared = _urls(document)
    absolute = [url for url in shared if _is_absolute(url)]
    for operation in operations(document):
        own = _urls(operation.tree) or _urls(operation.item)
        for url in own[:1] if not {*own} & {*(absolute or shared)[:1]} else []:
            whole = urljoin(f"{absolute[0]}/", f"{url}/").rstrip("/") if absolute and is_url(url) else url
            if not _is_absolute(whole):
                log.left_out.append(f"{operation.where}: its server {url} is no absolute URL: sent to base_url")
                continue
            log.requests.request(operation.tree).server = whole
            log("record-servers", f"{operation.where}: {whole}")
    own_ones = {each.server for each in log.requests.of.values()}
    only = own_ones.pop() if len(own_ones) == 1 else None
    log.requests.servers = absolute or ([only] if only and len(log.requests.of) == len(operations(document)) else [])
    log.requests.base_path = next((url for url in shared if url), None) if not absolute else None


def _urls(tree: Tree) -> list[str]:
    """The URLs of servers, without a slash at their end, with the default of each variable that has one."""
    urls: list[str] = []
    for server in [each for each in list_at(tree, "servers") if "url" in each]:
        url: str = server["url"]
        for name, variable in mappings_at(server, "variables"):
            url = url.replace(f"{{{name}}}", str(variable["default"])) if "default" in variable else url
        urls.append(url.rstrip("/"))
    return urls


def _is_absolute(url: str) -> bool:
    return url.lower().startswith(("https://", "http://")) and is_url(url)


# ---- How parameters are sent ----


def content_parameter(document: Tree, log: Log) -> None:
    """Give a parameter with the content type JSON the type of its content; with another one, it is a string."""
    for operation, parameter in parameters(document):
        if "schema" not in parameter:
            content = mapping_at(parameter, "content")
            kind = next(iter(content), "")
            if is_json(kind):
                parameter["schema"] = mapping_at(content[kind], "schema")
                parameter["x-json"] = True
            else:
                parameter["schema"] = {"type": "string", "description": f"Text as {kind or 'nothing'}"}
            parameter.pop("content", None)
            log("content-parameter", f"{operation.where} {parameter.get('name')}")


def flatten_object_parameter(document: Tree, log: Log) -> None:
    """Replace a query object by its properties, as sent: `name` (exploded form) or `filter[name]` (deepObject)."""
    for operation, parameter in parameters(document):
        whole = resolve(document, parameter["schema"])
        style = parameter.get("style", "form")
        flat = style == "deepObject" or (style == "form" and parameter.get("explode", True))
        # Of an object that is open, other names would be lost.
        is_open = any(whole.get(key) for key in ("additionalProperties", "allOf", "oneOf", "anyOf"))
        is_kept = is_open or not whole.get("properties") or "x-json" in parameter
        if parameter.get("in") != "query" or not flat or is_kept:
            continue
        if style == "form" and any(is_object(document, each) for each in whole["properties"].values()):
            continue  # an object in an object has no form
        _replace(operation, parameter, whole, style)
        log("flatten-object-parameter", f"{operation.where} {parameter['name']}")


def _replace(operation: Operation, parameter: Tree, whole: Tree, style: str) -> None:
    required = list_at(whole, "required") if parameter.get("required") else []
    shared = {"in": "query", "style": style, "explode": True, "allowReserved": parameter.get("allowReserved")}
    flat: list[Tree] = []
    for name, schema in whole["properties"].items():
        wire = name if style == "form" else f"{parameter['name']}[{name}]"
        words = {"description": schema["description"]} if "description" in schema else {}
        own = {"name": wire, "required": name in required, "schema": schema}
        flat.append(in_place_of(parameter, {**shared, **own, **words}))
    place = operation.tree["parameters"].index(parameter)
    operation.tree["parameters"][place : place + 1] = flat


def record_styles(document: Tree, log: Log) -> None:
    """Record how each parameter is sent; report values whose form OpenAPI does not define."""
    for operation, parameter in parameters(document):
        location, name = parameter["in"], parameter["name"]
        style = parameter.get("style", DEFAULT_STYLES[location])
        where = f"{operation.where}: {location} parameter {name}"
        if style not in STYLES[location]:
            log.left_out.append(f"{where}: style {style!r} is not defined there: sent as {DEFAULT_STYLES[location]}")
            style = DEFAULT_STYLES[location]
        explode = bool(parameter.get("explode", style == "form"))
        written = Style(location, style, explode, bool(parameter.get("allowReserved")), bool(parameter.get("x-json")))
        if not written.json and (reason := undefined(document, parameter["schema"], written)):
            log.left_out.append(f"{where}: {reason}, whose form OpenAPI does not define, is refused when called")
        if location == "header":
            _free_of_limits(document, operation, parameter)
        log.requests.request(operation.tree).parameters[parameter["in"], name] = written
    log("record-styles", "the whole document")


def _free_of_limits(document: Tree, operation: Operation, parameter: Tree) -> None:
    """Declare a header that is no scalar in another place: the generator refuses lists, times and unions in headers."""
    schema = resolve(document, parameter["schema"])
    if schema.get("type") in SCALAR_HEADERS and schema.get("format") not in ("date", "date-time", "binary"):
        return
    declared = {(each["in"], each["name"]) for each in operation.tree["parameters"]}
    free = (place for place in ("query", "cookie") if (place, parameter["name"]) not in declared)
    parameter["in"] = next(free, "header")


def undefined(document: Tree, schema: Tree, style: Style) -> str | None:
    """What a value of the schema can hold that has no defined form in a style; None when it has one always."""
    if style.style == "deepObject":
        return None
    for whole in variants(document, schema):
        nested = next((step for step, child in children(whole) if step[0] in ".[" and is_nested(document, child)), None)
        if nested is not None:
            return f"an object or a list in its {nested}"
        if style.location == "cookie" and style.explode and is_nested(document, whole):
            return "an exploded list or object"
    return None


def variants(document: Tree, schema: Tree, seen: frozenset[int] = frozenset()) -> list[Tree]:
    """A schema and the members of its unions and of its `allOf`, references followed."""
    whole = resolve(document, schema)
    if id(whole) in seen:
        return []
    parts = [part for key in ("allOf", "oneOf", "anyOf") for part in list_at(whole, key)]
    return [whole, *(each for part in parts for each in variants(document, part, seen | {id(whole)}))]


def is_nested(document: Tree, schema: Tree) -> bool:
    """Whether a value can be an object or a list. What has no type counts as a scalar."""
    return any("array" in kinds(whole) or "object" in kinds(whole) for whole in variants(document, schema))


def is_object(document: Tree, schema: Tree) -> bool:
    return any("object" in kinds(whole) for whole in variants(document, schema))


def kinds(whole: Tree) -> set[str]:
    return {str(each) for each in types_of(whole)} | ({"object"} if whole.get("properties") else set())
