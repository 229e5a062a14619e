"""What a new system lacks is an error that names it: an entry of a table, a class that its `System`
names.
"""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from tests.providers import systems
from tests.providers.systems import of_every_system
from victor_ext._systems import System, entry_points_of


def test_the_error_for_a_table_without_an_entry_of_a_system_says_the_tables_file(monkeypatch):
    shop = EntryPoint("shop", "shop_systems:SYSTEM", "victor_ext.systems")
    points = {**entry_points_of(), "shop": shop}
    monkeypatch.setattr(systems, "entry_points_of", lambda: points)
    table = {"victor": 1, "velo, of a payout": 2, "eastpay checkout": 3, "flexfactor": 4}
    with pytest.raises(LookupError, match=r"^tests/cli/test_it\.py: there is no entry of shop\. "):
        of_every_system("tests.cli.test_it", table)
    assert of_every_system("tests.cli.test_it", table, without=("shop",)) is table


def test_a_client_class_that_its_module_lacks_is_named_in_the_error(monkeypatch):
    module = ModuleType("shop_client")
    module.Client = None
    monkeypatch.setitem(sys.modules, "shop_client", module)
    client, awaited = (f"shop_client:{name}" for name in ("Client", "AsyncClient"))
    shop = System(name="shop", title="Shop", client=client, async_client=awaited)
    assert shop.load("client") is None
    with pytest.raises(LookupError, match=f"Shop names '{awaited}' as its async_client, and "):
        shop.load("async_client")
