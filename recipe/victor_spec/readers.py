"""How the fields of a model are read and written, as the templates ask. A "core" is a property
without the null of its union: `read` knows null.
"""

from collections.abc import Iterable
from typing import Any

from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty

from .members import without_null

OF_JSON = ("str", "bool", "int", "float")
"""The types that a value of JSON has already."""


def cores_of(properties: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Each property with its core."""
    return [(prop, without_null(prop)) for prop in properties]


def base(prop: Any) -> str:
    """The type of a property, as code."""
    return str(prop.get_base_type_string().as_unembedded_code())


def has_null(prop: Any) -> bool:
    """Whether a property is a union with null."""
    return any(base(inner) == "None" for inner in getattr(prop, "inner_properties", ()))


def way(core: Any) -> str:
    """The way to read a field: as `any`, as `plain` JSON, or by a `reader`."""
    type_ = base(core)
    if type_ == "Any" and core.template == "any_property.py.jinja":
        return "any"
    is_plain_type = type_ in OF_JSON and not isinstance(core, ConstProperty)
    return "plain" if is_plain_type else "reader"


def is_plain(core: Any) -> bool:
    """Whether a value is written as it is, and so is each item of a list."""
    inner = core.inner_property if isinstance(core, ListProperty) else core
    return way(inner) != "reader"
