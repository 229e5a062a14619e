"""Which argument of a function goes where, and what a caller passes for a value.

Each argument is given a text of its own, which is looked for in the request.
"""

import contextlib
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

from victor_spec.tree import is_mapping

from .expected import Request, short, text
from .models import Models
from .operations import Medium, Operation, Parameter
from .package import (
    Caller,
    Function,
    NoArgumentError,
    build,
    enum_values,
    is_model,
    misfit,
    options,
)
from .views import Node


class Probe:
    """A function, and where its arguments go; `request` is None when the call is refused."""

    def __init__(self, function: Function, caller: Caller) -> None:
        self.function = function
        selectors = (
            each for each in ("body_content_type", "content_type") if each in function.hints
        )
        media = (
            each
            for each in selectors
            if any("/" in str(value) for value in enum_values(function.hints[each]))
        )
        self.selector = next(media, None)
        """The argument that chooses the content type of the body."""
        names = [name for name in function.hints if name != self.selector]
        markers = {f"~{number}~": name for number, name in enumerate(names)}
        arguments = {
            name: _first_of(function.hints[name], each, [each], {each: each})
            for each, name in markers.items()
        }
        if "body" in arguments and (self.selector or _is_body(function.hints["body"])):
            arguments["body"] = _first_of(function.hints["body"], {}, b"", [])
        self.request: Request | None = None
        # a call that is refused is reported with the values of the document
        with contextlib.suppress(Exception):
            self.request = caller.request(function, arguments)
        self.sent: dict[tuple[str, str], list[str]] = defaultdict(list)
        """The arguments by place and name in the request; `*` for a marker, `filter` for
        `filter[0][~1~]`.
        """
        self.in_path = re.findall(r"{([^{}]+)}", function.path)
        """The arguments in the path, in order."""
        for location, pairs in self.request.fields.items() if self.request is not None else ():
            for name, value in pairs:
                if passed := re.findall(r"~\d+~", name + value):
                    plain = re.sub(r"(\[0\])?(\[~.*)?$", "", name)
                    self.sent[location, re.sub(r"~\d+~", "*", plain)] += [
                        markers[each] for each in passed
                    ]

    @property
    def body(self) -> str | None:
        """The argument of the body; None when there is none, or when a parameter has its name."""
        is_parameter = any("body" in arguments for arguments in (self.in_path, *self.sent.values()))
        return "body" if "body" in self.function.hints and not is_parameter else None

    def named(self, location: str, name: str) -> str | None:
        """The argument that has the name of a parameter."""
        wanted = {_letters(name), _letters(f"{name}_{location}")}
        return next((each for each in self.function.hints if _letters(each) in wanted), None)


def shape(path: str) -> str:
    """A path without the names of its parameters, and without a fragment."""
    return re.sub(r"{[^{}]+}", "{}", path).replace("{{", "{").replace("}}", "}").partition("#")[0]


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def likeness(function: Function, operation: Operation) -> int:
    """How much the name of a function is that of an operation: of its id, or of its method and
    path.
    """
    name, path = _letters(function.name), _letters(f"{operation.method}{operation.path}")
    return 2 * name.endswith(path) + (name == _letters(operation.identity))


def _first_of(hint: Any, *values: Any) -> Any:
    """The first of some JSON values that a type holds, as its value; the first one as it is when it
    holds none.
    """
    for value in values:
        with contextlib.suppress(NoArgumentError):
            return build(hint, value)
    return values[0]


def _is_body(hint: Any) -> bool:
    """Whether an argument takes an object or a file, as no parameter but one of the name `body`
    does.
    """
    return any(
        is_model(option) or getattr(option, "__name__", "") == "File" for option in options(hint)
    )


Arguments = dict[str, Any]


class Given(NamedTuple):
    parameters: list[tuple[Parameter, Any]]
    medium: Medium | None
    body: Any


@dataclass
class Passing:
    """The arguments of one operation. Reports the parameters and enum values that have none."""

    operation: Operation
    probe: Probe
    caller: Caller
    models: Models

    def __post_init__(self) -> None:
        self.document, self.findings = self.models.document, self.models.findings
        self.sinks: dict[str, dict[str | None, str]] = {}
        """By place, the argument of a parameter, under None; or those of its properties, if it is
        taken apart.
        """
        names = re.findall(r"{([^{}]+)}", self.operation.path)
        self._in_path = dict(zip(names, self.probe.in_path, strict=False))
        for parameter in self.operation.parameters:
            self._find_sink(parameter)

    def wrong(self, what: str) -> None:
        """Report what is wrong with the operation as a whole."""
        self.findings.wrong(self.operation.place, what)

    def missing(self, place: str, what: str, *words: str) -> None:
        """Report a part of the operation that the package lacks."""
        self.findings.missing(place, what, self.operation.title, *words)

    def is_required(self, parameter: Parameter) -> bool:
        """Whether the document, or the function, requires the parameter."""
        taken = self.sinks[parameter.place].values()
        return parameter.required or not self.probe.function.required.isdisjoint(taken)

    def kept(self, parameter: Parameter, value: Any) -> Any:
        """The value without the properties that no argument takes: they are reported as missing."""
        sink = self.sinks[parameter.place]
        is_apart = None not in sink and is_mapping(value)
        return {name: each for name, each in value.items() if name in sink} if is_apart else value

    def _find_sink(self, parameter: Parameter) -> None:
        probe, sent, location = self.probe, self.probe.sent, parameter.location
        name = parameter.name.lower() if location == "header" else parameter.name
        views = self.document.views(parameter.schema)
        every = views[0].properties.items() if location == "query" else ()
        properties = {
            each: node for each, node in every if all(each in view.properties for view in views)
        }
        flat = parameter.style == "deepObject" or (
            parameter.style in ("form", "cookie") and parameter.explode
        )
        sink: dict[str | None, str] = {}
        for each in properties if flat else ():
            wire = each if parameter.style == "form" else f"{parameter.name}[{each}]"
            if (location, wire) in sent:
                sink[each] = sent[location, wire][0]
        direct = sent.get((location, name), [])
        if location == "path" and name in self._in_path:
            direct = [self._in_path[name]]
        exploded = sent.get((location, "*"), []) if flat and not direct else []
        named = probe.named(location, parameter.name)
        if direct or exploded:
            sink = {None: named if named in exploded else (direct or exploded)[0]}
        elif probe.request is None and named is not None:
            sink = {None: named}
        self.sinks[parameter.place] = sink
        apart = flat and None not in sink and properties
        for part, schema in apart.items() if apart else [(None, parameter.schema)]:
            place, word = (
                (f"{parameter.place}.{part}", part) if part else (parameter.place, parameter.name)
            )
            self.findings.count("parameters", present=part in sink)
            if part not in sink:
                self.missing(place, "no argument of the function sends it", word)
            elif not parameter.content_type:
                self._check_words(place, word, schema, sink[part])
        self._check_name(parameter, sink)

    def _check_name(self, parameter: Parameter, sink: dict[str | None, str]) -> None:
        """The argument with the name of a parameter sends it, and not another one."""
        named = self.probe.named(parameter.location, parameter.name)
        if None not in sink or named in (None, sink[None]):
            return
        own = [
            name
            for (where, name), each in self.probe.sent.items()
            if where == parameter.location and named in each
        ]
        if own and _letters(str(named)) not in map(_letters, own):
            self.findings.wrong(
                parameter.place, f"the argument {sink[None]} sends it, and not {named}"
            )

    def _check_words(self, place: str, word: str, schema: Node, argument: str) -> None:
        """Every value of an enum is a member of an enum in the type of the argument."""
        known = enum_values(self.probe.function.hints[argument])
        for view in self.document.views(schema):
            words = (self.document.views(view.items)[0] if view.items is not None else view).words()
            for each in words:
                self.findings.count("enum values", present=each in known)
            if lost := [repr(each) for each in words if each not in known]:
                self.missing(place, f"no enum value {', '.join(lost)}", word)

    def arguments(self, given: Given, body: Arguments) -> Arguments:
        """The arguments of a call. Raises NoArgumentError, which names the parameter."""
        arguments: Arguments = {}
        hints = self.probe.function.hints
        for parameter, value in given.parameters:
            for name, argument in self.sinks[parameter.place].items():
                if name is None or (is_mapping(value) and name in value):
                    own = value if name is None else value[name]
                    arguments[argument] = self._argument(parameter, hints[argument], own)
        for name in self.probe.function.required - {self.probe.body} - arguments.keys():
            arguments[name] = (
                "text"  # a parameter that must be ignored, or one of another operation
            )
        return {**arguments, **body}

    def _argument(self, parameter: Parameter, hint: Any, value: Any) -> Any:
        try:
            return build(hint, value)
        except NoArgumentError:
            if parameter.content_type is not None and str in options(hint):
                return text(value)
            raise NoArgumentError(
                f"{parameter.place}: the type of its argument cannot hold {short(value)}"
            ) from None

    def body_options(self, given: Given) -> list[Arguments]:
        """The ways to pass a body: one for each type of the argument.

        Raises NoArgumentError when it needs one.
        """
        hints, medium, selector = self.probe.function.hints, given.medium, self.probe.selector
        if medium is None or self.probe.body is None:
            return [{}]
        chosen: Arguments = {selector: medium.content_type} if selector else {}
        in_parts = medium.bare.startswith("multipart/")
        bodies: list[Arguments] = []
        values = [given.body, given.body.encode()] if isinstance(given.body, str) else [given.body]
        for option in options(hints["body"]):
            for value in values:
                try:
                    body = build(option, value)
                except NoArgumentError:
                    continue
                # the caller writes the parts, and what is between them
                if in_parts and type(body).__name__ == "File":
                    body.mime_type = f"{medium.content_type}; boundary=between"
                bodies.append({"body": body, **chosen})
                break
        if selector and chosen[selector] not in enum_values(hints[selector]):
            bodies = []
        if not bodies and self.probe.body in self.probe.function.required:
            raise NoArgumentError(
                f"{medium.place}: the type of the argument body cannot hold {short(given.body)}"
            )
        # A file, which has a content type, comes before bytes.
        order = {
            id(each): (in_parts and isinstance(each["body"], bytes), *misfit(each["body"]))
            for each in bodies
        }
        return sorted(bodies, key=lambda each: order[id(each)]) or [{}]
