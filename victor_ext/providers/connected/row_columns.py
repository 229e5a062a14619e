"""What the columns of an `OperationRow` can have: by their types, and by the document's response.

`problem_of` is the rule. The document's table of members decides what may be `made`.
"""

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from victor_ext.runtime.core.json_values import is_list
from victor_ext.runtime.core.validation import shown
from victor_ext.runtime.loop.evidence import Declared, Tables
from victor_ext.runtime.loop.operations import Proof

from .operations import OperationRow
from .places import same_name

_MOST_LEVELS = 3
"""How deep in a response an id is looked for, to name it in a message."""


def problem_of(
    row: OperationRow, declared: Declared, read: Declared | None, tables: Tables
) -> str | None:
    """What a column of a row cannot have, and what to write instead; None: all is well.

    Args:
        row: The row.
        declared: What the document declares of its operation.
        read: The same of the read of what that makes, if the document has one.
        tables: The members of the document's models.
    """
    return (
        _problem_of_key(row.takes_key)
        or _problem_of_proof(row.proof)
        or _problem_of_final(row.final)
        or _problem_of_made(row.made, declared, read, tables)
    )


def _problem_of_key(takes_key: object) -> str | None:
    if takes_key is None or isinstance(takes_key, bool):
        return None
    return f"takes_key must be True or False, not {shown(takes_key)}"


def _problem_of_proof(proof: object) -> str | None:
    if proof is None:
        return None
    if not isinstance(proof, Proof) or not inspect.isgeneratorfunction(proof.find):
        return "proof must be Proof(find), where find is a function that makes its reads with yield"
    if not _are_words(proof.needs):
        return f"proof.needs must be names, such as ('payor_id',), not {shown(proof.needs)}"
    subject: object = proof.subject
    if subject is not None and not callable(subject):
        return f"proof.subject must be a function of the request, or None, not {shown(subject)}"
    differ: object = proof.times_differ
    if not isinstance(differ, timedelta) or differ < timedelta():
        wanted = "a timedelta of 0 or more, such as timedelta(seconds=10)"
        return f"proof.times_differ must be {wanted}, not {shown(differ)}"
    return None


def _problem_of_final(words: object) -> str | None:
    if _are_words(words):
        return None
    return f"final must be a set of words, such as {{'paid', 'failed'}}, not {shown(words)}"


def _are_words(values: object) -> bool:
    """Whether it is a collection of texts, none of them empty or with blanks around it."""
    if isinstance(values, str | Mapping) or not isinstance(values, Collection):
        return False
    return all(map(_is_word, values))  # pyright: ignore[reportUnknownArgumentType] - of any type


def _is_word(value: object) -> bool:
    return isinstance(value, str) and value != "" and value == value.strip()


# ---- The place of an id ----


def _problem_of_made(
    place: object, declared: Declared, read: Declared | None, tables: Tables
) -> str | None:
    if place == "":
        return None
    if not isinstance(place, str) or not all(map(_is_word, place.split("."))):
        return f"made must be the place of an id, such as 'data.id', not {shown(place)}"
    # A package of an older recipe has no table of results.
    models: list[Any] = [*getattr(declared, "results", {}).values()]
    kinds = _kinds_at(models, place, tables)
    if not models or kinds is None:  # nothing is known of the place
        return None
    sent = frozenset(declared.members) - _numbers_in_path(declared.members, read)
    reasons = [_no_id_because(place, kind, declared, sent) for kind in kinds]
    if None in reasons:
        return None
    why = reasons[0] if reasons else "is not in the good response that the document declares"
    places = dict.fromkeys(
        each
        for model in models
        for each, kind in _scalars_of(model, tables)
        if _no_id_because(each, kind, declared, sent) is None
    )
    instead = f"write one of {', '.join(map(repr, places))}" if places else "leave made out"
    return f"made={place!r} {why}: {instead}"


def _kinds_at(kinds: Sequence[Any], place: str, tables: Tables) -> list[Any] | None:
    """The kinds that the document declares at a place of these.

    An empty list: it declares no such place. None: something on the way has members that it does
    not declare.
    """
    whole = [tables[kind][place] for kind in kinds if place in tables.get(kind, ())]
    if whole:  # a name with a dot in it
        return whole
    found = [*kinds]
    for name in place.split("."):
        if any(_is_open(kind, tables) for kind in found):
            return None
        members = [tables[kind] for kind in found if _is_model(kind, tables)]
        found = [member[name] for member in members if name in member]
    return found


def _is_model(kind: Any, tables: Tables) -> bool:
    return isinstance(kind, str) and kind in tables


def _is_open(kind: Any, tables: Tables) -> bool:
    """Whether the document leaves open what a value of this kind has: a union, anything, or an
    object without declared members.
    """
    if kind is None or kind == "any":
        return True
    return _is_model(kind, tables) and not tables[kind]


_MAY_BE_IDS = ("text", "uuid", "whole", "any", None)
"""The kinds of a generated table of members that an id may have. None: the document leaves it
open.
"""
_KINDS = {
    "flag": "true or false",
    "number": "a number with decimals",
    "decimal": "a number with decimals",
    "moment": "a time",
    "day": "a date",
}
"""Other kinds, in words."""


def _no_id_because(place: str, kind: Any, declared: Declared, sent: Collection[str]) -> str | None:
    """Why what the document has at a place is no id; None: it may be one.

    `sent` are the members of the request that may not be ids of what it makes.
    """
    if kind not in _MAY_BE_IDS:
        return f"is {_in_words(kind)}, and no id"
    if place == declared.result_status:
        return "is the state, and no id"
    if kind == "whole" and place.rpartition(".")[2] in sent:
        return "is a number that was sent, such as an amount, and no id"
    return None


def _in_words(kind: Any) -> str:
    """What a value of a kind is that no id has."""
    if isinstance(kind, tuple):
        return "a word of an enum"
    return "a list" if is_list(kind) else _KINDS.get(kind, "an object")


def _numbers_in_path(members: Collection[str], read: Declared | None) -> frozenset[str]:
    """The members of a request that the path of the read has: the caller chooses the id."""
    path: str = "" if read is None else read.path
    placeholder = path.rpartition("{")[2].rstrip("}")
    return frozenset(member for member in members if same_name(member, placeholder))


def _scalars_of(
    model: str, tables: Tables, levels: int = _MOST_LEVELS
) -> Iterator[tuple[str, Any]]:
    """The places of a model, and of the models in it, that have no object; each with its kind."""
    for name, kind in tables.get(model, {}).items():
        if not _is_model(kind, tables):
            yield name, kind
        elif levels > 1:
            for inner, kind_inside in _scalars_of(kind, tables, levels - 1):
                yield f"{name}.{inner}", kind_inside
