"""The arguments of operations that send no object: a function for each, with its checks and what it
sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from openapi_python_client.parser.openapi import Endpoint

from victor_spec.requests import key
from victor_spec.rewrites.merged_schemas import values_of
from victor_spec.rewrites.serialization import fields_of
from victor_spec.tree import Operation, Tree, mapping_at, operations, parameters, resolve

from . import closed_words
from .checks import (
    LOCALS,
    Checked,
    Checks,
    Patterns,
    Spot,
    described,
    numbers_of,
    own_name,
    reader_of,
    row_of,
    server_default,
)
from .limits import OF_LIST, OF_TEXT, given
from .plans import Argument, CallPlan, by_hand, required_first
from .settings import (
    ListSettings,
    ParameterSettings,
    Settings,
    SettingsError,
    require_free,
    require_known,
    sentence,
)

EXTRA = "extra_query"


def operations_by_id(document: Tree) -> dict[str, Operation]:
    """The operations by their operationId."""
    return {str(each.tree.get("operationId")): each for each in operations(document)}


class Calls:
    """The operations of a document, each with what the generator made of it."""

    def __init__(self, document: Tree, endpoints: Iterable[Endpoint]) -> None:
        self.document = document
        made = {(str(each.tags[0]), str(each.name)): each for each in endpoints}
        self.by_id: dict[str, tuple[Operation, Endpoint]] = {}
        for name, operation in operations_by_id(document).items():
            endpoint = made.get(key(operation.tree)) if "operationId" in operation.tree else None
            if endpoint is not None:
                self.by_id[name] = operation, endpoint

    def named(self, group: str, name: str) -> tuple[Operation, Endpoint]:
        """The operation of an entry of the settings. Raises SettingsError without one."""
        require_known(group, name, "operation", self.by_id)
        return self.by_id[name]


def list_plans(calls: Calls, settings: Settings, patterns: Patterns) -> list[CallPlan]:
    """The lists, and the other operations without a body, that the settings name.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    plans: list[CallPlan] = []
    entries: list[tuple[str, str, ParameterSettings]] = []
    entries += [("lists", *each) for each in settings.lists.items()]
    entries += [("calls", *each) for each in settings.calls.items()]
    for group, name, own in entries:
        operation, endpoint = calls.named(group, name)
        place = f"{group}.{name}"
        plans.append(
            _Planner(calls.document, operation, endpoint, place, own, settings, patterns).plan()
        )
    return sorted(plans, key=lambda plan: (not plan.is_list, plan.function))


def parameters_of(document: Tree, operation: Operation) -> dict[str, Tree]:
    """The parameters that the arguments of an operation send, by their names on the wire: those of
    the path, in its order, and those of the query, with the properties of a query object in its
    place.

    Raises SettingsError for two with one name, and for a header or cookie that has to be sent,
    unless it has one allowed word.
    """
    by_name = path_parameters(document, operation)
    for written in parameters(document, operation.item, operation.tree).values():
        parameter = resolve(document, written)
        location = parameter.get("in")
        name = str(parameter.get("name"))
        words = values_of(resolve(document, mapping_at(parameter, "schema")))
        is_given = len(words) == 1 and isinstance(words[0], str)  # the function sends it itself
        is_elsewhere = location in ("header", "cookie")
        if is_elsewhere and parameter.get("required") is True and not is_given:
            raise SettingsError(f"it needs the {location} {name}, which no list sends.")
        if location != "query":
            continue
        for each in fields_of(document, parameter) or [parameter]:
            name = str(each.get("name"))
            if name in by_name:
                raise SettingsError(f"it has two parameters {name}: no list has both.")
            by_name[name] = each
    return by_name


def path_parameters(document: Tree, operation: Operation) -> dict[str, Tree]:
    """The parts of the path by their names, in the order in which the path has them, as the
    generated function does. One that is not declared is a text.
    """
    declared: dict[str, Tree] = {}
    for written in parameters(document, operation.item, operation.tree).values():
        parameter = resolve(document, written)
        if parameter.get("in") == "path":
            declared[str(parameter.get("name"))] = parameter
    implied: Tree = {"in": "path", "required": True, "schema": {"type": "string"}}
    names = re.findall(r"{([^{}]+)}", operation.path)
    return {name: declared.get(name) or {"name": name, **implied} for name in names}


class _Planner:
    """Makes the plan of one operation."""

    def __init__(
        self,
        document: Tree,
        operation: Operation,
        endpoint: Endpoint,
        place: str,
        own: ParameterSettings,
        settings: Settings,
        patterns: Patterns,
    ) -> None:
        self._document = document
        self._operation = operation
        self._place = place
        self._name = str(operation.tree.get("operationId"))
        self._settings = settings
        self._declared = self._parameters()
        self._no_arguments = {*own.entry("leave_out"), *own.entry("set_by_hand")}
        self._own = self._with_path(own)
        self._checks = Checks(document, place, self._own, settings, patterns)
        self._endpoint = endpoint
        self._sent = _python_names(endpoint)

    def plan(self) -> CallPlan:
        declared = self._declared
        schemas = {wire: self._schema(parameter) for wire, parameter in declared.items()}
        self._checks.require_entries(f"parameter of {self._name}", schemas)
        arguments: list[Argument] = []
        untyped: list[str] = []
        for wire, parameter in declared.items():
            if wire in self._no_arguments:
                continue
            reader = self._reader_of(wire, parameter)
            if reader is None:
                untyped.append(wire)
            else:
                arguments.append(self._argument(wire, parameter, reader))
        extra = [EXTRA_QUERY] if self._own.entry("extra_query") else []
        extra += [by_hand(*each) for each in dict(self._own.entry("by_hand")).items()]
        named = [(each.place, each.name) for each in (*extra, *arguments)]
        require_free(self._place, named, LOCALS, self._own.names)
        by_place = {each.place: each for each in (*arguments, *extra)}
        self._checks.require_arguments(by_place)
        positional = [by_place[wire] for wire in self._own.positional]
        others = [each for each in (*arguments, *extra) if each not in positional]
        package, function = key(self._operation.tree)
        return CallPlan(
            place=self._place,
            own=self._own,
            package=package,
            function=function,
            what=self._own.what or _what(function, positional),
            description=sentence(self._operation.tree.get("summary")),
            arguments=arguments,
            positional=positional,
            by_keyword=required_first(others),
            ranges=[
                (by_place[first].name, by_place[last].name) for first, last in self._own.ranges
            ],
            untyped=untyped,
            untyped_sent=[self._sent[wire] for wire in untyped],
        )

    def _parameters(self) -> dict[str, Tree]:
        try:
            return parameters_of(self._document, self._operation)
        except SettingsError as error:
            raise SettingsError(
                f"{self._place}: {self._operation.where}: {error} Leave this entry out, or "
                "correct the document by an overlay."
            ) from None

    def _with_path(self, own: ParameterSettings) -> ParameterSettings:
        """The settings, with what holds of a part of the path: it is positional, before others and
        in the order of the path; a text is an id, where the settings have such a form.
        """
        path = [wire for wire, each in self._declared.items() if each.get("in") == "path"]
        first = [wire for wire in path if wire not in self._no_arguments]
        others = [wire for wire in own.positional if wire not in first]
        form = self._settings.forms.get("id")
        forms = dict(own.forms)
        for wire in first if form is not None and form.whole is not None else ():
            if reader_of(self._schema(self._declared[wire])) == "text":
                forms.setdefault(wire, "id")
        return own.model_copy(update={"positional": [*first, *others], "forms": forms})

    def _schema(self, parameter: Tree) -> Tree:
        return given(self._document, mapping_at(parameter, "schema"))

    def _is_required(self, wire: str, parameter: Tree) -> bool:
        return wire in self._own.positional or parameter.get("required") is True

    def _argument(self, wire: str, parameter: Tree, reader: str) -> Argument:
        own = self._own
        name = own.names.get(wire) or own_name(self._sent[wire])
        schema = self._schema(parameter)
        checked = self._checked(wire, name, schema, reader)
        default = self._checks.default(wire)
        is_required = self._is_required(wire, parameter)
        never_leaves = not isinstance(own, ListSettings) or wire in own.constant
        row = row_of(
            checked.row,
            name,
            self._sent[wire],
            required=is_required or default is not None,
            leaves=not (never_leaves or wire in own.positional),
            server_default=server_default(schema),
        )
        return Argument(
            name=name,
            place=wire,
            annotation=checked.annotation,
            description=described(wire, parameter.get("description"), schema),
            is_required=is_required,
            row=row,
            default=default or "None",
            words=checked.words,
            decided=checked.decided,
        )

    def _checked(self, wire: str, name: str, schema: Tree, reader: str) -> Checked:
        """How an argument is checked."""
        if reader == "choice":
            return self._closed(wire, schema)
        is_end = any(wire == last for _, last in self._own.ranges)
        spot = Spot(wire, str(self._endpoint.name), name, is_end)
        return self._checks.checked(spot, reader, schema)

    def _closed(self, wire: str, schema: Tree) -> Checked:
        """How words are checked that are the only ones."""
        choice = self._own.entry("choices")[wire]
        words = self._settings.choices[choice]
        keys = ("enum", *OF_TEXT, *OF_LIST)
        return Checked(
            "choice",
            closed_words.annotation_of(choice, words),
            closed_words.row_of(words, numbers_of(self._checks.items(schema))),
            decided=dict.fromkeys(keys, f"the choices {choice} decide"),
        )

    def _reader_of(self, wire: str, parameter: Tree) -> str | None:
        """How a parameter is checked: as the settings say, else by its schema. None: no check knows
        it.
        """
        schema = self._schema(parameter)
        if wire in self._own.entry("choices"):
            return "choice"
        reader = self._own.entry("read_as").get(wire) or self._checks.reader_of(schema)
        if reader is None:
            is_required = self._is_required(wire, parameter)
            self._checks.require_known_type(wire, schema, is_required=is_required)
        return reader


def _what(function: str, positional: Sequence[Argument]) -> str:
    """What messages call an operation: what its first argument is the id of."""
    named = positional[0].name if positional else function
    return named.removesuffix("_id").replace("_", " ")


EXTRA_QUERY = Argument(
    name=EXTRA,
    place=EXTRA,
    annotation="ExtraQuery",
    description="Parameters that this package does not know, by their names on the wire.",
    is_required=False,
)


def _python_names(endpoint: Endpoint) -> dict[str, str]:
    """The arguments of the generated function, by the names of the parameters on the wire."""
    parameters = [*endpoint.path_parameters, *endpoint.query_parameters]
    return {each.name.get_untrusted_value(): str(each.python_name) for each in parameters}
