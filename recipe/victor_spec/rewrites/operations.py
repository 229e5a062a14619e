"""Rewrites of operations: parameters in the path, statuses, bodies that cannot be, and webhooks."""

import re

from victor_spec.requests import HOOKS
from victor_spec.tree import (
    SCHEMAS,
    Hook,
    Tree,
    has_no_body,
    hooks,
    is_json,
    list_at,
    mapping_at,
    operations,
    resolve,
    types_of,
    unused,
)

from .base import Log, components, place_of_parameter
from .names import IN_PATH

KNOWN_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The methods that the generator knows."""
_READ_IN_PATH = re.compile(f"{{({IN_PATH})}}")
"""What the generator reads in a path as a parameter."""
STATUS = re.compile(r"[1-5](\d\d|XX)|default")
OF_TRANSPORT = ("content-length", "transfer-encoding", "connection")
UNNAMED = "the path does not name it; each part that it names and nothing declares is a text"
"""Why a declared part of a path is not sent."""


def drop_unknown_status(document: Tree, log: Log) -> None:
    """Leave out the answers whose status HTTP does not have; `4xx` is none, `4XX` is a range."""
    for operation in operations(document):
        answers_by_status = mapping_at(operation.tree, "responses")
        for status in list(answers_by_status):
            if not STATUS.fullmatch(status):
                del answers_by_status[status]
                log.left_out.append(
                    f"{operation.where}: answer {status!r}, which is no status of HTTP"
                )


def drop_impossible_body(document: Tree, log: Log) -> None:
    """Drop a body without a content type, which nothing says how to send, and the content of an
    answer without a body.
    """
    for operation in operations(document):
        tree = operation.tree
        if "requestBody" in tree and not mapping_at(tree["requestBody"], "content"):
            del tree["requestBody"]
            log("drop-impossible-body", operation.where)
        for status, answer in mapping_at(tree, "responses").items():
            if has_no_body(operation.method, status) and answer.pop("content", None):
                log("drop-impossible-body", f"{operation.where} {status}")


def drop_parameter(document: Tree, log: Log) -> None:
    """Keep the first of several parameters of one name in one place, such as properties of two
    query objects.

    Drop a header that the HTTP client writes, too: a wrong Content-Length breaks the connection.
    Content-Type is one where a request has a body: OpenAPI ignores it, and in a form it has a
    boundary.
    """
    for operation in operations(document):
        written = (
            (*OF_TRANSPORT, "content-type") if "requestBody" in operation.tree else OF_TRANSPORT
        )
        first: dict[tuple[str, str], Tree] = {}
        for parameter in list_at(operation.tree, "parameters"):
            place, name = parameter["in"], parameter["name"]
            is_written = place == "header" and name.lower() in written
            if is_written or first.setdefault((place, name), parameter) is not parameter:
                log("drop-parameter", f"{operation.where} {name}")
        operation.tree["parameters"] = [*first.values()]


def declare_path_parameter(document: Tree, log: Log) -> None:
    """Declare each parameter that the path names, none of them null, and remove those that it does
    not name.
    """
    for operation in operations(document):
        named = list(dict.fromkeys(re.findall(r"{([^{}]+)}", operation.path)))
        declared = operation.tree.setdefault("parameters", [])
        for parameter in [each for each in declared if each.get("in") == "path"]:
            parameter["required"] = True
            _drop_null(document, parameter)
            name = parameter["name"]
            if name not in named:
                declared.remove(parameter)
                log.differ(place_of_parameter(operation, parameter), UNNAMED)
        known = {each["name"] for each in declared if each.get("in") == "path"}
        for name in named:
            if name not in known:
                implied = {"in": "path", "required": True, "schema": {"type": "string"}}
                declared.append({"name": name, **implied})
                log("declare-path-parameter", f"{operation.where} {name} (not declared)")


def _drop_null(document: Tree, parameter: Tree) -> None:
    """Drop the null of a parameter in the path: there is no text for it."""
    schema = resolve(document, parameter["schema"])
    kinds = types_of(schema)
    if not schema.get("nullable") and "null" not in kinds:
        return
    plain = {key: value for key, value in schema.items() if key not in ("nullable", "type")}
    others = [kind for kind in kinds if kind != "null"]
    if others:
        plain["type"] = others[0] if len(others) == 1 else others
    parameter["schema"] = plain


def read_hooks(document: Tree, log: Log) -> None:
    """Name the bodies of webhooks and callbacks, and have the generator read each as the answer of
    an operation.
    """
    for hook in [*hooks(document)]:
        body = resolve(document, mapping_at(hook.tree, "requestBody"))
        content = mapping_at(body, "content")
        _name_bodies(document, hook, content, log)
        media = {kind: medium for kind, medium in content.items() if is_json(kind)}
        if media:
            _read_hook(document, hook, media, log)
        elif content:
            log.left_out.append(
                f"{hook.where}: its body as {', '.join(content)}, which read_webhook does not read"
            )


def _name_bodies(document: Tree, hook: Hook, content: Tree, log: Log) -> None:
    """Make named schemas of those that are written out in the body of a webhook."""
    named = components(document)
    for number, medium in enumerate(content.values(), 1):
        schema = mapping_at(medium, "schema")
        if not schema or "$ref" in schema:
            continue
        name = f"{hook.schema}_{number}" if number > 1 else hook.schema
        while name in named:
            name += "_body"
        named[name] = schema
        medium["schema"] = {"$ref": SCHEMAS + name}
        log("read-hooks", f"{hook.where} is {name}")


def _read_hook(document: Tree, hook: Hook, media: Tree, log: Log) -> None:
    """Add an operation whose answer is the body of a webhook."""
    method, _, where = hook.where.partition(" ")
    method = method.lower()
    path = re.sub("[{}?#]", "_", where)
    if method not in KNOWN_METHODS:
        path = f"{path}#{method}"
        method = "post"
    paths = mapping_at(document, "paths")
    document["paths"] = paths  # a document may have webhooks alone
    taken = [known for known, item in paths.items() if method in item]
    path = unused(path, taken)  # `a{b` and `a?b` are two webhooks
    paths.setdefault(path, {})[method] = {
        "operationId": hook.name,
        "tags": [HOOKS],
        "responses": {"200": {"content": media}},
    }
    log.requests.hooks[method, path] = hook.name


def stand_in(document: Tree, log: Log) -> None:
    """Record the method and the path of each operation, and write it as one that the generator can
    read where it does not know the method, or finds other parameters in the path.
    """
    paths: dict[str, Tree] = {}
    for number, operation in enumerate(operations(document)):
        method, path = operation.method, operation.path
        request = log.requests.request(operation.tree)
        request.method, request.path = method, path
        names = [each["name"] for each in operation.tree["parameters"] if each["in"] == "path"]
        if method not in KNOWN_METHODS or sorted(_READ_IN_PATH.findall(path)) != sorted(names):
            method = method if method in KNOWN_METHODS else "post"
            path = f"{re.sub('[{}]', '', path)}#{number}" + "".join(f"{{{name}}}" for name in names)
            log("stand-in", operation.where)
        paths.setdefault(path, {})[method] = operation.tree
    document["paths"] = paths
