"""The Python names of a package: distinct ones."""

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from attrs import evolve
from openapi_python_client import strings
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.schema.untrusted_string import UntrustedString

from .requests import PREFIX
from .tree import unused

_SPELLED = (
    "[] list; <= at_most; >= at_least; != not_equal; < lt; > gt; = equal; + plus; ! not; * star; "
    "@ at; $ dollar; "
    "# hash; % percent; & and; | or; ~ tilde; ^ caret; / slash; : colon; ? optional; , comma"
)
WORDS = {symbol: word for symbol, _, word in (pair.partition(" ") for pair in _SPELLED.split("; "))}
"""How a name spells what Python does not allow, where another parameter or property has the plain
name.
"""
_SYMBOL = re.compile("|".join(map(re.escape, sorted(WORDS, key=len, reverse=True))))

MEMBERS_OF_MODELS = frozenset(
    {"additional_properties", "additional_keys", "to_dict", "from_dict", "to_multipart"}
)
ARGUMENTS_OF_OPERATIONS = frozenset({"client"})
_IN_MODULES = "UNSET Unset Any Mapping ClassVar Self UUID Decimal File datetime UnknownVariant"
NAMES_IN_MODULES = frozenset(_IN_MODULES.split())


def give_distinct_names(data: GeneratorData) -> None:
    """Rename arguments and fields in place, and put the final names into the paths."""
    for model in data.models:
        required: list[Any] = model.required_properties or []
        optional: list[Any] = model.optional_properties or []
        names = iter(distinct_names([*required, *optional], MEMBERS_OF_MODELS | NAMES_IN_MODULES))
        # A property of `allOf` belongs to several models: each has a copy.
        for properties in (required, optional):
            properties[:] = [_renamed(each, next(names)) for each in properties]
    for collection in data.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            _name_parameters(endpoint)


def _name_parameters(endpoint: Endpoint) -> None:
    taken = ARGUMENTS_OF_OPERATIONS | NAMES_IN_MODULES
    if endpoint.bodies:
        taken |= {"body"}
    names = iter(distinct_names([each for _, each in endpoint.iter_all_parameters()], taken))
    for place in ("path", "query", "header", "cookie"):
        parameters: list[Any] = getattr(endpoint, f"{place}_parameters")
        parameters[:] = [_renamed(each, next(names)) for each in parameters]
    if endpoint.path_parameters:
        _name_in_path(endpoint)


def _name_in_path(endpoint: Endpoint) -> None:
    """Write the names of arguments into the path, which the module formats; sort them as there."""
    path = endpoint.path.get_untrusted_value()
    by_name = {f"{{{each.name.get_untrusted_value()}}}": each for each in endpoint.path_parameters}
    parts = re.split(r"({[^{}]+})", path)
    endpoint.path_parameters[:] = [
        by_name[part] for part in dict.fromkeys(parts) if part in by_name
    ]
    written = ""
    for part in parts:
        if part in by_name:
            written += f"{{{by_name[part].python_name}}}"
        else:
            written += part.replace("{", "{{").replace("}", "}}")
    endpoint.path = UntrustedString(written)


def _renamed(each: Any, name: str) -> Any:
    if each.python_name == name:
        return each
    identifier = strings.PythonIdentifier(name, PREFIX, True)  # noqa: FBT003 - its only signature
    return evolve(each, python_name=identifier)


def distinct_names(properties: Iterable[Any], taken: Collection[str]) -> list[str]:
    """A name for each property, none of them twice and none in `taken`.

    What has its name alone, or is written plainly, keeps it. Others are spelled (`id[]` is
    `id_list`), or numbered.
    """
    wires = [each.name.get_untrusted_value() for each in properties]
    names = [_nested(wire) or _normal(strings.PythonIdentifier(wire, PREFIX)) for wire in wires]
    counts = Counter(names)
    used = {*taken, *(name for name in names if counts[name] == 1)}
    for place in sorted(range(len(names)), key=lambda place: _oddness(wires[place])):
        name = names[place]
        if counts[name] == 1 and name not in taken:
            continue
        if name in used or _oddness(wires[place]):
            name = spelled(wires[place])
        names[place] = unused(name, used)
        used.add(names[place])
    return names


def _nested(wire: str) -> str | None:
    """`created[gt]`, a property in an object of the query, as `created_gt`; `hal:links` as
    `hal_links`.
    """
    text = re.sub(r"(?<=[^\W_])[:/](?=[^\W_])", "_", wire)
    if re.fullmatch(r"[^\[\]]+(\[[^\[\]]+\])+(\[\])?", text):
        text = text.replace("[", "_")
    return None if text == wire else _normal(strings.PythonIdentifier(text, PREFIX))


def _oddness(wire: str) -> int:
    return len(_SYMBOL.findall(wire)) + wire.startswith("-") + (not wire.isascii())


def spelled(wire: str) -> str:
    """`DateSent<` as `date_sent_lt`, `-1` as `minus_1`."""
    text = re.sub(r"^-", "minus ", wire)
    text = _SYMBOL.sub(lambda match: f" {WORDS[match[0]]} ", text).replace("[", "_")
    return _normal(strings.PythonIdentifier(text, PREFIX))


def _normal(name: str) -> str:
    """The name as Python reads it (NFKC), and no keyword."""
    plain = unicodedata.normalize("NFKC", name)
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def literal(value: Any) -> str:
    """A text for between double quotes: Python reads exactly this text; the source has it on one
    line, all visible.
    """
    if isinstance(value, UntrustedString):
        value = value.get_untrusted_value()
    return "".join(map(_escaped, value))


def _escaped(character: str) -> str:
    if character in '\\"':
        return f"\\{character}"
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")
