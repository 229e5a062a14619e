"""openapi-python-client, run on a prepared document so that one failure costs nothing else.

It drops a whole operation for one parameter, and a schema with all that refers to it for one property. Here the
smallest schema that it fails on becomes "anything", is reported as left out by its place, and it runs again.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import openapi_python_client
from jinja2.bccache import Bucket
from openapi_python_client import strings
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData, properties
from openapi_python_client.parser import openapi as endpoints
from openapi_python_client.parser.properties import model_property
from openapi_python_client.parser.properties.uuid import UuidProperty
from openapi_python_client.strings import PythonIdentifier

from .failures import Failure, Tracker, mend, replaced, unreadable_schema
from .python_names import give_distinct_names, literal
from .requests import HOOKS
from .rewrites import Log
from .rewrites.schemas import DECIMAL
from .tree import Tree

ROUNDS = 40
"""The maximum number of times that the document is parsed again after a failure is mended."""


class _CompiledTemplates(jinja2.BytecodeCache):
    """Templates compiled once in a process: to compile them takes longer than to write a small package."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _CompiledTemplates()


def parse(tree: Tree, log: Log) -> GeneratorData | None:
    """What is to be generated; None when the document is refused as a whole.

    Schemas of `tree` that fail are replaced by `{}`. They, and what no mending can keep, are in `log.left_out`.
    """
    data, failures = _attempt(tree, log, None)
    for _ in range(ROUNDS):
        if not failures:
            break
        data, failures = _attempt(tree, log, Tracker(tree))
        if not mend(tree, failures, log):
            break
    for failure in failures:
        log.lose(replace(failure, schema=None).loss, failure.text)
    if data is not None:
        give_distinct_names(data)
        hooks = data.endpoint_collections_by_tag.pop(PythonIdentifier(HOOKS, "tag"), None)
        log.requests.hook_endpoints = [] if hooks is None else hooks.endpoints
    return data


def render(data: GeneratorData, folder: Path, templates: Path, log: Log) -> None:
    """Write the package, unformatted, into a new folder; what cannot be written is in `log.left_out`."""
    with _differences(), contextlib.redirect_stdout(io.StringIO()):
        project = openapi_python_client.Project(
            openapi=data, config=_config(folder, log), custom_template_path=templates
        )
        project.env.bytecode_cache = _COMPILED
        filters: Any = project.env.filters
        filters["in_double_quote_literal"] = literal
        names: dict[str, Any] = {"requests": log.requests, "literal": repr, "return_type": _return_type}
        project.env.globals.update(names)
        data.errors.clear()
        for collection in data.endpoint_collections_by_tag.values():
            collection.parse_errors.clear()
        for failure in map(Failure.of, project.build()):
            log.lose(failure.loss, failure.text)
        if log.requests.hook_endpoints and folder.is_dir():
            text = project.env.get_template("webhooks.py.jinja").render(endpoints=log.requests.hook_endpoints)
            (folder / "webhooks.py").write_text(text, encoding="utf-8")


def _return_type(endpoint: endpoints.Endpoint) -> str:
    """The type of the parsed answers; a status without a body has none."""
    answers = [each for each in endpoint.responses if each.source["attribute"] != "None"]
    return " | ".join(sorted({each.prop.get_type_string().as_unembedded_code() for each in answers})) or "Any"


def _attempt(tree: Tree, log: Log, tracker: Tracker | None) -> tuple[GeneratorData | None, list[Failure]]:
    with _differences(), tracker.watching() if tracker else contextlib.nullcontext():
        data = GeneratorData.from_dict(tree, config=_config(Path(), log))
    if not isinstance(data, GeneratorData):
        return None, unreadable_schema(tree, data.detail or "")
    errors = [*data.errors, *(each for one in data.endpoint_collections_by_tag.values() for each in one.parse_errors)]
    return data, tracker.failures(errors) if tracker else [Failure.of(error) for error in errors]


def _config(folder: Path, log: Log) -> Config:
    settings = ConfigFile(post_hooks=[], content_type_overrides=log.content_types)
    return Config.from_sources(settings, MetaType.NONE, folder, "utf-8", overwrite=True, output_path=folder)


@contextlib.contextmanager
def _differences() -> Generator[None]:
    """Replace functions of the pinned openapi-python-client; each is restored afterwards."""
    resolve_conflict: Any = vars(model_property)["_resolve_naming_conflict"]
    of_text: Any = vars(properties)["_string_based_property"]
    check_parameters: Any = vars(endpoints.Endpoint)["_check_parameters_for_conflicts"]

    # What it cannot resolve is left to `give_distinct_names`, with the names as they were.
    def tolerate_conflict(first: Any, second: Any, config: Config) -> None:
        names = first.python_name, second.python_name
        if resolve_conflict(first, second, config) is not None:
            _set_names([first, second], names)

    def tolerate_parameters(endpoint: endpoints.Endpoint, **arguments: Any) -> endpoints.Endpoint:
        parameters = [each for _, each in endpoint.iter_all_parameters()]
        names = [each.python_name for each in parameters]
        if not isinstance(check_parameters(endpoint, **arguments), endpoints.Endpoint):
            _set_names(parameters, names)
        return endpoint

    def text_property(*, name: Any, required: Any, data: Any, config: Config) -> Any:
        made = of_text(name=name, required=required, data=data, config=config)
        if data.schema_format != DECIMAL:
            return made
        words = {"description": data.description, "example": data.example}
        return _DecimalProperty(name=name, required=required, default=None, python_name=made.python_name, **words)

    with replaced(
        (model_property, "_resolve_naming_conflict", tolerate_conflict),
        (endpoints.Endpoint, "_check_parameters_for_conflicts", tolerate_parameters),
        # `give_distinct_names` does it, once the names are final.
        (endpoints.Endpoint, "sort_parameters", staticmethod(_same)),
        # It copies each endpoint three times, with all models that it refers to. It uses only the last copy.
        (endpoints, "deepcopy", _same),
        # It removes characters from wire names, and from the values of enums.
        (strings, "in_double_quote_literal", literal),
        (properties, "_string_based_property", text_property),
    ):
        yield


class _DecimalProperty(UuidProperty):
    """A number that is read as a Decimal."""

    _type_string = "Decimal"
    _json_type_string = "float"

    def get_imports(self, *, prefix: str) -> set[str]:
        return {*super().get_imports(prefix=prefix), "from decimal import Decimal"} - {"from uuid import UUID"}


def _same(endpoint: Any) -> Any:
    return endpoint


def _set_names(properties: Iterable[Any], names: Iterable[str]) -> None:
    for each, name in zip(properties, names, strict=True):
        object.__setattr__(each, "python_name", name)
