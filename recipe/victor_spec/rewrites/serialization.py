"""Rewrites of parameters: how each is sent is recorded, and its type stays the one of the
document.
"""

from collections.abc import Iterator

from victor_spec.requests import DEFAULT_STYLES, STYLES, Style
from victor_spec.tree import (
    Operation,
    Tree,
    in_place_of,
    is_json,
    list_at,
    mapping_at,
    resolve,
    types_of,
)

from .base import Log, children, parameters

SCALAR_HEADERS = ("string", "integer", "number", "boolean")


def content_parameter(document: Tree, log: Log) -> None:
    """Give a parameter with the content type JSON the type of its content; with another one, it is
    a string.
    """
    for operation, parameter in parameters(document):
        if "schema" not in parameter:
            content = mapping_at(parameter, "content")
            kind = next(iter(content), "")
            if is_json(kind):
                parameter["schema"] = mapping_at(content[kind], "schema")
                parameter["x-json"] = True
            else:
                parameter["schema"] = {
                    "type": "string",
                    "description": f"Text as {kind or 'nothing'}",
                }
            parameter.pop("content", None)
            log("content-parameter", f"{operation.where} {parameter.get('name')}")


def flatten_object_parameter(document: Tree, log: Log) -> None:
    """Replace a query object by its properties, as sent: `name` (exploded form) or `filter[name]`
    (deepObject).
    """
    for operation, parameter in parameters(document):
        whole = resolve(document, parameter["schema"])
        style = parameter.get("style", "form")
        flat = style == "deepObject" or (style == "form" and parameter.get("explode", True))
        # Of an object that is open, other names would be lost.
        is_open = any(whole.get(key) for key in ("additionalProperties", "allOf", "oneOf", "anyOf"))
        is_kept = is_open or not whole.get("properties") or "x-json" in parameter
        if parameter.get("in") != "query" or not flat or is_kept:
            continue
        if style == "form" and any(
            is_object(document, each) for each in whole["properties"].values()
        ):
            continue  # an object in an object has no form
        _replace(operation, parameter, whole, style)
        log("flatten-object-parameter", f"{operation.where} {parameter['name']}")


def _replace(operation: Operation, parameter: Tree, whole: Tree, style: str) -> None:
    required = list_at(whole, "required") if parameter.get("required") else []
    shared = {
        "in": "query",
        "style": style,
        "explode": True,
        "allowReserved": parameter.get("allowReserved"),
    }
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
            log.left_out.append(
                f"{where}: style {style!r} is not defined there: sent as {DEFAULT_STYLES[location]}"
            )
            style = DEFAULT_STYLES[location]
        explode = bool(parameter.get("explode", style in ("form", "cookie")))
        written = Style(
            location,
            style,
            explode,
            bool(parameter.get("allowReserved")),
            bool(parameter.get("x-json")),
        )
        if not written.json and (reason := undefined(document, parameter["schema"], written)):
            log.left_out.append(
                f"{where}: {reason}, whose form OpenAPI does not define, is refused when called"
            )
        if location == "header":
            _free_of_limits(document, operation, parameter)
        log.requests.request(operation.tree).parameters[parameter["in"], name] = written
    log("record-styles", "the whole document")


def _free_of_limits(document: Tree, operation: Operation, parameter: Tree) -> None:
    """Declare a header that is no scalar in another place: the generator refuses lists, times and
    unions in headers.
    """
    schema = resolve(document, parameter["schema"])
    if schema.get("type") in SCALAR_HEADERS and schema.get("format") not in (
        "date",
        "date-time",
        "binary",
    ):
        return
    declared = {(each["in"], each["name"]) for each in operation.tree["parameters"]}
    free = (place for place in ("query", "cookie") if (place, parameter["name"]) not in declared)
    parameter["in"] = next(free, "header")


def undefined(document: Tree, schema: Tree, style: Style) -> str | None:
    """What a value of the schema can hold that has no defined form in a style; None when it has one
    always.
    """
    if style.style == "deepObject":
        return None
    for whole in variants(document, schema):
        inner = [
            (step, child) for step, child in children(whole) if not is_read_only(document, child)
        ]
        nested = next(
            (step for step, child in inner if step[0] in ".[" and is_nested(document, child)), None
        )
        if nested is not None:
            return f"an object or a list in its {nested}"
        if (
            style.location == "cookie"
            and style.style == "form"
            and style.explode
            and is_nested(document, whole)
        ):
            return "an exploded list or object"
    return None


def variants(document: Tree, schema: Tree) -> list[Tree]:
    """A schema and the members of its unions and of its `allOf`, references followed; each once."""
    found: dict[int, Tree] = {}
    pending = [schema]
    while pending:
        whole = resolve(document, pending.pop())
        if id(whole) not in found:
            found[id(whole)] = whole
            pending += reversed(
                [part for key in ("allOf", "oneOf", "anyOf") for part in list_at(whole, key)]
            )
    return [*found.values()]


def members_of(
    document: Tree, schema: Tree, levels: int, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """The members of an object, and of the objects in it, each with the names that lead to it.

    Objects in lists have none: no path leads to one of several.
    """
    for whole in variants(document, schema):
        for name, member in mapping_at(whole, "properties").items():
            path = (*above, name)
            yield path, member
            if levels > 1 and is_object(document, member):
                yield from members_of(document, member, levels - 1, path)


def is_nested(document: Tree, schema: Tree) -> bool:
    """Whether a value can be an object or a list. What has no type counts as a scalar."""
    return any(
        "array" in kinds(whole) or "object" in kinds(whole) for whole in variants(document, schema)
    )


def is_read_only(document: Tree, schema: Tree) -> bool:
    """Whether a value is only read, and never sent."""
    return bool(schema.get("readOnly") or resolve(document, schema).get("readOnly"))


def is_object(document: Tree, schema: Tree) -> bool:
    return any("object" in kinds(whole) for whole in variants(document, schema))


def kinds(whole: Tree) -> set[str]:
    return {str(each) for each in types_of(whole)} | (
        {"object"} if whole.get("properties") else set()
    )
