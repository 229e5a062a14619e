"""Typed records and arguments: the settings beside a document, and what the templates must know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import closed_words
from .bodies import BodyPlans
from .checks import GROUPS, Patterns
from .choices import WordsType, words_types
from .methods import classes_of, docstring_of_plan, is_record, names_in, require_methods
from .plans import CallPlan
from .records import RecordPlan
from .settings import Settings, require_known

RUNTIME = 3
"""The version of `victor_ext.typed` that the modules are written for."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the typed modules of a package consist of."""

    settings: Settings
    records: Sequence[RecordPlan]
    lists: Sequence[CallPlan]
    """Other operations without a body stand behind them."""
    calls: BodyPlans
    patterns: Patterns

    def words(self) -> list[WordsType]:
        """The types of words. Raises SettingsError for a name that cannot be one."""
        plans = [*self.plans, *self.calls.parts]
        enums = [each.words for plan in plans for each in plan.arguments]
        enums += [each.words for body in self.calls.bodies for each in body.path]
        return words_types(self.settings.words, filter(None, enums))

    def require_sound(self) -> None:
        """Raise SettingsError for a method of no operation, and for what no argument has."""
        require_methods(self.settings, self.plans)
        every = [*(plan.own for plan in self.plans), *self.settings.parts.values()]
        for group in GROUPS:
            used = {name for own in every for name in own.entry(group).values()}
            used |= {"id"} if group == "forms" else set()  # of each part of a path
            for name in getattr(self.settings, group):
                require_known(group, name, "name that an argument has", used)

    @property
    def plans(self) -> list[CallPlan]:
        return [*self.lists, *self.calls.bodies]

    def modules(self) -> dict[str, dict[str, Any]]:
        """The modules to render, with what each template must know."""
        words = self.words()
        common: dict[str, Any] = {
            "words": words,
            "choices": self.settings.choices,
            "closed_words": closed_words,
            "version": RUNTIME,
            "parts": self.calls.parts,
            "plans": self.plans,
        }
        modules: dict[str, dict[str, Any]] = {}
        if self.records:
            base = "AnyCaseRecord" if self.settings.any_letter_case else "Record"
            modules["typed/records.py"] = {**common, "plans": self.records, "base": base}
        if words or self.settings.choices:
            modules["typed/words.py"] = {**common, "types": words}
        dictionaries = [plan for plan in self.calls.bodies if plan.dictionary]
        if dictionaries:
            modules["typed/dictionaries.py"] = {**common, "plans": dictionaries}
        if self.calls.parts:
            modules["typed/parts.py"] = common
        if self.plans or self.calls.parts:
            modules["typed/arguments.py"] = {**common, "docstring_of": docstring_of_plan}
            modules["typed/rows.py"] = self._rows()
        classes = classes_of(self.settings, self.plans)
        if classes:
            by_hand = dict.fromkeys(name for each in classes for name in each.by_hand)
            results = dict.fromkeys(
                name
                for each in classes
                for method in each.methods
                for name in names_in(method.own.result)
            )
            modules["typed/methods.py"] = {
                **common,
                "classes": classes,
                "by_hand": by_hand,
                "records": [name for name in results if is_record(self.settings, name)],
            }
        return modules

    def _rows(self) -> dict[str, Any]:
        """The tables of rows."""
        forms = {name: form for name, form in self.settings.forms.items() if form.whole is not None}
        forms |= self.patterns.forms
        return {
            "forms": {name: (form.whole, form.wanted) for name, form in forms.items()},
            "calls": {plan.function: plan.row for plan in self.plans},
            "parts": {plan.schema: plan.row for plan in self.calls.parts},
        }


def undecided_of(typed: Typed | None) -> list[str]:
    """The texts that are private because nobody decided: `Payout.payoutMemo`."""
    undecided: list[str] = []
    for record in () if typed is None else typed.records:
        undecided += [f"{record.name}.{each.place}" for each in record.fields if each.is_undecided]
    return undecided


def unread_patterns_of(typed: Typed | None) -> list[str]:
    """The patterns of the document that no argument is checked by, each with the reason."""
    return [] if typed is None else [each.line() for each in typed.patterns.unread]
