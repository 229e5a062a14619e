"""Whether the provider itself wrote a response with the status of an error.

A status is a claim of whoever wrote it: a gateway, a firewall or a proxy has the same ones, also
after the provider did the work. The body is the evidence (`is_of_provider`):

- JSON that the system's `problems` recognises, or that has a member, of its declared kind, of any
  error of the document, which no success of the operation has, and more in it than the status;
- or what the document declares for this status: no content, or JSON of a free form.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import chain
from typing import Any, cast

import httpx

from victor_ext._privacy import body_of, redact_excerpt
from victor_ext._runtime.core.json_values import NOT_JSON, is_list, is_object, json_of, object_of
from victor_ext._runtime.core.response import Response
from victor_ext._values.ids import says_nothing

from .evidence import HTML, Declared, Problems, Tables

STATUSES_WITH_RULES = frozenset({401, 407, 408, 409, 423, 424, 425, 429})
"""Statuses from 400 to 499 after which nothing is refused by the rule of this module: each has its
own, or says nothing of the work (407, 424).
"""
_MAY_REFUSE = frozenset({*range(402, 407), *range(410, 418), 400, 422, 428, 431, 451})
"""Statuses that refuse a request, also where the document does not declare them (RFC 9110, 6585 and
7725). Others are those of gateways alone, such as 460, 463 and 499.
"""
_STATUSES = {text.lower() for status in HTTPStatus for text in (str(status.value), status.phrase)}
_JSON = re.compile(r"application/(?:[^;\s]+\+)?json\s*(?:;|$)", re.IGNORECASE)


class DeclaredErrors:
    """What a document declares of the bodies of errors.

    Args:
        document: Its operations.
        members: The kinds of the members of its models, by their names.
    """

    def __init__(self, document: Sequence[Declared], members: Tables) -> None:
        self._document = document
        self._members = members

    def kinds_at(self, declared: Declared | None, status: int) -> Sequence[Any] | None:
        """What the document declares for an error status of an operation: the kinds of its bodies,
        none without content. None: it does not name the status; a default is for any.
        """
        by_status: Mapping[str, Sequence[Any]] = getattr(declared, "errors", {})
        return by_status.get(str(status), by_status.get(f"{status // 100}XX"))

    def own_members(self, declared: Declared | None) -> Mapping[str, list[Any]]:
        """The members of all errors that no success of an operation has, with their kinds; one of
        any kind tells nothing. Empty: errors are not told from successes.
        """
        of_success = self._members_of_success(declared)
        of_success = of_success or self._members_of_success(*self._document)
        own: dict[str, list[Any]] = {}
        for members in self.models():
            for name in members.keys() - of_success:
                if self._tells(members[name]):
                    own.setdefault(name, []).append(members[name])
        return own

    def _members_of_success(self, *operations: Declared | None) -> set[str]:
        known = list(filter(None, operations))
        models = chain.from_iterable(operation.results.values() for operation in known)
        members = chain.from_iterable(operation.result_members for operation in known)
        return {*members, *chain.from_iterable(map(self._members_of, models))}

    def has_own_member(self, response: httpx.Response, declared: Declared | None) -> bool:
        """Whether a body has what the errors of the document alone have. What repeats a status, in
        figures or words, is no more than the status.
        """
        return self._has_one_of(response, self.own_members(declared))

    def is_of_free_form(self, body: Any, kinds: Sequence[Any]) -> bool:
        """Whether a body has one of these kinds, if none of them has members or is a union."""
        is_free = not any(kind is None or self._members_of(kind) for kind in kinds)
        return is_free and self.is_of_any(body, kinds)

    def has_success_member(
        self, body: Mapping[str, Any], declared: Declared | None, place: str = ""
    ) -> bool:
        """Whether a body has a member that successes of an operation have, and no error. A `place`
        such as `data.id` is one of successes, too.
        """
        of_errors = set(chain.from_iterable(self.models()))
        of_success = self._members_of_success(declared)
        of_success.add(place.partition(".")[0])
        return any(body[name] is not None for name in (of_success - of_errors) & body.keys())

    def is_of_model_at(self, response: httpx.Response, declared: Declared | None) -> bool:
        """Whether a body has a member of a model that the document declares for its status, and
        more in it than the status.
        """
        for kind in self.kinds_at(declared, response.status_code) or ():
            members = self._members_of(kind)
            telling = {name: [members[name]] for name in members if self._tells(members[name])}
            if self._has_one_of(response, telling):
                return True
        return False

    def _has_one_of(self, response: httpx.Response, kinds: Mapping[str, list[Any]]) -> bool:
        """Whether a body has one of these members, of its kind, with more in it than a status."""
        body = object_of(response)
        return any(
            says_more_than_status(body[name]) and self.is_of_any(body[name], kinds[name])
            for name in kinds.keys() & body.keys()
        )

    def models(self) -> Iterator[Mapping[str, Any]]:
        """The members of the errors that are objects."""
        for declared in self._document:
            yield from map(self._members_of, chain.from_iterable(declared.errors.values()))

    def _tells(self, kind: Any) -> bool:
        """Whether a kind tells anything: a value of any kind, and an object of any form, do not."""
        is_any = kind is None or kind == "any"
        return not (is_any or (isinstance(kind, str) and self._members.get(kind) == {}))

    def _members_of(self, kind: Any) -> Mapping[str, Any]:
        """The members of a model; none of another kind."""
        return self._members.get(kind, {}) if isinstance(kind, str) else {}

    def is_of_any(self, value: Any, kinds: Sequence[Any]) -> bool:
        """Whether a value is of one of these kinds."""
        return any(_is_of_kind(value, kind, self._members) for kind in kinds)


def says_more_than_status(value: object) -> bool:
    """Whether a value in a body is more than a status, in figures or words."""
    return str(value).lower() not in _STATUSES


_TYPES: Mapping[Any, Any] = {
    **dict.fromkeys(("text", "moment", "day", "uuid"), str),
    "flag": bool,
    **dict.fromkeys(("whole", "number", "decimal"), (int, float)),
    "bytes": (),
}
"""The types in which JSON has the kinds of scalars; `any` and a union are any value."""


def _is_of_kind(value: Any, kind: Any, tables: Tables) -> bool:
    """Whether a value is of a kind (see `members` of a generated package), and says something:
    null, blanks and what is empty say nothing. Of an object, one member has to. That of an enum is
    one of its words, in any letter case: anybody's JSON has a `status`.
    """
    if says_nothing(value) or value in ([], {}):
        return False
    if isinstance(kind, list):
        return is_list(value) and any(_is_of_kind(item, kind[0], tables) for item in value)
    if isinstance(kind, tuple):  # the words of an enum
        words = map(str, cast("Sequence[object]", kind))
        return str(value).casefold() in map(str.casefold, words)
    if kind not in tables:
        return isinstance(value, _TYPES.get(kind, object))
    if not is_object(value):
        return False
    members = tables[kind]
    names = members.keys() & value.keys()
    return not members or any(_is_of_kind(value[name], members[name], tables) for name in names)


def is_of_provider(
    response: Response, errors: DeclaredErrors, declared: Declared | None, problems: Problems
) -> bool:
    """Whether the body of a response with an error status is in the provider's own format.

    Args:
        response: The response.
        errors: What the document declares of errors.
        declared: What it declares of the operation; None: it does not have the operation.
        problems: Recognises the system's own errors.
    """
    if response.damage is not None:
        return False
    kinds = errors.kinds_at(declared, response.status_code)
    if not body_of(response):
        return kinds is not None and not kinds
    body = json_of(response)
    if body is NOT_JSON or not _JSON.match(response.headers.get("content-type", "")):
        return False
    if kinds and errors.is_of_free_form(body, kinds):
        return True
    return errors.has_own_member(response, declared) or bool(problems(response))


def may_refuse(status: int, declared: Declared | None) -> bool:
    """Whether a status from 400 to 499 can be that of a refusal by the provider."""
    if status in STATUSES_WITH_RULES:
        return False
    by_status = getattr(declared, "errors", {})
    return status in _MAY_REFUSE or not by_status.keys().isdisjoint((str(status), "4XX", "default"))


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


_MOST_OF_A_NAME = 40
"""Characters of a `Server` header in a message."""
