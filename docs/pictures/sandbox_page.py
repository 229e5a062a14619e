"""Make the pictures of the sandbox's page, as Chromium shows it in both colour schemes:
`python docs/pictures/sandbox_page.py`.
"""

from __future__ import annotations

import base64
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from victor_ext import RetryPolicy, Victor, VictorError, VictorJwt, idempotency_key_for
from victor_ext.sandbox import Sandbox, SandboxSettings
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
QUALITY = 70
"""Of WebP: texts stay sharp, and a picture takes a third of a PNG."""


def send(sandbox: Sandbox) -> str:
    """Send a handful of requests through faults; returns the id of the one to open."""
    auth = VictorJwt(*sandbox.new_api_key())
    with Victor(auth, base_url=sandbox.url, retry=RetryPolicy(base=0.0)) as victor:

        def ask(number: int, amount: str, payer: str, notes: str) -> str:
            made = victor.payment_requests.create(
                payee_account_number="043987673645",
                payer_counterparty_id=payer,
                amount=Decimal(amount),
                biller_type="BUSINESS",
                due_date=datetime.now(UTC).date(),
                notes=notes,
                client_reference_id=f"INV-{number}",
                idempotency_key=idempotency_key_for("invoice", number),
            )
            return made.id

        ask(1040, "310.00", "lake000002", "Rent of the boathouse")
        sandbox.advance(3)
        ask(1041, "86.50", "acme000001", "Two boxes of paper")
        sandbox.inject("lose_answer", operation="create")
        sandbox.inject("status", operation="create", status=503)
        shown = ask(1042, "44.23", "aHeq349838", "Window cleaning, October")
        victor.payment_requests.get(shown)
        ask(1043, "1200.00", "failsRfp", "Consulting")
        sandbox.advance(1)
        sandbox.inject("status", operation="create", status=400)
        with suppress(VictorError):
            ask(1044, "15.00", "acme000001", "Postage")
        ask(1045, "99.90", "reviewsRfp", "Annual membership")
    sandbox.inject("rate_limit", operation="list", times=2)
    return shown


async def receive(request: Request) -> Response:
    """A service that has no place for a payee."""
    name = (await request.json())["eventName"]
    return Response(status_code=503 if name.startswith("payee.") else 200)


def notify(sandbox: VeloSandbox) -> None:
    """Post a handful of notifications through faults."""
    service = Starlette(routes=[Route("/webhooks", receive, methods=["POST"])])
    sandbox.notify_app(service, "http://service:8000/webhooks")
    payee = sandbox.add_payee("payee-7")
    payment = "1f0e7b0a-3d3c-4f43-9f6b-2f6f0c1c7a11"
    sandbox.trigger(payee, "payee.onboarding_status_changed")
    sandbox.trigger(payment, "payment.submitted")
    sandbox.wait_for_deliveries()
    sandbox.inject("double_notification", event="payment.accepted")
    sandbox.trigger(payment, "payment.accepted")
    sandbox.inject("lose_notification", event="payment.confirmed")
    sandbox.trigger(payment, "payment.confirmed")
    sandbox.wait_for_deliveries()
    sandbox.advance(60)
    sandbox.wait_for_deliveries()
    sandbox.trigger(payment, "payment.returned")
    sandbox.wait_for_deliveries()


def take(browser: Browser, folder: Path) -> None:
    """Write the pictures: a request is open, with its life; and a notification, with its
    attempts.
    """
    with Sandbox(SandboxSettings(demo_data=True, seed=7)) as sandbox:
        page = _opened(browser, f"{sandbox.url}/#/records/{send(sandbox)}", height=860)
        page.get_by_role("button", name="Accept").wait_for()
        _write(page, folder, "sandbox-page")
    with VeloSandbox(VeloSettings(seed=7)) as velo:
        with ThreadPoolExecutor() as elsewhere:  # the browser's event loop runs on this thread
            elsewhere.submit(notify, velo).result()
        confirmed = [each["event"] for each in velo.deliveries()].index("payment.confirmed") + 1
        page = _opened(browser, f"{velo.url}/#/deliveries/{confirmed}", height=720)
        page.get_by_role("tab", name="Notifications").click()
        page.get_by_role("button", name="Send again").wait_for()
        _write(page, folder, "sandbox-page-notifications")


def _opened(browser: Browser, url: str, *, height: int) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": height}, reduced_motion="reduce")
    page.goto(url)
    page.get_by_text("live", exact=True).wait_for()
    return page


def _write(page: Page, folder: Path, name: str) -> None:
    """Write a picture in each scheme, and close the page."""
    browser = page.context.new_cdp_session(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        options = {"format": "webp", "quality": QUALITY}
        picture = browser.send("Page.captureScreenshot", options)["data"]
        folder.joinpath(f"{name}-{scheme}.webp").write_bytes(base64.b64decode(picture))
    page.close()


def main() -> None:
    """Start a browser, and write the pictures beside this file."""
    with sync_playwright() as playwright:
        program = next(
            filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
        )
        browser = playwright.chromium.launch(executable_path=program)
        take(browser, Path(__file__).parent)
        browser.close()


if __name__ == "__main__":
    main()
