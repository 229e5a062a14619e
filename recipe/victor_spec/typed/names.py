"""The names of the generated modules of arguments: each is taken once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .choices import WordsType
from .methods import classes_of, is_built_in, names_in
from .plans import CallPlan, PartPlan
from .records import RecordPlan
from .settings import ArgumentSettings, Settings, SettingsError, is_name, nearest

IMPORTED = frozenset(
    {
        *(
            "Amount",
            "Any",
            "AsyncIterator",
            "AsyncPages",
            "Collection",
            "Decimal",
            "ExtraBody",
            "ExtraQuery",
            "Generic",
            "Iterator",
            "KW_ONLY",
            "Literal",
            "Mapping",
            "Money",
            "PACKAGE",
            "Pages",
        ),
        *("Required", "Sequence", "StrEnum", "TypeVar", "TypedDict", "annotations", "dataclass"),
        *("builtins", "date", "datetime"),
    }
)
"""What the modules import: one word of the settings is known in all of them."""
BUILT_IN = frozenset({"bool", "bytes", "dict", "float", "int", "list", "object", "str", "tuple"})
"""The types that annotations have without an import."""


class Names:
    """The names that stand in the modules, each with what has it."""

    def __init__(self) -> None:
        self._owners = dict.fromkeys(IMPORTED | BUILT_IN, "the modules themselves")

    def add(self, place: str, name: str, remedy: str) -> None:
        """Take a name. Raises SettingsError for one that is taken, or is none in Python."""
        if not is_name(name):
            raise SettingsError(f"{place}: {name} is no name in Python: {remedy}.")
        owner = self._owners.setdefault(name, place)
        if owner != place:
            raise SettingsError(f"{place}: the name {name} is taken by {owner}: {remedy}.")

    def require_unused(self, place: str, names: Sequence[str], written: Sequence[str]) -> None:
        """Raise SettingsError for an argument with a name that its function itself uses.

        A name of the document may be that of a type, which no function calls; one that is
        `written` in the settings may not.
        """
        for name in names:
            owner = self._owners.get(name)
            if owner is not None and (name in written or name not in IMPORTED | BUILT_IN):
                raise SettingsError(
                    f"{place}: the name {name} is taken by {owner}: write another one in `names`."
                )

    def require_types(self, place: str, annotations: Mapping[str, str]) -> None:
        """Raise SettingsError for a name that no module has."""
        for argument, annotation in annotations.items():
            self.require_type(f"{place}.{argument}", annotation)

    def require_type(self, place: str, annotation: str) -> None:
        """Raise SettingsError for an annotation with a name that no module has."""
        try:
            names = names_in(annotation.partition(" = ")[0])
        except SettingsError as error:
            raise SettingsError(f"{place}: {error}") from None
        for name in names:
            if name not in self._owners:
                raise SettingsError(f"{place}: {name} is no type{nearest(name, self._owners)}")


def require_names(
    settings: Settings,
    words: Sequence[WordsType],
    plans: Sequence[CallPlan],
    parts: Sequence[PartPlan],
) -> None:
    """Raise SettingsError for a name in the modules that is taken, or that is none."""
    names = Names()
    for place, name in _made(settings, words, plans, parts):
        names.add(place, name, "write another one")
    for plan in plans:
        taken = [each.name for each in plan.in_signature]
        names.require_unused(plan.place, taken, [*_written(plan.own), *plan.own.by_hand])
        names.require_types(f"{plan.place}.by_hand", plan.own.by_hand)
    for entry, method in settings.methods.items():
        names.require_types(f"methods.{entry}.takes", method.takes)
    for part in parts:
        own_part = settings.parts.get(part.schema)
        written = [] if own_part is None else _written(own_part)
        names.require_unused(f"parts.{part.schema}", _fields_of(part), written)
    _require_same_fields(parts)


def require_used(
    settings: Settings,
    records: Sequence[RecordPlan],
    plans: Sequence[CallPlan],
) -> None:
    """Raise SettingsError for a form, words or choices that no argument has, and for what no record
    is read by.
    """
    if settings.any_letter_case and not records:
        raise SettingsError(
            "any_letter_case: there are no records: name a schema in `records`, or leave it out."
        )
    everything = [*(plan.own for plan in plans), *settings.parts.values()]
    for group in ("forms", "words", "choices"):
        used = {name for own in everything for name in own.entry(group).values()}
        if group == "forms" and any(plan.path for plan in plans):
            used.add("id")  # what each part of a path has, where the settings have such a form
        for name in getattr(settings, group):
            if name not in used:
                raise SettingsError(
                    f"{group}.{name}: no argument has it: name it in `{group}` of a list, a part "
                    "or a body, or leave it out."
                )


def _made(
    settings: Settings,
    words: Sequence[WordsType],
    plans: Sequence[CallPlan],
    parts: Sequence[PartPlan],
) -> Iterator[tuple[str, str]]:
    """The names that the modules define, each with the entry that it comes from."""
    for each in words:
        yield f"words.{each.name}", each.name
    for name in settings.choices:
        yield f"choices.{name}", name
    for part in parts:
        if part.has_class:
            yield f"parts.{part.schema}", part.function
    for plan in plans:
        yield plan.place, plan.function
        if plan.has_table:
            yield plan.place, plan.function.upper()
        if plan.dictionary:
            yield f"{plan.place}.dictionary", plan.dictionary
    yield from _made_of_methods(settings, plans)


def _made_of_methods(settings: Settings, plans: Sequence[CallPlan]) -> Iterator[tuple[str, str]]:
    """The names of the classes of methods, and of the results that these name."""
    for each in classes_of(settings, plans):
        yield f"methods.{each.name}", each.name
        yield f"methods.Async{each.name}", f"Async{each.name}"
        for method in each.methods:
            for name in names_in(method.own.result):
                if not is_built_in(name):
                    yield "the result of a method", name
    for name in settings.classes:
        yield f"classes.{name}", name


def _written(own: ArgumentSettings) -> list[str]:
    """The names in Python that the settings write."""
    return [*own.names.values(), *own.entry("money")]


def _fields_of(part: PartPlan) -> list[str]:
    return [each.name for each in part.in_signature]


def _require_same_fields(parts: Sequence[PartPlan]) -> None:
    """Raise SettingsError for two schemas of one class that have other fields: what a caller says
    would not be sent of both.
    """
    classes = {part.function: part for part in parts if part.has_class}
    for part in parts:
        first = classes.get(part.function, part)
        others = {*_fields_of(part)} ^ {*_fields_of(first)}
        if others:
            raise SettingsError(
                f"parts.{part.schema}: the class {part.function} is that of {first.schema}, too, "
                f"and one of them has no {', '.join(sorted(others))}: write another `name`."
            )
