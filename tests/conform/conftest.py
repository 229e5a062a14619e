import time
from contextlib import ExitStack, contextmanager
from functools import partial
from types import SimpleNamespace
from unittest import mock

import httpx
import pytest

from tests.sandbox.sandbox_callers import API_KEY
from victor_ext import Victor, VictorJwt, VictorOAuth
from victor_ext.conform import Plan, measure, measuring
from victor_ext.conform.exchanges import Senders
from victor_ext.conform.run import Run
from victor_ext.sandbox import Sandbox, SandboxSettings

WHOLE = Plan(
    payee="043987673645",
    payer="aHeq349838",
    own_payer=True,
    token_tolerance=True,
    environment="staging",
)


@contextmanager
def senders_of(options: dict):
    once = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(**options) as reads, httpx.Client(**options | {"limits": once}) as writes:
        yield Senders(reads, writes)


class Measured:
    """A sandbox, and what measures it. Its clock goes on in place of every wait."""

    def __init__(self, sandbox: Sandbox, auth: object, path) -> None:
        self.sandbox = sandbox
        self.path = path
        self.skipped = 0.0
        self.connect = partial(Victor, auth, base_url=sandbox.url)

    def __call__(self, plan: Plan = WHOLE, file: str = "measured.json", **http_options):
        # No certificates: loading them takes longer than most runs here.
        options = {"verify": False, "trust_env": False, "timeout": 5} | http_options
        clock = {"sleep": self.sleep, "now": lambda: time.time() + self.skipped}
        with mock.patch.object(measuring, "_senders", return_value=senders_of(options)):
            return measure(self.path / file, plan, self.connect, **clock)

    def sleep(self, seconds: float) -> None:
        self.skipped += seconds
        self.sandbox.advance(seconds)

    def made(self) -> int:
        """How many requests were made, without twins and demo data."""
        return sum(each["direction"] == "outbound" for each in self.sandbox.requests())


@pytest.fixture
def started(victor_key_pair, tmp_path):
    """Start a sandbox with options, and give what measures it."""
    with ExitStack() as stack:

        def start(
            settings=None, *, lifetime: float | None = None, is_oauth: bool = False, **options
        ) -> Measured:
            settings = settings or SandboxSettings(demo_data=True, **options)
            sandbox = stack.enter_context(Sandbox(settings))
            sandbox.add_api_key(victor_key_pair[1], API_KEY)
            auth = VictorJwt(API_KEY, victor_key_pair[0], lifetime=lifetime)
            (tmp_path / "key.pem").write_text(victor_key_pair[0])
            return Measured(
                sandbox, VictorOAuth(*sandbox.add_oauth_client()) if is_oauth else auth, tmp_path
            )

        yield start


def run_over(
    answer, document=None, *, now=time.time, sleep=lambda _: None, client=(), **plan
) -> Run:
    plan = {"marker": "cabcdef", "writes": 50, "payer": "P"} | plan
    document = document or {"system": "victor", "findings": {}, "calls": [], "plan": plan}
    http = httpx.Client(transport=httpx.MockTransport(answer), verify=False)
    usual = {"base_url": "https://provider.example", "authorization": str}
    client = SimpleNamespace(**usual | dict(client))
    return Run(
        Senders(http, http), client, document, lambda **_: None, payee="1", now=now, sleep=sleep
    )


def made(id: str) -> httpx.Response:
    return httpx.Response(200, json={"victor_payment_request_id": id})
