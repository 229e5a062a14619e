"""Who wrote a response with the status of an error: only the provider refuses.

A status is a claim of whoever wrote it: a gateway, a firewall or a proxy has the same ones, also
after the provider did the work. The body is the evidence: see `is_of_provider`.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, cast

from victor_ext._privacy import body_of, redact_excerpt
from victor_ext._runtime.core.json_values import (
    NOT_JSON,
    is_list,
    is_object,
    json_of,
    object_of,
    object_or_empty,
)
from victor_ext._runtime.core.response import Response

from .evidence import HTML, Declared, Problems, Tables

MAY_REFUSE = frozenset({*range(402, 407), *range(410, 418), 400, 422, 428, 431, 451})
"""Statuses that refuse a request (RFC 9110, 6585 and 7725). 401, 408, 409, 423, 425 and 429 have
rules of their own. Others say nothing of the work (407, 424), or are those of gateways alone, such
as 460, 463 and 499, also where a document declares them.
"""
_JSON = re.compile(r"application/(?:[^;\s]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_MOST_OF_A_NAME = 40
"""Characters of a `Server` header in a message."""
_TYPES: Mapping[Any, Any] = {
    **dict.fromkeys(("text", "moment", "day", "uuid"), str),
    "flag": bool,
    **dict.fromkeys(("whole", "number", "decimal"), (int, float)),
}
"""The types in which JSON has the kinds of scalars."""


class DeclaredErrors:
    """The kinds that a document declares for the members of its errors, by their names; but for
    members of any kind, or with an object of any form.

    Args:
        document: Its operations.
        tables: The kinds of the members of its models.
    """

    def __init__(self, document: Sequence[Declared], tables: Tables) -> None:
        self._tables = tables
        self.kinds: dict[str, list[Any]] = {}
        bodies = (chain.from_iterable(declared.errors.values()) for declared in document)
        models = {kind for kind in chain.from_iterable(bodies) if isinstance(kind, str)}
        for model in models & tables.keys():
            for name, kind in tables[model].items():
                if not is_open(kind, tables):
                    self.kinds.setdefault(name, []).append(kind)

    def fit(self, body: Mapping[str, Any]) -> bool:
        """Whether each member of a body that the document declares for an error is of its kind."""
        return all(
            any(_fits(body[name], kind, self._tables) for kind in self.kinds[name])
            for name in self.kinds.keys() & body.keys()
        )


def is_open(kind: Any, tables: Tables) -> bool:
    """Whether the document leaves open what a value of a kind has: it is any value, a union, or an
    object of any form.
    """
    return kind in ("any", None) or (isinstance(kind, str) and tables.get(kind) == {})


def _fits(value: Any, kind: Any, tables: Tables) -> bool:
    """Whether a value, and what is in it, is of a kind (see `members` of a generated package). That
    of an enum is one of its words, in any letter case. null is as absent.
    """
    if value is None or is_open(kind, tables):
        return True
    if isinstance(kind, list):
        return is_list(value) and all(_fits(item, kind[0], tables) for item in value)
    if isinstance(kind, tuple):
        words = map(str, cast("Sequence[object]", kind))
        return str(value).casefold() in map(str.casefold, words)
    if kind not in tables:
        return isinstance(value, _TYPES[kind])
    members = tables[kind]
    names = members.keys() & object_or_empty(value).keys()
    return is_object(value) and all(_fits(value[name], members[name], tables) for name in names)


def is_of_provider(
    response: Response, errors: DeclaredErrors, declared: Declared | None, problems: Problems
) -> bool:
    """Whether a body is an error in the provider's own format: JSON in which the system's
    `problems` finds one, each member of the kind that the document declares; or what the document
    declares without content.

    Args:
        response: The response.
        errors: What the document declares of errors.
        declared: What it declares of the operation; None: it does not have the operation.
        problems: Recognises the system's own errors.
    """
    if response.damage is not None:
        return False
    if not body_of(response):
        return getattr(declared, "errors", {}).get(str(response.status_code)) == ()
    is_json = _JSON.match(response.headers.get("content-type", "")) is not None
    return is_json and errors.fit(object_of(response)) and bool(problems(response))


def is_page_of_another(response: Response) -> bool:
    """Whether the body of a response with a good status is a page or a text: not the beginning of
    JSON, and no empty body, which a provider may send, too.
    """
    content = body_of(response)
    is_text = bool(content) and re.match(rb"\W*[\[{]", content) is None
    return response.damage is None and is_text and json_of(response) is NOT_JSON


def intermediary_in(response: Response, provider: str) -> str:
    """Who seems to have written a response that is not in the provider's format, for a message."""
    content = body_of(response)
    if response.damage is not None:
        what = "a body that is not whole"
    elif not content:
        what = "an empty body"
    elif HTML.match(content):
        what = "an HTML page"
    elif json_of(response) is not NOT_JSON:
        what = "JSON"
    else:
        what = "text"
    server = redact_excerpt(response.headers.get("server", ""))[:_MOST_OF_A_NAME]
    by = f" by {server}" if server else ""
    return f"{what}{by}, not {provider}'s format"
