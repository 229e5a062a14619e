"""The reference of commands, exit codes and environment variables is that of the code."""

import re
from signal import SIGHUP, SIGTERM

import pytest

from tests.pages import reference_page
from victor_ext import _exit_status

pytestmark = pytest.mark.slow  # it loads every system
PAGE = reference_page.PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date():
    assert reference_page.page() == PAGE, "python -m tests.pages.reference_page writes it again"


def test_the_reference_page_has_every_option_of_every_command():
    for entry in reference_page.commands():
        section = PAGE.partition(f"**`{entry.usage}`**")[2].partition("\n<a id=")[0]
        shared = PAGE.partition("\n### Options of every command")[2].partition("\n### ")[0]
        for option in entry.options:
            for name in (*option.opts, *option.secondary_opts):
                assert f"`{name}`" in section or f"`{name}`" in shared, (entry.path, name)


def test_the_reference_page_has_every_exit_status():
    named = {value for value in vars(_exit_status).values() if isinstance(value, int)}
    of_signals = {_exit_status.SIGNALLED + each for each in (SIGHUP, SIGTERM)}
    expected = {0} | of_signals | (named - {_exit_status.SIGNALLED})
    section = PAGE.partition("\n## Exit codes\n")[2]
    described = {int(number) for number in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}
    assert described == expected


def test_the_reference_page_describes_every_environment_variable_that_is_read(
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
def test_each_way_of_reading_an_environment_variable_is_recognised(source, names):
    code = source.replace("'", '"')
    assert reference_page.READING.search(code)
    assert reference_page.NAMED.findall(code) == names
