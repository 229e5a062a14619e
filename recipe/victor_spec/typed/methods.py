"""The methods of a resource, as they are called: blocking and awaited, with their whole signatures
and docstrings.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from .docstrings import docstring_of
from .plans import Argument, CallPlan, by_hand, required_first, signature_of
from .settings import MethodSettings, Settings, SettingsError, require_known

WIDTH = 92
"""Of the docstring of a method; that of a function has the four columns of the class, too."""
_MAPPINGS = ("ExtraBody", "ExtraQuery", "Mapping[")
"""How the types of arguments begin whose values may hold anything."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a class."""

    own: MethodSettings
    name: str
    plan: CallPlan | None
    """Its operation; None: it is several calls, which code by hand makes."""
    positional: Sequence[Argument]
    by_keyword: Sequence[Argument]

    @property
    def arguments(self) -> list[Argument]:
        return [*self.positional, *self.by_keyword]

    @property
    def signature(self) -> str:
        return signature_of(self.positional, self.by_keyword)

    @property
    def docstring(self) -> str:
        summary = "" if self.plan is None else self.plan.description or self.plan.function
        return docstring_of(self.own, summary, self.arguments, WIDTH)

    @property
    def is_list(self) -> bool:
        return self.plan is not None and self.plan.is_list

    @property
    def concealed(self) -> Iterator[tuple[str, str]]:
        """The arguments that no traceback may show, each with the function that hides it."""
        for each in self.arguments:
            if each.name in self.own.accounts:
                yield each.name, "concealed_number"
            elif each.name in self.own.secrets:
                yield each.name, "concealed"
            elif each.annotation.startswith(_MAPPINGS):
                yield each.name, "concealed_within"


@dataclass(frozen=True, slots=True)
class MethodsClass:
    """The methods of one resource."""

    name: str
    methods: Sequence[Method]
    by_hand: Sequence[str]
    """The classes of results and arguments that code by hand names."""


def docstring_of_plan(plan: CallPlan) -> str:
    """The docstring of the function of an operation."""
    summary = plan.description or plan.function
    return docstring_of(plan.method, summary, plan.in_signature, WIDTH + 4)


def require_methods(settings: Settings, plans: Sequence[CallPlan]) -> None:
    """Give each operation its settings of methods. Raises SettingsError for an entry that leads
    nowhere.
    """
    by_operation = {plan.operation: plan for plan in plans}
    taken: dict[str, str] = {}
    for entry, own in settings.methods.items():
        place = f"methods.{entry}"
        if own.takes:
            arguments: Collection[str] = own.takes
        else:
            operation = own.operation or entry
            what = "operation in `lists`, `calls` or `bodies`"
            require_known("methods", operation, what, by_operation)
            plan = by_operation[operation]
            plan.method = own
            arguments = [each.name for each in plan.in_signature]
        for group, name in own.members():
            require_known(f"{place}.{group}", name, "argument", arguments)
        if own.name and taken.setdefault(own.name, place) != place:
            raise SettingsError(f"{place}: the method {own.name} is that of {taken[own.name]}.")


def classes_of(settings: Settings, plans: Sequence[CallPlan]) -> list[MethodsClass]:
    """The classes of methods, in the order of the settings."""
    by_operation = {plan.operation: plan for plan in plans}
    methods: dict[str, list[Method]] = {}
    for entry, method_settings in settings.methods.items():
        if method_settings.name:
            class_name, _, name = method_settings.name.partition(".")
            operation = method_settings.operation or entry
            plan = None if method_settings.takes else by_operation[operation]
            methods.setdefault(class_name, []).append(_method(method_settings, name, plan))
    return [
        MethodsClass(class_name, methods_of_class, _by_hand(settings, methods_of_class))
        for class_name, methods_of_class in methods.items()
    ]


def _method(own: MethodSettings, name: str, plan: CallPlan | None) -> Method:
    if plan is None:
        arguments = {
            name: replace(by_hand(name, kind), place="") for name, kind in own.takes.items()
        }
        others = [each for each in arguments.values() if each.name not in own.positional]
        return Method(own, name, plan, [arguments[each] for each in own.positional], others)
    return Method(
        own,
        name,
        plan,
        _own_of(own, plan.positional),
        required_first(_own_of(own, plan.by_keyword)),
    )


def _own_of(own: MethodSettings, arguments: Sequence[Argument]) -> list[Argument]:
    """The arguments of an operation that one of its methods has."""
    return [
        replace(each, is_required=False) if each.name in own.optional else each
        for each in arguments
        if each.name not in own.leave_out
    ]


def _by_hand(settings: Settings, methods: Sequence[Method]) -> list[str]:
    names = dict.fromkeys(name for method in methods for name in names_in(method.own.result))
    found = [name for name in names if not (is_built_in(name) or is_record(settings, name))]
    results = {name for each in settings.methods.values() for name in names_in(each.result)}
    for method in methods:
        for argument in method.arguments:
            for name in names_in(argument.annotation):
                is_result = name in results and not is_built_in(name)
                if (name in settings.classes or is_result) and name not in found:
                    found.append(name)
    return found


def names_in(annotation: str) -> list[str]:
    """The names of the types in an annotation. Raises SettingsError for what is none."""
    try:
        tree = ast.parse(annotation, mode="eval")
    except SyntaxError:
        raise SettingsError(f"{annotation} is no type in Python.") from None
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]


def is_built_in(name: str) -> bool:
    """Whether a type has this name in Python itself, or in what the modules import."""
    return hasattr(builtins, name) or name in ("Sequence", "builtins")


def is_record(settings: Settings, name: str) -> bool:
    """Whether a record is the class itself, and no class by hand stands over it."""
    return name in settings.records and not settings.records[name].taken
