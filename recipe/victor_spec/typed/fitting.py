"""Which values the entries of the settings fit: one table, which each plan asks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from victor_spec.tree import Tree

from .settings import SettingsError, why_unread

TEXTS = frozenset({"text", "limited", "form", "reference"})
"""Kinds of texts of which no words are known."""
KINDS = {
    "limited": "a text with a pattern or a least length",
    "form": "a text of a form",
    "word": "a word of an enum",
    "texts": "a list of texts",
    "items": "a list",
    "part": "a request object",
    "parts": "a list of request objects",
    "money": "Money",
}
"""What a message calls a kind that has another name there."""
OF_MONEY = "`money` says how it is read, and its name"
"""Why an entry does not say it of an amount."""

FITS: Mapping[str, Collection[str]] = {
    "forms": ("form", "limited", "texts"),
    "words": ("text", "limited", "texts", "word"),
    "references": ("text", "limited"),
    "compared": TEXTS | {"word"},
    "compared_as": TEXTS | {"word"},
    "counts_if_left_out": TEXTS | {"word", "flag"},
    "empty": ("text", "limited"),
    "defaults": ("text", "limited", "form", "word", "flag", "whole", "choice"),
    "ranges": ("day", "moment", "second", "zulu", "whole"),
}
"""The kinds of values that an entry is for, by how they are checked; any other entry is for all."""

READ_AS: Mapping[str, Collection[str]] = {
    "text": ("text", "day", "moment", "word"),
    "day": ("text", "day"),
    "birthday": ("text", "day"),
    "moment": ("text", "moment"),
    "second": ("text", "moment"),
    "zulu": ("text", "moment"),
    "dollars": ("text",),
    "decimal": ("number",),
}
"""What of the document an argument may be that is read as something else."""

_TEXTUAL = ("text", "uuid", "day", "moment", "word")
_NUMERIC = ("whole", "number", "decimal", "number of an enum")
FIELD_READ_AS: Mapping[str, Collection[str]] = {
    "text": _TEXTUAL,
    "identifier": ("text", "uuid"),
    "flag": ("flag", "text", "word"),
    "whole": _NUMERIC,
    "decimal": ("text", *_NUMERIC),
    "moment": ("text", "moment"),
    "day": ("text", "day"),
    "value": (*_TEXTUAL, *_NUMERIC, "flag"),
}
"""What of the document a field may be that is read as something else."""

TYPES_OF_DEFAULTS: Mapping[str, type] = {"flag": bool, "whole": int}
"""The type of what is sent where a caller leaves an argument out; of any other kind, text."""

CURRENCY = re.compile("(?i)currency|ccy")
"""What the name of a currency says, so that no other text is taken for one."""
CODE = re.compile("[A-Z]{3}")
"""A word that is the code of a currency."""


def why_unfit(entry: str, kind: str) -> str:
    """Why an entry is not for values of a kind; empty if it is."""
    fits = FITS.get(entry)
    if fits is None or kind in fits:
        return ""
    return f"it is read as {_called(kind)}, not as {_listed(fits)}"


def why_not_read_as(wanted: str, kind: str | None, readers: Mapping[str, Collection[str]]) -> str:
    """Why a value of a kind is not read as another one; empty if it can be.

    `kind` is that of the document; None where it says nothing.
    """
    if kind is None or kind in readers[wanted]:
        return ""
    return f"it is declared as {_called(kind)}: only {_listed(readers[wanted])} is read as {wanted}"


def why_no_currency(name: str, words: Collection[object]) -> str:
    """Why a text is no currency; empty if its name, or all its words, say that it is one."""
    has_codes = bool(words) and all(CODE.fullmatch(str(word)) for word in words)
    if has_codes or CURRENCY.search(name.rpartition(".")[2]):
        return ""
    return "neither its name nor its words say that it is a currency"


def why_no_default(
    kind: str, value: object, schema: Tree, words: Collection[object], form: str | None
) -> str:
    """Why a value cannot be sent by default; empty if it can.

    `words` are the only ones that it may be, if there are any, and `form` is its regular
    expression.
    """
    if type(value) is not TYPES_OF_DEFAULTS.get(kind, str):
        return f"it is read as {_called(kind)}, not as {value!r}"
    if words and value not in words:
        return f"{value!r} is none of its words: {', '.join(map(str, words))}"
    if isinstance(value, str) and form is not None:
        return "" if re.fullmatch(form, value, re.ASCII) else f"{value!r} is not of its form {form}"
    for limit, is_kept in _limits_of(value, schema).items():
        if not is_kept:
            return f"{value!r} is beyond its {limit} {schema[limit]}"
    return ""


def require_one_entry(
    place: str, named: Sequence[tuple[str, str]], entries: Collection[str]
) -> None:
    """Raise SettingsError for a name that two of these entries have."""
    found: dict[str, str] = {}
    for entry, name in named:
        if entry not in entries:
            continue
        if name in found:
            raise SettingsError(
                f"{place}.{entry}: {name}: it is in `{found[name]}` already: keep one."
            )
        found[name] = entry


def _limits_of(value: Any, schema: Tree) -> dict[str, bool]:
    """The limits that a schema has for a value, each with whether the value keeps it."""
    if isinstance(value, bool):
        return {}
    size = len(value) if isinstance(value, str) else value
    least, most = ("minLength", "maxLength") if isinstance(value, str) else ("minimum", "maximum")
    kept = {limit: size >= schema[limit] for limit in (least,) if limit in schema}
    kept |= {limit: size <= schema[limit] for limit in (most,) if limit in schema}
    pattern = schema.get("pattern")
    if isinstance(value, str) and isinstance(pattern, str) and not why_unread(pattern):
        kept["pattern"] = re.fullmatch(pattern, value, re.ASCII) is not None
    return kept


def _called(kind: str) -> str:
    return KINDS.get(kind, kind)


def _listed(kinds: Collection[str]) -> str:
    """Kinds for a message: a text first, and alone for all kinds of texts."""
    others = sorted(_called(kind) for kind in kinds if kind not in TEXTS)
    return " or ".join((["text"] if TEXTS & {*kinds} else []) + others)
