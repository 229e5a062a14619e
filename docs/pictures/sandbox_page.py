"""Make the picture of the sandbox's page, as Chromium shows it:
`python docs/pictures/sandbox_page.py`.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from victor_ext import RetryPolicy, Victor, VictorError, VictorJwt, idempotency_key_for
from victor_ext.sandbox import Sandbox, SandboxSettings


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


def take(browser: Browser, folder: Path) -> None:
    """Write the picture: a request is open, with its life."""
    with Sandbox(SandboxSettings(demo_data=True, seed=7)) as sandbox:
        shown = send(sandbox)
        page = browser.new_page(
            viewport={"width": 1280, "height": 860},
            color_scheme="light",
            reduced_motion="reduce",
        )
        page.goto(f"{sandbox.url}/#/records/{shown}")
        page.get_by_text("live", exact=True).wait_for()
        page.get_by_role("button", name="Accept").wait_for()
        page.screenshot(path=folder / "sandbox-page.png")
        page.close()


def main() -> None:
    """Start a browser, and write the picture beside this file."""
    with sync_playwright() as playwright:
        program = next(
            filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
        )
        browser = playwright.chromium.launch(executable_path=program)
        take(browser, Path(__file__).parent)
        browser.close()


if __name__ == "__main__":
    main()
