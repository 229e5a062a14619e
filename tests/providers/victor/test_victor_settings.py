"""Environments, base URLs and the process environment; and what a user gets wrong.

Each of that is a VictorError that names the argument, what was wrong and what to write, and nothing
is sent.
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.running import Script
from tests.providers.victor.adapter import over, payment
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    InvalidRequest,
    Outcome,
    RetryPolicy,
    Victor,
    VictorError,
    VictorJwt,
    VictorOAuth,
)
from victor_ext.providers.victor.system import from_process_environment
from victor_ext.runtime.http.options import proxy_for

AUTH = VictorOAuth("id-1", "secret-1")
REMOTE = httpx.URL("https://api.victorfi.com")
OAUTH = {"VICTOR_CLIENT_ID": "id-1", "VICTOR_CLIENT_SECRET": "s3cret-1"}


NO_HOSTS = (
    "a" * 64 + ".example",
    "a..example",
    ".example",
    "a.example..",
    "xn--a",
    "xn--",
    "xn--zzzzzz.com",
    "a" + ".b" * 127,
    "\u00ad.example",
    "a%2eexample",
    "[::1%25eth0]",
)
"""Names that neither a name server nor TLS can be asked for; some of them raise a bare
`UnicodeError` far below.
"""


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch):
    for name in os.environ:
        if name.startswith("VICTOR_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def encrypted_pem(pem, password):
    key = serialization.load_pem_private_key(pem.encode(), None)
    encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


def set_variables(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
def test_a_client_shows_its_environment(client):
    assert repr(client(AUTH)).startswith(
        f"{client.__name__}(environment='staging', base_url='https://api.stage."
    )


class TestTheProcessEnvironment:
    @pytest.mark.parametrize("password", ["", "s3cret words"])
    def test_a_private_key_in_a_variable_or_a_file(
        self, monkeypatch, victor_key_pair, tmp_path, password
    ):
        pem, path = victor_key_pair[0], tmp_path / "victor.pem"
        pem = encrypted_pem(pem, password) if password else pem
        path.write_text(pem)
        set_variables(
            monkeypatch, {"VICTOR_API_KEY": "key-1", "VICTOR_PRIVATE_KEY_PASSWORD": password}
        )
        for name, value in (("", pem), ("", pem.replace("\n", "\\n")), ("_FILE", str(path))):
            with monkeypatch.context() as variables:
                variables.setenv(f"VICTOR_PRIVATE_KEY{name}", value)
                assert Victor.from_env().environment == "staging"
                assert isinstance(from_process_environment({})["auth"], VictorJwt)

    @pytest.mark.parametrize(
        ("encrypted", "password", "words"),
        [
            (True, "", "VICTOR_PRIVATE_KEY.* is encrypted: set VICTOR_PRIVATE_KEY_PASSWORD;"),
            (
                True,
                "hunter2",
                "VICTOR_PRIVATE_KEY.* cannot be read as a private key with this password",
            ),
            (
                False,
                "hunter2",
                "VICTOR_PRIVATE_KEY.* is not encrypted: leave VICTOR_PRIVATE_KEY_PASSWORD out;",
            ),
        ],
    )
    def test_a_password_that_does_not_fit(
        self, monkeypatch, victor_key_pair, encrypted, password, words
    ):
        key = encrypted_pem(victor_key_pair[0], "s3cret words") if encrypted else victor_key_pair[0]
        set_variables(
            monkeypatch,
            {
                "VICTOR_API_KEY": "key-1",
                "VICTOR_PRIVATE_KEY": key,
                "VICTOR_PRIVATE_KEY_PASSWORD": password,
            },
        )
        with pytest.raises(ConfigurationError, match=words) as raised:
            Victor.from_env()
        assert "hunter2" not in str(raised.value)

    def test_a_password_is_no_credential_of_its_own(self, monkeypatch):
        set_variables(monkeypatch, {**OAUTH, "VICTOR_PRIVATE_KEY_PASSWORD": "left over"})
        assert isinstance(from_process_environment({})["auth"], VictorOAuth)

    @pytest.mark.parametrize(
        ("variables", "words"),
        [(each["variables"], each["words"]) for each in cases_beside(__file__)["settings"]],
    )
    def test_what_is_missing_or_wrong_is_named(self, monkeypatch, variables, words):
        set_variables(monkeypatch, {"SOMEBODY_ELSES": "s3cret", **variables})
        for client in (Victor, AsyncVictor):
            with pytest.raises(ConfigurationError, match=words) as raised:
                client.from_env()
            assert_hidden(raised.value, ["s3cret"])


class TestBaseUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "https://proxy.example/victor/",
            "https://proxy.example:8443",
            "http://localhost:8900",
            "http://127.1.2.3:8080",
            "http://[::1]:8900",
            "http://sandbox.localhost",
            "https://xn--fa-hia.example",
            f"https://{'a' * 63}.example.",
            httpx.URL("https://proxy.example"),
        ],
    )
    def test_good_ones(self, url):
        assert Victor(AUTH, base_url=url).base_url.rstrip("/") == str(url).rstrip("/")

    @pytest.mark.parametrize(
        ("words", "urls"),
        [
            (
                "must be absolute: write https://",
                ("api.victorfi.com", "localhost:8900", "//api.victorfi.com"),
            ),
            (
                "must be absolute",
                ("/v2", "", "https://", "ftp://api.victorfi.com", "file:///etc/passwd"),
            ),
            (
                "would send tokens and account numbers unencrypted",
                ("http://api.victorfi.com", "http://10.0.0.7:8900"),
            ),
            (
                "unencrypted",
                ("http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://[::2]"),
            ),
            (
                "no user, query or fragment",
                ("https://api.victorfi.com?x=1", "https://api.victorfi.com#x"),
            ),
            (
                "is not a URL",
                ("https://[bad", "https://host:port", "https://a b", "https://host\n.example"),
            ),
            (
                "is not a URL",
                (
                    "https://\ud800",
                    "https://h.example/\ud800",
                    *(f"https://{host}" for host in NO_HOSTS),
                ),
            ),
            (
                "or no port such a number",
                [f"https://h.example:{port}" for port in (0, -1, 65536, 99999999999)],
            ),
            ("base_url must be text", (7, b"https://api.victorfi.com")),
            (
                "base_url",
                ("https://user:hunter2@api.victorfi.com", "u:hunter2@x", "https://u:hunter2@h:x"),
            ),
        ],
    )
    def test_bad_ones_are_refused_and_no_password_is_shown(self, words, urls):
        for url in urls:
            with pytest.raises(ConfigurationError, match=words) as raised:
                Victor(AUTH, base_url=url)
            assert "base_url" in str(raised.value)
            assert "hunter2" not in str(raised.value)


class TestProxies:
    """How the environment's are chosen: see tests/runtime/http/test_connections.py."""

    def test_a_proxy_of_the_caller_goes_before_that_of_the_environment(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "http://other:1")
        assert proxy_for(REMOTE, None) == "http://other:1"
        assert proxy_for(REMOTE, "http://mine:1") == "http://mine:1"

    @pytest.mark.parametrize(
        "proxy", [httpx.URL("https://mine:3128"), httpx.Proxy("http://u:p@mine:1")]
    )
    def test_good_ones(self, proxy):
        Victor(AUTH, proxy=proxy)

    @pytest.mark.parametrize(
        "proxy",
        [
            *(
                "ftp://u:hunter2@mine:1",
                "mine:3128",
                "",
                "http://",
                "http://[bad",
                7,
                b"http://mine:1",
            ),
            *(f"http://u:hunter2@{host}:1" for host in NO_HOSTS),
            *(
                "http://u:hunter2@mine:0",
                "http://u:hunter2@mine:65536",
                httpx.Proxy("http://u:hunter2@a..b:1"),
            ),
        ],
        ids=repr,
    )
    def test_bad_ones_are_refused_and_not_shown(self, proxy):
        with pytest.raises(
            ConfigurationError,
            match=r"proxy .* is not a proxy that can be used: write http://host:port",
        ) as raised:
            Victor(AUTH, proxy=proxy)
        assert "hunter2" not in str(raised.value)

    def test_one_of_the_environment_that_is_bad(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "socks5://mine:1080")
        with pytest.raises(
            ConfigurationError, match=r"HTTPS_PROXY.*For a SOCKS proxy, pass http_client="
        ):
            Victor(AUTH)


NAIVE = datetime(2026, 3, 4)  # noqa: DTZ001 - that is the point
AWARE = datetime(2026, 3, 4, tzinfo=UTC)


def _nothing_may_be_sent(request: httpx.Request) -> httpx.Response:
    pytest.fail(f"{request.method} {request.url} was sent")


def refused(mode: str, call: Any) -> VictorError:
    """What a call raises. Nothing is sent."""
    with pytest.raises(VictorError) as raised:
        over(mode, Script(_nothing_may_be_sent), call)
    return raised.value


def create(**values: Any) -> Callable[[Any], Any]:
    return lambda victor: victor.payment_requests.create(**payment(**values))


CALLS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a key of 19 characters": (
        create(idempotency_key="k" * 19),
        "idempotency_key",
        (
            r"20 to 128 characters, and has "
            r"19.*idempotency_key_for"
        ),
    ),
    "an account as a number": (
        create(payee_account_number=43987673645),
        "payee_account_number",
        "put it in quotes, leading zeros and all",
    ),
    "a datetime for a date": (
        create(due_date=AWARE),
        "due_date",
        (
            r"is a datetime and must be a date: pass a date, such "
            r"as date\(2026,"
        ),
    ),
    "accept without notes": (
        lambda v: v.payment_requests.accept("a1", notes=""),
        "notes",
        "must be text of 1 to 150 characters, and is",
    ),
    "find without a window": (
        lambda v: v.payment_requests.find("INV-1042", start_datetime=None),
        "start_datetime",
        r"is missing: write datetime\(",
    ),
    "find in a window that ends before it begins": (
        lambda v: v.payment_requests.find(
            "INV-1042", start_datetime=AWARE, end_datetime=AWARE - timedelta(1)
        ),
        "end_datetime",
        "is before start_datetime.*swap them",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_with_bad_input(name, mode):
    call, field, words = CALLS[name]
    error = refused(mode, call)
    assert type(error) is InvalidRequest
    assert isinstance(error, ValueError)
    assert [problem.field for problem in error.problems] == [field]
    assert re.search(words, str(error)), str(error)
    assert re.search(rf"\b{field}\b", str(error)), str(error)
    assert (error.outcome, error.attempts, error.request, error.status_code) == (
        Outcome.NOT_SENT,
        0,
        None,
        None,
    )


def test_everything_about_a_search_is_said_at_once(mode):
    error = refused(
        mode,
        lambda v: v.payment_requests.find("", start_datetime=NAIVE, end_datetime=date(2026, 3, 4)),
    )
    assert [problem.field for problem in error.problems] == [
        "client_reference_id",
        "start_datetime",
        "end_datetime",
    ]
    assert str(error).startswith("The search was not sent: client_reference_id must be text")


CLIENTS: dict[str, Callable[[], Any]] = {
    "password must be text or bytes, not int": lambda: VictorJwt("k", "x", password=7),
    r"on_event must be a plain function": lambda: Victor(AUTH, on_event=nobody_awaits),
    "on_event must be a function, not str": lambda: victor(on_event="print"),
    r"retry must be RetryPolicy\(...\), not int": lambda: victor(retry=3),
    r"RetryPolicy\(cap=1000.*: give seconds": lambda: RetryPolicy(cap=10**400),
    r"base=10{10}\.0\): give seconds, 0 or more, up": lambda: RetryPolicy(base=1e10),
    "timeout=0 must be seconds above zero": lambda: victor(timeout=0),
    "timeout=inf must be seconds above zero": lambda: victor(timeout=float("inf")),
    r"timeout=10{10}\.0 must .*at most 2592000": lambda: victor(timeout=1e10),
    r"read=10{10}\.0 must be seconds above zero, or None \(at most 2592000": (
        lambda: victor(timeout=httpx.Timeout(5.0, read=1e10))
    ),
    "deadline=nan must be seconds above zero": lambda: victor(deadline=float("nan")),
    "deadline=10{10}.0 must be": lambda: victor().with_options(deadline=1e10),
    "max_connections=0 must be": lambda: victor(limits=httpx.Limits(max_connections=0)),
    r"transport must be an httpx.BaseTransport \(or httpx2's\), not httpx.AsyncHTTPTransport": (
        lambda: victor(transport=httpx.AsyncHTTPTransport())
    ),
    r"transport must be an httpx.AsyncBaseTransport \(or httpx2's\), not httpx.HTTPTransport: "
    r"leave it out, or pass": (lambda: AsyncVictor(AUTH, transport=httpx.HTTPTransport())),
}


def victor(**options: Any) -> Victor:
    return Victor(AUTH, **options)


async def nobody_awaits(event: object) -> None:
    """What nobody would await."""


@pytest.mark.parametrize("words", CLIENTS)
def test_a_client_that_cannot_work(words):
    with pytest.raises(ConfigurationError, match=words) as raised:
        CLIENTS[words]()
    assert isinstance(raised.value, ValueError)
    assert raised.value.outcome is Outcome.NOT_SENT
    assert str(raised.value).endswith((".", ".)"))


USES = {
    "get": lambda victor: victor.payment_requests.get("b34783af0"),
    "create": create(),
    "list": lambda victor: victor.payment_requests.list(),
    "accept": lambda victor: victor.payment_requests.accept("b34783af0", notes="n"),
    "authorization": lambda victor: victor.authorization(),
    "other options": lambda victor: victor.with_options(deadline=5.0).payment_requests.get(
        "b34783af0"
    ),
}


@pytest.mark.parametrize("name", USES)
def test_a_closed_client_says_that_a_new_one_is_needed(name, mode):
    error = refused(mode, (lambda client: client.close(), USES[name]))
    assert type(error) is ConfigurationError
    assert "This client has been closed: make a new one" in str(error)
    assert error.outcome is Outcome.NOT_SENT
