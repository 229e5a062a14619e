"""What a new system lacks is an error that names it: a part of its adapter, an entry of a table, a
class that its `System` names.
"""

import sys
from importlib.metadata import EntryPoint

import pytest

from tests.contracts.document import Document
from tests.contracts.record import contract_of
from tests.providers import systems
from tests.providers.systems import PARTS, adapter_of, of_every_system
from tests.providers.test_operations_table import table as page_table
from victor_ext._systems import System, entry_points_of

WHOLE = dict.fromkeys(PARTS, "None")


@pytest.fixture
def plant(tmp_path, monkeypatch):
    """Writes the adapter of a system with these parts; it is a package of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("shop_systems")]:
        monkeypatch.delitem(sys.modules, name)

    def write(**parts):
        folder = tmp_path / "shop_systems" / "shop"
        folder.mkdir(parents=True)
        text = "".join(f"{name} = {value}\n" for name, value in parts.items())
        (folder / "adapter.py").write_text(text, "utf-8")

    return write


@pytest.fixture
def installed(monkeypatch):
    """One system more has an entry point."""
    shop = EntryPoint("shop", "shop_systems:SYSTEM", "victor_ext.systems")
    points = {**entry_points_of(), "shop": shop}
    monkeypatch.setattr(systems, "entry_points_of", lambda: points)


def test_the_error_for_a_system_without_an_adapter_says_which_file_to_write():
    with pytest.raises(LookupError, match=r"^shop has no adapter: write tests/providers/shop/adap"):
        adapter_of("shop")


def test_the_error_for_a_part_that_an_adapter_lacks_says_what_the_part_is(plant):
    plant(**{name: value for name, value in WHOLE.items() if name != "READ"})
    with pytest.raises(
        LookupError, match=r"^shop_systems/shop/adapter\.py lacks READ, an `Exchange` "
    ):
        adapter_of("shop", "shop_systems")


@pytest.mark.usefixtures("installed")
def test_an_installed_system_needs_the_parts_of_its_client_too(plant):
    plant(**WHOLE)
    with pytest.raises(LookupError, match=r"lacks ARGUMENTS, .*; SETTINGS, .*; WITHOUT, "):
        adapter_of("shop", "shop_systems")


@pytest.mark.usefixtures("installed")
def test_the_error_for_a_table_without_an_entry_of_a_system_says_the_tables_file():
    table = {"victor": 1, "velo, of a payout": 2, "eastpay checkout": 3, "flexfactor": 4}
    with pytest.raises(LookupError, match=r"^tests/cli/test_it\.py: there is no entry of shop\. "):
        of_every_system("tests.cli.test_it", table)
    assert of_every_system("tests.cli.test_it", table, without=("shop",)) is table


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (contract_of, r"^shop has no contract: write tests/contracts/shop\.py"),
        (Document.of, r"^shop has no document: put it into openapi/shop\.yaml"),
        (page_table, r"^shop has no page: write docs/shop\.md"),
    ],
)
def test_the_error_for_a_missing_file_of_a_system_says_which_file_to_write(read, message):
    with pytest.raises(LookupError, match=message):
        read("shop")


def test_a_client_class_that_its_adapter_lacks_is_named_in_the_error(plant):
    plant(Client="None")
    client, awaited = (f"shop_systems.shop.adapter:{name}" for name in ("Client", "AsyncClient"))
    shop = System(name="shop", title="Shop", client=client, async_client=awaited)
    assert shop.load("client") is None
    with pytest.raises(LookupError, match=f"Shop names '{awaited}' as its async_client, and "):
        shop.load("async_client")
