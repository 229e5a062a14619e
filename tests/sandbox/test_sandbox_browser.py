"""The page in a real Chromium, with a client in Python at the other end."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chromium import CONTRAST, browser, launch, playwright_api
from tests.providers.victor.adapter import payment
from victor_ext import RetryPolicy, Victor, VictorJwt
from victor_ext.sandbox import Sandbox, SandboxSettings

pytestmark = pytest.mark.pull_request
__all__ = ["browser", "launch"]
expect = playwright_api.expect


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
