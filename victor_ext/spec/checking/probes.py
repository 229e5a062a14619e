"""Which argument of a function goes where: each is given a text of its own, which is looked for in the request."""

from __future__ import annotations

import re
from collections import defaultdict
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from .arguments import enum_values, options
from .operations import Operation
from .package import Function, is_model
from .recording import Caller, Request


class Probe:
    """A function, and where its arguments go; `request` is None, and `error` says why, when it cannot be called."""

    def __init__(self, function: Function, caller: Caller) -> None:
        self.function = function
        self.selector = next((name for name, hint in function.hints.items() if _selects(name, hint)), None)
        """The argument that chooses the content type of the body."""
        names = [name for name in function.hints if name not in ("body", self.selector)]
        self._markers = {f"~{number}~": name for number, name in enumerate(names)}
        arguments = {name: _marked(function.hints[name], marker) for marker, name in self._markers.items()}
        if "body" in function.hints:
            arguments["body"] = _empty(function.hints["body"])
        self.request: Request | None = None
        self.error = ""
        try:
            self.request = caller.request(function, arguments)
        except Exception as error:  # noqa: BLE001 - whatever the package raises is a finding
            self.error = f"{type(error).__name__}: {error}"
        self.sent: dict[tuple[str, str], list[str]] = defaultdict(list)
        """The arguments by place and name in the request; a marker in a name is `*`."""
        if self.request is not None:
            self._look(self.request)

    def takes(self, operation: Operation, path: re.Pattern[str]) -> bool:
        """Whether this is the function of an operation with such a path; notes the arguments that go into it."""
        if self.request is None or self.request.method != operation.method:
            return False
        found = path.fullmatch("/".join(self.request.path))
        if found is None:
            return False
        names = re.findall(r"{([^}]+)}", operation.segments)
        for name, written in zip(names, found.groups(), strict=False):
            for marker in re.findall(r"~\d+~", written):
                self.sent["path", name].append(self._markers[marker])
        return True

    def named(self, location: str, name: str) -> str | None:
        """The argument that has the name of a parameter."""
        wanted = {_letters(name), _letters(f"{name}_{location}")}
        return next((each for each in self.function.hints if _letters(each) in wanted), None)

    def _look(self, request: Request) -> None:
        headers = [(name, value) for name, value in request.headers.items() if name != "cookie"]
        for location, pairs in (("query", request.query), ("header", headers), ("cookie", request.cookies)):
            for name, value in pairs:
                for marker in re.findall(r"~\d+~", name + value):
                    argument = self._markers.get(marker)
                    key = re.sub(r"~\d+~", "*", name)
                    if argument is not None and argument not in self.sent[location, key]:
                        self.sent[location, key].append(argument)


def sent_path(operation: Operation, base: str) -> re.Pattern[str]:
    """The path of an operation with markers in it, behind the one of its server, or of the client's."""
    own = "".join(
        r"([^/]*~\d+~[^/]*?)" if part.startswith("{") else re.escape(part)
        for part in re.split(r"({[^}]+})", operation.segments)
    )
    prefixes = {urlsplit(url).path.rstrip("/") for url in (operation.server, base)}
    return re.compile(f"(?:{'|'.join(map(re.escape, sorted(prefixes)))}){own}")


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def same_letters(one: str, other: str) -> bool:
    """Whether two names are the same but for case and punctuation."""
    return _letters(one) == _letters(other)


def same_name(function: Function, operation: Operation) -> bool:
    """Whether a function has the name of the operation's id."""
    return operation.identity is not None and _letters(function.name) == _letters(operation.identity)


def _selects(name: str, hint: Any) -> bool:
    return name.strip("_").endswith("content_type") and any("/" in str(value) for value in enum_values(hint))


def _marked(hint: Any, marker: str) -> Any:
    for option in options(hint):
        if is_model(option):
            return option.from_dict({marker: marker})
        origin = getattr(option, "__origin__", None)
        if isinstance(origin, type) and issubclass(list, origin):
            return [marker]
        if isinstance(origin, type) and issubclass(dict, origin):
            return {marker: marker}
    return marker


def _empty(hint: Any) -> Any:
    for option in options(hint):
        if is_model(option):
            return option.from_dict({})
        if getattr(option, "__name__", "") == "File":
            return option(payload=BytesIO(b""))
        origin = getattr(option, "__origin__", option)
        if isinstance(origin, type) and issubclass(list, origin):
            return []
    return {}
