"""Rewrites of parameters: how each is sent is recorded, and its type stays the one of the
document.
"""

from collections.abc import Iterator

from victor_spec.requests import Style
from victor_spec.tree import (
    DEFAULT_STYLES,
    EXPLODED_STYLES,
    STYLES,
    Operation,
    Tree,
    list_at,
    mapping_at,
    operations,
    resolve,
    types_of,
)

from .base import Log, children, leave_out, parameters, reachable

SCALAR_HEADERS = ("string", "integer", "number", "boolean")


def require_schemas(document: Tree, log: Log) -> None:
    """Leave out the operations with a parameter that has a content type, such as JSON, in place of
    a schema; one without either is a text.
    """
    for operation in operations(document):
        for parameter in list_at(operation.tree, "parameters"):
            content = parameter.pop("content", {})
            if "schema" in parameter:
                continue
            parameter["schema"] = {"type": "string"}
            if content:
                why = (
                    f"its parameter {parameter['name']} is sent as {next(iter(content))}: by an "
                    "overlay, give it the schema of that text"
                )
                leave_out(operation, why, log)
                break


def flatten_object_parameter(document: Tree, log: Log) -> None:
    """Replace a query object by its properties, as sent: `name` (exploded form) or `filter[name]`
    (deepObject).
    """
    for operation, parameter in parameters(document):
        fields = fields_of(document, parameter)
        if fields:
            every = operation.tree["parameters"]
            place = every.index(parameter)
            operation.tree["parameters"] = [*every[:place], *fields, *every[place + 1 :]]
            log("flatten-object-parameter", f"{operation.where} {parameter['name']}")


def fields_of(document: Tree, parameter: Tree) -> list[Tree]:
    """The parameters that a query object is sent as, one for each of its properties; none for any
    other parameter.
    """
    whole = resolve(document, mapping_at(parameter, "schema"))
    style = str(parameter.get("style", "form"))
    if parameter.get("in") != "query" or not _is_flat(document, parameter, whole, style):
        return []
    return _fields(parameter, whole, style)


def _is_flat(document: Tree, parameter: Tree, whole: Tree, style: str) -> bool:
    """Whether a parameter is an object whose properties are fields of the query."""
    properties = mapping_at(whole, "properties")
    # Of an object that is open, other names would be lost.
    is_open = any(whole.get(key) for key in ("additionalProperties", "allOf", "oneOf", "anyOf"))
    if is_open or not properties:
        return False
    if style == "form" and parameter.get("explode", True):
        # an object in an object has no form
        return not any(is_object(document, child) for child in properties.values())
    return style == "deepObject"


def _fields(parameter: Tree, whole: Tree, style: str) -> list[Tree]:
    """A parameter for each property of an object."""
    required = list_at(whole, "required") if parameter.get("required") else []
    shared = {
        "in": "query",
        "style": style,
        "explode": True,
        "allowReserved": parameter.get("allowReserved"),
    }
    fields: list[Tree] = []
    for name, schema in whole["properties"].items():
        field = {
            **shared,
            "name": name if style == "form" else f"{parameter['name']}[{name}]",
            "required": name in required,
            "schema": schema,
        }
        if "description" in schema:
            field["description"] = schema["description"]
        fields.append(field)
    return fields


def record_styles(document: Tree, log: Log) -> None:
    """Record how each parameter is sent; report values whose form OpenAPI does not define."""
    for operation, parameter in parameters(document):
        location, name = parameter["in"], parameter["name"]
        where = f"{operation.where}: {location} parameter {name}"
        usual = DEFAULT_STYLES[location]
        style = parameter.get("style", usual)
        if style not in STYLES[location]:
            log.left_out.append(f"{where}: style {style!r} is not defined there: sent as {usual}")
            style = usual
        written = Style(
            location,
            style,
            explode=bool(parameter.get("explode", style in EXPLODED_STYLES)),
            reserved=bool(parameter.get("allowReserved")),
        )
        reason = why_undefined(document, parameter["schema"], written)
        if reason:
            log.left_out.append(f"{where}: {reason} is refused when called")
        if location == "header":
            _declare_elsewhere(document, operation, parameter, log)
        log.requests.request(operation.tree).parameters[parameter["in"], name] = written
    log("record-styles", "the whole document")


def _declare_elsewhere(document: Tree, operation: Operation, parameter: Tree, log: Log) -> None:
    """Declare a header that is no scalar in another place: the generator refuses lists, times,
    constants (that of a Decimal, too) and unions in headers.
    """
    schema = resolve(document, parameter["schema"])
    is_decimal = schema.get("type") == "number" and (
        schema.get("format") == "decimal" or log.decimals
    )
    is_typed = (
        is_decimal or "const" in schema or schema.get("format") in ("date", "date-time", "binary")
    )
    if schema.get("type") in SCALAR_HEADERS and not is_typed:
        return
    declared = {(each["in"], each["name"]) for each in operation.tree["parameters"]}
    for place in ("query", "cookie"):
        if (place, parameter["name"]) not in declared:
            parameter["in"] = place
            return


def why_undefined(document: Tree, schema: Tree, style: Style) -> str | None:
    """What a value of the schema can hold that has no defined form in a style; None when each value
    has a defined form.
    """
    if style.style == "deepObject":
        return None
    for whole in variants(document, schema):
        for step, child in children(whole):
            is_value = step.startswith((".", "["))
            is_sent = not is_read_only(document, child)
            if is_value and is_sent and is_nested(document, child):
                return f"an object or a list in its {step}"
        if style.location == "cookie" and is_nested(document, whole):
            return "a list or an object"
    return None


def variants(document: Tree, schema: Tree) -> list[Tree]:
    """A schema and the members of its unions and of its `allOf`, references followed; each once."""
    return [*reachable(document, schema, set(), _parts)]


def _parts(whole: Tree) -> list[Tree]:
    return [part for key in ("allOf", "oneOf", "anyOf") for part in list_at(whole, key)]


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
    return bool(types_in(document, schema) & {"array", "object"})


def is_read_only(document: Tree, schema: Tree) -> bool:
    """Whether a value is only read, and never sent."""
    return bool(schema.get("readOnly") or resolve(document, schema).get("readOnly"))


def is_object(document: Tree, schema: Tree) -> bool:
    """Whether a value can be an object."""
    return "object" in types_in(document, schema)


def types_in(document: Tree, schema: Tree) -> set[str]:
    """The types of a schema, of the members of its unions and of its `allOf`."""
    return {kind for whole in variants(document, schema) for kind in kinds(whole)}


def kinds(whole: Tree) -> set[str]:
    """The types that a schema has itself; one with properties is an object, too."""
    own = set(map(str, types_of(whole)))
    return own | {"object"} if whole.get("properties") else own
