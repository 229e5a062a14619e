"""The methods of a resource, as they are called: blocking and awaited, with their whole signatures
and docstrings.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from .arguments import by_hand, required_first
from .docstrings import docstring_of
from .plans import Argument, Call, Method
from .settings import MethodSettings, Settings, SettingsError, require_known

WIDTH = 92
"""Of the docstring of a method."""
IMPORTED = ("Sequence", "builtins")


@dataclass(frozen=True, slots=True)
class MethodsClass:
    """The methods of one resource."""

    name: str
    methods: Sequence[Method]
    by_hand: Sequence[str]
    """The classes of results and arguments that code by hand names."""


def classes_of(settings: Settings, calls: Sequence[Call]) -> list[MethodsClass]:
    """The classes of methods, in the order of the settings. Raises SettingsError for an entry that
    leads nowhere.
    """
    by_operation = {call.operation: call for call in calls}
    methods: dict[str, dict[str, Method]] = {}
    for entry, own in settings.methods.items():
        place = f"methods.{entry}"
        class_name, _, name = own.name.partition(".")
        call = None
        arguments: Collection[str] = own.takes
        if not own.takes:
            operation = own.operation or entry
            what = "operation in `lists`, `calls` or `bodies`"
            require_known("methods", operation, what, by_operation)
            call = by_operation[operation]
            arguments = [each.name for each in call.arguments]
        for group, argument in own.members():
            require_known(f"{place}.{group}", argument, "argument", arguments)
        of_class = methods.setdefault(class_name, {})
        if name in of_class:
            raise SettingsError(f"{place}: the method {own.name} is that of another entry.")
        of_class[name] = _method(own, name, call)
    results = {name for own in settings.methods.values() for name in names_in(own.result)}
    return [
        MethodsClass(name, [*of_class.values()], _by_hand(settings, results, of_class.values()))
        for name, of_class in methods.items()
    ]


def _method(own: MethodSettings, name: str, call: Call | None) -> Method:
    if call is None:
        takes = {
            each: replace(by_hand(each, annotation), place="")
            for each, annotation in own.takes.items()
        }
        positional = [takes[each] for each in own.positional]
        by_keyword = [each for each in takes.values() if each not in positional]
        summary = ""
    else:
        positional = _own_of(own, call.positional)
        by_keyword = required_first(_own_of(own, call.by_keyword))
        summary = call.summary or call.function
    return Method(
        own=own,
        name=name,
        call=call,
        positional=positional,
        by_keyword=by_keyword,
        docstring=docstring_of(own, summary, [*positional, *by_keyword], WIDTH),
    )


def _own_of(own: MethodSettings, arguments: Sequence[Argument]) -> list[Argument]:
    """The arguments of an operation that one of its methods has."""
    return [
        replace(each, is_required=False) if each.name in own.optional else each
        for each in arguments
        if each.name not in own.leave_out
    ]


def _by_hand(
    settings: Settings, results: Collection[str], methods: Collection[Method]
) -> list[str]:
    named = [name for method in methods for name in names_in(method.own.result)]
    taken = {*settings.classes, *results}
    arguments = [each for method in methods for each in method.arguments]
    named += [name for each in arguments for name in names_in(each.annotation) if name in taken]
    return [
        name
        for name in dict.fromkeys(named)
        if not (hasattr(builtins, name) or name in IMPORTED or is_record(settings, name))
    ]


def names_in(annotation: str) -> list[str]:
    """The names of the types in an annotation."""
    return re.findall(r"[^\W\d]\w*", annotation)


def is_record(settings: Settings, name: str) -> bool:
    """Whether a record is the class itself, and no class by hand stands over it."""
    return name in settings.records and not settings.records[name].taken
