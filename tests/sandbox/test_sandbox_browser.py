"""The page in a real Chromium, with a client in Python at the other end."""

import re
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.chromium import CONTRAST, browser, launch, playwright_api
from tests.providers.victor.adapter import payment
from tests.sandbox.sandbox_callers import CREATE
from victor_ext import RetryPolicy, Victor, VictorJwt
from victor_ext.sandbox import Sandbox, SandboxSettings

pytestmark = pytest.mark.pull_request
__all__ = ["browser", "launch"]
expect = playwright_api.expect
PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(SandboxSettings(auto=0.1, demo_data=True)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def victor(sandbox):
    auth = VictorJwt(*sandbox.new_api_key())
    with Victor(auth, base_url=sandbox.url, retry=RetryPolicy(base=0.0)) as victor:
        yield victor


@pytest.fixture
def window(browser, sandbox):
    """Opens pages; every test ends with no error in any of them."""
    contexts = []
    errors = []

    def opened(path="/", width=1280, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, reduced_motion="reduce", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(sandbox.url + path)
        if not path.startswith("/docs"):
            expect(page.get_by_role("status")).to_have_text("live")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [each for each in errors if not re.search("status of 400|ERR_FAILED", each)] == []


def ask(victor, notes="Window cleaning", payer="aHeq349838", **more):
    return victor.payment_requests.create(
        **payment(payer_counterparty_id=payer, notes=notes, **more)
    )


def test_a_request_made_in_python_appears_and_accepting_it_ends_the_wait(window, victor):
    page = window()
    page.evaluate("window.untouched = true")
    made = ask(victor, "Appears by itself", amount=5)
    row = page.locator(f'a[href="#/records/{made.id}"]')
    expect(row.locator(".amount")).to_have_text("5.00 USD")
    expect(row).to_contain_text("Appears by itself")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(victor.payment_requests.wait, made.id, timeout=60.0)
        row.click()
        page.get_by_label("Notes to the payee").fill("Paid by hand")
        assert not waiting.done()
        page.get_by_role("button", name="Accept").click()
        assert waiting.result().status == "completed"
    assert victor.payment_requests.get(made.id).approval_notes == "Paid by hand"
    expect(page.locator("#detail header")).to_contain_text("completed")
    expect(page.locator(".timeline")).to_contain_text("accepted")
    assert page.evaluate("window.untouched"), "the page was loaded again"


def test_a_button_makes_a_request_that_asks_for_money(window, sandbox):
    page = window()
    before = {request["id"] for request in sandbox.requests()}
    page.get_by_role("button", name="Create a request").click()
    expect(page.get_by_role("alert")).to_have_text("Done.")
    (made,) = [request for request in sandbox.requests() if request["id"] not in before]
    assert made["direction"] == "inbound"
    page.locator(f'a[href="#/records/{made["id"]}"]').click()
    expect(page.get_by_role("button", name="Accept")).to_be_enabled()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_message_covers_nothing(window, width):
    page = window(width=width)
    page.get_by_role("button", name="Create a request").click()
    message = page.get_by_role("alert")
    expect(message).to_have_text("Done.")
    assert (
        message.evaluate("""message => {
        const { left, right, top, bottom } = message.getBoundingClientRect();
        const others = document.elementsFromPoint((left + right) / 2, (top + bottom) / 2);
        return others.filter(other => !other.contains(message)).length;
    }""")
        == 0
    )


def test_the_main_button_of_a_fault_is_one_that_can_be_pressed(window):
    page = window()
    page.get_by_text("Faults", exact=True).click()
    for kind in page.get_by_label("meet").locator("option").all_text_contents():
        page.get_by_label("meet").select_option(kind)
        expect(page.locator("#fault button.first")).to_have_count(1)
        expect(page.locator("#fault button.first")).to_be_enabled()


def test_an_amount_is_written_as_bulk_writes_it(window, victor):
    made = ask(victor, "A large one", amount="1233.76")
    amount = window().locator(f'a[href="#/records/{made.id}"] .amount')
    expect(amount).to_have_text("1,233.76 USD")


def test_the_keyboard_is_enough(window, victor, sandbox):
    made = ask(victor, "By keyboard")
    page = window()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#detail q")).to_have_text("By keyboard")
    expect(page.locator("#detail h2")).to_be_focused()
    page.keyboard.press("e")
    expect(page.locator("#detail header")).to_contain_text("expired")
    assert sandbox.request(made.id)["status"] == "expired"
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator(f'a[href="#/records/{made.id}"]')).to_be_focused()
    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Calls")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_any_key_leads_to_its_calls(window, sandbox):
    key = "a/b?c=1#d%41&e 'f' \"g\" <h>"
    httpx.post(sandbox.url + CREATE, headers={"idempotency-key": key})
    page = window()
    page.locator("li.group").filter(has_text="a/b?c=1#d%41&").get_by_role("link").click()
    expect(page.locator("#detail code")).to_have_text(key)
    expect(page.locator(".timeline")).to_contain_text("create, attempt 1")


def test_text_that_a_person_is_typing_stays_when_the_page_is_updated(window, victor):
    made = ask(victor)
    page = window(f"/#/records/{made.id}")
    notes = page.get_by_label("Notes to the payee")
    notes.fill("Half a sen")
    victor.payment_requests.get(made.id)
    expect(page.locator(".timeline")).to_contain_text("get")
    expect(notes).to_have_value("Half a sen")
    expect(notes).to_be_focused()


def test_a_person_injects_a_fault_before_the_work_and_a_fault_after_the_work(
    window, victor, sandbox
):
    page = window()
    page.get_by_text("Faults", exact=True).click()
    page.get_by_role("button", name="Fail before the work").click()
    expect(page.locator(".faults")).to_contain_text("status 503 create, before the work, 1 more")
    page.get_by_label("meet").select_option("lose_answer")
    expect(page.get_by_role("button", name="Fail before the work")).to_be_disabled()
    page.get_by_role("button", name="Fail after the work").click()
    expect(page.locator(".faults li")).to_have_count(2)
    made = ask(victor, "Third time lucky")
    expect(page.get_by_text("No fault is waiting")).to_be_visible()
    group = page.locator("li.group").filter(has_text="Third time lucky")
    expect(group).to_contain_text("3 attempts")
    assert sandbox.work_done_by_key()[made.idempotency_key] == 1


def test_the_page_advances_the_clock_and_shows_why_a_command_was_refused(window, victor, sandbox):
    page = window()
    page.get_by_text("Clock", exact=True).click()
    before = sandbox.clock()["advanced"]
    page.get_by_role("button", name="Advance 1 second").click()
    expect(page.locator(".clock")).to_contain_text("advanced by")
    assert sandbox.clock()["advanced"] == before + 1
    made = ask(victor, amount_modification_allowed=True)
    page.goto(f"{sandbox.url}/#/records/{made.id}")
    page.get_by_label("Another amount").fill("ten")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "modified_amount breaks the rule 'pattern' of the document"
    )
    page.route("**/respond", lambda route: route.abort())
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert")).to_have_text("The sandbox does not answer. Is it running?")


def test_a_page_elsewhere_cannot_command_the_sandbox(launch, browser, sandbox, victor):
    """As in DNS rebinding, a name of the page's own means this machine; and plain calls from
    another origin.
    """
    ask(victor)
    before = sandbox.info()["requests"]
    page = browser.new_page()
    page.route("http://evil.example/", lambda route: route.fulfill(body="Good day"))
    page.goto("http://evil.example/")
    reset = f"{sandbox.url}/_sandbox/reset"
    page.evaluate("url => fetch(url, {method: 'POST', mode: 'no-cors'}).catch(() => 0)", reset)
    frame = page.evaluate(
        """url => new Promise(done => {
            const frame = document.createElement("iframe");
            frame.src = url;
            frame.onload = () => {
                try { done(frame.contentDocument ? "read" : "closed"); }
                catch { done("closed"); }
            };
            document.body.append(frame);
        })""",
        sandbox.url,
    )
    assert frame == "closed"
    page.close()
    rebound = launch("--host-resolver-rules=MAP rebound.example 127.0.0.1")
    page = rebound.new_page()
    answer = page.goto(sandbox.url.replace("127.0.0.1", "rebound.example"))
    assert (answer.status, "foreign_host" in page.content()) == (403, True)
    said = page.evaluate("fetch('/_sandbox/reset', {method: 'POST'}).then(each => each.status)")
    assert said == 403
    rebound.close()
    assert sandbox.info()["requests"] == before


@pytest.fixture
def paths(victor, sandbox):
    """Where the page shows a record, a call, and the control API."""
    made = ask(victor, "A long note " * 8)
    return [f"/#/records/{made.id}", f"/#/calls/{sandbox.received()[-1].number}", "/docs"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_fits_the_width_of_a_screen_and_has_enough_contrast(
    window, sandbox, paths, width, scheme
):
    page = window("/", width, color_scheme=scheme)
    for path in ("/", *paths):
        page.goto(sandbox.url + path)
        page.locator("h1").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(CONTRAST) == [], path


def test_the_pictures_of_the_documentation_can_be_made(browser, tmp_path):
    runpy.run_path(str(PICTURES / "sandbox_page.py"))["take"](browser, tmp_path)
    pictures = {path.name for path in PICTURES.glob("sandbox-page*")}
    assert {path.name for path in tmp_path.iterdir()} == pictures
