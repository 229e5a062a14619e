"""The properties that the generator parsed, as the templates need them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import Value
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.parser.properties.uuid import UuidProperty
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonCode

from .members import members_of
from .requests import Requests
from .rewrites.discriminators import Discriminator


def finish(data: GeneratorData, requests: Requests) -> None:
    """Finish all properties (see `Finisher`), and give operations their methods and paths."""
    finisher = Finisher(data, requests.names)
    for enum in data.enums:
        if isinstance(enum, EnumProperty):
            finisher.finish_words(enum)
    for model in data.models:
        finisher.finish_model(model)
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            request = requests.request_of(endpoint)
            endpoint.method = request.method
            endpoint.path = UntrustedString(request.path)
            finisher.finish_operation(endpoint)


def imports_of(properties: Iterable[Any], prefix: str) -> set[str]:
    """The imports of the types of properties; ruff removes those that a module does not need."""
    imports: set[str] = set()
    for prop in properties:
        if prop is not None:
            imports |= prop.get_imports(prefix=prefix)
    return imports


class DecimalProperty(UuidProperty):
    """A number that is read as a Decimal."""

    def get_base_type_string(self) -> PythonCode:
        return PythonCode("Decimal")

    def get_imports(self, *, prefix: str) -> set[str]:
        return super().get_imports(prefix=prefix) | {"from decimal import Decimal"}


@attrs.define
class VariantProperty(UuidProperty):
    """The member of a union that stands for the variants that the document does not name, and for a
    discriminator.
    """

    discriminator: Discriminator
    type_name: str = "UnknownVariant"
    """The name of a model of the union where the discriminator has a default."""

    def get_base_type_string(self) -> PythonCode:
        return PythonCode(self.type_name)

    def get_imports(self, *, prefix: str) -> set[str]:
        return {f"from {prefix}types import UnknownVariant"}


class Finisher:
    """Puts the types that the generator does not know in the place of the constants that stand for
    them, gives properties their names on the wire, and references to models the members of these.
    """

    def __init__(self, data: GeneratorData, names: Mapping[str, str]) -> None:
        self._names = names
        self._models = {model.class_info.name: model for model in data.models}

    def finish_model(self, model: ModelProperty) -> None:
        self._finish_all(model.required_properties)
        self._finish_all(model.optional_properties)
        if model.additional_properties is not None:
            model.additional_properties = self.finished(model.additional_properties)
        every = [*members_of(model), model.additional_properties]
        model.relative_imports = imports_of(every, "..") | (model.relative_imports or set())

    def finish_operation(self, endpoint: Endpoint) -> None:
        for place in ("path", "query", "header", "cookie"):
            self._finish_all(getattr(endpoint, f"{place}_parameters"))
        for place in ("query", "header", "cookie"):
            _give_only_words(getattr(endpoint, f"{place}_parameters"))
        _give_only_words(endpoint.path_parameters, only_last=True)
        for each in (*endpoint.bodies, *endpoint.responses):
            each.prop = self.finished(each.prop)
        answers = [answer.prop for answer in endpoint.responses]
        endpoint.relative_imports |= imports_of(endpoint.list_all_parameters(), "...")
        endpoint.relative_imports |= imports_of(answers, "...")

    def _finish_all(self, properties: list[Any] | None) -> None:
        """Finish the properties of a list, in their places."""
        if properties is not None:
            properties[:] = map(self.finished, properties)

    def finished(self, prop: Any) -> Any:
        """A property, and all that is within it, in its final form."""
        wire = self._names.get(prop.name.get_untrusted_value())
        if wire is not None:
            prop = attrs.evolve(prop, name=UntrustedString(wire))
        if isinstance(prop, ListProperty):
            prop.inner_property = self.finished(prop.inner_property)
        elif isinstance(prop, UnionProperty):
            self._finish_union(prop)
        elif isinstance(prop, ConstProperty):
            prop = _known(prop)
        elif isinstance(prop, EnumProperty):
            self.finish_words(prop)
        elif isinstance(prop, ModelProperty):
            model = self._models.get(prop.class_info.name, prop)
            prop.required_properties = model.required_properties
            prop.optional_properties = model.optional_properties
        return prop

    def finish_words(self, enum: EnumProperty) -> None:
        """Give an enum its words on the wire."""
        for name, word in enum.values.items():
            enum.values[name] = self._names.get(str(word), word)

    def _finish_union(self, union: UnionProperty) -> None:
        """Finish the members of a union; a discriminator with a default adds no type to it."""
        members = [self.finished(inner) for inner in union.inner_properties]
        models = [member for member in members if isinstance(member, ModelProperty)]
        for number, member in enumerate(members):
            if isinstance(member, VariantProperty) and member.discriminator.has_default:
                default = str(models[0].class_info.name)
                members[number] = attrs.evolve(member, type_name=default)
        union.inner_properties = members


def _give_only_words(parameters: list[Any], *, only_last: bool = False) -> None:
    """Let each required parameter with one allowed word have that word as its default.

    `only_last`: they are positional: behind one with a default, all have one.
    """
    for number, parameter in reversed([*enumerate(parameters)]):
        word = _only_word(parameter)
        if word is not None:
            parameters[number] = attrs.evolve(parameter, default=word)
        elif only_last:
            break


def _only_word(parameter: Any) -> Value | None:
    """The word that a required parameter always has; None where it may have another one, or where
    it is a flag: that is somebody's consent.
    """
    if not parameter.required:
        return None
    if isinstance(parameter, ConstProperty):
        return None if isinstance(parameter.value.raw_value, bool) else parameter.value
    if not isinstance(parameter, EnumProperty) or len(parameter.values) != 1:
        return None
    ((name, word),) = parameter.values.items()
    return Value(python_code=PythonCode(f"{parameter.class_info.name}.{name}"), raw_value=word)


def _known(constant: ConstProperty) -> Any:
    """What a constant stands for; the constant itself where the document has it."""
    text = constant.value.raw_value
    if not isinstance(text, str) or '"' not in text:
        return constant
    known: Any = json.loads(text)
    arguments: dict[str, Any] = {
        "name": constant.name,
        "required": constant.required,
        "default": None,
        "description": constant.description,
        "python_name": constant.python_name,
    }
    if isinstance(known, dict):
        return VariantProperty(**arguments, example=None, discriminator=Discriminator(**known))
    return DecimalProperty(**arguments, example=known[1])  # of `["decimal", EXAMPLE]`
