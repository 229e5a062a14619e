"""The settings of the typed modules of a package: `<system>.settings.yaml`, beside the document.

The keys in a record's settings are the names of the document's members, on the wire. A name that
the document does not have stops generation.
"""

import keyword
import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from victor_spec.document import DocumentError, read_values
from victor_spec.tree import is_list, is_mapping

Names = list[str]
Texts = dict[str, str]
"""What is said of names: of members, or of arguments."""
Pairs = dict[str, tuple[str, str]]
"""Fields or arguments of two members each: an amount, and its currency."""
Choices = list[str] | dict[str, int]
"""Words that are sent as they are, or names of numbers that are sent in their place."""
NAMES_NOTHING = frozenset({"by_hand", "dictionary", "over", "raises", "taken", "takes"})
"""The entries that name nothing of the document."""


class SettingsError(DocumentError):
    """The settings cannot be used. The message names the file, the entry, and what to write."""


class Entries(BaseModel):
    """What the settings say of one thing: each entry by its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def entry(self, name: str) -> Any:
        """What an entry says; nothing where settings of this kind have no such entry."""
        return getattr(self, name, {})

    def members(self) -> list[tuple[str, str]]:
        """Each member, parameter or argument that the settings name, with the entry that names
        it.
        """
        # An argument that code by hand sends may be positional, and need not be in the document.
        by_hand = self.entry("by_hand")
        return [
            (entry, name)
            for entry, names in self
            if entry not in NAMES_NOTHING
            for name in _names_in(names)
            if entry != "positional" or name not in by_hand
        ]


def _names_in(entry: Any) -> Iterator[str]:
    """The names in an entry: in a list, before what is said of them, or in pairs."""
    if is_mapping(entry):
        for name, value in entry.items():
            if isinstance(value, tuple):
                yield from filter(None, cast("tuple[str, ...]", value))
            else:
                yield name
    elif is_list(entry):
        for name in entry:
            yield from [name] if isinstance(name, str) else name


class RecordSettings(Entries):
    """How the record of one schema differs from what the document says of it.

    Or fields that several schemas have, for a class that is written by hand over them.
    """

    over: Names = []
    """The schemas whose members are fields, if it is not the schema of its name. The first one
    counts."""
    spread: Names = []
    """Parts whose members are fields, in place of the part: `order`, `order.details`."""
    names: Texts = {}
    """Members that have another name in Python than their own."""
    identifiers: Names = []
    """Texts that are ids: empty, and not None, when none was sent."""
    money: Pairs = {}
    """Fields that are an amount in minor units with its currency: the names of both members. The
    currency is a field of its own only where `shown` or `private` has it."""
    read_as: dict[str, Literal["moment"]] = {}
    """Texts that are moments, where the document does not say it."""
    shown: Names = []
    """Texts, days and numbers that the repr of the record shows. All others are private."""
    private: Names = []
    """Fields that were looked at, and are in no repr."""
    masked: Names = []
    """Texts of which a repr shows the last four characters."""
    leave_out: Names = []
    """Members that are no fields: they are in `raw` alone."""
    taken: Names = []
    """The public names of the class that is written by hand over the record. A field with such a
    name gets an underscore."""


def why_unread(pattern: str) -> str:
    """Why Python cannot read a regular expression, as a form reads it; empty if it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python may read it in another way one day
            re.compile(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError, ValueError, Warning) as error:
        return str(error)
    return ""


class FormSettings(Entries):
    """A form that a text has as a whole, with the words for a message."""

    whole: str | None = None
    """A regular expression that the whole text matches. It is the whole rule: no length of the
    document is checked. Without it, the document's pattern and lengths are."""
    wanted: str
    """What to write instead: `an id, such as a UUID`."""


class ArgumentSettings(Entries):
    """How arguments differ from what the document says of parameters, or of members of a body."""

    positional: Names = []
    """Arguments that need not be named, in their order."""
    names: Texts = {}
    """Arguments that have another name in Python than their own."""
    forms: Texts = {}
    """Texts that have one of the `forms`, by its name."""
    words: Texts = {}
    """Texts of which some `words` are known, by their name. Of a text with an enum, the name of a
    type for the words of the enum."""


class ParameterSettings(ArgumentSettings):
    """How arguments differ from what the document says of the parameters of an operation."""

    what: str = ""
    """What messages begin with, behind `The`: `payout`. Without it, they name what the first
    argument is the id of."""
    read_as: dict[str, Literal["day", "second", "zulu"]] = {}
    """Texts that are a day, a moment in whole seconds (a fraction is dropped), or one in Zulu time
    with milliseconds (the end of a range is rounded up)."""
    ranges: list[tuple[str, str]] = []
    """Pairs of arguments that begin and end a range."""


class CallSettings(ParameterSettings):
    """The arguments of an operation without a body that reads no list."""

    set_by_hand: Names = []
    """Parameters that are no arguments: code by hand sends them."""
    by_hand: Texts = {}
    """Arguments that code by hand checks and sends, with their types in Python. One whose type ends
    with `| None` may be left out, and so may one with a default: `str = 'DB'`."""


class ListSettings(ParameterSettings):
    """How the arguments of a list differ from what the document says of its parameters."""

    leave_out: Names = []
    """What is no argument, such as the number of a page."""
    choices: Texts = {}
    """Arguments that take no other than some `choices`, by their name."""
    defaults: dict[str, int | bool | str] = {}
    """What is sent for an argument that a caller leaves out."""
    extra_query: bool = False
    """Whether the call takes parameters that the document does not have."""
    constant: Names = []
    """Arguments that an item never stops matching. With any other one, the list is read repeatedly,
    so that no item is lost."""


class MembersSettings(ArgumentSettings):
    """How the members of a JSON object that is sent become arguments."""

    required: Names = []
    """Arguments that are required here, and optional in the document."""
    lift: Names = []
    """Objects whose members are arguments in their place; the members are named
    `payee.account_number`."""
    read_as: dict[str, Literal["day", "dollars"]] = {}
    """Texts that are checked as a day, or as an amount in dollars, where the document does not say
    it."""
    compared: Names = []
    """Texts that an answer is compared with: not of blanks and stars alone."""
    empty: Names = []
    """Texts that may be empty."""
    set_by_hand: Names = []
    """Members that are no arguments: code by hand sends them."""
    defaults: dict[str, bool | int | str] = {}
    """What is sent for an argument that is left out."""


class PartSettings(MembersSettings):
    """A schema that becomes a class of request objects, which callers make."""

    name: str = ""
    """The name of the class, if it is not the schema's."""
    money: Pairs = {}
    """Arguments that are Money, sent in minor units: the names of the members for the amount and
    for the currency. Without the latter its currency is another argument's."""
    decimals: int | None = None
    """The decimals that the currency of each Money has to have, where the provider counts that unit
    in all currencies."""
    references: Names = []
    """Texts that the caller looks for later: printable, with no blanks around them."""
    shown: Names = []
    """Members that the repr shows. All others are private."""
    accounts: Names = []
    """Members with numbers of accounts or persons, hidden everywhere."""


class BodySettings(MembersSettings):
    """The arguments of an operation that sends a JSON object, or a form."""

    what: str
    """What messages begin with, behind `The`: `payout`."""
    by_hand: Texts = {}
    """Arguments that code by hand checks and sends, as of a call."""
    compared_as: dict[str, Literal["word"]] | None = None
    """Makes a table of the arguments, for code by hand that compares an answer with what was sent.
    Texts that are compared as a word, and not by their characters."""
    counts_if_left_out: Names = []
    """Members in which the provider fills nothing in. If one of them was not sent, an answer that
    has a value there is about another request."""
    dictionary: dict[str, Names] = {}
    """Makes a TypedDict of the arguments, by its name: for code that stores them. Arguments that
    are required there, by their names in Python."""


class MethodSettings(Entries):
    """What callers read of an operation, beside what the document says: its docstring."""

    operation: str = ""
    """Its operationId, where several methods are one operation. Without it, the name of the entry
    is the operationId."""
    leave_out: Names = []
    """Arguments of the operation that this method does not have."""
    optional: Names = []
    """Required arguments of the operation that this method's callers may leave out: code by hand
    sends them."""
    takes: Texts = {}
    """The arguments of a method that is no operation but several calls, which code by hand makes:
    their names, with their types in Python. One whose type ends with `| None` may be left out, and
    so may one with a default: `float = 300.0`."""
    positional: Names = []
    """Those of `takes` that need not be named, in their order."""
    yields: bool = False
    """Whether it yields results, as they come, until none is left."""
    name: str
    """The class and the method that are written, blocking and awaited: `Payouts.submit`."""
    result: str = "None"
    """The class of what the method returns, or of the items of its list: a record, a type of
    Python's, or one that code by hand names. A method of several calls may have one of these within
    another: `Sequence[Payment]`."""
    text: str = ""
    """What it does: a sentence, and paragraphs. Without it, the document's summary."""
    arguments: Texts = {}
    """What arguments mean, by their names in Python, in place of the document's words. Their limits
    and the server's default are added."""
    returns: str = ""
    """What is returned."""
    raises: Texts = {}
    """The errors, each with its reason."""
    examples: str = ""
    """Lines of a session with `>>>`."""
    accounts: Names = []
    """Arguments that are numbers of accounts or cards, or objects in whose place one may be passed:
    no traceback shows more than their last four digits."""
    secrets: Names = []
    """Arguments that no traceback shows."""


class Settings(Entries):
    """The settings of one document."""

    any_letter_case: bool = False
    """Whether records find a member by its name in any letter case."""
    late_models: bool = False
    """Whether an operation imports its models when an answer is read as one: for a client that
    reads JSON, and then needs no attrs."""
    records: dict[str, RecordSettings] = {}
    """The schemas of answers that become records, by their names in the document. A schema that one
    of them refers to becomes one, too."""
    forms: dict[str, FormSettings] = {}
    """Forms of texts that several arguments have."""
    words: dict[str, Names] = {}
    """The known words of arguments: names of types, with their words."""
    choices: dict[str, Choices] = {}
    """The only words of arguments: names of types, with their words. Of words that have numbers,
    the numbers are sent, and are taken, too."""
    lists: dict[str, ListSettings] = {}
    """Lists whose arguments are checked, by their operationId."""
    calls: dict[str, CallSettings] = {}
    """Other operations without a body, by their operationId."""
    parts: dict[str, PartSettings] = {}
    """Schemas that become request objects, by their names."""
    bodies: dict[str, BodySettings] = {}
    """Operations that send an object of JSON, or a form, by their operationId."""
    methods: dict[str, MethodSettings] = {}
    """What callers read of these operations, by their operationId; and the methods that are written
    for them."""
    classes: Names = []
    """Classes of arguments that code by hand has, by their names."""


def read_settings(file: Path) -> Settings:
    """The settings in a file.

    Raises DocumentError for what is no YAML, SettingsError for an entry that is unknown or of
    another type.
    """
    try:
        return Settings.model_validate(read_values(file) or {})
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise SettingsError(f"{file}: {place}: {problem['msg']}.") from None


def is_name(text: str) -> bool:
    """Whether a text is a name that a field, an argument or a type can have."""
    return text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("_")


def require_known(place: str, name: str, what: str, known: Collection[str]) -> None:
    """Raise SettingsError for a name in the settings that is none of the document's."""
    if name not in known:
        raise SettingsError(f"{place}: {name} is no {what}: write another name, or take it out.")


def require_free(
    place: str,
    named: Iterable[tuple[str, str]],
    taken: Iterable[str],
    decided: Collection[str] = (),
) -> None:
    """Raise SettingsError for a name in Python that is taken, or that is none.

    `named` are the names, each behind what it is the name of. What is `decided` keeps its name: the
    other one is to change.
    """
    names = {*taken}
    for member, name in sorted(named, key=lambda pair: pair[0] not in decided):
        if name in names or not is_name(name):
            raise SettingsError(
                f"{place}: {member}: the name {name} is taken, or none in Python: write another "
                "one for it in `names`."
            )
        names.add(name)


def sentence(description: Any) -> str:
    """What a document says of a part, on one line, with a full stop."""
    words = " ".join(str(description or "").split())
    return words if not words or words.endswith((".", "?", "!")) else f"{words}."
