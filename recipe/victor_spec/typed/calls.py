"""The operations and request objects that the settings name, each with its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from openapi_python_client.parser.openapi import Endpoint

from victor_spec.requests import key
from victor_spec.rewrites.bodies import URL_ENCODED
from victor_spec.rewrites.serialization import fields_of
from victor_spec.tree import (
    Operation,
    Tree,
    bare_type,
    is_json,
    list_at,
    mapping_at,
    mappings_at,
    members,
    named_schemas,
    operations,
    parameters,
    resolve,
)

from .arguments import REFERENCE, Entry, Known, Member, required_first
from .checks import Forms, given
from .plans import Argument, Call, Part
from .settings import (
    ArgumentSettings,
    BodySettings,
    MembersSettings,
    ParameterSettings,
    PartSettings,
    Settings,
    SettingsError,
    require_known,
    sentence,
)

MAKERS = {"lists": "list", "calls": "call", "bodies": "request"}
"""The method of `Package` that makes of arguments what is sent, by the group of the settings."""
EXTRA_QUERY = Argument(
    name="extra_query",
    place="extra_query",
    annotation="ExtraQuery",
    description="Parameters that this package does not know, by their names on the wire.",
    is_required=False,
)


class Planner:
    """Makes the plans of one document."""

    def __init__(self, document: Tree, endpoints: Iterable[Endpoint], settings: Settings) -> None:
        self.known = Known(document, settings, Forms(settings))
        made = {(str(each.tags[0]), str(each.name)): each for each in endpoints}
        named = {
            str(each.tree["operationId"]): (each, made.get(key(each.tree)))
            for each in operations(document)
            if "operationId" in each.tree
        }
        self._by_id = {
            name: (operation, endpoint)
            for name, (operation, endpoint) in named.items()
            if endpoint is not None
        }

    def calls(self) -> list[Call]:
        """The operations. Raises SettingsError for an entry that leads nowhere, or to a name that
        is taken.
        """
        settings = self.known.settings
        calls = [
            self._call(group, name, own)
            for group in MAKERS
            for name, own in dict(getattr(settings, group)).items()
        ]
        order = [*MAKERS.values()]
        return sorted(calls, key=lambda call: (order.index(call.maker), call.function))

    def parts(self) -> list[Part]:
        """The request objects that the settings name, and those that calls and they refer to."""
        known = self.known
        schemas = named_schemas(known.document)
        for name in known.settings.parts:
            require_known("parts", name, "schema", schemas)
        parts: dict[str, Part] = {}
        known.referred[:0] = known.settings.parts
        for schema in known.referred:  # it grows meanwhile
            if schema not in parts:
                parts[schema] = self._part(schema)
        return sorted(parts.values(), key=lambda part: (part.name, not part.has_class))

    def _call(self, group: str, operation_id: str, own: ParameterSettings | BodySettings) -> Call:
        require_known(group, operation_id, "operation", self._by_id)
        operation, endpoint = self._by_id[operation_id]
        place = f"{group}.{operation_id}"
        beside = [*_parameters(self.known.document, operation, endpoint)]
        body: list[Member] = []
        objects: dict[str, bool] = {}
        if isinstance(own, BodySettings):
            beside = [each for each in beside if each.in_path]
            schema = self._body_of(place, operation)
            objects = _objects_in(schema, own)
            body = [*self._members_in(schema, objects)]
        _require_sent(f"{place}: {operation.where}", own, endpoint)
        entry = Entry(self.known, place, own, str(endpoint.name), [*beside, *body])
        checked = entry.arguments(objects)
        arguments = {**checked, **entry.by_hand}
        if own.entry("extra_query"):
            arguments[EXTRA_QUERY.place] = EXTRA_QUERY
        path = [each.place for each in beside if each.in_path and each.place in checked]
        positional = [arguments[each] for each in dict.fromkeys([*path, *own.positional])]
        what = own.what or _what(str(endpoint.name), positional)
        row = {"what": what, **_sent_as("query", beside, checked)}
        if isinstance(own, BodySettings):
            row = {"what": what, **_body_row(objects, body, checked)}
            row |= _sent_as("path", beside, checked) if path else {}
        if entry.by_hand:
            row["by_hand"] = (*entry.by_hand,)
        ranges: Sequence[tuple[str, str]] = own.entry("ranges")
        if ranges:
            row["ranges"] = tuple((checked[first].name, checked[end].name) for first, end in ranges)
        return Call(
            operation=operation_id,
            own=own,
            package=str(endpoint.tags[0]),
            function=str(endpoint.name),
            maker=MAKERS[group],
            summary=sentence(operation.tree.get("summary")),
            row=row,
            positional=positional,
            by_keyword=required_first(
                each for each in arguments.values() if each not in positional
            ),
        )

    def _part(self, schema: str) -> Part:
        """The request object of a schema."""
        known = self.known
        own = known.settings.parts.get(schema, PartSettings())
        tree = given(known.document, {"$ref": REFERENCE + schema})
        name = known.class_of(schema)
        objects = _objects_in(tree, own)
        members = [*self._members_in(tree, objects)]
        arguments = Entry(known, f"parts.{schema}", own, name, members).arguments(objects)
        positional = [arguments[place] for place in own.positional]
        of_class = [each for each in known.settings.parts if known.class_of(each) == name]
        return Part(
            schema=schema,
            name=name,
            description=sentence(tree.get("description")),
            row={"class": name, **_body_row(objects, members, arguments)},
            positional=positional,
            by_keyword=required_first(
                each for each in arguments.values() if each not in positional
            ),
            shown=[arguments[place].name for place in own.shown],
            accounts=[arguments[place].name for place in own.accounts],
            has_class=schema == (*of_class, name)[0],
        )

    def _body_of(self, place: str, operation: Operation) -> Tree:
        """The schema of the JSON object, or the form, that an operation sends."""
        document = self.known.document
        body = resolve(document, mapping_at(operation.tree, "requestBody"))
        for content_type, content in mappings_at(body, "content"):
            if is_json(bare_type(content_type)) or bare_type(content_type) == URL_ENCODED:
                schema = given(document, mapping_at(content, "schema"))
                if mapping_at(schema, "properties"):
                    return schema
        raise SettingsError(f"{place}: {operation.where} sends no object of JSON, and no form.")

    def _members_in(self, schema: Tree, objects: Mapping[str, bool]) -> Iterator[Member]:
        """The members of an object; those of an object that is lifted in its place."""
        for member in _members(schema):
            if member.wire not in objects:
                yield member
                continue
            for inner in _members(given(self.known.document, member.schema)):
                place = f"{member.wire}.{inner.wire}"
                is_required = member.is_required and inner.is_required
                yield inner._replace(place=place, sent_at=place, is_required=is_required)


def _members(schema: Tree) -> Iterator[Member]:
    required = list_at(schema, "required")
    for name, tree in members(mapping_at(schema, "properties")):
        yield Member(name, name, name, tree, tree.get("description"), name in required)


def _objects_in(schema: Tree, own: MembersSettings) -> dict[str, bool]:
    """The objects whose members are arguments, each with whether it is sent in any case, in the
    order of the document.
    """
    required = list_at(schema, "required")
    names = mapping_at(schema, "properties")
    return {name: name in required for name in names if name in own.lift}


def _parameters(document: Tree, operation: Operation, endpoint: Endpoint) -> Iterator[Member]:
    """The parameters of the path, in its order, and those of the query."""
    written = parameters(document, operation.item, operation.tree).values()
    whole = [resolve(document, each) for each in written]
    declared = [field for each in whole for field in fields_of(document, each) or [each]]
    by_key = {(each.get("in"), each.get("name")): each for each in declared}
    groups = {"path": endpoint.path_parameters, "query": endpoint.query_parameters}
    for location, found in groups.items():
        for each in found:
            wire = each.name.get_untrusted_value()
            parameter = by_key.get((location, wire), {})
            yield Member(
                place=wire,
                wire=wire,
                sent_at=str(each.python_name),
                schema=mapping_at(parameter, "schema"),
                description=parameter.get("description"),
                is_required=parameter.get("required") is True,
                in_path=location == "path",
            )


def _require_sent(place: str, own: ArgumentSettings, endpoint: Endpoint) -> None:
    """Raise SettingsError for a parameter that has to be sent, and that no argument sends."""
    beside = [*endpoint.header_parameters, *endpoint.cookie_parameters]
    if isinstance(own, BodySettings):
        beside += endpoint.query_parameters
    for each in beside:
        name = str(each.python_name)
        if each.required and name not in own.entry("by_hand"):
            raise SettingsError(
                f"{place}: it needs {each.name.get_untrusted_value()}, which no argument sends: "
                f"name the one with which code by hand sends it, {name}, in `by_hand`, or leave "
                "this entry out."
            )


def _sent_as(
    where: str, members: Iterable[Member], arguments: Mapping[str, Argument]
) -> dict[str, Any]:
    """The part of a row that says what is sent there."""
    sent = [arguments[each.place] for each in members if each.place in arguments]
    return {where: {each.name: each.row for each in sent}}


def _body_row(
    objects: Mapping[str, bool], members: Iterable[Member], arguments: Mapping[str, Argument]
) -> dict[str, Any]:
    """The part of a row that says what is sent as an object, in the order of a generated model:
    required members first.
    """
    in_order = sorted(members, key=lambda member: not member.is_required)
    row = _sent_as("body", in_order, arguments)
    return {"objects": dict(objects), **row} if objects else row


def _what(function: str, positional: Sequence[Argument]) -> str:
    """What messages call an operation: what its first argument is the id of."""
    named = positional[0].name if positional else function
    return named.removesuffix("_id").replace("_", " ")
