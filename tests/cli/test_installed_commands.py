"""The commands of other distributions: each entry point of the group `victor_ext.commands`."""

import sys

import pytest

from victor_ext.cli import _app

METADATA = "Metadata-Version: 2.1\nName: shop-client\nVersion: 1\nSummary: What a shop sells.\n"
ENTRY_POINTS = "[victor_ext.commands]\nshop = shop_client:main\nkey = shop_client:main\n"
MODULE = """
def main(arguments, *, prog):
    print(prog, *arguments)
    return 7
"""


@pytest.fixture
def shop_client(tmp_path, monkeypatch):
    """A distribution of others with a command, and with one of a name that is ours."""
    information = tmp_path / "shop_client-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(METADATA)
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "shop_client.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("shop_client", None)


@pytest.fixture
def nothing_installed(monkeypatch):
    monkeypatch.setattr(_app, "entry_points_of", lambda _group: {})


def test_a_command_of_another_distribution_gets_its_arguments_and_decides_the_status(
    bare_command, shop_client
):
    ran = bare_command("shop", "sell", "--all", "--help")
    assert (ran.status, ran.out, ran.err) == (7, "victor shop sell --all --help\n", "")


def test_help_lists_a_command_of_others_without_loading_it(bare_command, shop_client):
    assert "  shop        What a shop sells.\n" in bare_command("--help").out
    assert "shop_client" not in sys.modules


def test_no_command_of_another_distribution_replaces_a_command_of_victor(bare_command, shop_client):
    assert bare_command("key", "invoice", "1042").status == 0
    assert bare_command("--help").out.count("\n  key ") == 1


def test_the_distribution_of_an_absent_command_is_named_in_the_error_and_not_in_the_help(
    bare_command, nothing_installed
):
    ran = bare_command("spec", "diff", "old.yaml", "new.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert "`victor spec` is a distribution of its own, victor-spec," in ran.err
    assert "spec" not in bare_command("--help").out
    assert "No such command 'shop'" in bare_command("shop").err
