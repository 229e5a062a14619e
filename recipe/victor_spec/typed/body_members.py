"""The members of a JSON object that is sent: how each is checked, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openapi_python_client.strings import PythonIdentifier

from victor_spec.requests import PREFIX
from victor_spec.tree import Tree, list_at, mapping_at, members

from .checks import (
    ANNOTATIONS,
    Checked,
    Checks,
    Patterns,
    Spot,
    described,
    form_name,
    numbers_of,
    own_name,
    reader_of,
    snake,
)
from .choices import WordsType, words_in
from .fitting import OF_MONEY, require_one_entry, why_no_currency
from .limits import count_at, fewest, given, reference_of, without_null
from .settings import MembersSettings, Settings

REFERENCE = "#/components/schemas/"
COMPARED = {"birthday": "day", "decimal": "number", "second": "moment", "zulu": "moment"}
"""How an answer is compared with an argument, where that is not what its check is called."""
ONE_OF = (("lift", "leave_out", "set_by_hand", "money"), ("shown", "accounts"))
"""Entries of which one alone names a member: those that say what becomes of it come first."""


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
    may_be_none: bool = True
    """Whether None is taken, and nothing is sent then."""
    statements: Sequence[str] = ()
    """The code that checks it, and puts what is sent into the body."""
    place: str = ""
    """Where it stands in the body; empty for a part of the path."""
    kind: str = ""
    """How an answer is compared with it."""
    counts_if_left_out: bool = False
    """Whether an answer with a value is about another request, if none was sent."""
    words: WordsType | None = None
    """The words of the document's enum."""
    decided: Mapping[str, str] = field(default_factory=dict[str, str])
    """What decides in place of limits of the document, by their keywords."""

    @property
    def parameter(self) -> str:
        """The argument in a signature, and the field in a class."""
        if self.is_required:
            return f"{self.name}: {self.annotation}"
        annotation = self.annotation
        if self.may_be_none and not annotation.endswith("| None"):
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
        return f"in_{snake(self.name)}"


class Schemas:
    """The schemas of one document, with what the settings make of them."""

    def __init__(self, document: Tree, settings: Settings, patterns: Patterns) -> None:
        self._document = document
        self.settings = settings
        self._patterns = patterns
        self.referred: list[str] = []
        """The schemas of request objects that the plans so far refer to."""

    def class_of(self, schema: str) -> str:
        """The class of request objects of a schema."""
        own = self.settings.parts.get(schema)
        return schema if own is None or not own.name else own.name

    def function_of(self, schema: str) -> str:
        """The function that makes the JSON object of a schema."""
        return f"{snake(schema)}_body"

    def checks(self, place: str, own: MembersSettings) -> Checks:
        return Checks(self._document, place, own, self.settings, self._patterns, in_body=True)

    def resolved(self, schema: Tree) -> Tree:
        return given(self._document, schema)

    def refers(self, schema: Tree) -> bool:
        """Whether a schema is a reference, and says no more."""
        return bool(reference_of(self._document, schema))


def members_in(
    schema: Tree, lift: Sequence[str], resolved: Callable[[Tree], Tree]
) -> dict[str, Member]:
    """The members of an object by their places; those of an object that is lifted in its place."""
    found: dict[str, Member] = {}
    required = list_at(schema, "required")
    for name, tree in members(mapping_at(schema, "properties")):
        if name not in lift:
            found[name] = Member(name, name, without_null(tree), name in required)
            continue
        part = resolved(tree)
        inner_required = list_at(part, "required")
        for inner, inner_tree in members(mapping_at(part, "properties")):
            is_required = name in required and inner in inner_required
            place = f"{name}.{inner}"
            found[place] = Member(place, inner, without_null(inner_tree), is_required, name)
    return found


class Members:
    """The members of one JSON object that is sent."""

    def __init__(
        self,
        schemas: Schemas,
        place: str,
        own: MembersSettings,
        schema: Tree,
        called: str,
        *,
        is_part: bool = False,
    ) -> None:
        """`called` is the generated function or class, and `is_part` says that it is a class."""
        self._schemas = schemas
        self._own = own
        self._schema = schema
        self._called = called
        self._is_part = is_part
        self._checks = schemas.checks(place, own)
        self._members = members_in(schema, own.lift, schemas.resolved)
        self.untyped: list[str] = []
        """The places of members that are no arguments, because no check knows their types."""
        self.parts: dict[str, str] = {}
        """The schemas of the members that are request objects, by their places."""
        self._check_entries()

    def _check_entries(self) -> None:
        """Raise SettingsError for an entry that leads nowhere, or to what is left out."""
        whole = mapping_at(self._schema, "properties")
        known = {name: self._schemas.resolved(tree) for name, tree in members(whole)}
        known |= {
            place: self._schemas.resolved(each.schema) for place, each in self._members.items()
        }
        self._checks.require_entries("member", known)
        for name in self._own.lift:
            if not mapping_at(known[name], "properties"):
                raise self._checks.misfit("lift", name, "it is no object with members")
        for entries in ONE_OF:
            require_one_entry(self._checks.place, self._own.members(), entries)
        required = {place: each.is_required for place, each in self._members.items()}
        self._checks.require_left_out({**dict.fromkeys(known, False), **required})

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
                found += self._argument(member)
        self._require_arguments({each.place for each in found})
        return found

    def _require_arguments(self, places: Collection[str]) -> None:
        """Raise SettingsError for an entry that names what is no argument."""
        for entry, name in self._own.members():
            if entry not in ONE_OF[0] and name not in places:
                why = (
                    "it is no argument: its object is lifted, code by hand sends it, or it is the "
                    "currency of `money`"
                )
                raise self._checks.misfit(entry, name, why)

    def of_path(self, parameter: Tree) -> BodyArgument:
        """The argument that is a part of the path."""
        wire = str(parameter.get("name"))
        name = own_name(snake(wire))
        schema = self._schemas.resolved(mapping_at(parameter, "schema"))
        spot = Spot(repr(name), name, wire, self._called, name)
        checked = self._checks.checked(spot, reader_of(schema) or "text", schema)
        form = self._schemas.settings.forms.get("id")
        if form is not None and form.whole is not None:
            call = f"check.form({name!r}, {name}, {form_name('id')})"
            checked = Checked("text", ANNOTATIONS["text"], call)
        return BodyArgument(
            name=name,
            annotation=checked.annotation,
            description=described(wire, parameter.get("description"), schema),
            is_required=True,
            default="None",
            statements=[f"path[{str(PythonIdentifier(wire, PREFIX))!r}] = {checked.call}"],
            words=checked.words,
        )

    # ---- One argument ----

    def _argument(self, member: Member) -> Iterator[BodyArgument]:
        """The argument of a member; none where no check knows its type."""
        own = self._own
        name = own.names.get(member.place) or own_name(snake(member.name))
        schema = self._schemas.resolved(member.schema)
        reader = self._checks.read_as(member.place, schema) or self._reader_of(member, schema)
        if reader is None:
            is_required = self._is_required(member)
            self._checks.require_known_type(member.place, schema, is_required=is_required)
            self.untyped.append(member.place)
            return
        checked = self._checked(member, name, schema, reader)
        is_required = self._is_required(member)
        kind = self._checks.kind(member.place, checked.reader, schema, checked.words)
        self._checks.require_fit(member.place, kind)
        self._require_may_be_empty(member, schema)
        words = () if checked.words is None else checked.words.words
        default = self._checks.default(member.place, kind, schema, words) or "None"
        target = f"{_holder(member)}[{member.name!r}]"
        statements = [f"{target} = {checked.call}"]
        if self._is_compared(member, checked):
            required = ", required=True" if is_required else ""
            arguments = f"{self._label(name)}, {self._value(name)}{required}"
            statements.append(f"check.comparable({arguments})")
        if not is_required:
            body = "".join(f"\n    {statement}" for statement in statements)
            statements = [f"if {self._value(name)} is not None:{body}"]
        yield BodyArgument(
            name=name,
            annotation=checked.annotation,
            description=self._description(member, schema, checked),
            is_required=is_required and default == "None",
            default=default,
            may_be_none=not is_required,
            statements=statements,
            place=member.place,
            kind=self._compared_as(member, checked),
            counts_if_left_out=member.place in getattr(self._own, "counts_if_left_out", ()),
            words=checked.words,
            decided=checked.decided,
        )

    def _description(self, member: Member, schema: Tree, checked: Checked) -> str:
        """What the document says of a member, with its limits, where nothing decides in their
        place.
        """
        description = member.schema.get("description") or schema.get("description")
        said = described(member.place, description, schema)
        schema = {key: limit for key, limit in schema.items() if key not in checked.decided}
        reader = checked.reader
        limits = ""
        if reader == "text":
            limits = _length(self._shortest(member, schema), schema.get("maxLength"))
        elif reader == "whole" and {"minimum", "maximum"} <= schema.keys():
            limits = f"{schema['minimum']} to {schema['maximum']}."
        elif reader == "parts" and "maxItems" in schema:
            limits = f"{schema.get('minItems', 0)} to {schema['maxItems']}."
        return f"{said} {limits}".strip()

    def _shortest(self, member: Member, schema: Tree) -> int:
        """The fewest characters of a text."""
        may_be_empty = self._checks.may_be_empty(member.place, schema)
        return fewest(count_at(schema, "minLength"), may_be_empty=may_be_empty)

    def _require_may_be_empty(self, member: Member, schema: Tree) -> None:
        """Raise SettingsError for a text that the document never lets be empty."""
        least = count_at(schema, "minLength") or 0
        if member.place in self._own.empty and least > 0:
            why = f"the document wants {least} or more characters: leave it out"
            raise self._checks.misfit("empty", member.place, why)

    def _is_compared(self, member: Member, checked: Checked) -> bool:
        """Whether a text must be one that an answer can repeat."""
        has_table = getattr(self._own, "compared_as", None) is not None
        return member.place in self._own.compared or (has_table and checked.reader == "text")

    def _compared_as(self, member: Member, checked: Checked) -> str:
        decided: Mapping[str, str] = getattr(self._own, "compared_as", None) or {}
        by_type = "word" if checked.words else COMPARED.get(checked.reader, checked.reader)
        return decided.get(member.place) or by_type

    def _is_required(self, member: Member) -> bool:
        return member.is_required or member.place in self._own.required

    def _label(self, name: str) -> str:
        return f'place + "{name}"' if self._is_part else repr(name)

    def _value(self, name: str) -> str:
        return f"part.{name}" if self._is_part else name

    def _checked(self, member: Member, name: str, schema: Tree, reader: str) -> Checked:
        """How an argument is checked."""
        label, value = self._label(name), self._value(name)
        if reader == "part":
            kind = self._part_of(member.schema)
            self.parts[member.place] = _name_of(member.schema)
            call = f"check.part({label}, {value}, {self._of_part(member.schema)})"
            return Checked(reader, kind, call)
        if reader == "parts":
            item = without_null(mapping_at(schema, "items"))
            counts = f"{schema.get('minItems', 0)!r}, {schema.get('maxItems')!r}"
            call = f"check.parts({label}, {value}, {self._of_part(item)}, {counts})"
            return Checked(reader, f"Sequence[{self._part_of(item)}]", call)
        spot = Spot(label, value, member.place, self._called, name)
        checked = self._checks.checked(spot, reader, schema)
        if member.place in self._own.references:
            call = f"check.reference({label}, {value}, {count_at(schema, 'maxLength')})"
            call = self._checks.as_text(spot, call, {**schema, "maxLength": None})
            return checked._replace(call=call)
        if reader == "flag" and self._is_required(member):
            return checked._replace(call=f"check.flag({label}, {value}, required=True)")
        return checked

    def _reader_of(self, member: Member, schema: Tree) -> str | None:
        """How a member is read, by its schema; None: no check knows it."""
        if self._is_part_of_its_own(member.schema):
            return "part"
        if schema.get("type") == "array" and self._is_part_of_its_own(mapping_at(schema, "items")):
            return "parts"
        return self._checks.reader_of(schema)

    def _is_part_of_its_own(self, schema: Tree) -> bool:
        """Whether a schema refers to an object that becomes a request object."""
        has_members = mapping_at(self._schemas.resolved(schema), "properties")
        return bool(has_members) and self._schemas.refers(schema)

    def _part_of(self, schema: Tree) -> str:
        """The class of request objects that a reference leads to."""
        name = _name_of(schema)
        self._schemas.referred.append(name)
        return self._schemas.class_of(name)

    def _of_part(self, schema: Tree) -> str:
        return f"{self._part_of(schema)}, {self._schemas.function_of(_name_of(schema))}"

    def _money(self, name: str, member: Member) -> BodyArgument:
        """An argument that is Money, sent in minor units."""
        amount, currency = self._own.money[name]
        schema = self._schemas.resolved(member.schema)
        if schema.get("type") != "integer":
            raise self._checks.misfit("money", amount, "an amount in minor units is an integer")
        self._checks.require_fit(member.place, "money")
        if amount in self._own.names:
            raise self._checks.misfit("names", amount, OF_MONEY)
        if currency:
            self._require_currency(currency)
        is_required = self._is_required(member)
        value = self._value(name)
        limits = ", ".join(numbers_of({"minimum": 1, **schema}))
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
            description=described(member.place, schema.get("description"), schema),
            is_required=is_required,
            default="None",
            statements=["\n".join(lines)],
            place=member.place,
            kind="money",
        )

    def _require_currency(self, place: str) -> None:
        """Raise SettingsError for a member that is no currency."""
        schema = self._schemas.resolved(self._members[place].schema)
        why = "a currency is a text"
        if schema.get("type") == "string":
            why = why_no_currency(place, words_in(schema))
        if why:
            raise self._checks.misfit("money", place, why)


def _name_of(reference: Tree) -> str:
    """The schema that a reference leads to."""
    return str(reference.get("$ref")).removeprefix(REFERENCE)


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
