"""The arguments of lists: a function for each, with its checks and what it sends."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from openapi_python_client.parser.openapi import Endpoint

from victor_spec.requests import key
from victor_spec.tree import Operation, Tree, mapping_at, operations, parameters, resolve

from . import choices
from .settings import (
    FormSettings,
    ListSettings,
    Settings,
    SettingsError,
    nearest,
    require_free,
    require_known,
    sentence,
)

LEAST_WHOLE, MOST_WHOLE = -(2**63), 2**63 - 1
"""The limits of a whole number of which the document has none."""
READERS = {
    ("string", None): "text",
    ("string", "date"): "day",
    ("string", "date-time"): "moment",
    ("integer", None): "whole",
    ("boolean", None): "flag",
}
"""How a parameter is checked, by the type and the format of its schema."""
TYPES_OF_DEFAULTS = {"text": str, "flag": bool, "whole": int, "choice": str}
"""By how an argument is checked, the type of what is sent where a caller leaves it out."""
ANNOTATIONS = {"text": "str", "flag": "bool", "whole": "int", "day": "date | str"}
MOMENT = "datetime"
LOCALS: Sequence[str] = ("check", "constant", "sent", "bool", "date", "datetime", "int", "str")
"""Names that the generated functions use themselves, types included."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a function."""

    name: str
    wire: str
    sent: str
    """The argument of the generated function that sends it."""
    annotation: str
    check: str
    """The call that checks it, and returns what is sent."""
    description: str
    is_required: bool
    is_positional: bool
    default: str | None = None
    """What is sent where a caller leaves it out, as Python has it."""

    @property
    def is_always_sent(self) -> bool:
        return self.is_required or self.default is not None

    @property
    def parameter(self) -> str:
        """The argument in the signature."""
        if self.is_required:
            return f"{self.name}: {self.annotation}"
        if self.default is not None:
            return f"{self.name}: {self.annotation} = {self.default}"
        return f"{self.name}: {self.annotation} | None = None"


@dataclass(frozen=True, slots=True)
class ListPlan:
    """The arguments of one list."""

    function: str
    operation: str
    """Its operationId."""
    what: str
    summary: str
    arguments: Sequence[Argument]
    ranges: Sequence[tuple[str, str]]
    """The names of arguments that begin and end a range."""
    constant: Sequence[str]
    """What is sent, and never stops matching an item."""

    @property
    def positional(self) -> list[Argument]:
        return [each for each in self.arguments if each.is_positional]

    @property
    def by_keyword(self) -> list[Argument]:
        """Required ones first."""
        named = [each for each in self.arguments if not each.is_positional]
        return sorted(named, key=lambda argument: not argument.is_required)


def operations_by_id(document: Tree) -> dict[str, Operation]:
    """The operations by their operationId."""
    return {str(each.tree.get("operationId")): each for each in operations(document)}


def list_plans(document: Tree, endpoints: Sequence[Endpoint], settings: Settings) -> list[ListPlan]:
    """The lists that the settings name.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    by_id = operations_by_id(document)
    made = {(str(each.tags[0]), str(each.name)): each for each in endpoints}
    plans: list[ListPlan] = []
    for name, own in settings.lists.items():
        operation = by_id.get(name)
        endpoint = None if operation is None else made.get(key(operation.tree))
        if operation is None or endpoint is None:
            raise SettingsError(f"lists.{name} is no operation{nearest(name, by_id)}.")
        plans.append(_Planner(document, operation, endpoint, name, own, settings).plan())
    return sorted(plans, key=lambda plan: plan.function)


def parameters_of(document: Tree, operation: Operation) -> dict[str, Tree]:
    """The parameters of the path and the query, by their names on the wire.

    Raises SettingsError for two with one name, and for a header that has to be sent.
    """
    by_name: dict[str, Tree] = {}
    for written in parameters(document, operation.item, operation.tree).values():
        parameter = resolve(document, written)
        location = parameter.get("in")
        name = str(parameter.get("name"))
        if location == "header" and parameter.get("required") is True:
            raise SettingsError(f"{operation.where} needs the header {name}, which no list sends.")
        if location not in ("path", "query"):
            continue
        if name in by_name:
            raise SettingsError(f"{operation.where} has two parameters {name}: no list has both.")
        by_name[name] = parameter
    return by_name


class _Planner:
    """Makes the plan of one list."""

    def __init__(
        self,
        document: Tree,
        operation: Operation,
        endpoint: Endpoint,
        name: str,
        own: ListSettings,
        settings: Settings,
    ) -> None:
        self._document = document
        self._operation = operation
        self._name = name
        self._own = own
        self._settings = settings
        self._endpoint = endpoint
        self._sent = _python_names(endpoint)

    def plan(self) -> ListPlan:
        declared = parameters_of(self._document, self._operation)
        self._check_entries(declared)
        self._check_left_out(declared)
        arguments = [
            self._argument(wire, parameter)
            for wire, parameter in declared.items()
            if wire not in self._own.leave_out
        ]
        require_free(f"lists.{self._name}", [each.name for each in arguments], LOCALS)
        names = {each.wire: each.name for each in arguments}
        constant = [
            each.sent for each in arguments if each.wire in self._own.constant or each.is_positional
        ]
        return ListPlan(
            function=str(self._endpoint.name),
            operation=self._name,
            what=self._own.what,
            summary=sentence(self._operation.tree.get("summary")),
            arguments=arguments,
            ranges=[(names[first], names[last]) for first, last in self._own.ranges],
            constant=constant,
        )

    def _check_entries(self, parameters: Mapping[str, Tree]) -> None:
        for entry, name in self._own.members():
            place = f"lists.{self._name}.{entry}"
            require_known(place, name, f"parameter of {self._name}", parameters)
        for kind in ("forms", "words", "choices"):
            known: Mapping[str, object] = getattr(self._settings, kind)
            for wire, name in getattr(self._own, kind).items():
                if name not in known:
                    raise SettingsError(
                        f"lists.{self._name}.{kind}.{wire}: {name} is not in `{kind}`"
                        f"{nearest(name, known)}."
                    )

    def _check_left_out(self, parameters: Mapping[str, Tree]) -> None:
        """Raise SettingsError for what is left out and named elsewhere, or must be sent."""
        for entry, name in self._own.members():
            if name in self._own.leave_out and entry != "leave_out":
                raise self._misfit(entry, name, "it is left out")
        for name in self._own.leave_out:
            if parameters[name].get("required") is True:
                raise self._misfit("leave_out", name, "the document requires it")
        for first, last in self._own.ranges:
            if first == last:
                raise self._misfit("ranges", first, "a range has two ends")

    def _misfit(self, entry: str, name: str, why: str) -> SettingsError:
        return SettingsError(f"lists.{self._name}.{entry}: {name}: {why}.")

    def _argument(self, wire: str, parameter: Tree) -> Argument:
        schema = resolve(self._document, mapping_at(parameter, "schema"))
        own = self._own
        name = own.names.get(wire) or self._sent[wire]
        reader = self._reader_of(wire, schema)
        for entry in ("forms", "words"):
            if wire in getattr(own, entry) and reader != "text":
                raise self._misfit(entry, wire, f"it is read as {reader}, not as text")
        annotation = MOMENT if reader in ("moment", "second") else ANNOTATIONS.get(reader, "")
        if wire in own.words:
            annotation = own.words[wire]
        if reader == "choice":
            choice = own.choices[wire]
            annotation = choices.annotation_of(choice, self._settings.choices[choice])
        is_positional = wire in own.positional
        is_required = is_positional or wire in own.required or parameter.get("required") is True
        return Argument(
            name=name,
            wire=wire,
            sent=self._sent[wire],
            annotation=annotation,
            check=self._check(name, wire, reader, schema),
            description=sentence(parameter.get("description")),
            is_required=is_required,
            is_positional=is_positional,
            default=self._default(wire, reader, is_required=is_required),
        )

    def _default(self, wire: str, reader: str, *, is_required: bool) -> str | None:
        """What is sent where a caller leaves the argument out; None: nothing."""
        if wire not in self._own.defaults:
            return None
        default = self._own.defaults[wire]
        if is_required:
            raise self._misfit("defaults", wire, "it is required")
        if type(default) is not TYPES_OF_DEFAULTS.get(reader):
            raise self._misfit("defaults", wire, f"it is read as {reader}, not as {default!r}")
        return repr(default)

    def _reader_of(self, wire: str, schema: Tree) -> str:
        """How a parameter is checked: as the settings say, else by its schema."""
        choice = self._own.choices.get(wire)
        if choice is not None:
            if wire in self._own.read_as:
                raise self._misfit("read_as", wire, "it is one of `choices`")
            if not choices.fit(self._settings.choices[choice], schema, self._items(schema)):
                raise self._misfit("choices", wire, f"{choice} has words of another type")
            return "choice"
        if wire in self._own.read_as:
            return self._own.read_as[wire]
        type_ = str(schema.get("type"))
        reader = READERS.get((type_, str(schema.get("format")))) or READERS.get((type_, None))
        if reader is None:
            raise self._misfit(
                "leave_out",
                wire,
                f"no check knows the type {schema.get('type')!r} of this parameter: leave it out, "
                "or say in `read_as` what it is",
            )
        return reader

    def _check(self, name: str, wire: str, reader: str, schema: Tree) -> str:
        """The call that checks an argument."""
        arguments = [repr(name), name]
        if wire in self._own.forms:
            return f"check.form({', '.join(arguments)}, {form_name(self._own.forms[wire])})"
        if reader == "choice":
            return self._check_of_choice(arguments, self._own.choices[wire], schema)
        if reader == "text":
            longest = schema.get("maxLength")
            arguments += [] if longest is None else [repr(longest)]
            arguments += ["shortest=0"] if schema.get("minLength") == 0 else []
        elif reader == "whole":
            arguments += _limits(schema)
        method = {"whole": "integer"}.get(reader, reader)
        return f"check.{method}({', '.join(arguments)})"

    def _check_of_choice(self, arguments: Sequence[str], choice: str, schema: Tree) -> str:
        words = self._settings.choices[choice]
        more = [choices.constant_of(choice)]
        if isinstance(words, list):
            return f"check.one_of({', '.join([*arguments, *more])})"
        more += _limits(self._items(schema))
        return f"check.numbers({', '.join([*arguments, *more])})"

    def _items(self, schema: Tree) -> Tree:
        """The schema of the items of a list; empty without one."""
        return resolve(self._document, mapping_at(schema, "items"))


def _limits(schema: Tree) -> list[str]:
    """The limits of a whole number."""
    limits = (schema.get("minimum", LEAST_WHOLE), schema.get("maximum", MOST_WHOLE))
    return [repr(limit) for limit in limits]


def _python_names(endpoint: Endpoint) -> dict[str, str]:
    """The arguments of the generated function, by the names of the parameters on the wire."""
    parameters = [*endpoint.path_parameters, *endpoint.query_parameters]
    return {each.name.get_untrusted_value(): str(each.python_name) for each in parameters}


def form_name(name: str) -> str:
    """The constant of a form: `ID_FORM`."""
    return f"{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_FORM"


def form_call(form: FormSettings) -> str:
    """The call that makes a form."""
    return f"_typed.Form({form.whole!r}, {form.wanted!r})"
