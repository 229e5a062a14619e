"""What the template of webhooks must know: the models that a body can contain, and what tells the
webhooks apart.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.string import StringProperty

from .members import members_of, without_null
from .rewrites.discriminators import OTHERS

NAMES = frozenset({"type", "event", "event_type", "eventType", "eventName"})
"""The members by which an inbox names an event."""
Words = tuple[str | int, ...]
Tags = dict[str, Words]
"""The words of the members that select a model, by the wire names of the members."""
Models = dict[str, ModelProperty]
"""The models that the body of a webhook can be, by name."""


def known_of(
    endpoints: Sequence[Endpoint],
    models: Iterable[ModelProperty],
    return_type: Callable[[Endpoint], str],
) -> dict[str, Any]:
    """What the template is rendered with.

    `models` are those of the package: references to them may lack members.
    """
    whole = {str(model.class_info.name): model for model in models}
    bodies = [_models_of(endpoint) for endpoint in endpoints]
    tags = telling(bodies)
    types = [return_type(endpoint) for endpoint in endpoints]
    # A body whose discriminator names no member of its union is refused.
    kinds = {kind for type_ in types for kind in type_.split(" | ")} - {"UnknownVariant"}
    return {
        "endpoints": endpoints,
        "models": models_in(endpoints, whole),
        "tags": tags,
        "untold": untold(types, tags, hidden(bodies)),
        "bodies": "Any" if "Any" in kinds else " | ".join(sorted(kinds)),
        "members_of": members_of,
        "tags_of": tags_of,
        "required_of": required_of,
    }


def body_of(endpoint: Endpoint) -> Any:
    """The property that the generator made of the body of a webhook."""
    return endpoint.responses.patterns[0].prop


def models_in(
    endpoints: Iterable[Endpoint], whole: Mapping[str, ModelProperty]
) -> list[ModelProperty]:
    """The models that the bodies can contain, each once, by name."""
    models: dict[str, ModelProperty] = {}
    pending = [body_of(endpoint) for endpoint in endpoints]
    while pending:
        prop = pending.pop()
        if not isinstance(prop, ModelProperty):
            pending += getattr(prop, "inner_properties", ())
            inner = getattr(prop, "inner_property", None)
            pending += [] if inner is None else [inner]
        elif prop.class_info.name not in models:
            model = whole.get(prop.class_info.name, prop)
            models[prop.class_info.name] = model
            pending += [*members_of(model), model.additional_properties]
    return [models[name] for name in sorted(models)]


def tags_of(model: ModelProperty) -> Tags:
    """The members that have one word alone (a constant, an enum of one word), and the
    discriminators of the model.
    """
    own = _words_of(model)
    tags: Tags = {}
    for name, words in _discriminators(model).items():
        declared = own.get(name, words)
        # A mapping that has other words than the enum of the property contradicts it.
        tags[name] = tuple(word for word in words if word in declared) or declared
    constants = {name: words for name, words in own.items() if len(words) == 1}
    return tags | constants


def _words_of(model: ModelProperty) -> Tags:
    """The words of each member of a model that has a constant or an enum; null is none."""
    tags: Tags = {}
    for prop in members_of(model):
        words = _words_of_property(without_null(prop))
        if words:
            tags[prop.name.get_untrusted_value()] = tuple(dict.fromkeys(words))
    return tags


def _words_of_property(prop: Any) -> list[Any]:
    """The words of a constant or an enum."""
    if isinstance(prop, EnumProperty):
        return [*prop.values.values()]
    if isinstance(prop, ConstProperty):
        return [prop.value.raw_value]
    return []


def _discriminators(model: ModelProperty) -> Tags:
    """The words of each union that the model is a member of; not of one in which it stands for any
    other word.
    """
    marks: Any = (model.data.model_extra or {}).get("x-one-of", {})
    words: dict[str, list[Any]] = {}
    for union, own in marks.items():
        _, _, name = union.partition(".")
        words.setdefault(name, []).extend(own)
    tags: Tags = {}
    for name, own in words.items():
        told = [word for word in own if word is not None]
        if told and OTHERS not in own:
            tags[name] = tuple(dict.fromkeys(told))
    return tags


def constant_of(model: ModelProperty, prop: Any) -> str | None:
    """The only value of a required member, as Python: a constant, or an enum of one word that
    selects the model.
    """
    if not prop.required:
        return None
    if isinstance(prop, ConstProperty):
        return prop.value.python_code.as_unembedded_code()
    if not isinstance(prop, EnumProperty) or len(prop.values) != 1:
        return None
    [(name, word)] = prop.values.items()
    selecting = _discriminators(model).get(prop.name.get_untrusted_value(), ())
    return f"{prop.class_info.name}.{name}" if word in selecting else None


# ---- What tells each webhook from the others ----


def _models_of(endpoint: Endpoint) -> Models:
    """The models that the body of a webhook can be."""
    variants = _variants(body_of(endpoint))
    models = [body for body in variants if isinstance(body, ModelProperty)]
    return {str(model.class_info.name): model for model in models}


def _variants(body: Any) -> list[Any]:
    """The members of a union, and of the unions in it; of anything else, itself."""
    variants: list[Any] = []
    for inner in getattr(body, "inner_properties", ()):
        variants += _variants(inner)
    return variants or [body]


def telling(bodies: Sequence[Models]) -> list[tuple[Tags, ...]]:
    """What tells each webhook from the others: the tags of each model that its body can be, or
    nothing.

    A discriminator counts, and a constant that is required or has another value in another webhook.
    If these are the same in all webhooks, required enums count, too, that have the same words in
    two webhooks or none in common. The enum of several words of a body that is still not told from
    another one counts where that other body has one word: two webhooks may share a body.
    """
    models: Models = {}
    for own in bodies:
        models |= own
    tags = _tags_of_all(models)
    first, *others = [*tags.values()] or [{}]
    if len(bodies) > 1 and all(own == first for own in others):
        _add_parting_enums(tags, models)
    telling_tags: dict[str, Tags] = {}
    for name, model in models.items():
        of_others = _tags_of_others(name, bodies, tags)
        telling_tags[name] = tags[name] | _shared(model, tags[name], of_others)
    told: list[tuple[Tags, ...]] = []
    for own in bodies:
        of_body = tuple(telling_tags[name] for name in own)
        told.append(of_body if all(of_body) else ())
    return told


def _tags_of_all(models: Models) -> dict[str, Tags]:
    """The tags of each model that every body has, or that differ from those of another model."""
    every = {name: tags_of(model) for name, model in models.items()}
    counting: dict[str, Tags] = {}
    for name, model in models.items():
        always = {*required_of(model), *_discriminators(model)}
        counting[name] = {
            member: words
            for member, words in every[name].items()
            if member in always or _differs(member, words, every.values())
        }
    return counting


def _differs(member: str, words: Words, every: Iterable[Tags]) -> bool:
    return any(own.get(member, words) != words for own in every)


def _add_parting_enums(tags: dict[str, Tags], models: Models) -> None:
    """Add the required enums that part the webhooks: the words of each other one are the same or
    all different, and some differ.
    """
    enums: dict[str, Tags] = {}
    for name, model in models.items():
        required = required_of(model)
        enums[name] = {each: words for each, words in _words_of(model).items() if each in required}
    for name, own in enums.items():
        for member, words in own.items():
            if _parts(member, words, [*enums.values()]):
                tags[name] = {**tags[name], member: words}


def _parts(member: str, words: Words, every: list[Tags]) -> bool:
    """Whether the words of a member part a webhook from others."""
    own = {*words}
    others = [{*tags.get(member, ())} for tags in every]
    is_apart = all(other and (other == own or not other & own) for other in others)
    return is_apart and any(other != own for other in others)


def _tags_of_others(name: str, bodies: Sequence[Models], tags: dict[str, Tags]) -> list[Tags]:
    """The tags of what a body can be that can never be the model of this name."""
    return [tags[other] for names in bodies if name not in names for other in names]


def _shared(model: ModelProperty, own: Tags, others: list[Tags]) -> Tags:
    """The enums of a body that is not told from other ones, in the members that tell those."""
    names: set[str] = set()
    for other in others:
        if _fits_both(other, own):
            names |= other.keys()
    names -= own.keys()
    return {name: words for name, words in _words_of(model).items() if name in names}


# ---- The webhooks that need their names ----


def untold(
    bodies: Sequence[str], tags: Sequence[tuple[Tags, ...]], hidden: Sequence[bool]
) -> list[int]:
    """The numbers of the webhooks that not every body tells: `read_webhook`, or an inbox, needs
    their names.

    `bodies` are the types of the bodies. `hidden` are those of which the model is known, and not
    which of several webhooks it is.
    """
    has_one_type = len({*bodies}) == 1
    numbers: list[int] = []
    for number, own in enumerate(tags):
        others = [tags[other] for other, type_ in enumerate(bodies) if type_ != bodies[number]]
        is_told = has_one_type or (own and not _could_be(own, others))
        if hidden[number] or not is_told:
            numbers.append(number)
    return numbers


def _could_be(own: tuple[Tags, ...], others: list[tuple[Tags, ...]]) -> bool:
    """Whether a body of a webhook may be that of another one."""
    for tags in own:
        for of_other in others:
            if any(_fits_both(tags, another) for another in of_other):
                return True
    return False


def _fits_both(own: Tags, another: Tags) -> bool:
    """Whether a body that has no more than its own words can have those of another one."""
    return all({*words} & {*own.get(name, ())} for name, words in another.items())


def hidden(bodies: Sequence[Models]) -> list[bool]:
    """Of each webhook, whether it shares a model with another one, and no member of that says which
    of them it is: the class alone names neither.
    """
    sharing = Counter(name for models in bodies for name in models)
    ambiguous: set[str] = set()
    for models in bodies:
        for name, model in models.items():
            if sharing[name] > 1 and not _says_which(model, sharing[name]):
                ambiguous.add(name)
    return [not ambiguous.isdisjoint(models) for models in bodies]


def _says_which(model: ModelProperty, webhooks: int) -> bool:
    """Whether a required member says which of so many webhooks a body is of: any text, or an enum
    with a word for each.
    """
    words, required = _words_of(model), required_of(model)
    for prop in members_of(model):
        name = prop.name.get_untrusted_value()
        if name not in NAMES or name not in required:
            continue
        if len(words.get(name, ())) >= webhooks or isinstance(prop, StringProperty):
            return True
    return False


def required_of(model: ModelProperty) -> tuple[str, ...]:
    """The names of the members that each body has: what can only be sent to the provider is not
    among them.
    """
    hidden: Any = (model.data.model_extra or {}).get("x-write-only", ())
    names = [prop.name.get_untrusted_value() for prop in model.required_properties or ()]
    return tuple(name for name in names if name not in hidden)
