"""Request objects, and the arguments of operations that send an object of JSON: how each member is
checked, and where it stands in the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.strings import PythonIdentifier

from victor_spec.requests import PREFIX, key
from victor_spec.tree import (
    Operation,
    Tree,
    bare_type,
    is_json,
    list_at,
    mapping_at,
    mappings_at,
    members,
    named_schemas,
    parameters,
    resolve,
)

from .arguments import operations_by_id
from .checks import Checks, Patterns, form_name, is_choice, limits_of, reader_of
from .settings import (
    BodySettings,
    MembersSettings,
    PartSettings,
    Settings,
    SettingsError,
    nearest,
    require_free,
    require_known,
    sentence,
)

REFERENCE = "#/components/schemas/"
TAKEN = frozenset({"check", "place", "sent", "part"})
"""Names that the generated functions use themselves."""
COMPARED = {"choice": "word", "birthday": "day", "utc": "moment", "number": "whole"}
"""How an answer is compared with an argument, where that is not what its check is called."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body, or of an object in it whose members are arguments themselves."""

    place: str
    """In the settings, and in the body: `payee.account_number`."""
    name: str
    """On the wire."""
    schema: Tree
    """As the document has it: perhaps a reference."""
    is_required: bool
    within: str = ""
    """The object that it stands in, if it is not the body itself."""


@dataclass(frozen=True, slots=True)
class BodyArgument:
    """An argument, or a field of a request object."""

    name: str
    annotation: str
    description: str
    is_required: bool
    default: str
    """What it is when it is left out, as code."""
    statements: Sequence[str] = ()
    """The code that checks it, and puts what is sent into the body."""
    place: str = ""
    """Where it stands in the body; empty for a part of the path."""
    kind: str = ""
    """How an answer is compared with it."""

    @property
    def parameter(self) -> str:
        """The argument in a signature, and the field in a class."""
        if self.is_required:
            return f"{self.name}: {self.annotation}"
        annotation = self.annotation
        if self.default == "None" and not annotation.endswith("| None"):
            annotation += " | None"
        return f"{self.name}: {annotation} = {self.default}"


@dataclass(frozen=True, slots=True)
class Lifted:
    """An object in a body whose members are arguments themselves."""

    name: str
    """On the wire."""
    is_required: bool

    @property
    def variable(self) -> str:
        """What the generated code calls it."""
        return f"in_{_named(self.name)}"


@dataclass(slots=True)
class PartPlan:
    """One schema that becomes a request object, or a further one of the same class."""

    schema: str
    name: str
    """Of the class."""
    function: str
    """Of the function that makes the JSON object."""
    description: str
    positional: Sequence[BodyArgument]
    by_keyword: Sequence[BodyArgument]
    in_order: Sequence[BodyArgument]
    """As the members stand in the body."""
    lifted: Sequence[Lifted]
    shown: Sequence[str]
    accounts: Sequence[str]
    has_class: bool
    """Whether the class is made from this schema."""


@dataclass(slots=True)
class BodyPlan:
    """The arguments of one operation."""

    function: str
    operation: str
    """Its operationId."""
    what: str
    summary: str
    path: Sequence[BodyArgument]
    """The arguments that are parts of the path."""
    positional: Sequence[BodyArgument]
    by_keyword: Sequence[BodyArgument]
    in_order: Sequence[BodyArgument]
    """As the members stand in the body."""
    by_hand: Sequence[str]
    lifted: Sequence[Lifted]
    has_table: bool


@dataclass(slots=True)
class BodyPlans:
    """All of a package."""

    bodies: list[BodyPlan] = field(default_factory=list[BodyPlan])
    parts: list[PartPlan] = field(default_factory=list[PartPlan])
    patterns: Patterns = field(default_factory=Patterns)


def body_plans(document: Tree, endpoints: Sequence[Endpoint], settings: Settings) -> BodyPlans:
    """The operations and request objects that the settings name, and the request objects that
    these refer to.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    plans = BodyPlans()
    schemas = named_schemas(document)
    for name in settings.parts:
        require_known("parts", name, "schema", schemas)
    planner = _Planner(document, settings, plans.patterns)
    by_id = operations_by_id(document)
    made = {(str(each.tags[0]), str(each.name)): each for each in endpoints}
    for name, own in settings.bodies.items():
        operation = by_id.get(name)
        endpoint = None if operation is None else made.get(key(operation.tree))
        if operation is None or endpoint is None:
            raise SettingsError(f"bodies.{name} is no operation{nearest(name, by_id)}.")
        plans.bodies.append(planner.body(name, own, operation, endpoint))
    pending = [*settings.parts, *planner.referred]
    while pending:
        schema = pending.pop(0)
        if any(part.schema == schema for part in plans.parts):
            continue
        planner.referred.clear()
        plans.parts.append(planner.part(schema))
        pending += planner.referred
    plans.bodies.sort(key=lambda plan: plan.function)
    plans.parts.sort(key=lambda plan: (plan.name, not plan.has_class))
    return plans


def _named(wire: str) -> str:
    return str(PythonIdentifier(wire, PREFIX)).rstrip("_") or wire


class _Planner:
    """Makes the plans of one document."""

    def __init__(self, document: Tree, settings: Settings, patterns: Patterns) -> None:
        self._document = document
        self._settings = settings
        self._patterns = patterns
        self.referred: list[str] = []
        """The schemas of request objects that the plans so far refer to."""

    def body(
        self, name: str, own: BodySettings, operation: Operation, endpoint: Endpoint
    ) -> BodyPlan:
        members_ = _Members(self, f"bodies.{name}", own, self._body_of(name, operation))
        members_.within("body")
        path = [
            members_.of_path(parameter) for parameter in self._path_parameters(operation).values()
        ]
        arguments = members_.arguments()
        by_hand = [_by_hand(each, annotation) for each, annotation in own.by_hand.items()]
        everything = [*path, *arguments, *by_hand]
        lifted = members_.lifted()
        names = [each.name for each in everything]
        require_free(f"bodies.{name}", names, TAKEN | {each.variable for each in lifted})
        places = {each.place or each.name: each for each in everything}
        first = [*path]
        first += [places[place] for place in own.positional if places[place] not in first]
        return BodyPlan(
            function=str(endpoint.name),
            operation=name,
            what=own.what,
            summary=sentence(operation.tree.get("summary")),
            path=path,
            positional=first,
            by_keyword=_required_first([each for each in everything if each not in first]),
            in_order=members_.in_order(arguments),
            by_hand=[each.name for each in by_hand],
            lifted=lifted,
            has_table=own.compared_as is not None,
        )

    def part(self, schema: str) -> PartPlan:
        own = self._settings.parts.get(schema, PartSettings())
        tree = resolve(self._document, {"$ref": REFERENCE + schema})
        members_ = _Members(self, f"parts.{schema}", own, tree)
        members_.within("part")
        fields = members_.arguments()
        name = self.class_of(schema)
        require_free(f"parts.{schema}", [each.name for each in fields], TAKEN)
        places = {each.place: each for each in fields}
        positional = [places[place] for place in own.positional]
        return PartPlan(
            schema=schema,
            name=name,
            function=self.function_of(schema),
            description=sentence(tree.get("description")),
            positional=positional,
            by_keyword=_required_first([each for each in fields if each not in positional]),
            in_order=members_.in_order(fields),
            lifted=members_.lifted(),
            shown=[places[place].name for place in own.shown],
            accounts=[places[place].name for place in own.accounts],
            has_class=self._first_of(name) == schema,
        )

    def class_of(self, schema: str) -> str:
        """The class of request objects of a schema."""
        own = self._settings.parts.get(schema)
        return schema if own is None or not own.name else own.name

    def function_of(self, schema: str) -> str:
        """The function that makes the JSON object of a schema."""
        return f"{_named(schema)}_body"

    def checks(self, place: str, own: MembersSettings) -> Checks:
        return Checks(place, own, self._settings, self._patterns)

    def resolved(self, schema: Tree) -> Tree:
        return resolve(self._document, schema)

    def _first_of(self, name: str) -> str:
        """The schema that a class is made from: the first one in the settings."""
        for schema in self._settings.parts:
            if self.class_of(schema) == name:
                return schema
        return name

    def _body_of(self, name: str, operation: Operation) -> Tree:
        """The schema of the JSON object that an operation sends."""
        body = resolve(self._document, mapping_at(operation.tree, "requestBody"))
        for content_type, content in mappings_at(body, "content"):
            if is_json(bare_type(content_type)):
                schema = resolve(self._document, mapping_at(content, "schema"))
                if mapping_at(schema, "properties"):
                    return schema
        raise SettingsError(f"bodies.{name}: {operation.where} sends no object of JSON.")

    def _path_parameters(self, operation: Operation) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        for written in parameters(self._document, operation.item, operation.tree).values():
            parameter = resolve(self._document, written)
            if parameter.get("in") == "path":
                found[str(parameter.get("name"))] = parameter
        return found


class _Members:
    """The members of one JSON object that is sent."""

    def __init__(self, planner: _Planner, place: str, own: MembersSettings, schema: Tree) -> None:
        self._planner = planner
        self._own = own
        self._schema = schema
        self._checks = planner.checks(place, own)
        self._members = {each.place: each for each in self._found(schema)}
        self._is_part = False

    def within(self, holder: str) -> None:
        """Say whether the values are those of a request object, or of arguments; check the
        entries.
        """
        self._is_part = holder == "part"
        known = dict.fromkeys([*self._members, *mapping_at(self._schema, "properties")])
        self._checks.require_entries("member", known)
        required = {place: each.is_required for place, each in self._members.items()}
        self._checks.require_left_out({**dict.fromkeys(known, False), **required})

    def _found(self, schema: Tree) -> Iterator[Member]:
        required = list_at(schema, "required")
        for name, tree in members(mapping_at(schema, "properties")):
            if name not in self._own.lift:
                yield Member(name, name, tree, name in required)
                continue
            part = self._planner.resolved(tree)
            inner_required = list_at(part, "required")
            for inner, inner_tree in members(mapping_at(part, "properties")):
                is_required = name in required and inner in inner_required
                yield Member(f"{name}.{inner}", inner, inner_tree, is_required, within=name)

    def lifted(self) -> list[Lifted]:
        """The objects whose members are arguments, in the order of the document."""
        required = list_at(self._schema, "required")
        names = mapping_at(self._schema, "properties")
        return [Lifted(name, name in required) for name in names if name in self._own.lift]

    def in_order(self, arguments: Sequence[BodyArgument]) -> list[BodyArgument]:
        """The arguments as a generated model has its members: required ones first."""
        return sorted(arguments, key=lambda each: not self._members[each.place].is_required)

    def arguments(self) -> list[BodyArgument]:
        """The arguments, in the order of the document."""
        amounts = {pair[0]: name for name, pair in self._own.money.items()}
        currencies = {pair[1] for pair in self._own.money.values()}
        found: list[BodyArgument] = []
        no_arguments = {*self._own.leave_out, *self._own.set_by_hand, *currencies}
        for place, member in self._members.items():
            if place in no_arguments:
                continue
            if place in amounts:
                found.append(self._money(amounts[place], member))
            else:
                found.append(self._argument(member))
        return found

    def of_path(self, parameter: Tree) -> BodyArgument:
        """The argument that is a part of the path."""
        wire = str(parameter.get("name"))
        name = _named(wire)
        form = "id" if "id" in self._planner.checks("", self._own).settings.forms else ""
        call = self._checks.call(repr(name), name, wire, "text", {})
        if form:
            call = f"check.form({name!r}, {name}, ID_FORM)"
        return BodyArgument(
            name=name,
            annotation="str",
            description=sentence(parameter.get("description")),
            is_required=True,
            default="None",
            statements=[f"path[{name!r}] = {call}"],
        )

    # ---- One argument ----

    def _argument(self, member: Member) -> BodyArgument:
        own = self._own
        name = own.names.get(member.place) or _named(member.name)
        schema = self._planner.resolved(member.schema)
        annotation, call, reader = self._checked(member, name, schema)
        is_required = self._is_required(member)
        default = repr(own.defaults[member.place]) if member.place in own.defaults else "None"
        target = f"{_holder(member)}[{member.name!r}]"
        statements = [f"{target} = {call}"]
        if member.place in own.compared:
            required = ", required=True" if is_required else ""
            arguments = f"{self._label(name)}, {self._value(name)}{required}"
            statements.append(f"check.comparable({arguments})")
        if not is_required and default == "None":
            body = "".join(f"\n    {statement}" for statement in statements)
            statements = [f"if {self._value(name)} is not None:{body}"]
        return BodyArgument(
            name=name,
            annotation=annotation,
            description=self._description(member, schema, reader),
            is_required=is_required and default == "None",
            default=default,
            statements=statements,
            place=member.place,
            kind=self._compared_as(member, reader),
        )

    def _description(self, member: Member, schema: Tree, reader: str) -> str:
        """What the document says of a member, with its limits."""
        said = sentence(member.schema.get("description") or schema.get("description"))
        limits = ""
        if reader == "text":
            limits = _length(self._shortest(member, schema), schema.get("maxLength"))
        elif reader == "whole" and {"minimum", "maximum"} <= schema.keys():
            limits = f"{schema['minimum']} to {schema['maximum']}."
        elif reader == "parts" and "maxItems" in schema:
            limits = f"{schema.get('minItems', 0)} to {schema['maxItems']}."
        return f"{said} {limits}".strip()

    def _shortest(self, member: Member, schema: Tree) -> int:
        """The fewest characters of a text: an empty one is refused, unless it is allowed."""
        return 0 if member.place in self._own.empty else max(1, schema.get("minLength", 0))

    def _compared_as(self, member: Member, reader: str) -> str:
        decided: Mapping[str, str] = getattr(self._own, "compared_as", None) or {}
        return decided.get(member.place) or COMPARED.get(reader, reader)

    def _is_required(self, member: Member) -> bool:
        return member.is_required or member.place in self._own.required

    def _label(self, name: str) -> str:
        return f'place + "{name}"' if self._is_part else repr(name)

    def _value(self, name: str) -> str:
        return f"part.{name}" if self._is_part else name

    def _checked(self, member: Member, name: str, schema: Tree) -> tuple[str, str, str]:
        """The type of an argument, the call that checks it, and how it is read."""
        label, value = self._label(name), self._value(name)
        reader = self._own.read_as.get(member.place) or self._reader_of(member, schema)
        if reader == "part":
            kind = self._part_of(member.schema)
            return kind, f"check.part({label}, {value}, {self._of_part(member.schema)})", reader
        if reader == "parts":
            item = mapping_at(schema, "items")
            counts = f"{schema.get('minItems', 0)!r}, {schema.get('maxItems')!r}"
            call = f"check.parts({label}, {value}, {self._of_part(item)}, {counts})"
            return f"Sequence[{self._part_of(item)}]", call, reader
        self._checks.require_text(member.place, reader)
        if reader == "texts":
            word = self._own.words.get(member.place, "str")
            inner = self._planner.resolved(mapping_at(schema, "items"))
            call = self._checks.call(label, value, member.place, reader, inner)
            return f"Sequence[{word}]", call, reader
        annotation = self._checks.annotation(member.place, reader, schema)
        return annotation, self._call(member, label, value, reader, schema), reader

    def _call(self, member: Member, label: str, value: str, reader: str, schema: Tree) -> str:
        """The call that checks a scalar."""
        longest = schema.get("maxLength")
        if member.place in self._own.references:
            return f"check.reference({label}, {value}, {longest!r})"
        if reader == "flag" and self._is_required(member):
            return f"check.flag({label}, {value}, required=True)"
        if reader != "text":
            return self._checks.call(label, value, member.place, reader, schema)
        return self._text_call(member, label, value, schema)

    def _text_call(self, member: Member, label: str, value: str, schema: Tree) -> str:
        form = self._own.forms.get(member.place)
        if form is not None and self._checks.settings.forms[form].whole is not None:
            return f"check.form({label}, {value}, {form_name(form)})"
        shortest = self._shortest(member, schema)
        longest = schema.get("maxLength")
        pattern = self._pattern_of(member, schema, form)
        if pattern is not None:
            return f"check.form({label}, {value}, {form_name(pattern)}, {longest!r}, {shortest})"
        arguments = [label, value]
        arguments += [] if longest is None else [repr(longest)]
        arguments += [] if shortest == 1 else [f"shortest={shortest}"]
        return f"check.text({', '.join(arguments)})"

    def _pattern_of(self, member: Member, schema: Tree, form: str | None) -> str | None:
        """The name of the form of the document's pattern; `form` of the settings has its words."""
        place = f"{self._checks.place}.{member.place}"
        pattern = schema.get("pattern")
        wanted = "" if form is None else self._checks.settings.forms[form].wanted
        if pattern is not None:
            name = f"{_named(member.name)}_pattern" if form is None else form
            return self._checks.patterns.form_of(place, name, str(pattern), wanted)
        if form is not None:
            why = f"the document has no pattern: write `whole` of the form {form}"
            raise self._checks.misfit("forms", member.place, why)
        return None

    def _reader_of(self, member: Member, schema: Tree) -> str:
        """How a member is read, by its schema."""
        if mapping_at(schema, "properties") and "$ref" in member.schema:
            return "part"
        if schema.get("type") == "array":
            item = mapping_at(schema, "items")
            inner = self._planner.resolved(item)
            if mapping_at(inner, "properties") and "$ref" in item:
                return "parts"
            if reader_of(inner) == "text":
                return "texts"
        if is_choice(schema):
            return "choice"
        reader = reader_of(schema)
        if reader is None:
            why = (
                f"no check knows the type {schema.get('type')!r} of this member: leave it out, or "
                "say in `read_as` what it is"
            )
            raise self._checks.misfit("leave_out", member.place, why)
        return reader

    def _part_of(self, schema: Tree) -> str:
        """The class of request objects that a reference leads to."""
        name = str(schema.get("$ref")).removeprefix(REFERENCE)
        self._planner.referred.append(name)
        return self._planner.class_of(name)

    def _of_part(self, schema: Tree) -> str:
        name = str(schema.get("$ref")).removeprefix(REFERENCE)
        return f"{self._part_of(schema)}, {self._planner.function_of(name)}"

    def _money(self, name: str, member: Member) -> BodyArgument:
        """An argument that is Money, sent in minor units."""
        amount, currency = self._own.money[name]
        schema = self._planner.resolved(member.schema)
        if schema.get("type") != "integer":
            raise self._checks.misfit("money", amount, "an amount in minor units is an integer")
        is_required = self._is_required(member)
        value = self._value(name)
        limits = ", ".join(limits_of({"minimum": 1, **schema}))
        arguments = f"{self._label(name)}, {value}, {limits}"
        if self._own.decimals is not None:
            arguments += f", decimals={self._own.decimals}"
        sent_of = {amount: "minor_units", currency: "currency"}
        lines = [f"if check.money({arguments}):"]
        for place, each in self._members.items():
            if place in sent_of:
                lines.append(f"    {_holder(each)}[{each.name!r}] = {value}.{sent_of[place]}")
        if not is_required:
            lines[0] = lines[0].replace("if ", f"if {value} is not None and ", 1)
        return BodyArgument(
            name=name,
            annotation="Money",
            description=sentence(schema.get("description")),
            is_required=is_required,
            default="None",
            statements=["\n".join(lines)],
            place=member.place,
            kind="money",
        )


def _by_hand(name: str, annotation: str) -> BodyArgument:
    is_optional = annotation.endswith("| None")
    return BodyArgument(
        name=name,
        annotation=annotation,
        description="",
        is_required=not is_optional,
        default="None",
    )


def _holder(member: Member) -> str:
    """The variable of the object that a member stands in."""
    return Lifted(member.within, is_required=False).variable if member.within else "sent"


def _length(shortest: int, longest: int | None) -> str:
    """The number of characters that a text may have, as a sentence."""
    if longest is None:
        return ""
    return (
        f"Up to {longest} characters." if shortest <= 1 else f"{shortest} to {longest} characters."
    )


def _required_first(arguments: Sequence[BodyArgument]) -> list[BodyArgument]:
    return sorted(arguments, key=lambda argument: not argument.is_required)
