"""Where the operations of a document take idempotency keys.

A document may declare a parameter or a member at a place (`declares`), and say of it that it is an
idempotency key (`says_key`, `documented_key`): a name alone says little.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from victor_ext._runtime.loop.evidence import SAFE_METHODS, Declared
from victor_ext._runtime.loop.idempotency_keys import (
    PLACES,
    BodyKey,
    HeaderKey,
    KeyPlace,
    NoKeys,
)
from victor_ext._runtime.loop.operations import declares_at, is_at


class KeyElsewhere(NamedTuple):
    """A key that a document has in the query or in a cookie, where no client here sends one."""

    place: str
    name: str

    def __repr__(self) -> str:
        return f"{self.name!r} in the {self.place}"


DocumentedKey = KeyPlace | KeyElsewhere


def documented_key(declared: Declared) -> DocumentedKey | None:
    """The first place where the document says that an operation takes a key; None: it says it of no
    place.
    """
    for key in declared.keys:
        if key.is_key:
            place_class = PLACES.get(key.place)
            return place_class(key.name) if place_class else KeyElsewhere(key.place, key.name)
    return None


def says_key(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether the document says of some operation that what is at this place is a key."""
    return any(key.is_key and is_at(place, key) for row in document for key in row.keys)


def named_place(document: Sequence[Declared], name: str) -> KeyPlace:
    """The header of this name; or the member, if the document declares that alone."""
    header = HeaderKey(name)
    member = BodyKey(name)
    if declares(document, member) and not declares(document, header):
        return member
    return header


def key_place(document: Sequence[Declared]) -> DocumentedKey:
    """The place where most writes of a document take a key, as it says."""
    writes = [declared for declared in document if declared.method not in SAFE_METHODS]
    keys = [key for key in map(documented_key, writes) if key is not None]
    return Counter(keys).most_common(1)[0][0] if keys else NoKeys()


def declared_place(document: Sequence[Declared], place: KeyPlace) -> DocumentedKey:
    """Where the writes of a document take the key of a caller who names `place`.

    It is `place`, if the document says that a key is there; or else the place of which the document
    says so. Where the document says it of none, it is `place`, if some operation declares something
    there; or else `NoKeys`.
    """
    if says_key(document, place):
        return place
    documented = key_place(document)
    if isinstance(documented, NoKeys) and declares(document, place):
        return place
    return documented


def declares(document: Sequence[Declared], place: KeyPlace) -> bool:
    """Whether some operation declares what is at this place, key or not."""
    return any(declares_at(declared, place) for declared in document)
