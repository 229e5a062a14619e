"""Names of the fields of models that must not be those of the models' own attributes."""

from __future__ import annotations

from openapi_python_client.parser import GeneratorData
from openapi_python_client.strings import PythonIdentifier

OWN = frozenset(("additional_keys", "additional_properties", "from_dict", "to_dict", "SHAPE"))
"""The attributes that every model has."""


def rename_fields(parsed: GeneratorData) -> None:
    """Put `_` behind the name of a field that a model has for itself, such as `to_dict`; its wire name stays."""
    for model in parsed.models:
        fields = [*(model.required_properties or []), *(model.optional_properties or [])]
        taken = OWN | {field.python_name for field in fields if field.python_name not in OWN}
        for field in fields:
            name = str(field.python_name)
            if name in OWN:
                while name in taken:
                    name += "_"
                object.__setattr__(field, "python_name", PythonIdentifier(name, "", skip_snake_case=True))
