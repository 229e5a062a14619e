"""The settings to start from: what typed modules consist of where nobody has written settings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import yaml
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty

from victor_spec.members import kind_of, members_of, without_null
from victor_spec.requests import good_answers, key, path_of
from victor_spec.tree import Operation, Tree, operations

from .arguments import list_plans, parameters_of
from .checks import Patterns
from .records import RecordPlan
from .settings import ListSettings, RecordSettings, Settings, SettingsError

ASKING = frozenset({"list", "get", "find", "search", "read", "fetch", "query"})
"""The first words of operations that the name of a list leaves out."""


def starting_settings(
    document: Tree, models: Iterable[ModelProperty], endpoints: Sequence[Endpoint]
) -> Settings:
    """A record for each object that a good answer is or consists of, and the arguments of each
    list.
    """
    known = {str(model.class_info.name) for model in models if members_of(model)}
    names = sorted({name for each in endpoints for name in _answered(each)} & known)
    return Settings(
        records={name: RecordSettings() for name in names},
        lists=dict(_lists(document, endpoints)),
    )


def without_record(endpoints: Sequence[Endpoint], records: Iterable[str]) -> list[str]:
    """The operations that answer with something, and with no record."""
    known = {*records}
    found: list[str] = []
    for each in endpoints:
        says_something = any(answer.source["attribute"] != "None" for answer in good_answers(each))
        if says_something and known.isdisjoint(_answered(each)):
            found.append(f"{each.method.upper()} {path_of(each)}")
    return found


def _answered(endpoint: Endpoint) -> set[str]:
    """The names of the models that the good answers of an operation are, or have as items."""
    return {name for answer in good_answers(endpoint) for name in _models_of(answer.prop)}


def _models_of(prop: Any) -> Iterator[str]:
    core = without_null(prop)
    if isinstance(core, ListProperty):
        yield from _models_of(core.inner_property)
    elif isinstance(core, UnionProperty):
        for inner in core.inner_properties:
            yield from _models_of(inner)
    elif isinstance(core, ModelProperty):
        yield str(core.class_info.name)


# ---- Lists ----


def _lists(document: Tree, endpoints: Sequence[Endpoint]) -> Iterator[tuple[str, ListSettings]]:
    made = {(str(each.tags[0]), str(each.name)): each for each in endpoints}
    for operation in operations(document):
        name = operation.tree.get("operationId")
        endpoint = made.get(key(operation.tree)) if isinstance(name, str) else None
        if not isinstance(name, str) or endpoint is None or not _is_list(endpoint):
            continue
        settings = _list_settings(document, endpoints, operation, name, endpoint)
        if settings is not None:
            yield name, settings


def _is_list(endpoint: Endpoint) -> bool:
    """Whether an operation reads a list: its good answer is one, or an object that has one and is
    not named by its id.
    """
    if endpoint.method != "get" or path_of(endpoint).endswith("}"):
        return False
    for answer in good_answers(endpoint):
        core = without_null(answer.prop)
        members = members_of(core) if isinstance(core, ModelProperty) else [core]
        if any(isinstance(kind_of(each), list) for each in members):
            return True
    return False


def _list_settings(
    document: Tree, endpoints: Sequence[Endpoint], operation: Operation, name: str, made: Endpoint
) -> ListSettings | None:
    """The settings of a list, without the parameters that no check knows; None where it needs one
    of these, or has no parameters.
    """
    try:
        found = parameters_of(document, operation)
    except SettingsError:
        return None
    sent = {
        each.name.get_untrusted_value() for each in (*made.path_parameters, *made.query_parameters)
    }
    optional = [wire for wire, each in found.items() if each.get("required") is not True]
    others = [wire for wire in found if wire not in sent]
    if not found or not {*others} <= {*optional}:
        return None

    def possible(leave_out: Collection[str]) -> ListSettings | None:
        own = ListSettings(
            what=_what(str(made.name)),
            positional=[wire for wire, each in found.items() if each.get("in") == "path"],
            leave_out=[wire for wire in found if wire in {*others, *leave_out}],
        )
        try:
            list_plans(document, endpoints, Settings(lists={name: own}), Patterns())
        except SettingsError:
            return None
        return own

    def is_unknown(wire: str) -> bool:
        return wire not in others and possible({*optional} - {wire}) is None

    return possible(()) or possible([*filter(is_unknown, optional)])


def _what(function: str) -> str:
    """What messages call a list: `list of open orders`."""
    first, *rest = function.split("_")
    words = rest if first in ASKING and rest else [first, *rest]
    return f"list of {' '.join(words)}"


# ---- As a file ----


def as_yaml(settings: Settings, records: Sequence[RecordPlan], document: str) -> str:
    """The text of a file with these settings; what may be decided stands in comments.

    `records` are those that the settings make, with the ones that they refer to.
    """
    lines = [
        f"# Settings of the typed records and arguments that are made of {document}.",
        "# Keys are names of that document. What is not in `shown` is in no repr.",
    ]
    if records:
        lines.append("records:")
    for record in records:
        undecided = [each.place for each in record.fields if each.is_undecided]
        lines.append(f"  {_inline(record.name)}:")
        may = f" # may have: {_inline(undecided)[1:-1]}" if undecided else ""
        lines.append(f"    shown: []{may}")
    if settings.lists:
        lines.append("lists:")
    for name, own in settings.lists.items():
        lines.append(f"  {_inline(name)}:")
        entries = {"what": own.what, **own.model_dump(exclude_defaults=True)}
        for entry, value in entries.items():
            lines.append(f"    {entry}: {_inline(value)}")
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    """A value as YAML, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("...\n").strip()
