"""Typed records and arguments: the settings beside a document, and what the templates must know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import choices
from .arguments import ListPlan, form_call, form_name
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

    def modules(self) -> dict[str, dict[str, Any]]:
        """The modules to render, with what each template must know."""
        modules: dict[str, dict[str, Any]] = {}
        if self.records:
            base = "AnyCaseRecord" if self.settings.any_letter_case else "Record"
            records = {"plans": self.records, "base": base, "version": RUNTIME}
            modules["typed/records.py"] = records
        if self.settings.words or self.settings.choices:
            modules["typed/words.py"] = {"settings": self.settings, "choices": choices}
        if self.lists:
            modules["typed/arguments.py"] = {
                "plans": self.lists,
                "settings": self.settings,
                "form_call": form_call,
                "form_name": form_name,
                "choices": choices,
                "version": RUNTIME,
            }
        return modules


def undecided_of(typed: Typed | None) -> list[str]:
    """The texts that are private because nobody decided: `Payout.payoutMemo`."""
    undecided: list[str] = []
    for record in () if typed is None else typed.records:
        undecided += [f"{record.name}.{each.place}" for each in record.fields if each.is_undecided]
    return undecided
