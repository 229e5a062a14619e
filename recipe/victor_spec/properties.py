"""The properties that the generator parsed, as the templates need them."""

from collections.abc import Mapping
from typing import Any

from attrs import evolve
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.schema.untrusted_string import UntrustedString

from .requests import Requests

PARAMETERS = ("path_parameters", "query_parameters", "header_parameters", "cookie_parameters")


def finish(data: GeneratorData, requests: Requests) -> None:
    """Finish all properties (see `Finisher`), and give operations their methods and paths."""
    finisher = Finisher(data, requests.names)
    for model in data.models:
        for properties in (model.required_properties, model.optional_properties):
            finisher.finish(properties)
        if model.additional_properties is not None:
            model.additional_properties = finisher.finished(model.additional_properties)
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            request = requests.request_of(endpoint)
            endpoint.method = request.method
            endpoint.path = UntrustedString(request.path)
            for parameters in PARAMETERS:
                finisher.finish(getattr(endpoint, parameters))
            for each in (*endpoint.bodies, *endpoint.responses):
                each.prop = finisher.finished(each.prop)


class Finisher:
    """Gives properties their names on the wire, and references to models the members of these."""

    def __init__(self, data: GeneratorData, names: Mapping[str, str]) -> None:
        self._names = names
        self._models = {model.class_info.name: model for model in data.models}

    def finish(self, properties: list[Any] | None) -> None:
        """Finish the properties of a list, in their places."""
        if properties is not None:
            properties[:] = map(self.finished, properties)

    def finished(self, prop: Any) -> Any:
        """A property, and all that is within it, in its final form."""
        wire = self._names.get(prop.name.get_untrusted_value())
        if wire is not None:
            prop = evolve(prop, name=UntrustedString(wire))
        if isinstance(prop, ListProperty):
            prop.inner_property = self.finished(prop.inner_property)
        elif isinstance(prop, UnionProperty):
            self.finish(prop.inner_properties)
        elif isinstance(prop, ModelProperty):
            model = self._models.get(prop.class_info.name, prop)
            prop.required_properties = model.required_properties
            prop.optional_properties = model.optional_properties
        return prop
