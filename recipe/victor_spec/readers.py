"""How the fields of a model are declared, as the templates ask."""

from typing import Any

from openapi_python_client.parser.properties import ModelProperty

from .hooks import constant_of


def fields_of(model: ModelProperty) -> list[Any]:
    """The members of a model in the order of its class: those with a default are behind others."""
    required: list[Any] = model.required_properties or []
    required = sorted(required, key=lambda prop: constant_of(model, prop) is not None)
    return [*required, *(model.optional_properties or ())]


def base(prop: Any) -> str:
    """The type of a property, as code."""
    return str(prop.get_base_type_string().as_unembedded_code())


def has_null(prop: Any) -> bool:
    """Whether a property is a union with null."""
    return any(base(inner) == "None" for inner in getattr(prop, "inner_properties", ()))
