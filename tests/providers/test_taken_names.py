"""No member of a newer document takes the place of a name that a record has by hand, and no name by
hand hides one.
"""

import importlib
import inspect
from pathlib import Path
from pkgutil import walk_packages

import pytest

from victor_ext import providers
from victor_ext.typed import Record
from victor_spec.typed.records import TAKEN
from victor_spec.typed.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {
    path.name.partition(".")[0]: path for path in (ROOT / "openapi").glob("*.settings.yaml")
}


def public(kind):
    return {name for name in vars(kind) if not name.startswith("_")}


def over(kind):
    """The public classes of this package that are written over a generated one."""
    for found in kind.__subclasses__():
        yield from over(found)
        if found.__module__.startswith(providers.__name__) and not found.__name__.startswith("_"):
            yield found


def names_by_hand(kind):
    """What these classes have beside the generated one, with their other bases."""
    bases = {base for found in over(kind) for base in found.__mro__} - {*kind.__mro__}
    return {name for base in bases for name in public(base)} - TAKEN


@pytest.mark.parametrize("system", SETTINGS)
def test_the_settings_list_each_name_that_a_class_has_by_hand(system):
    for module in walk_packages(providers.__path__, f"{providers.__name__}."):
        if f".{system}." in module.name:
            importlib.import_module(module.name)
    generated = importlib.import_module(f"{system}_api.typed.records")
    settings = read_settings(SETTINGS[system])
    entries = {**settings.records, **settings.views}
    for name, kind in inspect.getmembers(generated, inspect.isclass):
        if kind.__module__ == generated.__name__:
            by_hand = sorted(names_by_hand(kind))
            written = sorted(entries[name].taken) if name in entries else []
            assert written == by_hand, f"`taken` of {name} in {SETTINGS[system].name}"


def test_the_recipe_knows_the_names_that_every_record_has():
    bases = {*Record.__mro__} - {object}
    assert {name for base in bases for name in public(base)} == TAKEN
