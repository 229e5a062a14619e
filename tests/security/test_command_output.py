"""What the command `victor` writes, with every logger at debug level: no key, secret, token or
whole account number.
"""

import re
import sys

import pytest

from tests.cli.test_victor_create import words
from tests.cli.victor_command import Command
from tests.security.callers import asked
from tests.security.secrets import ACCOUNT

pytestmark = pytest.mark.pull_request
LOUD = (
    "import logging, sys; logging.basicConfig(level=logging.DEBUG); from victor_ext.cli import "
    "main; sys.exit(main())"
)
TOKEN = re.compile(r"eyJ[\w-]{10,}|(Bearer|Token) [\w.-]{20,}")


@pytest.fixture
def victor(known, bare_environment, secrets, tmp_path):
    """The command, in processes whose loggers all speak, with a key pair ("signed") or OAuth
    credentials ("issued").
    """
    command = Command(
        {**bare_environment, "VICTOR_BASE_URL": known.url},
        patience=60,
        program=(sys.executable, "-c", LOUD),
    )
    file = tmp_path / "private-key.pem"
    file.write_text(secrets.private_key)
    credentials = {
        "signed": {"VICTOR_API_KEY": secrets.api_key, "VICTOR_PRIVATE_KEY_FILE": str(file)},
        "issued": {
            "VICTOR_CLIENT_ID": secrets.client_id,
            "VICTOR_CLIENT_SECRET": secrets.client_secret,
        },
    }
    return lambda kind, *words, **more: command.in_a_process(
        *words, **{**credentials[kind], **more}
    )


def shows_nothing(secrets, ran, *, data=False):
    """`data`: whether standard output is data that was asked for, account numbers and all."""
    assert "DEBUG" in ran.err or ran.status == 2
    assert secrets.found(ran.err) == [], ran.err
    assert secrets.found(ran.out, accounts=not data) == [], ran.out
    assert TOKEN.search(ran.err) is None, ran.err
    assert TOKEN.search(ran.out) is None, ran.out


CREATE = words(payee_account_number=ACCOUNT, payer_counterparty_id="aHeq349838")
ECHO = f"account {ACCOUNT} is closed"
CALLS = {
    "asked": (lambda _: CREATE, None, 0),
    "accepted": (lambda sandbox: ["rfp", "accept", asked(sandbox), "--notes", "Thanks."], None, 0),
    "lost": (lambda _: [*CREATE, "--deadline", "0.5"], ("lose_answer", {}), 3),
    "unreadable": (
        lambda _: [*CREATE, "--deadline", "0.5"],
        ("status", {"status": 200, "body": "{", "work": True}),
        3,
    ),
    "echoed": (
        lambda _: CREATE,
        ("status", {"status": 400, "body": f'{{"error": {{"message": "{ECHO}"}}}}'}),
        1,
    ),
    "echoed on a page": (
        lambda _: CREATE,
        ("status", {"status": 400, "body": ECHO}),
        3,
    ),
    "refused": (lambda _: CREATE, ("status", {"status": 401}), 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_call_shows_a_secret_however_it_ends(name, known, secrets, victor):
    words, fault, status = CALLS[name]
    if fault is not None:
        for operation in ("create", "respond", "get"):
            known.inject(fault[0], times=None, operation=operation, **fault[1])
    ran = victor("signed" if len(name) % 2 else "issued", *words(known))
    assert ran.status == status, ran.err
    shows_nothing(secrets, ran)
