"""The settings of the typed modules of a package: `<system>.settings.yaml`, beside the document.

The keys in a record's settings are the names of the document's members, on the wire. A name that
the document does not have stops generation.
"""

import keyword
import re
from collections.abc import Iterable, Mapping, Sized
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from victor_spec.document import DocumentError

from .choices import Choices

ReadAs = Literal["text", "identifier", "flag", "whole", "decimal", "moment", "day", "value"]
"""How a member is read, where the document does not say it, or says something else."""


class SettingsError(DocumentError):
    """The settings cannot be used. The message names the file, the entry, and what to write."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RecordSettings(_Strict):
    """How the record of one schema differs from what the document says of it."""

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
        default=[], description="Texts that the repr of the record shows. All others are private."
    )
    private: list[str] = Field(
        default=[], description="Texts that were looked at, and are in no repr."
    )
    masked: list[str] = Field(
        default=[], description="Texts of which a repr shows the last four characters."
    )
    leave_out: list[str] = Field(
        default=[], description="Members that are no fields: they are in `raw` alone."
    )

    @model_validator(mode="after")
    def _decided_once(self) -> Self:
        decisions = {"shown": self.shown, "private": self.private, "masked": self.masked}
        places: dict[str, str] = {}
        for place, names in decisions.items():
            for name in names:
                if name in places:
                    raise ValueError(f"{name} is in `{places[name]}` and in `{place}`: keep one")
                places[name] = place
        return self

    def members(self) -> list[tuple[str, str]]:
        """Each member that the settings name, with the entry that names it."""
        named: list[tuple[str, str]] = []
        for entry in ("names", "identifiers", "read_as", "shown", "private", "masked", "leave_out"):
            named += [(entry, name) for name in getattr(self, entry)]
        for part, inner in self.lift.items():
            named.append(("lift", part))
            named += [("lift", f"{part}.{name}") for name in inner]
        for pair in self.money.values():
            named += [("money", name) for name in pair]
        return named


class FormSettings(_Strict):
    """A form that a text has as a whole, with the words for a message."""

    whole: str = Field(description="A regular expression that the whole text matches.")
    wanted: str = Field(description="What to write instead: `an id, such as a UUID`.")

    @field_validator("whole")
    @classmethod
    def _is_read_by_python(cls, whole: str) -> str:
        try:
            re.compile(whole)
        except re.error as error:
            raise ValueError(f"it is no regular expression: {error}") from None
        return whole


class ListSettings(_Strict):
    """How the arguments of a list differ from what the document says of its parameters."""

    what: str = Field(description="What the list is called in messages: `list of payouts`.")
    positional: list[str] = Field(
        default=[], description="Required arguments that need not be named."
    )
    required: list[str] = Field(
        default=[], description="Arguments that are required here, and optional in the document."
    )
    names: dict[str, str] = Field(
        default={}, description="Parameters that have another name in Python than their own."
    )
    forms: dict[str, str] = Field(
        default={}, description="Texts that have one of the `forms`, by its name."
    )
    words: dict[str, str] = Field(
        default={}, description="Texts of which some `words` are known, by their name."
    )
    choices: dict[str, str] = Field(
        default={}, description="Arguments that take no other than some `choices`, by their name."
    )
    defaults: dict[str, int | bool | str] = Field(
        default={}, description="What is sent for an argument that a caller leaves out."
    )
    read_as: dict[str, Literal["text", "day", "moment", "second"]] = Field(
        default={},
        description="Texts that are a day, a moment, or a moment in whole seconds (a fraction is "
        "dropped).",
    )
    ranges: list[tuple[str, str]] = Field(
        default=[], description="Pairs of arguments that begin and end a range."
    )
    constant: list[str] = Field(
        default=[],
        description="Arguments that an item never stops matching. With any other one, the list is "
        "read repeatedly, so that no item is lost.",
    )
    leave_out: list[str] = Field(
        default=[], description="Parameters that are no arguments, such as the number of a page."
    )

    def members(self) -> list[tuple[str, str]]:
        """Each parameter that the settings name, with the entry that names it."""
        named: list[tuple[str, str]] = []
        entries = ("positional", "required", "names", "forms", "words", "choices", "defaults")
        for entry in (*entries, "read_as", "constant", "leave_out"):
            named += [(entry, name) for name in getattr(self, entry)]
        for pair in self.ranges:
            named += [("ranges", name) for name in pair]
        return named


class Settings(_Strict):
    """The settings of one document."""

    any_letter_case: bool = Field(
        default=False,
        description="Whether records find a member by its name in any letter case.",
    )
    records: dict[str, RecordSettings] = Field(
        default={},
        description="The schemas of answers that become records, by their names in the document. "
        "A schema that one of them refers to becomes one, too.",
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

    @model_validator(mode="after")
    def _have_names(self) -> Self:
        constants: dict[str, str] = {}
        for name in self.forms:
            constant = re.sub("[^a-z0-9]", "_", name.lower())
            other = constants.setdefault(constant, name)
            if other != name:
                raise ValueError(f"forms {other} and {name} are too much alike: rename one")
        groups: dict[str, Mapping[str, Sized]] = {"words": self.words, "choices": self.choices}
        for group, types in groups.items():
            for name, words in types.items():
                if not is_name(name) or name == "Literal":
                    raise ValueError(f"{group}.{name} is no name of a type in Python: rename it")
                if not words:
                    raise ValueError(f"{group}.{name} has no words: name some, or leave it out")
        for name in self.words.keys() & self.choices.keys():
            raise ValueError(f"{name} is in `words` and in `choices`: rename one")
        return self


def read_settings(file: Path) -> Settings:
    """The settings in a file.

    Raises SettingsError for what is no YAML, or has an entry that is unknown or of another type.
    """
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    try:
        return Settings.model_validate({} if content is None else content)
    except ValidationError as error:
        raise SettingsError(f"{file}: {_sentence(error)}") from None


_GROUPS: dict[str, type[BaseModel]] = {
    "records": RecordSettings,
    "lists": ListSettings,
    "forms": FormSettings,
}
"""The settings of one entry, by the name of its group."""


def _sentence(error: ValidationError) -> str:
    """What is wrong with each entry, with the entry that may be meant."""
    sentences: list[str] = []
    for problem in error.errors():
        place = [str(step) for step in problem["loc"]]
        where = ".".join(place) or "the file"
        if problem["type"] == "extra_forbidden" and place:
            holder = Settings if len(place) == 1 else _GROUPS[place[0]]
            sentences.append(f"{where} is no setting{nearest(place[-1], holder.model_fields)}")
        else:
            sentences.append(f"{where}: {problem['msg']}")
    return "; ".join(sentences) + "."


def is_name(text: str) -> bool:
    """Whether a text is a name that a field, an argument or a type can have."""
    return text.isidentifier() and not keyword.iskeyword(text) and not text.startswith("_")


def require_known(place: str, name: str, what: str, known: Iterable[str]) -> None:
    """Raise SettingsError for a name in the settings that is none of the document's."""
    names = list(known)
    if name not in names:
        raise SettingsError(f"{place}: {name} is no {what}{nearest(name, names)}.")


def require_free(place: str, names: Iterable[str], taken: Iterable[str]) -> None:
    """Raise SettingsError for a name in Python that is taken, or that is none."""
    seen = set(taken)
    for name in names:
        if name in seen or not is_name(name):
            raise SettingsError(
                f"{place}: the name {name} is taken, or is no name in Python: write another one "
                "in `names`."
            )
        seen.add(name)


def sentence(description: Any) -> str:
    """What a document says of a part, on one line, with a full stop."""
    words = " ".join(str(description or "").split())
    return words if not words or words.endswith((".", "?", "!")) else f"{words}."


def nearest(name: str, known: Iterable[str]) -> str:
    """What may be meant by an unknown name, for the end of a sentence."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f": did you mean {close[0]}?"
    return f": it must be one of {', '.join(names)}" if names else ""
