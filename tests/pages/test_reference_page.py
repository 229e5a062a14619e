"""The reference of commands, exit codes and environment variables is that of the code."""

import re

import pytest

from tests.pages import reference_page
from victor_ext import _exit_status

pytestmark = pytest.mark.slow  # it loads every system
PAGE = reference_page.PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date():
    assert reference_page.page() == PAGE, "python -m tests.pages.reference_page writes it again"


def test_every_command_and_every_option_is_there():
    for entry in reference_page.commands():
        section = PAGE.partition(f"**`{entry.usage}`**")[2].partition("\n<a id=")[0]
        shared = PAGE.partition("\n### Options of every command")[2].partition("\n### ")[0]
        for option in entry.options:
            for name in (*option.opts, *option.secondary_opts):
                assert f"`{name}`" in section or f"`{name}`" in shared, (entry.path, name)


def test_every_exit_status_is_there():
    numbers = {value for value in vars(_exit_status).values() if isinstance(value, int)}
    numbers = numbers - {_exit_status.SIGNALLED} | {0, 129, 143}
    section = PAGE.partition("\n## Exit codes\n")[2]
    assert {int(number) for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)} == numbers


def test_every_module_that_reads_a_variable_and_the_variable_are_described(
    monkeypatch,
):
    assert reference_page.undescribed() == set()
    monkeypatch.delitem(reference_page.OTHER_VARIABLES, "VICTOR_LOG")
    assert reference_page.undescribed() == {"VICTOR_LOG"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("os.environ.get('SHOP_KEY', '')", ["SHOP_KEY"]),
        ("os.environ['SHOP_KEY']", ["SHOP_KEY"]),
        ("KEY = 'SHOP_KEY'\nos.environ.setdefault(KEY, 'on')", ["SHOP_KEY"]),
        ("dict(os.environ)", []),
        ("os.getenv(key)", []),
        ("urllib.request.getproxies()", []),
    ],
)
def test_a_read_of_the_environment_is_seen(source, names):
    code = source.replace("'", '"')
    assert reference_page.READING.search(code)
    assert reference_page.NAMED.findall(code) == names
