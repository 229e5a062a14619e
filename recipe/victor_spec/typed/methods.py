"""The methods of a resource, as they are called: blocking and awaited, with their whole signatures
and docstrings.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .docstrings import docstring_of
from .plans import CallPlan
from .settings import Settings, SettingsError, require_known

WIDTH = 92
"""Of the docstring of a method; that of a function has the four columns of the class, too."""
_MAPPINGS = ("ExtraBody", "ExtraQuery", "Mapping[")
"""How the types of arguments begin whose values may hold anything."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a class."""

    plan: CallPlan
    name: str

    @property
    def docstring(self) -> str:
        return docstring_of_plan(self.plan, WIDTH)

    @property
    def result(self) -> str:
        return self.plan.method.result

    @property
    def concealed(self) -> Iterator[tuple[str, str]]:
        """The arguments that no traceback may show, each with the function that hides it."""
        own = self.plan.method
        for each in (*self.plan.positional, *self.plan.by_keyword):
            if each.name in own.accounts:
                yield each.name, "concealed_number"
            elif each.name in own.secrets:
                yield each.name, "concealed"
            elif each.annotation.startswith(_MAPPINGS):
                yield each.name, "concealed_within"


@dataclass(frozen=True, slots=True)
class MethodsClass:
    """The methods of one resource."""

    name: str
    methods: Sequence[Method]
    by_hand: Sequence[str]
    """The classes of results that code by hand names."""


def docstring_of_plan(plan: CallPlan, width: int = WIDTH + 4) -> str:
    """The docstring of an operation."""
    arguments = [*plan.positional, *plan.by_keyword]
    return docstring_of(plan.method, plan.description or plan.function, arguments, width)


def require_methods(settings: Settings, plans: Sequence[CallPlan]) -> None:
    """Give each operation its settings of methods. Raises SettingsError for an entry that leads
    nowhere.
    """
    by_operation = {plan.operation: plan for plan in plans}
    taken: dict[str, str] = {}
    for operation, own in settings.methods.items():
        place = f"methods.{operation}"
        require_known(
            "methods", operation, "operation in `lists`, `calls` or `bodies`", by_operation
        )
        plan = by_operation[operation]
        plan.method = own
        arguments = [each.name for each in (*plan.positional, *plan.by_keyword)]
        for entry, name in own.named():
            require_known(f"{place}.{entry}", name, "argument", arguments)
        if own.name and taken.setdefault(own.name, place) != place:
            raise SettingsError(f"{place}: the method {own.name} is that of {taken[own.name]}.")


def classes_of(settings: Settings, plans: Sequence[CallPlan]) -> list[MethodsClass]:
    """The classes of methods, in the order of the settings."""
    order = [*settings.methods]
    written = [plan for plan in plans if plan.method.name]
    methods: dict[str, list[Method]] = {}
    for plan in sorted(written, key=lambda plan: order.index(plan.operation)):
        kind, _, name = plan.method.name.partition(".")
        methods.setdefault(kind, []).append(Method(plan, name))
    return [MethodsClass(kind, own, _by_hand(settings, own)) for kind, own in methods.items()]


def _by_hand(settings: Settings, methods: Sequence[Method]) -> list[str]:
    results = dict.fromkeys(method.result for method in methods)
    return [name for name in results if not (is_built_in(name) or is_record(settings, name))]


def is_built_in(name: str) -> bool:
    """Whether a type has this name in Python itself."""
    return hasattr(builtins, name)


def is_record(settings: Settings, name: str) -> bool:
    """Whether a record is the class itself, and no class by hand stands over it."""
    return name in settings.records and not settings.records[name].taken
