"""Typed records and arguments: the settings beside a document, and what the templates must know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import closed_words
from .arguments import ListPlan
from .bodies import BodyPlans
from .checks import Patterns, form_call, form_name
from .choices import WordsType, words_types
from .names import require_names, require_used
from .records import RecordPlan
from .settings import Settings

RUNTIME = 1
"""The version of `victor_ext.typed` that the modules are written for."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the typed modules of a package consist of."""

    settings: Settings
    records: Sequence[RecordPlan]
    lists: Sequence[ListPlan]
    """Other operations without a body stand behind them."""
    calls: BodyPlans
    patterns: Patterns
    without_record: Sequence[str] = ()
    """The operations whose answers are no records, where no settings leave them out."""
    without_list: Sequence[str] = ()
    """The operations that read a list and have no arguments here, each with the reason, where no
    settings leave them out.
    """

    def words(self) -> list[WordsType]:
        """The types of words. Raises SettingsError for a name that cannot be one."""
        enums = [each.words for plan in self.lists for each in plan.arguments]
        enums += [each.words for plan in self.calls.bodies for each in (*plan.path, *plan.in_order)]
        enums += [each.words for plan in self.calls.parts for each in plan.in_order]
        return words_types(self.settings.words, filter(None, enums))

    def require_sound(self) -> None:
        """Raise SettingsError for a name that is taken, and for an entry that nothing uses."""
        require_names(self.settings, self.words(), self.lists, self.calls, self.patterns)
        require_used(self.settings, self.records, self.lists, self.calls)

    def modules(self) -> dict[str, dict[str, Any]]:
        """The modules to render, with what each template must know."""
        of_settings = self.settings.forms.items()
        forms = {name: form for name, form in of_settings if form.whole is not None}
        forms |= self.patterns.forms
        words = self.words()
        common: dict[str, Any] = {
            "words": words,
            "choices": self.settings.choices,
            "closed_words": closed_words,
            "forms": forms,
            "form_name": form_name,
            "version": RUNTIME,
        }
        modules: dict[str, dict[str, Any]] = {}
        if self.records:
            base = "AnyCaseRecord" if self.settings.any_letter_case else "Record"
            records = {"plans": self.records, "base": base, "version": RUNTIME}
            modules["typed/records.py"] = records
        if words or self.settings.choices:
            modules["typed/words.py"] = {**common, "types": words}
        if forms:
            modules["typed/forms.py"] = {**common, "form_call": form_call}
        dictionaries = [plan for plan in self.calls.bodies if plan.dictionary]
        if dictionaries:
            known = {"plans": dictionaries, "parts": self.calls.parts}
            modules["typed/dictionaries.py"] = {**common, **known}
        if self.calls.parts:
            modules["typed/parts.py"] = {**common, "plans": self.calls.parts}
        if self.lists or self.calls.bodies:
            modules["typed/arguments.py"] = {
                **common,
                "plans": self.lists,
                "calls": self.calls,
            }
        return modules


def untyped_of(typed: Typed | None) -> list[str]:
    """The parameters and members that are no arguments, because no check knows their types."""
    if typed is None:
        return []
    untyped = [f"{plan.operation}.{each}" for plan in typed.lists for each in plan.untyped]
    untyped += [f"{plan.operation}.{each}" for plan in typed.calls.bodies for each in plan.untyped]
    return untyped + [f"{plan.name}.{each}" for plan in typed.calls.parts for each in plan.untyped]


def undecided_of(typed: Typed | None) -> list[str]:
    """The texts that are private because nobody decided: `Payout.payoutMemo`."""
    undecided: list[str] = []
    for record in () if typed is None else typed.records:
        undecided += [f"{record.name}.{each.place}" for each in record.fields if each.is_undecided]
    return undecided


def unread_patterns_of(typed: Typed | None) -> list[str]:
    """The patterns of the document that no argument is checked by, each with the reason."""
    return [] if typed is None else [each.line() for each in typed.patterns.unread]
