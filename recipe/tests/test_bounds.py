"""A document that is too large, or whose definitions have no end, is refused by name."""

import os
import signal
from contextlib import contextmanager
from random import Random

import pytest

from victor_spec.diff.compare import compare
from victor_spec.document import load
from victor_spec.generate import generate

from .command import run
from .wire import (
    TEXT,
    an_object,
    answering,
    beside,
    document,
    listed,
    reading,
    ref,
    taking,
    written,
)

pytestmark = pytest.mark.pull_request
CIRCLES = beside("circles")


@pytest.mark.parametrize("which", CIRCLES)
@pytest.mark.parametrize("used", [True, False])
def test_a_schema_that_is_a_part_of_itself_is_plain_json(tmp_path, which, used, capsys):
    schemas, says = CIRCLES[which]
    tree = reading(schemas)
    if not used:
        tree = reading({"Ok": TEXT})
        tree["components"]["schemas"].update(schemas)
    spec = written(tmp_path, tree, "circle")
    for way in (["generate", spec, "--out", tmp_path], ["check", spec]):
        assert run(*way) == 0
        assert says in capsys.readouterr().out
    assert (tmp_path / "circle_api" / "models").is_dir()


# ---- Random documents whose schemas refer to each other, and to themselves, wherever a schema can
# stand ----


NAMES = ("a", "b", "c")
"""Few, so that several members of `allOf` have the same property."""
SCALARS = (
    *(TEXT, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}, {}),
    *({"type": "string", "enum": ["x", "y"]}, {"type": "string", "format": "date"}, {"const": "x"}),
)


def recursive_document(seed):
    """The document of a seed: two to six named schemas, each one answered and sent."""
    random = Random(seed)
    named = [f"S{number}" for number in range(random.randint(2, 6))]
    schemas = {
        name: _schema(
            random, named, random.randint(1, 3), named if random.random() < 0.02 else named[:number]
        )
        for number, name in enumerate(named)
    }
    paths = {
        f"/{name}": {
            "post": answering(ref(name), operationId=f"post{name}", requestBody=taking(ref(name)))
        }
        for name in named
    }
    return document(paths, schemas, random.choice(("3.0.3", "3.1.0")))


def _schema(random, named, levels, parts):
    """A schema of some levels; `parts` are what its `allOf` may refer to: nothing is a part of
    itself.
    """

    def inner(parts=named):
        if levels and random.random() < 0.6:
            return _schema(random, named, levels - 1, parts)
        return ref(random.choice(parts)) if parts else dict(TEXT)

    kind = random.choice(
        ("object", "object", "allOf", "allOf", "oneOf", "anyOf", "list", "map", "scalar")
    )
    if kind == "scalar":
        return dict(random.choice(SCALARS))
    if kind == "list":
        return listed(inner())
    if kind == "map":
        return {"type": "object", "additionalProperties": inner()}
    schema = {}
    if kind == "object" or random.random() < 0.4:
        properties = {name: inner() for name in random.sample(NAMES, random.randint(1, 3))}
        schema |= an_object(**properties)
    if kind != "object":
        schema[kind] = [
            inner(parts if kind == "allOf" else named) for _ in range(random.randint(1, 3))
        ]
    if kind != "allOf" and random.random() < 0.2:
        schema["discriminator"] = {"propertyName": random.choice(NAMES)}
    if random.random() < 0.1:
        schema["nullable"] = True
    return schema


CHUNK = 10
CHUNKS = 100 if "VICTOR_SEARCH" in os.environ else 1
SECONDS = 300


class EndlessError(BaseException):
    """Nothing that catches an Exception goes on."""


@contextmanager
def ending(what):
    """Fail what takes more time of the processor than any document needs, instead of waiting for
    it.
    """

    def fail(*_):
        raise EndlessError(f"{what} takes more than {SECONDS} seconds")

    before = signal.signal(signal.SIGPROF, fail)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_schemas_that_contain_each_other_come_to_an_end(tmp_path, chunk):
    """A package is made of most of them, and each is compared with the one before it."""
    earlier = tmp_path / "earlier.json"
    made = 0
    for seed in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        with ending(f"the document {seed}"):
            path = written(tmp_path, recursive_document(seed))
            made += generate(path, tmp_path).written
            if earlier.exists():
                compare(load(earlier), load(path))
        path.replace(earlier)
    assert made > CHUNK / 2
