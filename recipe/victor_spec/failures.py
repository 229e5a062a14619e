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
from .rewrites.base import drop, parameters, schemas
from .rewrites.composition import write_out_failed
from .tree import Tree, is_mapping

PLACE = "x-place"
"""The key of a schema's or a parameter's number, while failures are searched."""
FAILURE = "failure"
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
        """The failure of an error, whose words are taken now: openapi-python-client replaces its
        header later.
        """
        return cls(
            _OBJECT.sub("it", " ".join(f"{error.header} {error.detail or ''}".split())),
            where,
            schema,
        )

    @property
    def loss(self) -> str:
        """What the package lacks for it, in words that do not change with the generator."""
        if self.schema is not None:
            return (
                f"{self.where}: its type, which is read as anything, because the generator cannot "
                "express it: read the value as it came, and give one in its JSON form"
            )
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
        self._nodes += [
            (f"{of.where} {each.get('in')} {each.get('name')}", each)
            for of, each in parameters(tree)
        ]
        for number, (_, node) in enumerate(self._nodes):
            node[PLACE] = number
        self._failed: list[Failure] = []
        self._of_endpoints: list[Failure] = []

    @contextlib.contextmanager
    def watching(self) -> Generator[None]:
        build, process = properties.property_from_data, vars(properties)["process_model"]
        endpoint = endpoints.Endpoint.from_data
        modules: list[Any] = [properties, bodies, responses, endpoints]
        try:
            with replaced(
                *((module, "property_from_data", self._watched(build)) for module in modules),
                (properties, "process_model", self._watched_model(process)),
                (endpoints.Endpoint, "from_data", staticmethod(self._watched_endpoint(endpoint))),
            ):
                yield
        finally:
            for _, node in self._nodes:
                node.pop(PLACE, None)

    def failures(self, errors: Sequence[ParseError]) -> list[Failure]:
        remaining = [vars(error)[FAILURE] for error in errors if FAILURE in vars(error)]
        return [*remaining, *self._of_endpoints] or [*map(Failure.of, errors)]

    def _failure(self, error: GeneratorError, data: Any, where: str = "") -> Failure:
        extra: dict[str, Any] = getattr(data, "model_extra", None) or {}
        number = extra.get(PLACE)
        return Failure.of(
            error, *(self._nodes[number] if isinstance(number, int) else (where, None))
        )

    def _watched(self, build: Any) -> Any:
        def property_from_data(*, data: Any, **arguments: Any) -> Any:
            before = len(self._failed)
            made, known = build(data=data, **arguments)
            if isinstance(made, PropertyError):
                if len(self._failed) == before:  # none inside it
                    self._failed.append(self._failure(made, data))
                vars(made).setdefault(FAILURE, self._failed[before])
            return made, known

        return property_from_data

    def _watched_model(self, process: Any) -> Any:
        def process_model(model: Any, **arguments: Any) -> Any:
            made = process(model, **arguments)
            if isinstance(made, PropertyError) and FAILURE not in vars(made):
                self._failed.append(self._failure(made, model.data))
                vars(made)[FAILURE] = self._failed[-1]
            return made

        return process_model

    def _watched_endpoint(self, from_data: Any) -> Any:
        def endpoint_from_data(**arguments: Any) -> Any:
            before = len(self._failed)
            made, *rest = from_data(**arguments)
            where = f"{arguments['method'].upper()} {arguments['path'].get_untrusted_value()}"
            own = self._failed[before:]
            if isinstance(made, ParseError) and not own:
                own = [self._failure(made, made.data, where)]
            elif isinstance(made, endpoints.Endpoint) and not own:
                own = [Failure.of(error, where) for error in made.errors]
            self._of_endpoints += own
            return made, *rest

        return endpoint_from_data


def mend(tree: Tree, failures: list[Failure], log: Log) -> bool:
    """Replace the schemas that fail by "anything", and report them. Returns whether any changed.

    A failure that follows from another one is left alone as long as there is another one.
    """
    known = [(each, each.schema) for each in failures if each.schema is not None]
    mended: set[int] = set()
    changed = False
    for failure, schema in [each for each in known if _MISSING not in each[0].text] or known[:1]:
        if id(schema) in mended:
            continue
        mended.add(id(schema))
        before = {**schema}
        if schema.get("allOf"):
            write_out_failed(tree, schema, failure.where, log)
            log("inline-allof", failure.where)
        else:
            log.lose(failure.loss, failure.text)
            if "in" in schema and "name" in schema and is_mapping(schema.get("schema")):
                schema["schema"] = {"type": "string"}
            else:
                drop(schema, *(schema.keys() - {"description"}))
        changed |= schema != before
    return changed


@contextlib.contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Generator[None]:
    """Give attributes of modules and classes another value, and restore them afterwards."""
    before: list[tuple[Any, str, Any]] = [
        (owner, name, vars(owner)[name]) for owner, name, _ in changes
    ]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
