"""Which body of a method runs is seen where it stands: no class has two among its ancestors."""

import importlib
import inspect
import pkgutil

import pytest

from tests.outbox.django_project import set_up
from victor_ext.inbox import Inbox
from victor_ext.outbox import Outbox

set_up()

ROOMS = ("_event_queue", "outbox", "inbox", "_settlement")
"""The rooms of the engine."""


def classes_of(room):
    """The classes that are defined in a room."""
    package = importlib.import_module(f"victor_ext.{room}")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "migrations" in found.name or "management" in found.name:
            continue
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield value


def bodies_of(kind):
    """The classes of this package that give a class each of its methods, by its name."""
    bodies = {}
    for ancestor in kind.__mro__:
        if not ancestor.__module__.startswith("victor_ext"):
            continue
        for name, value in vars(ancestor).items():
            is_method = inspect.isroutine(value) or isinstance(value, property)
            if is_method or hasattr(value, "steps"):  # of a decorated one, see `operation`
                bodies.setdefault(name, []).append(ancestor.__name__)
    return bodies


def twice(kind):
    """The methods of a class that have two bodies."""
    own = {name: found for name, found in bodies_of(kind).items() if not name.startswith("__")}
    return {name: found for name, found in own.items() if len(found) > 1}


@pytest.mark.parametrize("room", ROOMS)
def test_no_class_of_the_engine_has_a_method_with_two_bodies_among_its_ancestors(room):
    kinds = [*classes_of(room)]
    assert kinds
    assert {kind.__qualname__: twice(kind) for kind in kinds if twice(kind)} == {}


def test_the_operations_of_the_public_classes_are_seen():
    assert "send" in bodies_of(Outbox)
    assert "receive" in bodies_of(Inbox)
