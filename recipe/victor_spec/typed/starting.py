"""The settings to start from: what typed modules consist of where nobody has written settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import ModelProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty

from victor_spec.members import kind_of, members_of, without_null
from victor_spec.requests import good_answers, path_of
from victor_spec.tree import Operation, Tree, operations, parameters

from .arguments import Calls, list_plans, parameters_of
from .checks import Patterns
from .records import RecordPlan
from .settings import ListSettings, RecordSettings, Settings, SettingsError

ASKING = frozenset({"list", "get", "find", "search", "read", "fetch", "query"})
"""The first words of operations that the name of a list leaves out."""
EMBEDDED = "_embedded"
"""The member of an object of HAL that has its lists."""


class Start(NamedTuple):
    """What there is without settings."""

    settings: Settings
    without_list: list[str]
    """The operations that read a list and are none in the settings, each with the reason."""


def starting_settings(
    document: Tree, models: Iterable[ModelProperty], endpoints: Sequence[Endpoint]
) -> Start:
    """A record for each object that a good answer is or consists of, and the arguments of each
    list.
    """
    known = {str(model.class_info.name) for model in models if members_of(model)}
    names = sorted({name for each in endpoints for name in _answered(each)} & known)
    lists: dict[str, ListSettings] = {}
    without: list[str] = []
    calls = Calls(document, endpoints)
    for operation, made in _lists(calls, endpoints):
        try:
            own = _list_settings(calls, operation, made)
        except SettingsError as error:
            without.append(f"{operation.where}: {error}")
        else:
            lists[str(operation.tree["operationId"])] = own
    records = {name: RecordSettings() for name in names}
    return Start(Settings(records=records, lists=lists), without)


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


def _lists(calls: Calls, endpoints: Sequence[Endpoint]) -> Iterator[tuple[Operation, Endpoint]]:
    """The operations with parameters that read a list."""
    by_path = {_nameless(f"{each.method.upper()} {path_of(each)}"): each for each in endpoints}
    for operation in operations(calls.document):
        name = operation.tree.get("operationId")
        made = by_path.get(_nameless(operation.where))
        if isinstance(name, str):
            _, made = calls.by_id.get(name, (operation, None))
        has_parameters = bool(parameters(calls.document, operation.item, operation.tree))
        if made is not None and has_parameters and _is_list(made):
            yield operation, made


def _nameless(path: str) -> str:
    """A path without the names of its parameters: those of generated functions are others."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def _is_list(endpoint: Endpoint) -> bool:
    """Whether an operation reads a list: its good answer is one, or an object that has one, itself
    or embedded (HAL), and is not named by its id.
    """
    if endpoint.method != "get" or path_of(endpoint).endswith("}"):
        return False
    for answer in good_answers(endpoint):
        if any(isinstance(kind_of(each), list) for each in _members(answer.prop)):
            return True
    return False


def _members(prop: Any) -> Iterator[Any]:
    """The members of an object, with those of what it embeds; what is no object is one itself."""
    core = without_null(prop)
    if not isinstance(core, ModelProperty):
        yield core
        return
    for member in members_of(core):
        if member.name.get_untrusted_value() == EMBEDDED:
            yield from _members(member)
        yield member


def _list_settings(calls: Calls, operation: Operation, made: Endpoint) -> ListSettings:
    """The settings of a list, without the parameters that no check knows.

    Raises SettingsError, with the reason, where it can have none.
    """
    name = operation.tree.get("operationId")
    if not isinstance(name, str):
        raise SettingsError("it has no operationId.")
    found = parameters_of(calls.document, operation)
    if not found:
        raise SettingsError("it has no parameters in the path or the query.")
    sent = {
        each.name.get_untrusted_value() for each in (*made.path_parameters, *made.query_parameters)
    }
    optional = [wire for wire, each in found.items() if each.get("required") is not True]
    others = [wire for wire in found if wire not in sent]
    for wire in others:
        if wire not in optional:
            raise SettingsError(f"it needs {wire}, which the generated function does not send.")

    def own(leave_out: Collection[str]) -> ListSettings:
        settings = ListSettings(
            what=_what(str(made.name)),
            positional=[wire for wire, each in found.items() if each.get("in") == "path"],
            leave_out=[wire for wire in found if wire in {*others, *leave_out}],
        )
        list_plans(calls, Settings(lists={name: settings}), Patterns())
        return settings

    def is_unknown(wire: str) -> bool:
        try:
            own({*optional} - {wire})
        except SettingsError:
            return wire not in others
        return False

    try:
        return own(())
    except SettingsError:
        return own([*filter(is_unknown, optional)])


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
