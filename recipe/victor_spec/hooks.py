"""What the template of webhooks must know: the models that a body can contain, and what tells the
webhooks apart.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import EnumProperty, ModelProperty
from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.string import StringProperty

from .rewrites.unions import OTHERS

NAMES = frozenset({"type", "event", "event_type", "eventType", "eventName"})
"""The members by which an inbox names an event."""
Words = tuple[str | int, ...]
Tags = dict[str, Words]
"""The words of the members that select a model, by the wire names of the members."""


def known_of(
    endpoints: Sequence[Endpoint],
    models: Iterable[ModelProperty],
    return_type: Callable[[Endpoint], str],
) -> dict[str, Any]:
    """What the template is rendered with.

    `models` are those of the package: references to them may lack members.
    """
    whole = {str(model.class_info.name): model for model in models}
    tags = telling(endpoints, whole)
    # A body whose discriminator names no member of its union is refused.
    kinds = sorted(
        {kind for each in endpoints for kind in return_type(each).split(" | ")} - {"UnknownVariant"}
    )
    return {
        "endpoints": endpoints,
        "models": models_in(endpoints, whole),
        "tags": tags,
        "untold": untold([return_type(each) for each in endpoints], tags, hidden(endpoints, whole)),
        "bodies": "Any" if "Any" in kinds else " | ".join(kinds),
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
    waiting = [body_of(endpoint) for endpoint in endpoints]
    while waiting:
        prop = waiting.pop()
        if not isinstance(prop, ModelProperty):
            waiting += [
                *getattr(prop, "inner_properties", ()),
                *filter(None, [getattr(prop, "inner_property", None)]),
            ]
        elif prop.class_info.name not in models:
            models[prop.class_info.name] = model = whole.get(prop.class_info.name, prop)
            waiting += [*members_of(model), model.additional_properties]
    return [models[name] for name in sorted(models)]


def members_of(model: ModelProperty) -> list[Any]:
    return [*(model.required_properties or ()), *(model.optional_properties or ())]


def tags_of(model: ModelProperty) -> Tags:
    """The members that have one word alone (a constant, an enum of one word), and the
    discriminators of the model.
    """
    own = dict(_words_of(model))
    # A mapping that has other words than the enum of the property contradicts it.
    named = {
        name: tuple(word for word in words if word in own.get(name, words)) or own[name]
        for name, words in _discriminators(model).items()
    }
    return named | {name: words for name, words in own.items() if len(words) == 1}


def _words_of(model: ModelProperty) -> Iterator[tuple[str, Words]]:
    for prop in members_of(model):
        inner = [
            each
            for each in getattr(prop, "inner_properties", ())
            if each.get_base_type_string() != "None"
        ]
        core = inner[0] if len(inner) == 1 else prop
        values: Iterable[Any] = core.values.values() if isinstance(core, EnumProperty) else ()
        values = [core.value.raw_value] if isinstance(core, ConstProperty) else values
        if words := (*dict.fromkeys(values),):
            yield prop.name.get_untrusted_value(), words


def _discriminators(model: ModelProperty) -> Tags:
    """The words of each union that the model is a member of; not of one in which it stands for any
    other word.
    """
    marks: Any = (model.data.model_extra or {}).get("x-one-of", {})
    words: dict[str, list[Any]] = {}
    for union, own in marks.items():
        words.setdefault(union.partition(".")[2], []).extend(own)
    named = {name: dict.fromkeys(own) for name, own in words.items() if OTHERS not in own}
    return {
        name: told
        for name, own in named.items()
        if (told := tuple(word for word in own if word is not None))
    }


def constant_of(model: ModelProperty, prop: Any) -> str | None:
    """The only value of a required member, as Python: a constant, or an enum of one word that
    selects the model.
    """
    if isinstance(prop, ConstProperty) and prop.required:
        return prop.value.python_code.as_unembedded_code()
    if not (isinstance(prop, EnumProperty) and prop.required and len(prop.values) == 1):
        return None
    (name, word) = next(iter(prop.values.items()))
    selecting = _discriminators(model).get(prop.name.get_untrusted_value(), ())
    return f"{prop.class_info.name}.{name}" if word in selecting else None


def telling(
    endpoints: Iterable[Endpoint], whole: Mapping[str, ModelProperty]
) -> list[tuple[Tags, ...]]:
    """What tells each webhook from the others: the tags of each model that its body can be, or
    nothing.

    A discriminator counts, and a constant that is required or has another value in another webhook.
    If these are the same in all webhooks, required enums count, too, that have the same words in
    two webhooks or none in common. The enum of several words of a body that is still not told from
    another one counts where that other body has one word: two webhooks may share a body.
    """
    variants = [_variants(body_of(endpoint)) for endpoint in endpoints]
    bodies = [[each for each in own if isinstance(each, ModelProperty)] for own in variants]
    models = {
        each.class_info.name: whole.get(each.class_info.name, each)
        for own in bodies
        for each in own
    }
    named = [{each.class_info.name for each in own} for own in bodies]
    seen = [tags_of(model) for model in models.values()]
    tags = {name: _counting(model, seen) for name, model in models.items()}
    if len(bodies) > 1 and all(own == each for own in tags.values() for each in tags.values()):
        enums = {name: _required_enums(model) for name, model in models.items()}
        tags = {name: own | _parting(enums[name], [*enums.values()]) for name, own in tags.items()}
    others = {
        name: [tags[each] for own in named for each in own if name not in own] for name in tags
    }
    tags = {name: own | _shared(models[name], own, others[name]) for name, own in tags.items()}
    told = [tuple(tags[each.class_info.name] for each in own) for own in bodies]
    return [each if all(each) else () for each in told]


def hidden(endpoints: Sequence[Endpoint], whole: Mapping[str, ModelProperty]) -> list[bool]:
    """Of each webhook, whether it shares a model with another one, and no member of that says which
    of them it is: the class alone names neither.
    """
    models = [
        {
            each.class_info.name: whole.get(each.class_info.name, each)
            for each in _variants(body_of(endpoint))
            if isinstance(each, ModelProperty)
        }
        for endpoint in endpoints
    ]
    sharing = Counter(name for own in models for name in own)
    return [
        any(
            sharing[name] > 1 and not _says_which(model, sharing[name])
            for name, model in own.items()
        )
        for own in models
    ]


def _says_which(model: ModelProperty, webhooks: int) -> bool:
    """Whether a required member says which of so many webhooks a body is of: any text, or an enum
    with a word for each.
    """
    words = dict(_words_of(model))
    for prop in members_of(model):
        name = prop.name.get_untrusted_value()
        if name not in NAMES or name not in required_of(model):
            continue
        if len(words.get(name, ())) >= webhooks or isinstance(prop, StringProperty):
            return True
    return False


def untold(
    bodies: Sequence[str], tags: Sequence[tuple[Tags, ...]], hidden: Sequence[bool]
) -> list[int]:
    """The numbers of the webhooks that not every body tells: `read_webhook`, or an inbox, needs
    their names.

    `bodies` are the types of the bodies. `hidden` are those of which the model is known, and not
    which of several webhooks it is.
    """
    numbers = range(len(bodies))
    return [
        number
        for number in numbers
        if hidden[number]
        or (
            len({*bodies}) > 1
            and (
                not tags[number]
                or any(
                    bodies[other] != bodies[number] and _fits_both(own, another)
                    for other in numbers
                    for own in tags[number]
                    for another in tags[other]
                )
            )
        )
    ]


def _fits_both(own: Tags, another: Tags) -> bool:
    """Whether a body that has no more than its own words can have those of another one."""
    return all({*words} & {*own.get(name, ())} for name, words in another.items())


def _shared(model: ModelProperty, own: Tags, others: list[Tags]) -> Tags:
    """The enums of a body that is not told from other ones, in the members that tell those."""
    tell_others = {name for each in others if _fits_both(each, own) for name in each}
    return {
        name: words for name, words in _words_of(model) if name in tell_others and name not in own
    }


def _variants(body: Any) -> list[Any]:
    return [
        each for inner in getattr(body, "inner_properties", ()) for each in _variants(inner)
    ] or [body]


def _counting(model: ModelProperty, seen: list[Tags]) -> Tags:
    required, discriminators = required_of(model), _discriminators(model)
    return {
        name: words
        for name, words in tags_of(model).items()
        if name in (*required, *discriminators)
        or any(own.get(name, words) != words for own in seen)
    }


def _required_enums(model: ModelProperty) -> Tags:
    return {name: words for name, words in _words_of(model) if name in required_of(model)}


def required_of(model: ModelProperty) -> tuple[str, ...]:
    """The names of the members that each body has: what can only be sent to the provider is not
    among them.
    """
    hidden: Any = (model.data.model_extra or {}).get("x-write-only", ())
    names = [prop.name.get_untrusted_value() for prop in model.required_properties or ()]
    return tuple(name for name in names if name not in hidden)


def _parting(enums: Tags, seen: list[Tags]) -> Tags:
    """The enums that part the webhooks: the words of each other one are the same or all different,
    and some differ.
    """
    sets = {name: [{*own.get(name, ())} for own in seen] for name in enums}
    return {
        name: words
        for name, words in enums.items()
        if all(each and (each == {*words} or not each & {*words}) for each in sets[name])
        and any(each != {*words} for each in sets[name])
    }
