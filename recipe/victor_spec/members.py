"""What the template of `members.py` must know: the members of each model, with the kinds of their
values as plain data.
"""

from collections.abc import Iterable
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.none import NoneProperty
from openapi_python_client.parser.properties.union import UnionProperty

Kind = str | tuple[str | int, ...] | list[Any] | None
"""The kind of a value: the name of a model, a word of `KINDS`, the words of an enum, or a list of
the kind of its items. None for a union, which its model alone can read.
"""

KINDS = {
    "str": "text",
    "bool": "flag",
    "int": "whole",
    "float": "number",
    "Decimal": "decimal",
    "datetime.datetime": "moment",
    "datetime.date": "day",
    "UUID": "uuid",
    "Any": "any",
}
"""The kinds of scalars, by their types in Python."""


def members_of(model: ModelProperty) -> list[Any]:
    """The declared members of a model: properties, in the order of the generated class."""
    return [*(model.required_properties or ()), *(model.optional_properties or ())]


def tables_of(models: Iterable[ModelProperty]) -> dict[str, dict[str, Kind]]:
    """The kinds of the members of each model, by their names on the wire."""
    tables: dict[str, dict[str, Kind]] = {}
    for model in models:
        kinds = {prop.name.get_untrusted_value(): kind_of(prop) for prop in members_of(model)}
        tables[str(model.class_info.name)] = kinds
    return dict(sorted(tables.items()))


def kind_of(prop: Any) -> Kind:
    """The kind of the values of a property; whether null is one of them does not count."""
    core = without_null(prop)
    if isinstance(core, ModelProperty):
        return str(core.class_info.name)
    if isinstance(core, EnumProperty):
        return tuple(core.values.values())
    if isinstance(core, ConstProperty):
        return (core.value.raw_value,)
    if isinstance(core, ListProperty):
        return [kind_of(core.inner_property)]
    return KINDS.get(core.get_base_type_string().as_unembedded_code())


def without_null(prop: Any) -> Any:
    """The one member of a union beside null; any other property as it is."""
    if not isinstance(prop, UnionProperty):
        return prop
    valued = [inner for inner in prop.inner_properties if not isinstance(inner, NoneProperty)]
    return valued[0] if len(valued) == 1 else prop


def results_of(endpoint: Endpoint) -> dict[int, str]:
    """The models of the good responses to an operation, by their statuses.

    A range of statuses, and what is no object of JSON, is in no table: the parser reads it.
    """
    results: dict[int, str] = {}
    for answer in endpoint.responses.patterns:
        first, last = answer.status_code.range or (0, 0)
        is_json = answer.source["attribute"] == "response.json()"
        if first == last and 200 <= first <= 299 and is_json:
            kind = kind_of(answer.prop) if isinstance(answer.prop, ModelProperty) else None
            if isinstance(kind, str):
                results[first] = kind
    return results


def model_of(bodies: Iterable[Any]) -> str:
    """The model of these bodies of a request; empty where they have none, or several."""
    models = {
        str(each.prop.class_info.name) for each in bodies if isinstance(each.prop, ModelProperty)
    }
    return models.pop() if len(models) == 1 else ""


def errors_of(answers: Iterable[Any]) -> dict[str, tuple[Kind, ...]]:
    """What the bodies of the answers that refuse an operation are, by their statuses: several kinds
    for a union, none without content, and `bytes` for what is not JSON.
    """
    return {str(answer.status_code.pattern): _kinds_of_body(answer) for answer in answers}


def _kinds_of_body(answer: Any) -> tuple[Kind, ...]:
    if answer.source["attribute"] == "None":
        return ()
    if answer.source["attribute"] != "response.json()":
        return ("bytes",)
    core = without_null(answer.prop)
    kinds = core.inner_properties if isinstance(core, UnionProperty) else [core]
    return tuple(kind_of(kind) for kind in kinds if not isinstance(kind, NoneProperty))
