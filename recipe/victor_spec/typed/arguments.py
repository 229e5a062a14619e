"""The arguments of one entry of the settings: what the document and the entry make of parameters,
and of the members of a JSON object that is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from openapi_python_client.strings import PythonIdentifier

from victor_spec.requests import PREFIX
from victor_spec.rewrites.schemas import default_text, with_default
from victor_spec.tree import Tree, mapping_at

from .checks import (
    ANNOTATIONS,
    LIMITS,
    Forms,
    given,
    kind_of,
    limits_of,
    limits_of_text,
    sentence_of_limits,
    words_in,
)
from .plans import Argument
from .settings import (
    ArgumentSettings,
    ListSettings,
    MembersSettings,
    PartSettings,
    Settings,
    SettingsError,
    is_name,
    require_free,
    require_known,
    sentence,
)
from .words import WordsType, default_name

REFERENCE = "#/components/schemas/"
NO_ARGUMENTS = ("leave_out", "set_by_hand", "money")
"""The entries that say what becomes of a member that is no argument itself."""
COMPARED = {"choice": "word", "integer": "whole", "stamp": "moment"}
"""How an answer is compared with an argument, where that is not what its check is called."""
TEXTS = ("text", "choice")
LOCALS = frozenset(
    {"by_hand", "check", "constant", "locals", "now", "part", "path", "place", "self", "sent"}
    | {"bool", "date", "datetime", "float", "int", "str"}
)
"""Names that the generated functions and classes use themselves, types included, and those that
methods and checks with these arguments have beside them.
"""


class Member(NamedTuple):
    """A parameter, or a member of a body or of an object in it: an argument may be made of it."""

    place: str
    """In the settings: `payee.account_number`."""
    wire: str
    """Its own name on the wire."""
    sent_at: str
    """Where a row says that it is sent: an argument of the generated function, or a place in the
    body.
    """
    schema: Tree
    """What stands in the document: perhaps a reference."""
    description: Any
    is_required: bool
    in_path: bool = False


class _Checked(NamedTuple):
    """How an argument is checked."""

    kind: str
    annotation: str
    limits: dict[str, Any]
    words: WordsType | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the arguments of all entries are made with."""

    document: Tree
    settings: Settings
    forms: Forms
    referred: list[str] = field(default_factory=list[str])
    """The schemas of request objects that the arguments so far refer to."""

    def class_of(self, schema: str) -> str:
        """The class of request objects of a schema."""
        own = self.settings.parts.get(schema)
        return schema if own is None or not own.name else own.name


class Entry:
    """One entry of the settings."""

    def __init__(
        self,
        known: Known,
        place: str,
        own: ArgumentSettings,
        called: str,
        members: Iterable[Member],
    ) -> None:
        """`called` is the generated function or class. Raises SettingsError for two members with
        one name.
        """
        self._known = known
        self._place = place
        self._own = own
        self._called = called
        self._in_body = isinstance(own, MembersSettings)
        self.members: dict[str, Member] = {}
        for member in members:
            if member.place in self.members:
                raise SettingsError(f"{place}: it sends two {member.place}: no call has both.")
            self.members[member.place] = member
        pairs: Mapping[str, tuple[str, str]] = own.entry("money")
        self._amounts = {amount: name for name, (amount, _) in pairs.items()}
        self._currencies = {currency for _, currency in pairs.values()}
        hand: Mapping[str, str] = own.entry("by_hand")
        self.by_hand = {name: by_hand(name, annotation) for name, annotation in hand.items()}
        """The arguments that code by hand checks and sends."""

    def arguments(self, objects: Collection[str]) -> dict[str, Argument]:
        """The arguments by their places, in the order of the document. `objects` are those whose
        members are arguments.

        Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
        """
        own = self._own
        left_out = {*own.entry("leave_out"), *own.entry("set_by_hand"), *self._currencies}
        arguments = {
            place: self._argument(member)
            for place, member in self.members.items()
            if place not in left_out
        }
        known = {**dict.fromkeys(NO_ARGUMENTS, self.members), "lift": objects}
        for entry, name in own.members():
            require_known(f"{self._place}.{entry}", name, "argument", known.get(entry, arguments))
        for name in self.by_hand:
            if name in arguments:
                raise SettingsError(
                    f"{self._place}.by_hand: the document has an argument {name}, too: name it in "
                    "`set_by_hand`."
                )
        named = [(f"by_hand.{name}", name) for name in self.by_hand]
        named += [(place, each.name) for place, each in arguments.items()]
        require_free(self._place, named, LOCALS, own.names)
        return arguments

    def _argument(self, member: Member) -> Argument:
        own, place = self._own, member.place
        schema = given(self._known.document, member.schema)
        given_name = self._amounts.get(place) or own.names.get(place)
        name = given_name or _own_name(member.wire)
        checked = self._checked(member, schema, name)
        default = own.entry("defaults").get(place)
        is_required = self._is_required(member)
        is_member = self._in_body and not member.in_path
        compared = getattr(own, "compared_as", None) if is_member else None
        compared_as = "" if compared is None else COMPARED.get(checked.kind, checked.kind)
        is_text_of_table = compared is not None and checked.kind in TEXTS
        says_limits = is_member and checked.kind != "money"
        limits = sentence_of_limits(schema, checked.limits) if says_limits else ""
        columns = {
            "kind": "" if checked.kind == "text" else checked.kind,
            "place": "" if member.sent_at == name else member.sent_at,
            "required": is_required or (default is not None and not self._in_body),
            "leaves": self._may_leave(member),
            "compared": is_text_of_table or place in own.entry("compared"),
            "compared_as": dict(compared or {}).get(place, compared_as),
            "counts_if_left_out": place in own.entry("counts_if_left_out"),
        }
        said = _described(member, schema)
        return Argument(
            name=name,
            place=place,
            annotation=checked.annotation,
            description=f"{said} {limits}".strip(),
            is_required=is_required and default is None,
            row={column: value for column, value in columns.items() if value} | checked.limits,
            default="None" if default is None else repr(default),
            words=checked.words,
            limits=limits,
            server_default=default_text(schema["default"]) if "default" in schema else "",
        )

    def _is_required(self, member: Member) -> bool:
        own = self._own
        positional = () if isinstance(own, PartSettings) else own.positional
        return member.is_required or member.place in (*positional, *own.entry("required"))

    def _may_leave(self, member: Member) -> bool:
        """Whether an item of a list may stop matching an argument while the list is read."""
        own = self._own
        if not isinstance(own, ListSettings) or member.in_path:
            return False
        return member.place not in (*own.constant, *own.positional)

    def _checked(self, member: Member, schema: Tree, name: str) -> _Checked:
        """How an argument is checked."""
        kind = self._kind_of(member, schema)
        if kind is None:
            entry = "leave_out" if isinstance(self._own, ListSettings) else "set_by_hand"
            raise SettingsError(
                f"{self._place}: no check knows {member.place}, of the type "
                f"{schema.get('type')!r}: name it in `{entry}`."
            )
        if kind == "choices":
            return self._closed(member.place, schema)
        if kind == "money":
            return self._money(member.place, schema)
        if kind in ("part", "parts"):
            return self._part(kind, member, schema)
        return self._scalar(member, schema, name, kind)

    def _kind_of(self, member: Member, schema: Tree) -> str | None:
        """How a member is checked; None: no check knows it, or where it is sent."""
        own, place = self._own, member.place
        if self._in_body and "." in member.wire:
            return None
        if place in own.entry("choices"):
            return "choices"
        if place in self._amounts:
            return "money"
        if self._is_part(member.schema):
            return "part"
        if self._is_part(mapping_at(schema, "items")):
            return "parts"
        return own.entry("read_as").get(place) or kind_of(schema)

    def _scalar(self, member: Member, schema: Tree, name: str, kind: str) -> _Checked:
        own, place = self._own, member.place
        form = self._form_of(member, kind)
        named: str | None = own.words.get(place)
        known = self._known.settings.words
        words = words_in(schema) if kind == "text" and form is None else ()
        if words and named not in known:
            words_type = WordsType(named or default_name(self._called, name), words, is_enum=True)
            return _Checked("choice", words_type.name, {"words": words}, words_type)
        if named is not None:
            require_known(f"{self._place}.words.{place}", named, "entry of `words`", known)
        if place in own.entry("references"):
            kind = "reference"
        elif kind == "moment" and self._in_body:
            kind = "stamp"
        limits = self._limits(member, schema, kind, form)
        if kind == "zulu" and any(place == end for _, end in own.entry("ranges")):
            limits["is_end"] = True
        return _Checked(kind, named or ANNOTATIONS[kind], limits)

    def _form_of(self, member: Member, kind: str) -> str | None:
        """The name of the form of a text in the settings: of a part of the path, that of ids."""
        form: str | None = self._own.forms.get(member.place)
        if form is not None:
            place = f"{self._place}.forms.{member.place}"
            require_known(place, form, "entry of `forms`", self._known.settings.forms)
        elif member.in_path and kind == "text" and self._known.forms.decides("id"):
            return "id"
        return form

    def _limits(self, member: Member, schema: Tree, kind: str, form: str | None) -> dict[str, Any]:
        forms = self._known.forms
        if kind in LIMITS:
            return limits_of(kind, schema)
        if forms.decides(form):
            return {"form": form}
        place = f"{self._place}.{member.place}"
        form = forms.of_text(place, form, schema, usual_name=f"{snake(member.wire)}_pattern")
        is_empty_in_document = not self._in_body and schema.get("minLength") == 0
        may_be_empty = is_empty_in_document or member.place in self._own.entry("empty")
        return limits_of_text(kind, schema, form, may_be_empty=may_be_empty)

    def _closed(self, place: str, schema: Tree) -> _Checked:
        """How words are checked that are the only ones."""
        name: str = self._own.entry("choices")[place]
        known = self._known.settings.choices
        require_known(f"{self._place}.choices.{place}", name, "entry of `choices`", known)
        words = known[name]
        if isinstance(words, list):
            return _Checked("one_of", name, {"words": tuple(words)})
        items = given(self._known.document, mapping_at(schema, "items"))
        limits = {"names": dict(words), **limits_of("numbers", items)}
        return _Checked("numbers", f"{name} | Sequence[{name}]", limits)

    def _money(self, place: str, schema: Tree) -> _Checked:
        """How Money is checked, which is sent in minor units."""
        own = self._own
        amount, currency = own.entry("money")[self._amounts[place]]
        attributes = {amount: "minor_units", currency: "currency"}
        sends = {
            member.sent_at: attributes[each]
            for each, member in self.members.items()
            if each in attributes
        }
        limits = {"sends": sends, **limits_of("money", schema)}
        decimals = getattr(own, "decimals", None)
        if decimals is not None:
            limits["decimals"] = decimals
        return _Checked("money", "Money", limits)

    def _part(self, kind: str, member: Member, schema: Tree) -> _Checked:
        """How a request object is checked, or a list of them."""
        reference = member.schema if kind == "part" else mapping_at(schema, "items")
        part = str(reference["$ref"]).removeprefix(REFERENCE)
        self._known.referred.append(part)
        class_name = self._known.class_of(part)
        annotation = class_name if kind == "part" else f"Sequence[{class_name}]"
        return _Checked(kind, annotation, {"part": part, **limits_of(kind, schema)})

    def _is_part(self, schema: Tree) -> bool:
        """Whether a schema in a body refers to an object."""
        is_reference = self._in_body and str(schema.get("$ref")).startswith(REFERENCE)
        return is_reference and "properties" in given(self._known.document, schema)


def snake(wire: str) -> str:
    """A name on the wire as a name in Python."""
    return str(PythonIdentifier(wire, PREFIX)).rstrip("_") or wire


def _own_name(wire: str) -> str:
    """The name that an argument has without a setting: a name that is taken gets an underscore."""
    name = snake(wire)
    return f"{name}_" if name in LOCALS or not is_name(name) else name


def _described(member: Member, schema: Tree) -> str:
    """What a document says of an argument, with the server's default, which is not sent."""
    description = member.description or schema.get("description")
    if "default" not in schema:
        return sentence(description)
    return sentence(with_default(str(description or f"`{member.place}`."), schema["default"]))


def by_hand(name: str, annotation: str) -> Argument:
    """An argument that code by hand checks and sends; a default stands behind its type."""
    kind, _, default = annotation.partition(" = ")
    is_required = not default and not kind.endswith("| None")
    return Argument(
        name, name, kind, description="", is_required=is_required, default=default or "None"
    )


def required_first(arguments: Iterable[Argument]) -> list[Argument]:
    return sorted(arguments, key=lambda argument: not argument.is_required)
