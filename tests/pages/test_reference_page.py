"""The reference of commands, exit codes and environment variables is that of the code."""

import pytest

from tests.pages import reference_page

pytestmark = pytest.mark.slow  # it loads every system
PAGE = reference_page.PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date():
    assert reference_page.page() == PAGE, "python -m tests.pages.reference_page writes it again"


def test_the_reference_page_describes_every_environment_variable_that_is_read(
    monkeypatch,
):
    assert reference_page.undescribed() == set()
    # A copy: `delitem` would put it back at the end, where the page does not have it.
    others = {**reference_page.OTHER_VARIABLES}
    del others["VICTOR_LOG"]
    monkeypatch.setattr(reference_page, "OTHER_VARIABLES", others)
    assert reference_page.undescribed() == {"VICTOR_LOG"}
