"""Typed records and arguments: the settings beside a document, and what the templates must know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    without_record: Sequence[str] = ()
    """The operations whose answers are no records, where no settings leave them out."""

    def modules(self) -> dict[str, dict[str, Any]]:
        """The modules to render, with what each template must know."""
        modules: dict[str, dict[str, Any]] = {}
        if self.records:
            modules["typed/records.py"] = {"plans": self.records, "version": RUNTIME}
        if self.settings.words:
            modules["typed/words.py"] = {"settings": self.settings}
        if self.lists:
            modules["typed/arguments.py"] = {
                "plans": self.lists,
                "settings": self.settings,
                "form_call": form_call,
                "form_name": form_name,
                "version": RUNTIME,
            }
        return modules


def undecided_of(typed: Typed | None) -> list[str]:
    """The texts that are private because nobody decided: `Payout.payoutMemo`."""
    undecided: list[str] = []
    for record in () if typed is None else typed.records:
        undecided += [f"{record.name}.{each.place}" for each in record.fields if each.is_undecided]
    return undecided
