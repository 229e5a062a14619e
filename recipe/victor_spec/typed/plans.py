"""What generated modules consist of: arguments, and what takes them. An operation, a request object
and a method are one thing here: arguments in their order, each with its place, type and limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .settings import BodySettings, MethodSettings, ParameterSettings
from .words import WordsType

Row = Mapping[str, Any]
"""What is checked of a value, and what is sent. `victor_ext.typed` has the columns."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a method, or a field of a request object."""

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
    limits: str = ""
    """The sentence of its limits that its description ends with."""
    server_default: str = ""
    """What the provider takes where nothing is sent, as text."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What takes arguments."""

    positional: Sequence[Argument]
    by_keyword: Sequence[Argument]

    @property
    def arguments(self) -> list[Argument]:
        return [*self.positional, *self.by_keyword]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Taking):
    """One operation."""

    operation: str
    """Its operationId."""
    own: ParameterSettings | BodySettings
    package: str
    """Where the generated operation stands: `payouts`."""
    function: str
    maker: str
    """The method of `Package` that makes of arguments what is sent: `list`, `call`, `request`."""
    summary: str
    row: Row

    @property
    def is_list(self) -> bool:
        return self.maker == "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Taking):
    """One schema that becomes a request object, or a further one of the same class."""

    schema: str
    name: str
    """Of the class."""
    description: str
    row: Row
    shown: Sequence[str]
    accounts: Sequence[str]
    has_class: bool
    """Whether the class is made from this schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(Taking):
    """One method of a class."""

    own: MethodSettings
    name: str
    call: Call | None
    """Its operation; None: it is several calls, which code by hand makes."""
    docstring: str
