"""The reference of commands, exit codes and environment variables is that of the code."""

import ast
import re

import pytest

from tests.pages import reference_page
from tests.pages.environment_reads import EnvironmentScan, Read, environment_reads
from victor_ext import _exit_status

pytestmark = pytest.mark.slow  # it loads every system
PAGE = reference_page.PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date() -> None:
    assert reference_page.page() == PAGE, "python -m tests.pages.reference_page writes it again"


def test_every_command_and_every_option_is_there() -> None:
    for entry in reference_page.commands():
        section = PAGE.partition(f"**`{entry.usage}`**")[2].partition("\n<a id=")[0]
        shared = PAGE.partition("\n### Options of every command")[2].partition("\n### ")[0]
        for option in entry.options:
            for name in (*option.opts, *option.secondary_opts):
                assert f"`{name}`" in section or f"`{name}`" in shared, (entry.path, name)


def test_every_exit_status_is_there() -> None:
    numbers = {value for value in vars(_exit_status).values() if isinstance(value, int)}
    numbers = numbers - {_exit_status.SIGNALLED} | {0, 129, 143}
    section = PAGE.partition("\n## Exit codes\n")[2]
    assert {int(number) for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)} == numbers


def test_every_variable_that_is_read_is_there() -> None:
    section = PAGE.partition("\n## Environment variables\n")[2]
    names = {read.name for read in environment_reads()} - {None}
    assert names > {"VICTOR_LOG", "VICTOR_OUTBOX_KEY", "SSLKEYLOGFILE"}
    for system in reference_page.systems():
        names |= {*reference_page.variables_of(system), f"{system.prefix}PROFILE"}
    assert {name for name in names if f"| `{name}` |" not in section} == set()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("os.environ.get('SHOP_KEY', '')", "SHOP_KEY"),
        ("os.environ['SHOP_KEY']", "SHOP_KEY"),
        ("os.environ.setdefault(KEY, 'on')", "SHOP_KEY"),
        ("KEY in os.environ", None),
        ("dict(os.environ)", None),
        ("os.getenv(KEY)", None),
        ("urllib.request.getproxies()", None),
    ],
)
def test_a_read_of_the_environment_is_seen(source: str, name: str | None) -> None:
    scan = EnvironmentScan("shop")
    scan.visit(ast.parse(f"KEY = 'SHOP_KEY'\ndef read():\n    return {source}"))
    assert scan.reads == [Read("shop", "shop.read", name)]


def test_a_variable_without_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(reference_page.OTHER_VARIABLES, "VICTOR_LOG")
    with pytest.raises(LookupError, match="VICTOR_LOG"):
        reference_page.other_variables()
