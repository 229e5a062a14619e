"""Typed records and arguments: the settings beside a document, and what the templates must know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from openapi_python_client.parser.openapi import Endpoint

from victor_spec.tree import Tree

from .calls import Planner
from .methods import MethodsClass, classes_of, is_record, names_in
from .plans import Call, Part
from .records import RecordPlan
from .settings import Settings, require_known
from .words import WordsType, words_types

RUNTIME = 4
"""The version of `victor_ext.typed` that the modules are written for."""
GROUPS = ("forms", "words", "choices")
"""What the settings have at the top, by names that arguments have."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What the typed modules of a package consist of."""

    settings: Settings
    records: Sequence[RecordPlan]
    calls: Sequence[Call]
    parts: Sequence[Part]
    classes: Sequence[MethodsClass]
    words: Sequence[WordsType]
    forms: dict[str, tuple[str, str]]
    """Regular expressions that texts match as a whole, each with the words for a message."""

    def modules(self) -> dict[str, dict[str, Any]]:
        """The modules to render, with what each template must know."""
        settings = self.settings
        results = [each.own.result for kind in self.classes for each in kind.methods]
        names = dict.fromkeys(name for result in results for name in names_in(result))
        common: dict[str, Any] = {
            "version": RUNTIME,
            "words": self.words,
            "choices": settings.choices,
            "calls": self.calls,
            "parts": self.parts,
            "forms": self.forms,
            "classes": self.classes,
            "records": [name for name in names if is_record(settings, name)],
            "dictionaries": [each for each in self.calls if each.own.entry("dictionary")],
        }
        wanted = {
            "words": self.words or settings.choices,
            "dictionaries": common["dictionaries"],
            "parts": self.parts,
            "arguments": self.calls or self.parts,
            "rows": self.calls or self.parts,
            "methods": self.classes,
        }
        modules = {f"typed/{name}.py": common for name, content in wanted.items() if content}
        if self.records:
            base = "AnyCaseRecord" if settings.any_letter_case else "Record"
            modules["typed/records.py"] = {**common, "plans": self.records, "base": base}
        return modules


def typed_of(
    document: Tree,
    endpoints: Iterable[Endpoint],
    settings: Settings,
    records: Sequence[RecordPlan],
) -> Typed:
    """What the settings make of a document. Raises SettingsError for an entry that leads nowhere,
    and for what no argument has.
    """
    planner = Planner(document, endpoints, settings)
    calls = planner.calls()
    parts = planner.parts()
    arguments = [each for taking in (*calls, *parts) for each in taking.arguments]
    words = words_types(settings.words, filter(None, (each.words for each in arguments)))
    every = [*(call.own for call in calls), *settings.parts.values()]
    for group in GROUPS:
        used = {name for own in every for name in own.entry(group).values()}
        used |= {"id"} if group == "forms" else set()  # of each part of a path
        for name in getattr(settings, group):
            require_known(group, name, "name that an argument has", used)
    classes = classes_of(settings, calls)
    forms = planner.known.forms.table
    return Typed(settings, records, calls, parts, classes, words, forms)


def undecided_of(typed: Typed | None) -> list[str]:
    """The texts that are private because nobody decided: `Payout.payoutMemo`."""
    undecided: list[str] = []
    for record in () if typed is None else typed.records:
        undecided += [f"{record.name}.{each.place}" for each in record.fields if each.is_undecided]
    return undecided
