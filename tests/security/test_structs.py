"""rich shows an object by its repr: what a repr hides or masks is in no traceback of rich's."""

import importlib
import pkgutil

import pytest
from msgspec import Struct
from rich.pretty import pretty_repr

import victor_ext
from victor_ext.providers.victor._values import Payee, Payer

NO_MODULES = ("__main__", "django")


def structs(kind=Struct):
    for each in kind.__subclasses__():
        yield each
        yield from structs(each)


def test_rich_shows_the_repr_of_each_struct():
    for module in pkgutil.walk_packages(victor_ext.__path__, "victor_ext."):
        if not any(part in module.name for part in NO_MODULES):
            importlib.import_module(module.name)
    own = [
        each
        for each in structs()
        if each.__module__.startswith("victor_ext.") and ".sandbox." not in each.__module__
    ]
    assert len(own) > 30
    for each in own:
        with pytest.raises(NotImplementedError):
            each.__rich_repr__(None)


def test_rich_shows_no_account_number():
    number = "071204958836"
    shown = pretty_repr([Payee(number, None), Payer(None, number, "021000021", "Ada")])
    assert number not in shown
    assert number[-4:] in shown
