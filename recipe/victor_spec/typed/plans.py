"""What generated modules of arguments consist of: arguments, calls and request objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .checks import Row
from .choices import WordsType
from .settings import BodySettings, ListSettings, MethodSettings, ParameterSettings, PartSettings


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function, or a field of a request object."""

    name: str
    place: str
    """On the wire, and in the settings: `payee.account_number`."""
    annotation: str
    description: str
    is_required: bool
    """Whether a caller has to give it."""
    row: Row = field(default_factory=dict[str, Any])
    """How it is checked and sent; empty: code by hand does that."""
    default: str = "None"
    """What it is when it is left out, as code."""
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
        is_never_none = self.default != "None" and ("required" in self.row or not self.row)
        if not is_never_none and not annotation.endswith("| None"):
            annotation += " | None"
        return f"{self.name}: {annotation} = {self.default}"

    @property
    def words_about(self) -> str:
        """What a docstring says of it."""
        return f"{self.name}: {self.description or f'`{self.place}`.'}"


@dataclass(slots=True)
class MembersPlan:
    """Arguments that are sent together: of one operation, or of one request object."""

    function: str
    """What messages of an update call it: the function, or the class."""
    description: str
    arguments: Sequence[Argument]
    """In the order in which they are sent."""
    positional: Sequence[Argument]
    by_keyword: Sequence[Argument]
    untyped: Sequence[str]
    """The places of what is no argument: no check knows its type."""
    objects: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """The objects whose members are arguments, each with whether it is sent in any case."""
    parts: Mapping[str, str] = field(default_factory=dict[str, str])
    """The schemas of the request objects in it, by their places."""

    @property
    def in_signature(self) -> list[Argument]:
        return [*self.positional, *self.by_keyword]

    def members(self, where: str) -> dict[str, Any]:
        """The part of its row that says what is sent, and where: as the query, or as the body."""
        members: dict[str, Any] = {where: {each.name: each.row for each in self.arguments}}
        return {"objects": dict(self.objects), **members} if self.objects else members


@dataclass(slots=True)
class PartPlan(MembersPlan):
    """One schema that becomes a request object, or a further one of the same class."""

    schema: str = ""
    own: PartSettings = field(default_factory=PartSettings)
    shown: Sequence[str] = ()
    accounts: Sequence[str] = ()
    decided: Collection[str] = ()
    """The fields of which the settings say whether the repr of the class shows them."""
    has_class: bool = True
    """Whether the class is made from this schema."""

    @property
    def row(self) -> dict[str, Any]:
        return {"class": self.function, **self.members("body")}


@dataclass(slots=True)
class CallPlan(MembersPlan):
    """One operation."""

    place: str = ""
    """The entry of the settings: `lists.listPayouts`."""
    own: ParameterSettings | BodySettings = field(default_factory=ParameterSettings)
    """The settings, with what holds without an entry."""
    package: str = ""
    """Where the generated operation stands: `payouts`."""
    what: str = ""
    path: Sequence[Argument] = ()
    """Beside a body, the parts of the path."""
    untyped_sent: Sequence[str] = ()
    """What the caller may send of what is no argument, by the names that a call knows it by."""
    ranges: Sequence[tuple[str, str]] = ()
    """The names of arguments that begin and end a range."""
    method: MethodSettings = field(default_factory=MethodSettings)
    """What callers read of it, and the method that is written."""

    @property
    def operation(self) -> str:
        """Its operationId."""
        return self.place.partition(".")[2]

    @property
    def is_list(self) -> bool:
        return isinstance(self.own, ListSettings)

    @property
    def has_body(self) -> bool:
        return isinstance(self.own, BodySettings)

    @property
    def has_table(self) -> bool:
        """Whether there is a table of what a response is compared with."""
        return getattr(self.own, "compared_as", None) is not None

    @property
    def dictionary(self) -> str:
        """The TypedDict of its arguments; empty without one."""
        return next(iter(getattr(self.own, "dictionary", ())), "")

    @property
    def result(self) -> str:
        """The class of what its function returns."""
        if self.has_body:
            return "Request"
        return "ListQuery" if self.is_list else "CheckedCall"

    @property
    def maker(self) -> str:
        """The method of `Package` that makes what the function returns."""
        if self.has_body:
            return "request"
        return "list" if self.is_list else "call"

    @property
    def signature(self) -> str:
        """The parameters, with a comma behind each."""
        return signature_of(self.positional, self.by_keyword)

    @property
    def row(self) -> dict[str, Any]:
        members = self.members("body" if self.has_body else "query")
        row: dict[str, Any] = {"what": self.what, **members}
        if self.path:
            row["path"] = {each.name: each.row for each in self.path}
        if by_hand := self.own.entry("by_hand"):
            row["by_hand"] = tuple(by_hand)
        if self.ranges:
            row["ranges"] = tuple(self.ranges)
        if self.untyped_sent:
            row["untyped"] = tuple(self.untyped_sent)
        return row

    @property
    def entries(self) -> Iterator[str]:
        """The lines of its TypedDict."""
        always = getattr(self.own, "dictionary", {}).get(self.dictionary, ())
        for each in self.in_signature:
            annotation = each.annotation
            if each.is_required or each.name in always:
                annotation = f"Required[{annotation.removesuffix(' | None')}]"
            elif not annotation.endswith("| None"):
                annotation += " | None"
            yield f"{each.name}: {annotation}"


def by_hand(name: str, annotation: str) -> Argument:
    """An argument that code by hand checks and sends; a default stands behind its type."""
    kind, _, default = annotation.partition(" = ")
    is_required = not default and not kind.endswith("| None")
    return Argument(
        name, name, kind, description="", is_required=is_required, default=default or "None"
    )


def signature_of(positional: Iterable[Argument], by_keyword: Sequence[Argument]) -> str:
    """The parameters, with a comma behind each."""
    parameters = [each.parameter for each in positional]
    if by_keyword:
        parameters += ["*", *(each.parameter for each in by_keyword)]
    return "".join(f"{each}, " for each in parameters)


def required_first(arguments: Iterable[Argument]) -> list[Argument]:
    return sorted(arguments, key=lambda argument: not argument.is_required)
