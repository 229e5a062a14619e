"""What of an exchange the file has: what was made here, what the document declares, and of the rest
the form and the length.
"""

import copy
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Self

import httpx

from victor_ext import VictorError
from victor_ext.privacy import is_object, is_sequence, redact_excerpt, short_mask

from .exchanges import code_of, form_of, id_in, is_number, json_of, member, word

NOTES = "Conform"
NOBODY = "conformNobody00"
UNKNOWN_ID = "NOSUCHID00"
_CHILD = "victor_payment_request_child_id"
_LEVELS = 20
"""How deep a body is shown."""
_SHOWN_ITEMS = 3
_SHOWN_HEADERS = ("date", "content-type", "connection", "keep-alive", "retry-after", "x-request-id")
_OWN_NOTES = re.compile(rf"{NOTES}(n*|[^A-Za-z]*(end)?)")
"""The notes of this measurement, also as the provider cuts them or replaces characters."""
_ID = re.compile(r".*(_id|[a-z]Id)|id")
_AMOUNT = re.compile(r"-?[0-9]{1,9}([.,][0-9]{1,4})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,18}(Z|[+-][0-9:]{4,5})?)?")
_PATTERNS = {
    **dict.fromkeys(("amount", "modified_amount", "original_amount"), _AMOUNT),
    **dict.fromkeys(("approved_at", "created_at", "due_date"), _TIME),
}
"""Members of this measurement's own requests that are shown, and how they look. Of those of others,
what they owe and when is nobody's business.
"""
_WINDOW = frozenset(("start_datetime", "end_datetime"))
"""Filters whose values may be the time of somebody's request."""
_NUMBERS = frozenset(("page", "page_size", "status"))
"""Members whose numbers are shown of any request."""
_CODES = frozenset(("code", "codes", "message", "error", "defaultMessage"))
"""Members that are shown if they are a code or a word of the catalogue: a sentence may name a
person.
"""


class Redaction:
    """Shows JSON values.

    Args:
        members: The members of each model of the provider's document, each with its kind.
        marker: What the references of this measurement begin with; empty: nothing does.
        ids: The ids that are known to be this measurement's. More are added as they come.
    """

    def __init__(self, members: dict[str, dict[str, Any]], marker: str, ids: Iterable[str]) -> None:
        self.names = frozenset(name for model in members.values() for name in model)
        kinds = [kind for model in members.values() for kind in model.values()]
        enums: list[tuple[str, ...]] = [kind for kind in kinds if isinstance(kind, tuple)]
        self._words = {word(text) for enum in enums for text in enum}
        self._words |= {"pending", "error"}  # the statuses of get, which its document says in prose
        self._marker = marker
        self._ids = {UNKNOWN_ID, NOBODY, *ids}

    @classmethod
    def of_client(cls, client: Any, marker: str = "", ids: Iterable[str] = ()) -> Self:
        """One by the document of a client."""
        package = client._generated.__module__.rpartition(".client")[0]  # noqa: SLF001 - of each
        return cls(import_module(f"{package}.members").MEMBERS, marker, ids)

    def own(self, record: Any) -> None:
        """Count the request that a response is about, and its twin, among this measurement's."""
        self._ids |= {id for id in (id_in(record), id_in(record, _CHILD)) if id}

    def path(self, path: str) -> str:
        """A path, in which an id of others may be the last part."""
        parent, _, last = path.rpartition("/")
        is_id = parent.endswith("payment-requests") and not last.endswith("-payment")
        return f"{parent}/{self._id(last)}" if is_id else path

    def query(self, query: Iterable[tuple[str, str | int]]) -> list[list[str | int]]:
        """A query, in which a window may end at the time of somebody's request."""
        return [
            [name, form_of(value).replace("a text", "a time") if name in _WINDOW else value]
            for name, value in query
        ]

    def shown(
        self, value: Any, name: str = "", levels: int = _LEVELS, *, is_own: bool = False
    ) -> Any:
        """A JSON value.

        Args:
            name: The name of its member.
            levels: How deep it is shown.
            is_own: Whether it belongs to a request of this measurement. An object with an id says
                so itself.
        """
        if value is None or isinstance(value, bool):
            return value
        if name == "account_number":
            return short_mask(str(value))
        if levels and is_object(value):
            id = id_in(value)
            is_own = is_own if id is None else id in self._ids
            if id in self._ids:
                self.own(value)
            return {
                self._name(key): self.shown(member, key, levels - 1, is_own=is_own)
                for key, member in value.items()
            }
        if levels and is_sequence(value):
            first = value[:_SHOWN_ITEMS]
            items = [self.shown(item, name, levels - 1, is_own=is_own) for item in first]
            more = len(value) - _SHOWN_ITEMS
            return [*items, f"and {more} more"] if more > 0 else items
        show = self._text if isinstance(value, str) else self._number
        return show(value, name, is_own=is_own)

    def response(self, response: httpx.Response, body: Any, *, is_own: bool) -> dict[str, Any]:
        """A response as the journal has it. A `body` of None is no JSON. `is_own` is that of
        `shown`.
        """
        shown = self.shown(body, is_own=is_own)
        if body is None:
            shown = f"{len(response.content)} bytes, no JSON"
        headers = response.headers
        return {
            "status": response.status_code,
            "http": response.http_version,
            "headers": {
                name: headers[name] if name == "x-request-id" else redact_excerpt(headers[name])
                for name in _SHOWN_HEADERS
                if name in headers
            },
            "body": shown,
        }

    def _name(self, name: str) -> str:
        return name if name in self.names else f"a name of {len(name)} characters"

    def _id(self, id: str) -> str:
        return id if id in self._ids else form_of(id).replace("a text", "an id")

    def _text(self, text: str, name: str, *, is_own: bool) -> str:
        if _ID.fullmatch(name) and not self._is_own(text):
            return self._id(text)
        is_said = name in _CODES and code_of(text) != form_of(text)
        is_path = name == "field" and self._is_path(text)
        pattern = _PATTERNS.get(name) if is_own else None
        is_form = pattern is not None and pattern.fullmatch(text)
        if self._is_own(text) or word(text) in self._words or is_said or is_path or is_form:
            return text
        return form_of(text)

    def _is_own(self, text: str) -> bool:
        own = text.strip()
        is_reference = bool(self._marker) and own.startswith(self._marker)
        return is_reference or _OWN_NOTES.fullmatch(own) is not None

    def _is_path(self, text: str) -> bool:
        """Whether a text names a member of the document, such as `payerDetails.amount`."""
        names = {name.replace("_", "").lower() for name in self.names}
        return all(part.replace("_", "").lower() in names for part in text.split("."))

    def _number(self, value: Any, name: str, *, is_own: bool) -> Any:
        if _ID.fullmatch(name):
            return self._id(str(value)) if is_number(value) else form_of(value)
        if name in _CODES:
            return code_of(value)
        is_shown = name in _NUMBERS or (is_own and name in _PATTERNS)
        return value if is_shown and is_number(value) else form_of(value)


def without_words(error: VictorError) -> VictorError:
    """An error as it may be printed: of what the provider wrote, the status and the form.

    A sentence of its may name a person. The response is still that of the error.
    """
    if error.response is None or error.request is None:
        return error
    shown = copy.copy(error)
    body = json_of(error.response)
    said = member(body, "error", "code") or member(body, "error") or member(body, "message")
    text = f": {code_of(said)}" if said is not None else ""
    shown.message = (
        f"{error.request.method} {error.request.url.path} was answered with "
        f"{error.response.status_code}{text}. {error.hint}"
    ).rstrip()
    shown.problems = ()
    return shown
