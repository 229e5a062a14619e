"""The members of a JSON object that is sent: how each is checked, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from openapi_python_client.strings import PythonIdentifier

from victor_spec.requests import PREFIX
from victor_spec.tree import Tree, list_at, mapping_at, members

from .checks import (
    ANNOTATIONS,
    Checked,
    Checks,
    Patterns,
    Spot,
    counts_of,
    described,
    numbers_of,
    own_name,
    reader_of,
    row_of,
    server_default,
    snake,
)
from .limits import count_at, fewest, given, reference_of, without_null
from .plans import Argument
from .settings import BodySettings, MembersSettings, Settings

REFERENCE = "#/components/schemas/"
COMPARED = {"birthday": "day", "decimal": "number", "second": "moment", "zulu": "moment"}
"""How an answer is compared with an argument, where that is not what its check is called."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a body, or of an object in it whose members are arguments themselves."""

    place: str
    """In the settings, and in the body: `payee.account_number`."""
    name: str
    """On the wire."""
    schema: Tree
    """What stands in the document: perhaps a reference."""
    is_required: bool
    within: str = ""
    """The object that it stands in, if it is not the body itself."""

    @property
    def sent_at(self) -> str | tuple[str, str]:
        """Where a row says that it is sent: `payee.account_number`. Where a name has a dot of its
        own, the object and the name apart.
        """
        has_dots = "." in self.name or "." in self.within
        return (self.within, self.name) if has_dots else self.place


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
    ) -> None:
        """`called` is the generated function or class."""
        self._schemas = schemas
        self._own = own
        self._schema = schema
        self._called = called
        self._checks = schemas.checks(place, own)
        self._members = members_in(schema, own.lift, schemas.resolved)
        self.untyped: list[str] = []
        """The places of members that are no arguments, because no check knows their types."""
        self.parts: dict[str, str] = {}
        """The schemas of the members that are request objects, by their places."""
        self._check_entries()

    def _check_entries(self) -> None:
        """Raise SettingsError for an entry that leads nowhere, or to two ends."""
        whole = mapping_at(self._schema, "properties")
        known = {name: self._schemas.resolved(tree) for name, tree in members(whole)}
        known |= {
            place: self._schemas.resolved(each.schema) for place, each in self._members.items()
        }
        self._checks.require_entries("member", known)

    def objects(self) -> dict[str, bool]:
        """The objects whose members are arguments, each with whether it is sent in any case, in the
        order of the document.
        """
        required = list_at(self._schema, "required")
        names = mapping_at(self._schema, "properties")
        return {name: name in required for name in names if name in self._own.lift}

    def in_order(self, arguments: Sequence[Argument]) -> list[Argument]:
        """The arguments as a generated model has its members: required ones first."""
        return sorted(arguments, key=lambda each: not self._members[each.place].is_required)

    def arguments(self) -> list[Argument]:
        """The arguments, in the order of the document."""
        amounts: dict[str, str] = {}
        currencies: set[str] = set()
        for name, (amount, currency) in self._own.entry("money").items():
            amounts[amount] = name
            currencies.add(currency)
        found: list[Argument] = []
        no_arguments = {*self._own.set_by_hand, *currencies}
        for place, member in self._members.items():
            if place in no_arguments:
                continue
            if place in amounts:
                found.append(self._money(amounts[place], member))
            else:
                found += self._argument(member)
        self._checks.require_arguments({each.place for each in found})
        return found

    def of_path(self, parameter: Tree) -> Argument:
        """The argument that is a part of the path."""
        wire = str(parameter.get("name"))
        name = own_name(snake(wire))
        schema = self._schemas.resolved(mapping_at(parameter, "schema"))
        spot = Spot(wire, self._called, name)
        checked = self._checks.checked(spot, reader_of(schema) or "text", schema)
        form = self._schemas.settings.forms.get("id")
        if form is not None and form.whole is not None:
            checked = Checked("text", ANNOTATIONS["text"], {"form": "id"})
        return Argument(
            name=name,
            place=wire,
            annotation=checked.annotation,
            description=described(wire, parameter.get("description"), schema),
            is_required=True,
            row=row_of(checked.row, name, str(PythonIdentifier(wire, PREFIX)), required=True),
            words=checked.words,
        )

    # ---- One argument ----

    def _argument(self, member: Member) -> Iterator[Argument]:
        """The argument of a member; none where no check knows its type."""
        own = self._own
        name = own.names.get(member.place) or own_name(snake(member.name))
        schema = self._schemas.resolved(member.schema)
        reader = self._own.entry("read_as").get(member.place) or self._reader_of(member, schema)
        if reader is None:
            is_required = self._is_required(member)
            self._checks.require_known_type(member.place, schema, is_required=is_required)
            self.untyped.append(member.place)
            return
        checked = self._checked(member, name, schema, reader)
        is_required = self._is_required(member)
        default = self._checks.default(member.place)
        # Methods by hand describe arguments of calls; nothing describes a part's field again.
        is_of_call = isinstance(self._own, BodySettings)
        said_limits = self._said_limits(member, schema, checked) if is_of_call else ""
        compared_as = self._compared_as(member, checked)
        is_text_of_table = bool(compared_as) and checked.reader == "text"
        is_compared = is_text_of_table or member.place in self._own.compared
        row = row_of(
            checked.row,
            name,
            member.sent_at,
            required=is_required,
            compared=is_compared,
            compared_as=compared_as,
            said_limits=said_limits,
            server_default=server_default(schema),
            counts_if_left_out=member.place in self._own.entry("counts_if_left_out"),
        )
        yield Argument(
            name=name,
            place=member.place,
            annotation=checked.annotation,
            description=self._description(member, schema, checked),
            is_required=is_required and default is None,
            row=row,
            default=default or "None",
            words=checked.words,
            decided=checked.decided,
        )

    def _description(self, member: Member, schema: Tree, checked: Checked) -> str:
        """What the document says of a member, with its limits."""
        description = member.schema.get("description") or schema.get("description")
        said = described(member.place, description, schema)
        return f"{said} {self._said_limits(member, schema, checked)}".strip()

    def _said_limits(self, member: Member, schema: Tree, checked: Checked) -> str:
        """The sentence of the limits of a member; empty where it has none to name, or something
        else decides in their place.
        """
        schema = {key: limit for key, limit in schema.items() if key not in checked.decided}
        reader = checked.reader
        if reader == "text":
            return _length(self._shortest(member, schema), schema.get("maxLength"))
        if reader == "whole" and {"minimum", "maximum"} <= schema.keys():
            return f"{schema['minimum']} to {schema['maximum']}."
        if reader == "parts" and "maxItems" in schema:
            return f"{schema.get('minItems', 0)} to {schema['maxItems']}."
        return ""

    def _shortest(self, member: Member, schema: Tree) -> int:
        """The fewest characters of a text."""
        may_be_empty = self._checks.may_be_empty(member.place, schema)
        return fewest(count_at(schema, "minLength"), may_be_empty=may_be_empty)

    def _compared_as(self, member: Member, checked: Checked) -> str:
        """How an answer is compared with an argument; empty where no table says it."""
        decided = self._own.compared_as if isinstance(self._own, BodySettings) else None
        if decided is None:
            return ""
        by_type = "word" if checked.words else COMPARED.get(checked.reader, checked.reader)
        return decided.get(member.place) or by_type

    def _is_required(self, member: Member) -> bool:
        return member.is_required or member.place in self._own.required

    def _checked(self, member: Member, name: str, schema: Tree, reader: str) -> Checked:
        """How an argument is checked."""
        if reader == "part":
            part = _name_of(member.schema)
            self.parts[member.place] = part
            return Checked(reader, self._class_of(part), {"kind": reader, "part": part})
        if reader == "parts":
            part = _name_of(without_null(mapping_at(schema, "items")))
            counts = counts_of(schema, count_at(schema, "minItems") or 0, usual=0)
            row = {"kind": reader, "part": part, **counts}
            return Checked(reader, f"Sequence[{self._class_of(part)}]", row)
        checked = self._checks.checked(Spot(member.place, self._called, name), reader, schema)
        if member.place in self._own.entry("references"):
            row = {"kind": "reference", **self._checks.as_text(member.place, schema)}
            return checked._replace(row=row)
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

    def _class_of(self, schema: str) -> str:
        """The class of the request objects of a schema."""
        self._schemas.referred.append(schema)
        return self._schemas.class_of(schema)

    def _money(self, name: str, member: Member) -> Argument:
        """An argument that is Money, sent in minor units."""
        amount, currency = self._own.entry("money")[name]
        schema = self._schemas.resolved(member.schema)
        is_required = self._is_required(member)
        members_of_money = {amount: "minor_units", currency: "currency"}
        sends = {
            each.sent_at: members_of_money[place]
            for place, each in self._members.items()
            if place in members_of_money
        }
        limits = {"kind": "money", "sends": sends, **numbers_of({"minimum": 1, **schema})}
        decimals = getattr(self._own, "decimals", None)
        if decimals is not None:
            limits["decimals"] = decimals
        return Argument(
            name=name,
            place=member.place,
            annotation="Money",
            description=described(member.place, schema.get("description"), schema),
            is_required=is_required,
            row=row_of(limits, name, member.sent_at, required=is_required),
        )


def _name_of(reference: Tree) -> str:
    """The schema that a reference leads to."""
    return str(reference.get("$ref")).removeprefix(REFERENCE)


def _length(shortest: int, longest: int | None) -> str:
    """The number of characters that a text may have, as a sentence."""
    if longest is None:
        return ""
    return (
        f"Up to {longest} characters." if shortest <= 1 else f"{shortest} to {longest} characters."
    )
