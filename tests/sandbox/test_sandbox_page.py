"""The page at `/` of a running sandbox, in a real Chromium; skipped where none is found."""

import html
import re
import shutil
import subprocess

import pytest

from tests.payments import payment

pytestmark = pytest.mark.pull_request
NAMES = ("chromium", "chromium-browser", "google-chrome")
NOTE = "<img src=x onerror=\"document.title='run'\">"


@pytest.fixture
def shown(tmp_path):
    """The texts of a page one after another, once its program has run."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no browser: apt-get install chromium")

    def text_of(url):
        # Its own sandbox needs rights that containers do not have. The only pages here are ours.
        command = [
            program, "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=5000", "--dump-dom", url,
        ]  # fmt: skip
        ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        parts = re.sub("<(style|script).*?</\\1>", "", ran.stdout, flags=re.DOTALL)
        return [html.unescape(part) for part in re.findall(r"[^<>]+", re.sub("<.*?>", "<>", parts))]

    return text_of


def test_the_page_shows_a_request_its_two_attempts_and_the_fault(shown, victor, victor_sandbox):
    victor_sandbox.inject("lose_answer", operation="create")
    made = victor.payment_requests.create(
        **payment(amount="44.23", client_reference_id="INV-1042", notes=NOTE)
    )
    texts = shown(victor_sandbox.url)
    begin = texts.index("INV-1042")
    assert texts[begin + 1] == NOTE
    assert made.id in texts[begin + 2]
    assert texts[begin + 3 : begin + 5] == ["44.23", "created"]
    begin = texts.index(made.idempotency_key)
    assert texts[begin + 1 : begin + 3] == ["2 attempts, ", "work done once"]
    assert texts[begin + 3 :].count("POST /v2/payment-requests/request-payment") == 2
    assert texts.count("fault: lose_answer") == texts.count("replayed") == 1
