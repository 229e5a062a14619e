"""What makes a response with a good status a success: by the document, or by the words of a table
of operations.
"""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

import httpx

from victor_ext._runtime.core.json_values import (
    NOT_JSON,
    flag_of,
    is_list,
    is_object,
    json_of,
    json_text,
    lenient_flag_of,
    no_object_reason,
    object_of,
    object_or_empty,
    whole_of,
)
from victor_ext._runtime.core.response import NOT_READ, Response
from victor_ext._values.opaque import FrozenStruct
from victor_ext.errors import Problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})
"""Methods that change nothing (RFC 9110, 9.2.1; RFC 10008) and may always be repeated."""

READER = "victor_ext.reader"
"""The extension of a request with the `Reader` of its response.

Only generated operations set it.
"""

Declared: TypeAlias = Any
"""What a document declares of an operation: an object of the generated class `Operation`, which
each package has.
"""
Tables: TypeAlias = Mapping[str, Mapping[str, Any]]
"""The kinds of the members of each model, as `MEMBERS` of a generated package has them."""


UNDOCUMENTED = "this status is not in the provider's document"
HTML = re.compile(rb"\W*<(?:!doctype\s+)?(?:html|head|body)\b", re.IGNORECASE)
"""The beginning of an HTML page."""


class Reader:
    """Reads the response to one request with the parser that was generated for the operation.

    `has_own_rules`: who asked judges a status that the document does not list by its own rules,
    where the body is no object: such as the empty body of a call that returns nothing.
    """

    __slots__ = ("_client", "_has_own_rules", "declared")

    def __init__(self, client: Any, operation: Declared, *, has_own_rules: bool = False) -> None:
        self._client = client
        self._has_own_rules = has_own_rules
        self.declared = operation

    def is_evidence(self, response: httpx.Response) -> bool:
        """Whether a body has a member that the document declares for a good response.

        The member has a value that the document allows there. Anybody's JSON (a login page's, a
        proxy's) has none.
        """
        members = object_of(response)
        # It may also be what is declared for another good status.
        statuses = (response.status_code, *range(200, 300))
        return bool(members) and any(self._has_value_for(members, status) for status in statuses)

    def _has_value_for(self, members: dict[str, Any], status: int) -> bool:
        """Whether an object has a value that the document declares for a status."""
        response = Response(status, content=json_text(members))  # httpx would write no 1e999
        try:
            model = self.declared.parse(client=self._client, response=response)
        except Exception:  # noqa: BLE001 - a generated parser may fail in any way
            return False
        return has_declared_value(model)

    def __call__(self, response: Response) -> str | None:
        """Why the response cannot be read, or None. What was read is kept as `response.parsed`."""
        try:
            response.parsed = self.declared.parse(client=self._client, response=response)
        except Exception as error:  # noqa: BLE001 - a generated parser may fail in any way
            if not self._client.is_undocumented(error):
                return unread_because(error)
            # An object that is evidence settles it: another attempt would bring the same.
            is_settled = self._has_own_rules
            if is_object(json_of(response)):
                is_settled = self.is_evidence(response)
            return None if is_settled else UNDOCUMENTED
        if response.parsed is None and response.content:
            return _undeclared_body(response)
        return None


def reader_of(request: httpx.Request) -> Reader | None:
    """The reader of the response to a request; None of one that was made by hand."""
    reader: Reader | None = request.extensions.get(READER)
    return reader


def _undeclared_body(response: Response) -> str | None:
    """Why a body that the document has no content for cannot be given; None for JSON, and for a
    file that was read.
    """
    if json_of(response) is not NOT_JSON:
        return None
    if response.request.method in SAFE_METHODS and not HTML.match(response.content):
        return None  # the bytes are the `content` of the detailed response
    return "the document declares no content for this status, and its body is not JSON"


def unread_because(error: Exception) -> str:
    """Why a body cannot be read, for a message.

    The error itself is to be dropped: it holds the body.
    """
    return f"its body cannot be read: {getattr(error, 'reason', type(error).__name__)}"


Problems: TypeAlias = Callable[[httpx.Response], Sequence[Problem]]
"""Reads the problems in a body, in the shapes of a provider."""

Evidence: TypeAlias = Callable[[httpx.Response, Problems], str | None]
"""Why a response with a good status is no success, or None."""


_ERRORS = frozenset({"error", "errors", "allerrors"})
_NO_ERROR = {
    "error": ("none", "null", "false", "0", "no", "ok", "success"),
    "code": ("0", "00", "200"),
    "message": ("ok", "success"),
}


def reports_error(response: httpx.Response, but: Container[str] = ()) -> bool:
    """Whether the body is a JSON object with something in `error` or `errors`, but for the members
    named in `but`.

    null, false, 0, "", [] and {}, and lists and objects of these, are not errors. Nor are words for
    it ("none", "ok"), a `code` of 0, "00" or 200, and a `message` of success.
    """
    for name, value in object_of(response).items():
        is_error_member = name.lower() in _ERRORS and name not in but
        if is_error_member and _is_something(value, "error"):
            return True
    return False


def _is_something(value: Any, name: str = "") -> bool:
    if is_object(value):
        return any(_is_something(value[member], member) for member in value)
    if is_list(value):
        return any(map(_is_something, value))
    if isinstance(value, str):
        value = value.strip()
    if not value:
        return False
    return str(value).lower() not in _NO_ERROR.get(name.lower(), ())


_ERROR_STATUS = "[45][0-9]{2}"


def is_failed_page(response: httpx.Response) -> bool:
    """Whether a page without items is a failure, and not the end of its list.

    It reports an error (see `reports_error`), has a `success` that is false, or the `status` of an
    error (RFC 9457).
    """
    body = object_of(response)
    return reports_error(response) or any(_is_failure(name.lower(), body[name]) for name in body)


def _is_failure(name: str, value: Any) -> bool:
    if name == "success":
        return value == 0 or flag_of(value) is False
    return name == "status" and re.fullmatch(_ERROR_STATUS, str(value)) is not None


class ListPage(FrozenStruct, frozen=True):
    """Evidence of a page of a list, and no problem in its body.

    Attributes:
        items: The members that may have its items.
        is_page: Whether a body has other members of a page. Then null in place of its items, or
            nothing, is an empty page.
        lack: What a message says of a body that is no page.
    """

    items: tuple[str, ...]
    is_page: Callable[[dict[str, Any]], bool]
    lack: str

    def __call__(self, response: httpx.Response, problems: Problems) -> str | None:
        reason = no_object_reason(response)
        if reason is not None:
            return reason
        if problems(response):
            return "its body reports an error"
        if self.items_of(response) is not None:
            return None
        body = object_of(response)
        has_none = all(body.get(name) is None for name in self.items)
        return None if has_none and self.is_page(body) else self.lack

    def items_of(self, response: httpx.Response) -> list[Any] | None:
        """The items of a page, or of the longest of its lists; None: it has no such list."""
        members = map(object_of(response).get, self.items)
        return max(filter(is_list, members), key=len, default=None)


def document_complaint(
    response: httpx.Response, problems: Problems, *, may_be_empty: bool = False
) -> str | None:
    """Why a good response is not what the document declares for its operation and status; None when
    it is.

    Arrays, bare values, empty bodies that are documented so, and objects with a declared member are
    good. To a read any other object is, too, unless it has an `error` or `errors` (see
    `reports_error`), or the provider's `problems` finds any in it. To a write it is no evidence,
    whether it is empty (unless it `may_be_empty`) or has only blank values: a login page and a
    proxy respond so, too.
    """
    reader = reader_of(response.request)
    if reader is None or not isinstance(response, Response):
        return None
    reason = reader(response)
    # None: the document declares no body for this status, or not this status.
    model: Any = None if response.parsed is NOT_READ else response.parsed
    declares = _declares(model)
    if model is not None and (not declares or has_declared_value(model)):
        return reason
    if reports_error(response) or problems(response):
        return "its body reports an error"
    is_write = response.request.method not in SAFE_METHODS
    is_blank = not may_be_empty or bool(object_of(response))
    if declares and is_write and is_blank:
        return "its body has nothing that the document declares"
    return reason


def lists_declared_errors(response: httpx.Response, of_errors: AbstractSet[str]) -> bool:
    """Whether all that a good response to a write has in `error` and `errors` is declared for it,
    such as refused rows of a batch, and is no member of an error. A `default` response is that of
    errors, too.
    """
    reader = reader_of(response.request)
    if reader is None or not isinstance(response, Response) or not reader.declared.results:
        return False
    others = getattr(response.parsed, "_misread", frozenset[str])()
    declared = frozenset(reader.declared.result_members) - of_errors - others
    return not reports_error(response, but=declared)


NO_EVIDENCE = frozenset({"error", "errors"})
"""Attributes of a model that prove nothing: what failed has them, too."""


def has_declared_value(model: Any) -> bool:
    """Whether something in a generated model, at any depth, is what the document declares there;
    see its `_tells`.
    """
    if not (hasattr(model, "_tells") and _declares(model)):
        return False
    tells: bool = model._tells(NO_EVIDENCE)  # noqa: SLF001 - every model has it
    return tells


def fields_of(model: object) -> Sequence[Any]:
    """The fields of a generated model, or of its class, as attrs has them; none of anything else.

    A call that reads no model imports no attrs.
    """
    return getattr(model, "__attrs_attrs__", ())


def _declares(model: object) -> bool:
    """Whether it is an object of which the document declares members, or of a class that the
    document does not name.
    """
    is_unknown = type(model).__name__ == "UnknownVariant"  # each generated package has its own
    # one is `additional_properties`
    return is_unknown or len(fields_of(model)) > 1


class Members(FrozenStruct, frozen=True):
    """Evidence of a JSON object with one of these members, and no problem in the body."""

    names: tuple[str, ...] = ()  # none at all: any object will do
    lack: str = ""  # what a message says of a body without them
    is_there: Callable[[Any], bool] = lambda value: value is not None
    proof: str | None = (
        None  # a member with which problems in the body are no failure: they are the object's own
    )

    def __call__(self, response: httpx.Response, problems: Problems) -> str | None:
        reason = no_object_reason(response)
        if reason is not None:
            return reason
        body = object_of(response)
        if self.proof not in body and problems(response):
            return "its body reports an error"
        if not self.names:
            return None
        has_one = any(self.is_there(body.get(name)) for name in self.names)
        return None if has_one else self.lack


_FLAG = "has(more|next|nextpage)|more(pages|results)"
_COUNT = "numberofpages|pagecount|pagestotal|totalpages"
_HOLDER = "meta|metadata|page|pageinfo|pagination|paging"


def says_that_others_follow(body: object, place: int | None = None) -> bool:
    """Whether a page says, in one of the usual members, that another one follows: a flag such as
    `has_more`, or a `total_pages` above the `place` of this page (the first page has 1; None: it is
    not known). They are at the top or in an object such as `meta`.
    """
    for name, value in object_or_empty(body).items():
        word = re.sub("[^a-z]", "", name.lower())
        if re.fullmatch(_FLAG, word) and lenient_flag_of(value):
            return True
        if re.fullmatch(_COUNT, word) and place is not None and (whole_of(value) or 0) > place:
            return True
        if re.fullmatch(_HOLDER, word) and says_that_others_follow(value, place):
            return True
    return False
