"""Where openapi-python-client fails, as the smallest schema of the document, and what is put in its
place.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser import GeneratorData, bodies, properties, responses
from openapi_python_client.parser import openapi as endpoints
from openapi_python_client.parser.errors import GeneratorError, ParseError, PropertyError

from .requests import Requests
from .rewrites import Log
from .rewrites.base import drop, parameters, place_of_parameter, schemas
from .tree import Tree, is_mapping, named_schemas, operations

PLACE = "x-place"
"""The key of a schema's or a parameter's number, while failures are searched."""
USERS: tuple[Any, ...] = (bodies, responses, endpoints)
"""The modules of operations, which import the function that makes a property."""
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
    """Finds the place of each failure of a document that is parsed.

    Schemas have numbers until `failures` is called.
    """

    def __init__(self, tree: Tree, requests: Requests) -> None:
        self._tree = tree
        self._requests = requests
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
        """Watch the public function of openapi-python-client that makes a property of a schema.

        Its errors alone know the smallest part that fails: the one that is left of a union in a
        union names the outer member, and nothing is left of a property in a body or an answer.
        """
        module_of_schemas: Any = properties
        build = module_of_schemas.property_from_data
        within: Any = self._watched(build, [])
        of_endpoints: Any = self._watched(build, self._of_endpoints)
        try:
            module_of_schemas.property_from_data = within
            for module in USERS:
                module.property_from_data = of_endpoints
            yield
        finally:
            for module in (module_of_schemas, *USERS):
                module.property_from_data = build
            for _, node in self._nodes:
                node.pop(PLACE, None)

    def failures(self, data: GeneratorData) -> list[Failure]:
        """The failures behind the errors that are left; those of a whole operation where there are
        no others.
        """
        of_schemas = [self._of_schema(error) for error in data.errors]
        if of_schemas or self._of_endpoints:
            return [*of_schemas, *self._of_endpoints]
        of_operations: list[Failure] = []
        for collection in data.endpoint_collections_by_tag.values():
            for error in collection.parse_errors:
                where = self._operation_of(error)
                of_operations.append(self._failure(error, error.data, where))
        return of_operations

    def _of_schema(self, error: ParseError) -> Failure:
        """The failure of an error: the one that was noted, or that of the named schema that the
        error names.
        """
        noted = _noted(error)
        if noted is not None:
            return noted
        for name, schema in named_schemas(self._tree).items():
            if f"/components/schemas/{name}:" in error.header:
                return Failure.of(error, name, schema)
        return Failure.of(error)

    def _operation_of(self, error: ParseError) -> str:
        """The operation that an error names, which may stand for another one."""
        for operation in operations(self._tree):
            if f"{operation.where} " in error.header:
                return self._requests.request(operation.tree).where
        return ""

    def _failure(self, error: GeneratorError, data: Any, where: str = "") -> Failure:
        """The failure of what the generator made of `data`, or of `where` without a number."""
        extra: dict[str, Any] = getattr(data, "model_extra", None) or {}
        number = extra.get(PLACE)
        if not isinstance(number, int):
            return Failure.of(error, where)
        return Failure.of(error, *self._nodes[number])

    def _watched(self, build: Any, outer: list[Failure]) -> Any:
        """`property_from_data`, which fails with what fails within the schema, if anything does:
        the first of these counts, and is added to `outer`.
        """

        def property_from_data(*, data: Any, **arguments: Any) -> Any:
            before = len(self._failed)
            result, known = build(data=data, **arguments)
            if isinstance(result, PropertyError):
                if len(self._failed) == before:
                    self._failed.append(self._failure(result, data))
                _note(result, self._failed[before])
                outer.append(self._failed[before])
            return result, known

        return property_from_data


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
