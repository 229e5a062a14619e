"""The settings of the typed modules of a package: `<system>.settings.yaml`, beside the document.

The keys in a record's settings are the names of the document's members, on the wire. A name that
the document does not have stops generation.
"""

import keyword
import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, cast, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from victor_spec.document import DocumentError, read_values
from victor_spec.tree import is_list, is_mapping

Choices = list[str] | dict[str, int]
"""Words that are sent as they are, or names of numbers that are sent in their place."""
ReadAs = Literal["text", "identifier", "flag", "whole", "decimal", "moment", "day", "value"]
"""How a member is read, where the document does not say it, or says something else."""


class SettingsError(DocumentError):
    """The settings cannot be used. The message names the file, the entry, and what to write."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    _others: ClassVar[frozenset[str]] = frozenset()
    """The entries that name nothing of the document."""
    _needs: ClassVar[dict[str, str]] = {}
    """The entries that say nothing without another one."""

    @model_validator(mode="after")
    def _have_what_they_need(self) -> Self:
        for entry, other in self._needs.items():
            if entry in self.model_fields_set and other not in self.model_fields_set:
                raise ValueError(f"`{entry}` says nothing without `{other}`: write both, or none")
        return self

    def members(self) -> list[tuple[str, str]]:
        """Each member, parameter or argument that the settings name, with the entry that names
        it.
        """
        entries = [each for each in type(self).model_fields if each not in self._others]
        return [(entry, name) for entry in entries for name in _names_in(getattr(self, entry))]


def _names_in(entry: Any) -> Iterator[str]:
    """The names in an entry: in a list, in pairs, or those of a part with its members."""
    if is_list(entry):
        for each in entry:
            yield from [each] if isinstance(each, str) else each
    elif is_mapping(entry):
        for name, value in entry.items():
            if isinstance(value, tuple):
                pair = cast("tuple[str, ...]", value)
                yield from filter(None, pair)
                continue
            yield name
            if is_list(value):
                yield from (f"{name}.{inner}" for inner in value)


class RecordSettings(_Strict):
    """How the record of one schema differs from what the document says of it."""

    _others = frozenset({"taken"})

    names: dict[str, str] = Field(
        default={}, description="Members that have another name in Python than their own."
    )
    identifiers: list[str] = Field(
        default=[], description="Texts that are ids: empty, and not None, when none was sent."
    )
    lift: dict[str, list[str]] = Field(
        default={},
        description="Members of a part that are fields of the record itself, in place of the part.",
    )
    money: dict[str, tuple[str, str]] = Field(
        default={},
        description="Fields that are an amount in minor units with its currency: the names of both "
        "members. The currency is a field of its own only where `shown` or `private` has it.",
    )
    read_as: dict[str, ReadAs] = Field(
        default={}, description="Members that are read as another type than the document says."
    )
    shown: list[str] = Field(
        default=[],
        description="Texts, days and numbers that the repr of the record shows. All others are "
        "private.",
    )
    private: list[str] = Field(
        default=[], description="Fields that were looked at, and are in no repr."
    )
    masked: list[str] = Field(
        default=[], description="Texts of which a repr shows the last four characters."
    )
    leave_out: list[str] = Field(
        default=[], description="Members that are no fields: they are in `raw` alone."
    )
    taken: list[str] = Field(
        default=[],
        description="The public names of the class that is written by hand over the record. A "
        "field with such a name gets an underscore.",
    )


class ViewSettings(_Strict):
    """Fields that several schemas have, for a class that is written by hand over them."""

    _others = frozenset({"over", "taken"})

    over: list[str] = Field(
        min_length=1, description="The schemas whose members are fields. The first one counts."
    )
    spread: list[str] = Field(
        default=[],
        description="Parts whose members are fields, in place of the part: `order`, "
        "`order.details`.",
    )
    names: dict[str, str] = Field(
        default={}, description="Members that have another name in Python than their own."
    )
    by_hand: list[str] = Field(
        default=[],
        description="Members that the class over the view reads itself. No field has the name of "
        "one there: its own, or the one in `names`.",
    )
    taken: list[str] = Field(
        default=[],
        description="The public names of the class over the view. A field with such a name gets an "
        "underscore.",
    )


def why_unread(pattern: str) -> str:
    """Why Python cannot read a regular expression, as a form reads it; empty if it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python may read it in another way one day
            re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError, ValueError, Warning) as error:
        return str(error)
    return ""


class FormSettings(_Strict):
    """A form that a text has as a whole, with the words for a message."""

    whole: str | None = Field(
        default=None,
        min_length=1,
        description="A regular expression that the whole text matches. It is the whole rule: no "
        "length of the document is checked. Without it, the document's pattern and lengths are.",
    )
    wanted: str = Field(description="What to write instead: `an id, such as a UUID`.")

    @field_validator("whole")
    @classmethod
    def _is_read_by_python(cls, whole: str | None) -> str | None:
        why = "" if whole is None else why_unread(whole)
        if why:
            raise ValueError(f"it is no regular expression: {why}")
        return whole


class ArgumentSettings(_Strict):
    """How arguments differ from what the document says of parameters, or of members of a body."""

    _others = frozenset({"by_hand", "dictionary"})

    positional: list[str] = Field(
        default=[], description="Arguments that need not be named, in their order."
    )
    names: dict[str, str] = Field(
        default={}, description="Arguments that have another name in Python than their own."
    )
    forms: dict[str, str] = Field(
        default={}, description="Texts that have one of the `forms`, by its name."
    )
    words: dict[str, str] = Field(
        default={},
        description="Texts of which some `words` are known, by their name. Of a text with an enum, "
        "the name of a type for the words of the enum.",
    )

    def members(self) -> list[tuple[str, str]]:
        # An argument that code by hand sends may be positional, and need not be in the document.
        by_hand = self.entry("by_hand")
        return [
            (entry, name)
            for entry, name in super().members()
            if entry != "positional" or name not in by_hand
        ]

    def entry(self, name: str) -> Any:
        """What an entry says; nothing where settings of this kind have no such entry."""
        return getattr(self, name, {})


BY_HAND: Any = Field(
    default_factory=dict[str, str],
    description="Arguments that code by hand checks and sends, with their types in Python. One "
    "whose type ends with `| None` may be left out, and so may one with a default: "
    "`str = 'DB'`.",
)


class ParameterSettings(ArgumentSettings):
    """How arguments differ from what the document says of the parameters of an operation."""

    what: str = Field(
        default="",
        description="What messages begin with, behind `The`: `payout`. Without it, they name what "
        "the first argument is the id of.",
    )
    read_as: dict[str, Literal["day", "second", "zulu"]] = Field(
        default={},
        description="Texts that are a day, a moment in whole seconds (a fraction is dropped), or "
        "one in Zulu time with milliseconds (the end of a range is rounded up).",
    )
    ranges: list[tuple[str, str]] = Field(
        default=[], description="Pairs of arguments that begin and end a range."
    )


class CallSettings(ParameterSettings):
    """The arguments of an operation without a body that reads no list."""

    set_by_hand: list[str] = Field(
        default=[], description="Parameters that are no arguments: code by hand sends them."
    )
    by_hand: dict[str, str] = BY_HAND


class ListSettings(ParameterSettings):
    """How the arguments of a list differ from what the document says of its parameters."""

    what: str = Field(
        min_length=1, description="What messages begin with, behind `The`: `list of payouts`."
    )
    leave_out: list[str] = Field(
        default=[], description="What is no argument, such as the number of a page."
    )
    choices: dict[str, str] = Field(
        default={}, description="Arguments that take no other than some `choices`, by their name."
    )
    defaults: dict[str, int | bool | str] = Field(
        default={}, description="What is sent for an argument that a caller leaves out."
    )
    extra_query: bool = Field(
        default=False,
        description="Whether the call takes parameters that the document does not have.",
    )
    constant: list[str] = Field(
        default=[],
        description="Arguments that an item never stops matching. With any other one, the list is "
        "read repeatedly, so that no item is lost.",
    )


SentAs = Literal["day", "birthday", "dollars"]
"""How an argument of a body is checked and sent, where the document does not say it."""


class MembersSettings(ArgumentSettings):
    """How the members of a JSON object that is sent become arguments."""

    required: list[str] = Field(
        default=[], description="Arguments that are required here, and optional in the document."
    )
    lift: list[str] = Field(
        default=[],
        description="Objects whose members are arguments in their place; the members are named "
        "`payee.account_number`.",
    )
    read_as: dict[str, SentAs] = Field(
        default={},
        description="Members that are checked as another type than the document says: a day, a "
        "birthday, which no message shows, or an amount in dollars as text.",
    )
    compared: list[str] = Field(
        default=[],
        description="Texts that an answer is compared with: not of blanks and stars alone.",
    )
    empty: list[str] = Field(default=[], description="Texts that may be empty.")
    set_by_hand: list[str] = Field(
        default=[], description="Members that are no arguments: code by hand sends them."
    )
    defaults: dict[str, bool | int | str] = Field(
        default={}, description="What is sent for an argument that is left out."
    )


class PartSettings(MembersSettings):
    """A schema that becomes a class of request objects, which callers make."""

    _needs = {"decimals": "money"}

    name: str = Field(default="", description="The name of the class, if it is not the schema's.")
    money: dict[str, tuple[str, str]] = Field(
        default={},
        description="Arguments that are Money, sent in minor units: the names of the members for "
        "the amount and for the currency. Without the latter its currency is another argument's.",
    )
    decimals: int | None = Field(
        default=None,
        ge=0,
        description="The decimals that the currency of each Money has to have, where the provider "
        "counts that unit in all currencies.",
    )
    references: list[str] = Field(
        default=[],
        description="Texts that the caller looks for later: printable, with no blanks around them.",
    )
    shown: list[str] = Field(
        default=[], description="Members that the repr shows. All others are private."
    )
    accounts: list[str] = Field(
        default=[], description="Members with numbers of accounts or persons, hidden everywhere."
    )


class BodySettings(MembersSettings):
    """The arguments of an operation that sends a JSON object, or a form."""

    _needs = {"counts_if_left_out": "compared_as"}

    what: str = Field(min_length=1, description="What messages begin with, behind `The`: `payout`.")
    by_hand: dict[str, str] = BY_HAND
    compared_as: dict[str, Literal["text", "word"]] | None = Field(
        default=None,
        description="Makes a table of the arguments, for code by hand that compares an answer "
        "with what was sent. Texts that are compared in another way than their type says: by their "
        "characters, or as a word.",
    )
    counts_if_left_out: list[str] = Field(
        default=[],
        description="Members in which the provider fills nothing in. If one of them was not sent, "
        "an answer that has a value there is about another request.",
    )
    dictionary: dict[str, list[str]] = Field(
        default={},
        max_length=1,
        description="Makes a TypedDict of the arguments, by its name: for code that stores them. "
        "Arguments that are required there, by their names in Python.",
    )


class MethodSettings(_Strict):
    """What callers read of an operation, beside what the document says: its docstring."""

    _others = frozenset({"takes", "raises"})

    operation: str = Field(
        default="",
        description="Its operationId, where several methods are one operation. Without it, the "
        "name of the entry is the operationId.",
    )
    leave_out: list[str] = Field(
        default=[], description="Arguments of the operation that this method does not have."
    )
    optional: list[str] = Field(
        default=[],
        description="Required arguments of the operation that this method's callers may leave "
        "out: code by hand sends them.",
    )
    takes: dict[str, str] = Field(
        default={},
        description="The arguments of a method that is no operation but several calls, which code "
        "by hand makes: their names, with their types in Python. One whose type ends with "
        "`| None` may be left out, and so may one with a default: `float = 300.0`.",
    )
    positional: list[str] = Field(
        default=[], description="Those of `takes` that need not be named, in their order."
    )
    yields: bool = Field(
        default=False, description="Whether it yields results, as they come, until none is left."
    )
    name: str = Field(
        pattern=r"^[A-Z]\w*\.[a-z]\w*$",
        description="The class and the method that are written, blocking and awaited: "
        "`Payouts.submit`.",
    )
    result: str = Field(
        default="None",
        description="The class of what the method returns, or of the items of its list: a record, "
        "a type of Python's, or one that code by hand names. A method of several calls may have "
        "one of these within another: `Sequence[Payment]`.",
    )
    text: str = Field(
        default="",
        description="What it does: a sentence, and paragraphs. Without it, the document's summary.",
    )
    arguments: dict[str, str] = Field(
        default={},
        description="What arguments mean, by their names in Python, in place of the document's "
        "words. Their limits and the server's default are added.",
    )
    returns: str = Field(default="", description="What is returned.")
    raises: dict[str, str] = Field(default={}, description="The errors, each with its reason.")
    examples: str = Field(default="", description="Lines of a session with `>>>`.")
    accounts: list[str] = Field(
        default=[],
        description="Arguments that are numbers of accounts or cards, or objects in whose place "
        "one may be passed: no traceback shows more than their last four digits.",
    )
    secrets: list[str] = Field(default=[], description="Arguments that no traceback shows.")


class Settings(_Strict):
    """The settings of one document."""

    any_letter_case: bool = Field(
        default=False,
        description="Whether records find a member by its name in any letter case.",
    )
    late_models: bool = Field(
        default=False,
        description="Whether an operation imports its models when an answer is read as one: for "
        "a client that reads JSON, and then needs no attrs.",
    )
    records: dict[str, RecordSettings] = Field(
        default={},
        description="The schemas of answers that become records, by their names in the document. "
        "A schema that one of them refers to becomes one, too.",
    )
    views: dict[str, ViewSettings] = Field(
        default={}, description="Fields for classes that are written by hand, by their names."
    )
    forms: dict[str, FormSettings] = Field(
        default={}, description="Forms of texts that several arguments have."
    )
    words: dict[str, list[str]] = Field(
        default={}, description="The known words of arguments: names of types, with their words."
    )
    choices: dict[str, Choices] = Field(
        default={},
        description="The only words of arguments: names of types, with their words. Of words that "
        "have numbers, the numbers are sent, and are taken, too.",
    )
    lists: dict[str, ListSettings] = Field(
        default={}, description="Lists whose arguments are checked, by their operationId."
    )
    calls: dict[str, CallSettings] = Field(
        default={}, description="Other operations without a body, by their operationId."
    )

    parts: dict[str, PartSettings] = Field(
        default={}, description="Schemas that become request objects, by their names."
    )
    bodies: dict[str, BodySettings] = Field(
        default={},
        description="Operations that send an object of JSON, or a form, by their operationId.",
    )
    methods: dict[str, MethodSettings] = Field(
        default={},
        description="What callers read of these operations, by their operationId; and the methods "
        "that are written for them.",
    )
    classes: list[str] = Field(
        default=[], description="Classes of arguments that code by hand has, by their names."
    )


def read_settings(file: Path) -> Settings:
    """The settings in a file.

    Raises SettingsError for what is no YAML, or has an entry that is unknown or of another type.
    """
    try:
        content = read_values(file)
    except DocumentError as error:
        raise SettingsError(str(error)) from error
    try:
        return Settings.model_validate({} if content is None else content)
    except ValidationError as error:
        raise SettingsError(f"{file}: {_sentences(error)}") from None


def _sentences(error: ValidationError) -> str:
    """What is wrong with each entry, with the entry that may be meant."""
    sentences: list[str] = []
    for problem in error.errors():
        place = [str(step) for step in problem["loc"]]
        where = ".".join(place) or "the file"
        if problem["type"] == "extra_forbidden" and place:
            holder: type[BaseModel] = Settings
            if len(place) > 1:
                _, holder = get_args(Settings.model_fields[place[0]].annotation)
            sentences.append(f"{where} is no setting{nearest(place[-1], holder.model_fields)}")
        else:
            sentences.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}.")
    return " ".join(sentences)


def is_name(text: str) -> bool:
    """Whether a text is a name that a field, an argument or a type can have."""
    return text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("_")


def require_known(place: str, name: str, what: str, known: Iterable[str]) -> None:
    """Raise SettingsError for a name in the settings that is none of the document's."""
    names = list(known)
    if name not in names:
        raise SettingsError(f"{place}: {name} is no {what}{nearest(name, names)}")


def require_free(
    place: str,
    named: Iterable[tuple[str, str]],
    taken: Iterable[str],
    decided: Collection[str] = (),
    by_hand: Iterable[str] = (),
) -> None:
    """Raise SettingsError for a name in Python that is taken, or that is none.

    `named` are the names, each behind what it is the name of. What is `decided` keeps its name: the
    other one is to change. `by_hand` are the names of a class that is written by hand.
    """
    owners = dict.fromkeys(by_hand, "the class by hand")
    owners |= dict.fromkeys(taken, "the generated code itself")
    for member, name in sorted(named, key=lambda each: each[0] not in decided):
        if name in owners:
            why = f"the name {name} is taken by {owners[name]}"
        elif not is_name(name):
            why = f"the name {name} is none in Python"
        else:
            owners[name] = member
            continue
        raise SettingsError(f"{place}: {member}: {why}: write another one for it in `names`.")


def sentence(description: Any) -> str:
    """What a document says of a part, on one line, with a full stop."""
    words = " ".join(str(description or "").split())
    return words if not words or words.endswith((".", "?", "!")) else f"{words}."


def nearest(name: str, known: Iterable[str]) -> str:
    """What may be meant by an unknown name: the end of a sentence, with its mark."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f": did you mean {close[0]}?"
    return f": it must be one of {', '.join(names)}." if names else "."
