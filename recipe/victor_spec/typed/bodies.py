"""Request objects, and the arguments of operations that send an object of JSON."""

from __future__ import annotations

from dataclasses import dataclass, field

from openapi_python_client.parser.openapi import Endpoint

from victor_spec.rewrites.bodies import URL_ENCODED
from victor_spec.tree import (
    Operation,
    Tree,
    bare_type,
    is_json,
    mapping_at,
    mappings_at,
    named_schemas,
    resolve,
)

from .arguments import Calls, path_parameters
from .body_members import REFERENCE, Members, Schemas
from .checks import LOCALS, Patterns
from .limits import given
from .plans import CallPlan, PartPlan, required_first
from .plans import by_hand as argument_by_hand
from .settings import (
    BodySettings,
    PartSettings,
    Settings,
    SettingsError,
    require_free,
    require_known,
    sentence,
)


@dataclass(slots=True)
class BodyPlans:
    """All of a package."""

    bodies: list[CallPlan] = field(default_factory=list[CallPlan])
    parts: list[PartPlan] = field(default_factory=list[PartPlan])

    def untyped_in(self, body: CallPlan) -> list[str]:
        """The places of the members of a body that are no arguments, also within its request
        objects. A member of the items of a list has no place.
        """
        within = self.parts_in(body).items()
        of_parts = [f"{place}.{each}" for place, part in within for each in part.untyped]
        return [*body.untyped, *of_parts]

    def parts_in(self, body: CallPlan) -> dict[str, PartPlan]:
        """The request objects that stand in a body outside of its lists, by their places. Of those
        that stand in themselves, it has the outer one.
        """
        by_schema = {part.schema: part for part in self.parts}
        found: dict[str, PartPlan] = {}
        pending = [(place, [schema]) for place, schema in body.parts.items()]
        for place, schemas in pending:
            found[place] = by_schema[schemas[-1]]
            for inner, schema in found[place].parts.items():
                if schema not in schemas:
                    pending.append((f"{place}.{inner}", [*schemas, schema]))
        return found


def body_plans(calls: Calls, settings: Settings, patterns: Patterns) -> BodyPlans:
    """The operations and request objects that the settings name, and the request objects that
    these refer to.

    Raises SettingsError for an entry that leads nowhere, or to a name that is taken.
    """
    plans = BodyPlans()
    schemas = named_schemas(calls.document)
    for name in settings.parts:
        require_known("parts", name, "schema", schemas)
    planner = _Planner(calls.document, settings, patterns)
    for name, own in settings.bodies.items():
        operation, endpoint = calls.named("bodies", name)
        plans.bodies.append(planner.body(name, own, operation, endpoint))
    pending = [*settings.parts, *planner.schemas.referred]
    while pending:
        schema = pending.pop(0)
        if any(part.schema == schema for part in plans.parts):
            continue
        planner.schemas.referred.clear()
        plans.parts.append(planner.part(schema))
        pending += planner.schemas.referred
    classes = {part.function: part for part in plans.parts if part.has_class}
    for part in plans.parts:
        of_class = classes[part.function]
        part.decided = {*of_class.shown, *of_class.accounts}
    for body in plans.bodies:
        body.untyped_sent = plans.untyped_in(body)
    plans.bodies.sort(key=lambda plan: plan.function)
    plans.parts.sort(key=lambda plan: (plan.function, not plan.has_class))
    return plans


def body_of(document: Tree, operation: Operation) -> Tree:
    """The schema of the JSON object, or the form, that an operation sends; empty without one."""
    body = resolve(document, mapping_at(operation.tree, "requestBody"))
    for content_type, content in mappings_at(body, "content"):
        if is_json(bare_type(content_type)) or bare_type(content_type) == URL_ENCODED:
            schema = given(document, mapping_at(content, "schema"))
            if mapping_at(schema, "properties"):
                return schema
    return {}


class _Planner:
    """Makes the plans of one document."""

    def __init__(self, document: Tree, settings: Settings, patterns: Patterns) -> None:
        self._document = document
        self._settings = settings
        self.schemas = Schemas(document, settings, patterns)

    def body(
        self, name: str, own: BodySettings, operation: Operation, endpoint: Endpoint
    ) -> CallPlan:
        """The plan of the arguments of an operation that sends an object."""
        schema = self._body(name, operation)
        parts = path_parameters(self._document, operation)
        in_path = [each for each in own.set_by_hand if each in parts]
        beside_path = [each for each in own.set_by_hand if each not in parts]
        of_body = own.model_copy(update={"set_by_hand": beside_path})
        members = Members(self.schemas, f"bodies.{name}", of_body, schema, str(endpoint.name))
        _require_sent(f"bodies.{name}: {operation.where}", own, endpoint)
        path = [members.of_path(each) for wire, each in parts.items() if wire not in in_path]
        arguments = members.arguments()
        by_hand = [argument_by_hand(*each) for each in own.by_hand.items()]
        everything = [*path, *arguments, *by_hand]
        names = [each.name for each in everything]
        named = [(each.place, each.name) for each in (*path, *by_hand, *arguments)]
        require_free(f"bodies.{name}", named, LOCALS, own.names)
        for dictionary, always in own.dictionary.items():
            for each in always:
                where = f"bodies.{name}.dictionary.{dictionary}"
                require_known(where, each, "argument", names)
        places = {each.place: each for each in everything}
        first = [*path]
        first += [places[place] for place in own.positional if places[place] not in first]
        return CallPlan(
            place=f"bodies.{name}",
            own=own,
            package=str(endpoint.tags[0]),
            function=str(endpoint.name),
            what=own.what,
            description=sentence(operation.tree.get("summary")),
            path=path,
            arguments=members.in_order(arguments),
            positional=first,
            by_keyword=required_first(each for each in everything if each not in first),
            objects=members.objects(),
            untyped=members.untyped,
            parts=members.parts,
        )

    def part(self, schema: str) -> PartPlan:
        """The plan of the request object of a schema."""
        own = self._settings.parts.get(schema, PartSettings())
        tree = self.schemas.resolved({"$ref": REFERENCE + schema})
        name = self.schemas.class_of(schema)
        members = Members(self.schemas, f"parts.{schema}", own, tree, name)
        fields = members.arguments()
        named = [(each.place, each.name) for each in fields]
        require_free(f"parts.{schema}", named, LOCALS, own.names)
        places = {each.place: each for each in fields}
        positional = [places[place] for place in own.positional]
        return PartPlan(
            schema=schema,
            own=own,
            function=name,
            description=sentence(tree.get("description")),
            arguments=members.in_order(fields),
            positional=positional,
            by_keyword=required_first(each for each in fields if each not in positional),
            objects=members.objects(),
            shown=[places[place].name for place in own.shown],
            accounts=[places[place].name for place in own.accounts],
            untyped=members.untyped,
            parts=members.parts,
            has_class=self._first_of(name) == schema,
        )

    def _first_of(self, name: str) -> str:
        """The schema that a class is made from: the first one in the settings."""
        for schema in self._settings.parts:
            if self.schemas.class_of(schema) == name:
                return schema
        return name

    def _body(self, name: str, operation: Operation) -> Tree:
        schema = body_of(self._document, operation)
        if not schema:
            raise SettingsError(
                f"bodies.{name}: {operation.where} sends no object of JSON, and no form."
            )
        return schema


def _require_sent(place: str, own: BodySettings, endpoint: Endpoint) -> None:
    """Raise SettingsError for a parameter beside the path that has to be sent, and that no argument
    sends.
    """
    beside = {
        "query parameter": endpoint.query_parameters,
        "header": endpoint.header_parameters,
        "cookie": endpoint.cookie_parameters,
    }
    for location, found in beside.items():
        for each in found:
            name = str(each.python_name)
            if each.required and name not in own.by_hand:
                raise SettingsError(
                    f"{place}: it needs the {location} {each.name.get_untrusted_value()}, which no "
                    f"argument sends: name the one with which code by hand sends it, {name}, in "
                    "`by_hand`, or leave this entry out."
                )
