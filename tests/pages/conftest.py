"""What the code of a page is given: `<!-- given: name, name -->` names fixtures of this file, or of
the plugin.
"""

import logging
from datetime import UTC, datetime

import pytest
import sqlalchemy.ext.asyncio  # noqa: F401 - pytester forgets what a page's tests load, and this cannot be loaded twice
from sqlalchemy import make_url

from tests.bulk.bulk_runs import write_csv
from tests.outbox.django_project import set_up, use_database
from tests.pages.page import ROOT
from tests.pages.shell import Shell
from tests.payments import cells, payment
from tests.providers.connected.till import till_api
from tests.providers.connected.till_sandbox import TillSandbox
from tests.providers.velo.adapter import Harness as VeloHarness
from tests.providers.velo.adapter import pay
from victor_ext.providers.flexfactor import FlexFactor, FlexFactorAuth
from victor_ext.providers.flexfactor import _client as flexfactor_module
from victor_ext.providers.velo import Velo
from victor_ext.providers.velo import _client as velo_client
from victor_ext.providers.victor import _client as victor_client
from victor_ext.sandbox.eastpay import EastPaySandbox
from victor_ext.sandbox.flexfactor import FlexFactorSandbox
from victor_ext.sandbox.velo import VeloSandbox, VeloSettings

INVOICES = [
    {"invoice_no": number, "client_reference_id": f"INV-{number}"}
    | cells(payer_counterparty_id="acceptsRfp", amount=amount, due_date="today")
    for number, amount in ((2042, "44.23"), (1043, "12.00"))
]


token = access_token = pytest.fixture(lambda: "not-a-secret")
sandbox = pytest.fixture(lambda victor_sandbox: victor_sandbox)
auth = pytest.fixture(lambda victor_auth: victor_auth)
private_key = pytest.fixture(lambda victor_key_pair: victor_key_pair[0])
credentials = pytest.fixture(lambda victor_sandbox: victor_sandbox.add_oauth_client())
client_id = pytest.fixture(lambda credentials: credentials[0])
client_secret = pytest.fixture(lambda credentials: credentials[1])
invoice = pytest.fixture(
    lambda: payment(payer_counterparty_id="acceptsRfp", client_reference_id="INV-1042")
)
deliver = keep = ask_for_another_card = pytest.fixture(lambda: lambda *_: None)
"""What a program does after a call, with anything."""

# The other systems. `addresses`: where the servers really are that a page names by an address on
# this machine.
till_token = pytest.fixture(lambda till_sandbox: till_sandbox.issue_token())
addresses = pytest.fixture(lambda till_sandbox: {"http://127.0.0.1:4010": till_sandbox.url})
velo_key = pytest.fixture(lambda velo_harness: velo_harness.sandbox.add_key())
payor_id = pytest.fixture(lambda velo_harness: str(velo_harness.payor))
payments = pytest.fixture(lambda: [pay("INV-7")])
flexfactor_client = pytest.fixture(lambda flexfactor_sandbox: flexfactor_sandbox.add_client())
app_key = pytest.fixture(lambda flexfactor_client: flexfactor_client[0])
app_secret = pytest.fixture(lambda flexfactor_client: flexfactor_client[1])
mid = pytest.fixture(lambda flexfactor_client: flexfactor_client[2])
subscriber_key = pytest.fixture(lambda flexfactor_sandbox: str(flexfactor_sandbox.subscriber_key()))
declined_at = pytest.fixture(lambda: datetime(2026, 3, 4, tzinfo=UTC))


@pytest.fixture(autouse=True)
def log_level():
    """A page sets the level of the package's logger."""
    log = logging.getLogger("victor_ext")
    before = log.level
    yield
    log.setLevel(before)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder of a page."""
    here = tmp_path / "page"
    here.mkdir()
    for name in ("openapi", "examples"):
        (here / name).symlink_to(ROOT / name)
    write_csv(here / "invoices.csv", INVOICES)
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(here)
    return here


@pytest.fixture
def api_key(victor_sandbox, victor_key_pair, folder):
    private, public = victor_key_pair
    (folder / "private-key.pem").write_text(private, encoding="utf-8")
    return victor_sandbox.add_api_key(public)


@pytest.fixture
def provider(
    victor_sandbox,
    credentials,
    api_key,
    folder,
    monkeypatch,
):
    """Both environments of Victor are the sandbox, in this process and for commands."""
    here = {name: [victor_sandbox.url] for name in victor_client.ENVIRONMENTS}
    monkeypatch.setattr(victor_client, "ENVIRONMENTS", here)
    variables = {
        "VICTOR_BASE_URL": victor_sandbox.url,
        "VICTOR_CLIENT_ID": credentials[0],
        "VICTOR_CLIENT_SECRET": credentials[1],
        "VICTOR_BULK_KEY": "not-a-secret-of-16",
        "XDG_STATE_HOME": str(folder),
        "VICTOR_OUTBOX_KEY": "not-a-secret-of-16",
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Shell(monkeypatch)


@pytest.fixture
def Invoice(tmp_path):  # noqa: N802 - it is a class
    """A model of a Django project, with a database of its own."""
    set_up()
    from django.core.management import call_command
    from invoicing import models

    with use_database(make_url(f"sqlite:///{tmp_path / 'invoicing.sqlite3'}")):
        call_command("migrate", verbosity=0)
        yield models.Invoice


@pytest.fixture
def till_sandbox():
    till_api()
    with TillSandbox() as running:
        yield running


@pytest.fixture
def velo_harness(monkeypatch):
    with VeloSandbox(VeloSettings(seed=1)) as running:
        monkeypatch.setattr(
            velo_client, "ENVIRONMENTS", {name: [running.url] for name in velo_client.ENVIRONMENTS}
        )
        yield VeloHarness(running, awaited=False)


@pytest.fixture
def velo(velo_harness):
    with Velo(velo_harness.settings["auth"], base_url=velo_harness.sandbox.url) as client:
        yield client


@pytest.fixture
def eastpay_gateway():
    """Base URL, token and entity id."""
    with EastPaySandbox() as running:
        merchant = running.add_merchant()
        yield f"{running.url}/eastpay", merchant.token, merchant.entity_id


@pytest.fixture
def flexfactor_sandbox(monkeypatch):
    with FlexFactorSandbox() as running:
        urls = {name: [running.url] for name in flexfactor_module.ENVIRONMENTS}
        monkeypatch.setattr(flexfactor_module, "ENVIRONMENTS", urls)
        yield running


@pytest.fixture
def flexfactor(app_key, app_secret, mid, flexfactor_sandbox):
    with FlexFactor(
        FlexFactorAuth(app_key, app_secret), mid=mid, base_url=flexfactor_sandbox.url
    ) as client:
        yield client
