"""What the template of webhooks must know: the member that tells the webhooks apart, and what each
body must have.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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
    of_bodies = [endpoint.responses.patterns[0].prop for endpoint in endpoints]
    bodies = [_models_in([body], whole) for body in of_bodies]
    types = [return_type(endpoint) for endpoint in endpoints]
    member, words = telling(bodies, types)
    # A body whose discriminator names no member of its union is refused.
    kinds = {kind for type_ in types for kind in type_.split(" | ")} - {"UnknownVariant"}
    every = _models_in(of_bodies, whole, at_any_depth=True)
    return {
        "endpoints": endpoints,
        "member": member,
        "words": words,
        "untold": untold(bodies, types, words),
        "required": {name: _required_of(model) for name, model in sorted(every.items())},
        "bodies": "Any" if "Any" in kinds else " | ".join(sorted(kinds)),
    }


def _models_in(bodies: Iterable[Any], whole: Models, *, at_any_depth: bool = False) -> Models:
    """The models that these bodies can be, or all that they can contain, each once."""
    models: Models = {}
    pending = [*bodies]
    while pending:
        prop = pending.pop()
        pending += getattr(prop, "inner_properties", ())
        if at_any_depth and hasattr(prop, "inner_property"):
            pending.append(prop.inner_property)
        name = str(prop.class_info.name) if isinstance(prop, ModelProperty) else ""
        if name and name not in models:
            models[name] = whole.get(name, prop)
            if at_any_depth:
                pending += [*members_of(models[name]), models[name].additional_properties]
    return models


def _required_of(model: ModelProperty) -> list[str]:
    """The members that each object has, on the wire: none that can only be sent to the provider."""
    written: Any = (model.data.model_extra or {}).get("x-write-only", ())
    names = [each.name.get_untrusted_value() for each in model.required_properties or ()]
    return [name for name in names if name not in written]


# ---- The words of a model ----


def words_of(model: ModelProperty) -> dict[str, Words]:
    """The words of each member that has a constant, an enum or a discriminator; null is none."""
    words: dict[str, Words] = {}
    for prop in members_of(model):
        plain = without_null(prop)
        name = prop.name.get_untrusted_value()
        if isinstance(plain, EnumProperty):
            words[name] = tuple(dict.fromkeys(plain.values.values()))
        elif isinstance(plain, ConstProperty):
            words[name] = (plain.value.raw_value,)
    return words | _discriminators(model)


def _discriminators(model: ModelProperty) -> dict[str, Words]:
    """The words of each union that the model is a member of; not of one in which it stands for any
    other word.
    """
    marks: Any = (model.data.model_extra or {}).get("x-one-of", {})
    words: dict[str, list[Any]] = {}
    for union, own in marks.items():
        _, _, name = union.partition(".")
        words.setdefault(name, []).extend(word for word in own if word is not None)
    return {
        name: tuple(dict.fromkeys(own)) for name, own in words.items() if own and OTHERS not in own
    }


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


def telling(bodies: Sequence[Models], types: Sequence[str]) -> tuple[str, list[Words]]:
    """The member that tells most webhooks from the others, and its words in each webhook: none
    where a body can be of a model without words there.

    `types` are those of the bodies: webhooks of one type need not be told apart.
    """
    best = ""
    words: list[Words] = [()] * len(bodies)
    most = (0, 1)
    of_models = [[words_of(model) for model in models.values()] for models in bodies]
    for name in dict.fromkeys(name for models in of_models for own in models for name in own):
        of_member = [_words_in(models, name) for models in of_models]
        told = [_is_told(number, types, of_member) for number in range(len(types))]
        score = (sum(told), len({*of_member}))
        if score > most:
            best, words, most = name, of_member, score
    return best, words


def _words_in(models: list[dict[str, Words]], name: str) -> Words:
    """The words of a member in all models of a body; none if one has none."""
    every = [own.get(name, ()) for own in models]
    return tuple(dict.fromkeys(word for own in every for word in own)) if all(every) else ()


def _is_told(number: int, types: Sequence[str], words: Sequence[Words]) -> bool:
    """Whether a webhook has words that none has whose body is of another type; or there is none."""
    others = [each for each, type_ in zip(words, types, strict=True) if type_ != types[number]]
    own = {*words[number]}
    return not others or (bool(own) and all(own.isdisjoint(other) for other in others))


def untold(bodies: Sequence[Models], types: Sequence[str], words: Sequence[Words]) -> list[int]:
    """The numbers of the webhooks that not every body tells: `read_webhook`, or an inbox, needs
    their names. Of a webhook that shares a model with another one, the model may not say which of
    them it is.
    """
    sharing = Counter(name for models in bodies for name in models)
    numbers: list[int] = []
    for number, models in enumerate(bodies):
        is_hidden = any(sharing[name] > 1 and not _is_named(models[name]) for name in models)
        if is_hidden or not _is_told(number, types, words):
            numbers.append(number)
    return numbers


def _is_named(model: ModelProperty) -> bool:
    """Whether a required member, a text or an enum, says of which webhook a body is."""
    required = NAMES.intersection(_required_of(model))
    return any(
        isinstance(prop, StringProperty | EnumProperty)
        for prop in members_of(model)
        if prop.name.get_untrusted_value() in required
    )
