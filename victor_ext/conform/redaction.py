"""What of an exchange the file has: what was made here, what the document declares, and of the rest
the form and the length.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Self

import httpx

from victor_ext.privacy import is_object, is_sequence, redact_excerpt, short_mask

from .exchanges import code_of, form_of, id_in, is_number, word

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
_NUMBERS = frozenset(("page", "page_size", "status", *_PATTERNS))
"""Members whose numbers are shown."""
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

    def shown(self, value: Any, name: str = "", levels: int = _LEVELS) -> Any:
        """A JSON value; `name` is that of its member, and `levels` is how deep it is shown."""
        if value is None or isinstance(value, bool):
            return value
        if name == "account_number":
            return short_mask(str(value))
        if levels and is_object(value):
            if id_in(value) in self._ids:
                self.own(value)
            return {
                self._name(key): self.shown(member, key, levels - 1)
                for key, member in value.items()
            }
        if levels and is_sequence(value):
            items = [self.shown(item, name, levels - 1) for item in value[:_SHOWN_ITEMS]]
            more = len(value) - _SHOWN_ITEMS
            return [*items, f"and {more} more"] if more > 0 else items
        return self._text(value, name) if isinstance(value, str) else self._number(value, name)

    def response(self, response: httpx.Response, body: Any) -> dict[str, Any]:
        """A response as the journal has it. A `body` of None is no JSON."""
        shown = self.shown(body)
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

    def _text(self, text: str, name: str) -> str:
        if _ID.fullmatch(name) and not self._is_own(text):
            return self._id(text)
        is_said = name in _CODES and code_of(text) != form_of(text)
        is_path = name == "field" and self._is_path(text)
        pattern = _PATTERNS.get(name)
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

    def _number(self, value: Any, name: str) -> Any:
        if _ID.fullmatch(name):
            return self._id(str(value)) if is_number(value) else form_of(value)
        if name in _CODES:
            return code_of(value)
        return value if name in _NUMBERS and is_number(value) else form_of(value)
