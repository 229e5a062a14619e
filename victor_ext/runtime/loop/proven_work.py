"""Whether a response under the status of an error proves the work, by what the document declares.

One rule. A proof has an id at the place where a good response has it, and nothing that says
otherwise:

- with a value that was sent, and comes back the same at its place, the id is proof;
- an id alone, which the request does not have, is proof where only a good response has its place,
  and nothing in the body complains. At the top of a body, a good response has all texts beside it:
  an error with an id of its own says in a text what is wrong. A document may leave out a number.

A value under a name that was sent, and with something else in it, is a mistake that is explained
there: such a body is no proof. Nor is one that reports an error, or says that it failed.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx

from victor_ext.ids import is_same_id, says_nothing
from victor_ext.runtime.core.comparing import Likeness, compared_leaves, is_contradicted
from victor_ext.runtime.core.json_values import (
    NOT_JSON,
    id_or_empty,
    is_list,
    is_object,
    json_of,
    member_at,
    object_or_empty,
)

from .evidence import READER, Declared, Reader, reports_error, said_members, says_failure
from .retry import asked_url

_COMPLAINTS = frozenset(
    {
        "cause",
        "code",
        "description",
        "detail",
        "details",
        "error",
        "errorcode",
        "errordescription",
        "errormessage",
        "errors",
        "message",
        "messages",
        "reason",
        "title",
        "type",
    }
)
"""Members in which an error says what is wrong (see RFC 9457 and RFC 6749), in lower case, without
marks.
"""
_FRIENDLY = frozenset(
    {"0", "00", "000", "200", "201", "202", "accepted", "created", "ok", "success", "successful"}
)
"""What such a member says where nothing is wrong."""
_REFUSED = frozenset(
    {"bad request", "denied", "error", "forbidden", "invalid", "not found", "unauthorized"}
)
"""States of a request that was refused, and of no work. A payment that failed was made."""
_ID_NAME = r"id|.*(?:_id|[a-z0-9]Id)"


def proves_declared_work(
    response: httpx.Response, declared: Declared | None = None, place: str = ""
) -> bool:
    """Whether a response to a write proves the work under the status of an error.

    Args:
        response: The response, or the beginning of one.
        declared: What the document declares of the operation; None: what its `Reader` has. Without
            a document nothing is known of its good responses.
        place: Where a good response has the id, if the document does not say it: `data.id`.
    """
    reader: Reader | None = response.request.extensions.get(READER)
    operation = declared if declared is not None or reader is None else reader.declared
    body = _saying(said_members(response))
    if operation is None or reports_error(response) or says_failure(body):
        return False
    of_good = frozenset(getattr(operation, "result_members", ()))
    of_error = frozenset(getattr(operation, "error_members", ()))
    sent = _sent_values(response.request)
    told = place or operation.result_id
    own = of_good - of_error - frozenset(operation.members)
    for id_place in [told] if told else _places(body, own):
        holder = _holder(body, id_place)
        named = id_or_empty(member_at(body, id_place))
        if says_nothing(named) or _explains_mistakes(sent, body, holder):
            continue
        is_new = not _has_id(response.request, sent, named)
        is_refused = _is_refused(body) or _is_refused(holder)
        complains = is_refused or _complains(body, of_good, of_error)
        if _repeats_value(response.request, sent, body, holder) and (is_new or not complains):
            return True
        if is_new and not complains and _is_of_good_alone(id_place, body, of_good, of_error):
            return True
    return False


def _is_of_good_alone(
    place: str, body: dict[str, Any], of_good: AbstractSet[str], of_error: AbstractSet[str]
) -> bool:
    """Whether only a good response has this place. One at the top of a body has no text beside it
    that a good response does not have.
    """
    first, _, below = place.partition(".")
    if first in of_error:
        return False
    return below != "" or _texts_of(body) <= of_good


def _saying(body: dict[str, Any]) -> dict[str, Any]:
    """The members that say something: a null, blanks, and what is empty count as absent.

    So does a member in which errors complain, where it says that all is well.
    """
    return {name: value for name, value in body.items() if _says_something(name, value)}


def _says_something(name: str, value: object) -> bool:
    if says_nothing(value) or value in ({}, []):
        return False
    if _bare(name) not in _COMPLAINTS:
        return True
    # `false`, or a `code` of 200, says that nothing is wrong.
    return value is not False and str(value).strip().rstrip(".!").lower() not in _FRIENDLY


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _is_refused(body: dict[str, Any]) -> bool:
    """Whether the state in a body is that of a request which was refused."""
    words = re.sub(r"[^a-z]+", " ", str(body.get("status", "")).lower())
    return words.strip() in _REFUSED


def _texts_of(body: dict[str, Any]) -> set[str]:
    """The members with texts, and with what may hold texts."""
    return {name for name, value in body.items() if isinstance(value, str | list | dict)}


def _complains(body: dict[str, Any], of_good: AbstractSet[str], of_error: AbstractSet[str]) -> bool:
    """Whether a member says what is wrong, and is not one that a good response alone has."""
    saying = {name for name in body if _bare(name) in _COMPLAINTS}
    return not saying <= of_good - of_error


def _places(body: dict[str, Any], names: AbstractSet[str]) -> Iterator[str]:
    """Where a body may have the id of what was made, if the document does not say it.

    Args:
        body: The body.
        names: The members that a good response alone has.
    """
    for name in sorted(names & body.keys()):
        if re.fullmatch(_ID_NAME, name):
            yield name
        for inner in object_or_empty(body[name]):
            if re.fullmatch(_ID_NAME, inner):
                yield f"{name}.{inner}"


def _holder(body: dict[str, Any], place: str) -> dict[str, Any]:
    """The object with the id at this place."""
    above = place.rpartition(".")[0]
    return object_or_empty(member_at(body, above)) if above else body


def _sent_values(request: httpx.Request) -> Any:
    """The body of a request: JSON, or a form."""
    body = json_of(request)
    if body is not NOT_JSON:
        return body
    kind = request.headers.get("content-type", "")
    if not kind.startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(request.content.decode("ascii", "replace")))


def _explains_mistakes(sent: Any, *objects: dict[str, Any]) -> bool:
    """Whether a value under a name that was sent is not what was sent, as in a list of mistakes."""
    if not is_object(sent):
        return False
    for received in objects:
        for name in sent.keys() & received.keys():
            if _is_other(sent[name], received[name]):
                return True
    return False


def _is_other(sent: Any, received: Any) -> bool:
    # A provider may fill in what was left open, and show an object in place of a value.
    if says_nothing(sent) or says_nothing(received) or received in ({}, []):
        return False
    if is_object(received):
        return _explains_mistakes(sent, received)
    if is_list(received) != is_list(sent) or is_object(sent):
        return True
    return is_contradicted(sent, received)


def _repeats_value(request: httpx.Request, sent: Any, *objects: dict[str, Any]) -> bool:
    """Whether a value that was sent comes back the same at its place. An id in the path does not
    count.
    """
    own = _without_ids(sent, _ids_in_path(request))
    for received in objects:
        for _, likeness in compared_leaves(own, received):
            if likeness is Likeness.SAME:
                return True
    return False


def _without_ids(sent: Any, ids: list[str]) -> Any:
    """What was sent, with a null in place of the ids, and of what says nothing."""
    if is_object(sent):
        return {name: _without_ids(value, ids) for name, value in sent.items()}
    if is_list(sent):
        return [_without_ids(value, ids) for value in sent]
    is_id = any(is_same_id(id_or_empty(sent), id) for id in ids)
    return None if is_id or says_nothing(sent) else sent


def _ids_in_path(request: httpx.Request) -> list[str]:
    path = asked_url(request).raw_path.partition(b"?")[0].decode("ascii")
    return [unquote(part) for part in path.split("/") if part]


def _has_id(request: httpx.Request, sent: Any, id: str) -> bool:
    """Whether a request has this id: in its path, a parameter, a header or its body."""
    values = [
        *_ids_in_path(request),
        *asked_url(request).params.values(),
        *_ids_in_headers(request),
        *_texts_in(sent),
    ]
    return any(is_same_id(value, id) for value in values)


def _ids_in_headers(request: httpx.Request) -> list[str]:
    endings = ("id", "key", "reference")
    return [value for name, value in request.headers.items() if name.endswith(endings)]


def _texts_in(value: Any) -> Iterator[str]:
    if is_object(value):
        yield from _texts_in([*value.values()])
    elif is_list(value):
        for item in value:
            yield from _texts_in(item)
    else:
        yield id_or_empty(value)
