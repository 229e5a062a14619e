"""Where openapi-python-client fails, as the smallest schema of the document, and what is put in its
place.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser import bodies, properties, responses
from openapi_python_client.parser import openapi as endpoints
from openapi_python_client.parser.errors import GeneratorError, ParseError, PropertyError

from .rewrites import Log
from .rewrites.base import drop, parameters, place_of_parameter, schemas
from .tree import Tree, is_mapping

PLACE = "x-place"
"""The key of a schema's or a parameter's number, while failures are searched."""
_FAILURE = "failure"
"""The attribute of an error with what is known of it: errors that are gone leave their ids to
others.
"""
_OBJECT = re.compile(r"<openapi_python_client[^<>]*>")
_MISSING = "Could not find reference"
"""In the words of a failure that another one causes."""


@dataclass
class Failure:
    """Something that openapi-python-client does not generate."""

    text: str
    """The words of openapi-python-client, without addresses in memory."""
    where: str = ""
    schema: Tree | None = None
    """The smallest part that failed; None when it is not known."""

    @classmethod
    def of(cls, error: GeneratorError, where: str = "", schema: Tree | None = None) -> Failure:
        """The failure of an error, with the words that the error has now: openapi-python-client
        replaces `error.header` later.
        """
        words = " ".join(f"{error.header} {error.detail or ''}".split())
        return cls(_OBJECT.sub("it", words), where, schema)

    @property
    def loss(self) -> str:
        """What the package lacks for it, in words that do not change with the generator."""
        return (
            f"{self.where or 'The document'}: the generator cannot express it: call it by a "
            "request of your own"
        )


class Tracker:
    """Notes the place of each failure while a document is parsed.

    Schemas have numbers until `failures` is called.
    """

    def __init__(self, tree: Tree) -> None:
        self._nodes: list[tuple[str, Tree]] = [*schemas(tree)]
        for operation, parameter in parameters(tree):
            self._nodes.append((place_of_parameter(operation, parameter), parameter))
        for number, (_, node) in enumerate(self._nodes):
            node[PLACE] = number
        self._failed: list[Failure] = []
        """In the order in which they were seen: what fails within a schema before the schema."""
        self._of_endpoints: list[Failure] = []

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        """Watch the functions of openapi-python-client that can fail."""
        build = self._watched_build(properties.property_from_data)
        process = self._watched_process(vars(properties)["process_model"])
        read = self._watched_read(endpoints.Endpoint.from_data)
        users: list[Any] = [properties, bodies, responses, endpoints]
        try:
            with replaced(
                *((module, "property_from_data", build) for module in users),
                (properties, "process_model", process),
                (endpoints.Endpoint, "from_data", staticmethod(read)),
            ):
                yield
        finally:
            for _, node in self._nodes:
                node.pop(PLACE, None)

    def failures(self, errors: Sequence[ParseError]) -> list[Failure]:
        """The failures behind the errors that are left, and those of operations."""
        noted = [_noted(error) for error in errors]
        remaining = [failure for failure in noted if failure is not None]
        return [*remaining, *self._of_endpoints] or [*map(Failure.of, errors)]

    def _failure(self, error: GeneratorError, data: Any, where: str = "") -> Failure:
        """The failure of what the generator made of `data`, or of `where` without a number."""
        extra: dict[str, Any] = getattr(data, "model_extra", None) or {}
        number = extra.get(PLACE)
        if not isinstance(number, int):
            return Failure.of(error, where)
        return Failure.of(error, *self._nodes[number])

    def _watched_build(self, build: Any) -> Any:
        """`property_from_data`, which makes a property of a schema.

        It fails with what fails within the schema, if anything does: the first of these counts.
        """

        def property_from_data(*, data: Any, **arguments: Any) -> Any:
            before = len(self._failed)
            result, known = build(data=data, **arguments)
            if isinstance(result, PropertyError):
                if len(self._failed) == before:
                    self._failed.append(self._failure(result, data))
                _note(result, self._failed[before])
            return result, known

        return property_from_data

    def _watched_process(self, process: Any) -> Any:
        """`process_model`, which makes the properties of a model, and returns the error of one.

        An error of a property is noted before. One that is not is of the model itself, such as two
        properties that exclude each other.
        """

        def process_model(model: Any, **arguments: Any) -> Any:
            error = process(model, **arguments)
            if isinstance(error, PropertyError) and _noted(error) is None:
                failure = self._failure(error, model.data)
                self._failed.append(failure)
                _note(error, failure)
            return error

        return process_model

    def _watched_read(self, from_data: Any) -> Any:
        """`Endpoint.from_data`, which reads an operation, and drops what fails in its responses."""

        def endpoint_from_data(**arguments: Any) -> Any:
            before = len(self._failed)
            result, *rest = from_data(**arguments)
            where = f"{arguments['method'].upper()} {arguments['path'].get_untrusted_value()}"
            own = self._failed[before:] or self._failures_of(result, where)
            self._of_endpoints += own
            return result, *rest

        return endpoint_from_data

    def _failures_of(self, result: Any, where: str) -> list[Failure]:
        """The failures of an operation that are of none of its schemas."""
        if isinstance(result, ParseError):
            return [self._failure(result, result.data, where)]
        if isinstance(result, endpoints.Endpoint):
            return [Failure.of(error, where) for error in result.errors]
        return []


def _note(error: PropertyError, failure: Failure) -> None:
    """Note the failure of an error, unless one is known."""
    vars(error).setdefault(_FAILURE, failure)


def _noted(error: GeneratorError) -> Failure | None:
    """The failure that was noted of an error."""
    return vars(error).get(_FAILURE)


def mend(failures: list[Failure], log: Log) -> bool:
    """Replace the schemas that fail by "anything", and report them. Returns whether any changed.

    A failure that follows from another one is left alone as long as there is another one.
    """
    known = [failure for failure in failures if failure.schema is not None]
    first = [failure for failure in known if _MISSING not in failure.text] or known[:1]
    by_schema: dict[int, tuple[Failure, Tree]] = {}
    for failure in first:
        if failure.schema is not None:
            by_schema.setdefault(id(failure.schema), (failure, failure.schema))
    changes = [_replace(schema, failure, log) for failure, schema in by_schema.values()]
    return any(changes)


def _replace(schema: Tree, failure: Failure, log: Log) -> bool:
    """Replace a schema, or what it is composed of; whether it is another one now."""
    before = {**schema}
    is_parameter = "in" in schema and "name" in schema
    log.note(failure.where, "the generator cannot express its type")
    if is_parameter and is_mapping(schema.get("schema")):
        schema["schema"] = {"type": "string"}
    else:
        drop(schema, *(schema.keys() - {"description"}))
    return schema != before


@contextlib.contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Generator[None]:
    """Give attributes of modules and classes another value, and restore them afterwards."""
    before: list[tuple[Any, str, Any]] = []
    for owner, name, _ in changes:
        before.append((owner, name, owner.__dict__[name]))
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
