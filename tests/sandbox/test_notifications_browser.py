"""What was posted, on the page in a real Chromium: the log, "Send again", and faults of it."""

import pytest

from tests.chromium import browser, launch, playwright_api
from tests.sandbox.desks import LIFE
from tests.sandbox.test_sandbox_browser import window
from tests.sandbox.test_sandbox_notifications import receiver, sandbox

pytestmark = pytest.mark.pull_request
__all__ = ["browser", "launch", "receiver", "sandbox", "window"]
expect = playwright_api.expect


def test_the_log_shows_new_notifications_by_itself_and_a_button_sends_one_again(
    window, sandbox, payor, receiver
):
    page = window()
    page.get_by_role("tab", name="Notifications").click()
    expect(page.get_by_text("No notification yet.")).to_be_visible()
    payor.pay()
    rows = page.locator("#deliveries li")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text(LIFE[-1])
    expect(rows.first).to_contain_text("taken")
    rows.first.get_by_role("link").click()
    detail = page.locator("#detail")
    expect(detail.locator("h2")).to_contain_text(LIFE[-1])
    expect(detail).to_contain_text(receiver.url)
    expect(detail.locator("pre")).to_contain_text('"status": "CONFIRMED"')
    assert sandbox.authorization_header() not in page.content()
    page.get_by_role("button", name="Send again").click()
    expect(detail.locator(".timeline li")).to_have_count(2)
    page.keyboard.press("r")
    expect(detail.locator(".timeline li")).to_have_count(3)
    assert receiver.names == [*LIFE, LIFE[-1], LIFE[-1]]


def test_the_next_notification_is_lost_by_a_button_and_posted_again_later(
    window, sandbox, payor, receiver
):
    page = window()
    page.get_by_text("Faults", exact=True).click()
    page.get_by_role("button", name="Lose the next notification").click()
    expect(page.locator(".faults")).to_contain_text("lose_notification any event, 1 more")
    payor.submit()
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    row = page.locator("#deliveries li").filter(has_text="submitted")
    expect(row).to_contain_text("waiting")
    row.get_by_role("link").click()
    expect(page.locator("#detail .timeline")).to_contain_text("lost on its way")
    page.get_by_text("Clock", exact=True).click()
    page.get_by_role("button", name="Advance 1 hour").click()
    expect(page.locator("#detail header")).to_contain_text("taken")
