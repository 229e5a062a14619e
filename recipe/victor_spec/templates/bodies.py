"""Serialization of bodies that are not JSON: forms, files and text.

What holds for parameters holds for the fields of a form: see `serializing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import IOBase
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

from .decoding import plain
from .serializing import (
    Hidden,
    items_of,
    json_of,
    leaves,
    pairs_of,
    text_of,
    undefined,
    utf8,
)
from .types import UNSET, File, RequestFiles


class Encoding(NamedTuple):
    """How one field of a form is sent: a style, or a content type.

    Without either, by the type of its value.
    """

    style: str | None = None
    explode: bool = False
    reserved: bool = False
    content_type: str | None = None


DEFAULT: Final = Encoding()


def form_body(body: Any, encodings: Mapping[str, Encoding]) -> bytes:
    """An url-encoded form; an object in it is JSON.

    Raises ValueError for a field whose form nothing defines.
    """
    return Hidden("&".join(_form_pairs(body, encodings)).encode("ascii"))


def _form_pairs(body: Any, encodings: Mapping[str, Encoding]) -> Iterator[str]:
    """The fields of an url-encoded form as `name=value`."""
    for name, value in _fields(body):
        encoding = encodings.get(name, DEFAULT)
        if encoding.style is not None:
            yield from pairs_of(
                name,
                value,
                encoding.style,
                explode=encoding.explode,
                reserved=encoding.reserved,
                plus=True,
            )
        else:
            for each in items_of(value):
                yield f"{quote_plus(name)}={quote_plus(_field(name, each, encoding))}"


def _field(name: str, value: Any, encoding: Encoding) -> str:
    """The text of a field of an url-encoded form: JSON or plain text, by its value or its content
    type.
    """
    is_composed, declared = isinstance(value, (dict, list)), encoding.content_type
    if is_composed if declared is None else _is_json(declared) and not isinstance(value, str):
        return json_of(value, name)
    if is_composed:
        raise undefined(name, value, "a field of an url-encoded form")
    return text_of(name, value)


def multipart(body: Any, encodings: Mapping[str, Encoding]) -> RequestFiles:
    """The parts of a multipart form: text, JSON for an object, a named file; one part for each item
    of a list.
    """
    parts: RequestFiles = []
    for name, value in _fields(body):
        encoding = encodings.get(name, DEFAULT)
        if encoding.style == "deepObject" and isinstance(value, (dict, list)):
            parts += [
                (key, (None, Hidden(utf8(name, text_of(name, leaf))), "text/plain"))
                for key, leaf in leaves(name, value)
            ]
        else:
            parts += [(name, _part(name, each, encoding.content_type)) for each in items_of(value)]
    return parts


def _part(name: str, value: Any, declared: str | None) -> tuple[str | None, Any, str | None]:
    """One part. `declared` is the content type that the document gives: one, several, or a range
    such as `image/*`.
    """
    kinds = [kind.strip() for kind in (declared or "").split(",")]
    kind = kinds[0] if len(kinds) == 1 and kinds[0] and "*" not in kinds[0] else None
    if isinstance(value, File):
        named = value.file_name or Path(str(getattr(value.payload, "name", "upload"))).name
        return named, content(value, name), value.mime_type or kind
    if isinstance(value, (bytes, IOBase)):
        return Path(str(getattr(value, "name", "upload"))).name, content(value, name), kind
    is_composed, is_json = isinstance(value, (dict, list)), kind is not None and _is_json(kind)
    if isinstance(value, str) or not (is_composed or is_json):
        return None, Hidden(utf8(name, text_of(name, value))), kind or "text/plain"
    if holds_file(value):
        raise ValueError(
            f"{name}: a part of a form is a file or JSON, and JSON has no bytes: leave the file "
            "out of it."
        )
    if kind is not None and not is_json:
        raise ValueError(
            f"{name}: the document declares it as {kind}; give its text or bytes, already in that "
            "form."
        )
    return None, Hidden(utf8(name, json_of(value, name))), kind or "application/json"


def content(body: Any, name: str = "body") -> bytes:
    """A body or a part that is sent as it is: text as UTF-8, a file from where it stands to its
    end.

    The file is left where it stood, so that another call with it sends the same bytes. Raises
    ValueError for a file of which nothing is left to read.
    """
    if isinstance(body, File):
        body = body.payload
    if isinstance(body, str):
        return Hidden(utf8(name, body))
    if isinstance(body, bytes):
        return Hidden(body)
    seekable = getattr(body, "seekable", None)
    begin = body.tell() if seekable is not None and seekable() else None
    data = body.read()
    if begin is not None:
        body.seek(begin)
    if not data and begin != 0:
        raise ValueError(
            f"{name}: nothing is left to read in this file: open it again, or pass its bytes."
        )
    return Hidden(utf8(name, data) if isinstance(data, str) else data)


def holds_file(value: Any) -> bool:
    """Whether a plain value is a file, or has one in it."""
    if isinstance(value, (dict, list)):
        return any(map(holds_file, value.values() if isinstance(value, dict) else value))
    return isinstance(value, File)


def media_type(body: Any, declared: str) -> str:
    """The content type of a body that the document declares as a range (`image/*`), or that needs a
    boundary.
    """
    named = body.mime_type if isinstance(body, File) else None
    if named is None and declared.startswith("multipart/"):
        raise ValueError(f"body: {declared} needs a File whose mime_type names its boundary.")
    if named:
        return named
    if declared.startswith("text/"):
        return "text/plain; charset=utf-8"
    return "application/octet-stream"


def chosen(
    content_type: str | None, body: Any, kinds: Mapping[str, tuple[type, ...]]
) -> str | None:
    """The content type to send a body as; None for an absent body.

    `kinds` has the content types of an operation, each with the types of its body. Without a
    `content_type`, it is the first of them that has the type of the body, or else the first; a body
    with a file goes as multipart. Raises ValueError for one that is not in `kinds`, and TypeError
    for one whose body has another type than this one.
    """
    if body is UNSET:
        return None
    fitting = [kind for kind, types in kinds.items() if isinstance(body, types)]
    if content_type is None:
        if len(fitting) > 1 and holds_file(plain(body)):
            fitting.sort(key=lambda kind: not kind.startswith("multipart/"))
        return fitting[0] if fitting else next(iter(kinds))
    if content_type not in kinds:
        raise ValueError(
            f"content_type {content_type!r} is not in the document: write one of "
            f"{', '.join(kinds)}."
        )
    if fitting and content_type not in fitting:
        raise TypeError(
            f"The body is a {type(body).__name__}, which is sent as {fitting[0]}, not as "
            f"{content_type}."
        )
    return content_type


def _is_json(content_type: str) -> bool:
    """Whether a content type is JSON."""
    return content_type.partition(";")[0].strip().lower().endswith(("/json", "+json"))


def _fields(body: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a form, without those that are null. Raises ValueError for another body."""
    fields = plain(body)
    if not isinstance(fields, dict):
        raise ValueError(f"body: a form has named fields, a {type(body).__name__} has none.")
    return ((name, value) for name, value in fields.items() if value is not None)
