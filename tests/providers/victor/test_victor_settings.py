"""Environments, base URLs and the process environment."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import httpx
import pytest
from cryptography.hazmat.primitives import serialization

from victor_ext import AsyncVictor, ConfigurationError, Victor, VictorJwt, VictorOAuth
from victor_ext.providers.victor.settings import ENVIRONMENTS, from_process_environment
from victor_ext.runtime.http.connections import checked_proxy, checked_verify, is_this_machine, proxy_for

AUTH = VictorOAuth("id-1", "secret-1")
REMOTE = httpx.URL("https://api.victorfi.com")
OAUTH = {"VICTOR_CLIENT_ID": "id-1", "VICTOR_CLIENT_SECRET": "secret-1"}
BOTH = pytest.mark.parametrize("client", [Victor, AsyncVictor])


NO_HOSTS = (
    "a" * 64 + ".example", "a..example", ".example", "a.example..", "xn--a", "xn--", "xn--zzzzzz.com", "a" + ".b" * 127,
    "\u00ad.example", "a%2eexample", "[::1%25eth0]",
)  # fmt: skip
"""Names that neither a name server nor TLS can be asked for; some of them raise a bare `UnicodeError` far below."""


@pytest.fixture(autouse=True)
def _a_clean_environment(monkeypatch):
    for name in os.environ:
        if name.startswith("VICTOR_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def encrypted_pem(pem, password):
    key = serialization.load_pem_private_key(pem.encode(), None)
    encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def set_variables(monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


class TestEnvironments:
    @BOTH
    @pytest.mark.parametrize(
        ("environment", "url"),
        [("staging", "https://api.stage.victorfi.com"), ("production", "https://api.victorfi.com")],
    )
    def test_their_urls(self, client, environment, url):
        made = client(AUTH, environment=environment)
        assert (made.environment, made.base_url.rstrip("/")) == (environment, url)
        assert repr(made).startswith(f"{client.__name__}(environment='{environment}', base_url='{url}")

    @BOTH
    def test_staging_is_the_default(self, client):
        assert client(AUTH).environment == "staging"

    def test_their_limits_are_the_documented_ones(self):
        assert {name: environment.token_limit for name, environment in ENVIRONMENTS.items()} == {
            "staging": 3600,
            "production": 300,
        }

    @BOTH
    @pytest.mark.parametrize("name", ["", "prod", "Production", "STAGING", "live", None, 1, ["staging"]])
    def test_others_are_unknown(self, client, name):
        with pytest.raises(ConfigurationError, match=r"environment=.* is unknown: write 'staging' or 'production'"):
            client(AUTH, environment=name)


class TestTheProcessEnvironment:
    @BOTH
    def test_oauth(self, client, monkeypatch):
        set_variables(monkeypatch, {**OAUTH, "VICTOR_ENVIRONMENT": "production"})
        made = client.from_env()
        assert made.environment == "production"
        assert isinstance(from_process_environment({})["auth"], VictorOAuth)

    @BOTH
    def test_a_private_key_in_a_variable(self, client, monkeypatch, victor_key_pair):
        set_variables(monkeypatch, {"VICTOR_API_KEY": "key-1", "VICTOR_PRIVATE_KEY": victor_key_pair[0]})
        assert client.from_env().environment == "staging"
        assert isinstance(from_process_environment({})["auth"], VictorJwt)

    @BOTH
    def test_a_private_key_whose_breaks_are_escaped(self, client, monkeypatch, victor_key_pair):
        escaped = victor_key_pair[0].replace("\n", "\\n")
        set_variables(monkeypatch, {"VICTOR_API_KEY": "key-1", "VICTOR_PRIVATE_KEY": escaped})
        client.from_env()

    @BOTH
    def test_a_private_key_in_a_file(self, client, monkeypatch, victor_key_pair, tmp_path):
        path = tmp_path / "victor.pem"
        path.write_text(victor_key_pair[0])
        set_variables(monkeypatch, {"VICTOR_API_KEY": "key-1", "VICTOR_PRIVATE_KEY_FILE": str(path)})
        client.from_env()

    @BOTH
    def test_a_private_key_that_is_encrypted(self, client, monkeypatch, victor_key_pair, tmp_path):
        encrypted = encrypted_pem(victor_key_pair[0], "s3cret words")
        path = tmp_path / "victor.pem"
        path.write_text(encrypted)
        password = {"VICTOR_PRIVATE_KEY_PASSWORD": "s3cret words"}
        for key in ({"VICTOR_PRIVATE_KEY": encrypted}, {"VICTOR_PRIVATE_KEY_FILE": str(path)}):
            with monkeypatch.context() as variables:
                set_variables(variables, {"VICTOR_API_KEY": "key-1", **key, **password})
                assert client.from_env().environment == "staging"

    @BOTH
    @pytest.mark.parametrize(
        ("encrypted", "password", "words"),
        [
            (True, "", "VICTOR_PRIVATE_KEY.* is encrypted: set VICTOR_PRIVATE_KEY_PASSWORD;"),
            (True, "hunter2", "VICTOR_PRIVATE_KEY.* cannot be read as a private key with this password"),
            (False, "hunter2", "VICTOR_PRIVATE_KEY.* is not encrypted: leave VICTOR_PRIVATE_KEY_PASSWORD out;"),
        ],
    )
    def test_a_password_that_does_not_fit(self, client, monkeypatch, victor_key_pair, encrypted, password, words):
        key = encrypted_pem(victor_key_pair[0], "s3cret words") if encrypted else victor_key_pair[0]
        set_variables(
            monkeypatch,
            {"VICTOR_API_KEY": "key-1", "VICTOR_PRIVATE_KEY": key, "VICTOR_PRIVATE_KEY_PASSWORD": password},
        )
        with pytest.raises(ConfigurationError, match=words) as raised:
            client.from_env()
        assert "hunter2" not in str(raised.value)

    def test_a_password_is_no_credential_of_its_own(self, monkeypatch):
        set_variables(monkeypatch, {**OAUTH, "VICTOR_PRIVATE_KEY_PASSWORD": "left over"})
        assert isinstance(from_process_environment({})["auth"], VictorOAuth)

    @BOTH
    def test_another_base_url(self, client, monkeypatch):
        set_variables(monkeypatch, {**OAUTH, "VICTOR_BASE_URL": " http://127.0.0.1:8900 "})
        assert client.from_env().base_url.rstrip("/") == "http://127.0.0.1:8900"

    @BOTH
    def test_options_win_one_by_one(self, client, monkeypatch):
        set_variables(
            monkeypatch, {**OAUTH, "VICTOR_ENVIRONMENT": "production", "VICTOR_BASE_URL": "https://a.example"}
        )
        made = client.from_env(auth=AUTH, base_url="https://b.example")
        assert (made.environment, made.base_url.rstrip("/")) == ("production", "https://b.example")
        assert client.from_env(environment="staging").environment == "staging"

    @BOTH
    def test_credentials_given_need_none_in_the_environment(self, client, monkeypatch):
        assert client.from_env(auth=AUTH).environment == "staging"

    @BOTH
    def test_an_empty_variable_is_not_set(self, client, monkeypatch):
        set_variables(monkeypatch, {**OAUTH, "VICTOR_API_KEY": "", "VICTOR_BASE_URL": "  ", "VICTOR_ENVIRONMENT": ""})
        assert client.from_env().environment == "staging"

    @BOTH
    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({}, "VICTOR_API_KEY and VICTOR_PRIVATE_KEY are not set. Set VICTOR_API_KEY with"),
            ({"VICTOR_API_KEY": "k"}, "VICTOR_PRIVATE_KEY is not set"),
            ({"VICTOR_PRIVATE_KEY": "k"}, "VICTOR_API_KEY is not set"),
            ({"VICTOR_PRIVATE_KEY_FILE": "k"}, "VICTOR_API_KEY is not set"),
            ({"VICTOR_CLIENT_ID": "i"}, "VICTOR_CLIENT_SECRET is not set"),
            ({"VICTOR_CLIENT_SECRET": "s"}, "VICTOR_CLIENT_ID is not set"),
            (
                {**OAUTH, "VICTOR_API_KEY": "k"},
                r"Two kinds of credentials are set \(VICTOR_API_KEY, VICTOR_CLIENT_ID, VICTOR_CLIENT_SECRET\)",
            ),
            (
                {"VICTOR_API_KEY": "k", "VICTOR_PRIVATE_KEY": "p", "VICTOR_PRIVATE_KEY_FILE": "f"},
                "VICTOR_PRIVATE_KEY and VICTOR_PRIVATE_KEY_FILE are both set: unset one",
            ),
            (
                {"VICTOR_API_KEY": "k", "VICTOR_PRIVATE_KEY_FILE": "/no/such/key.pem"},
                r"VICTOR_PRIVATE_KEY_FILE.*'/no/such/key.pem' cannot be read \(No such file",
            ),
            (
                {"VICTOR_API_KEY": "k", "VICTOR_PRIVATE_KEY": "-----BEGIN x"},
                "VICTOR_PRIVATE_KEY.*cannot be read as a private key",
            ),
            (
                {**OAUTH, "VICTOR_ENVIRONMENT": "prod"},
                "VICTOR_ENVIRONMENT is 'prod': set it to 'staging' or 'production'",
            ),
            (
                {**OAUTH, "VICTOR_BASE_URL": "sandbox:8900"},
                "VICTOR_BASE_URL 'sandbox:8900' must be absolute: write https://",
            ),
            ({**OAUTH, "VICTOR_BASE_URL": "http://sandbox"}, "VICTOR_BASE_URL 'http://sandbox' would send tokens"),
            ({**OAUTH, "VICTOR_CLIENT_SECRET": "a\nb"}, "VICTOR_CLIENT_SECRET holds a line break"),
        ],
    )
    def test_what_is_missing_or_wrong_is_named(self, client, monkeypatch, variables, words):
        set_variables(monkeypatch, variables)
        with pytest.raises(ConfigurationError, match=words):
            client.from_env()


class TestBaseUrls:
    @BOTH
    @pytest.mark.parametrize(
        "url",
        [
            "https://proxy.example",
            "https://proxy.example/victor/",
            "https://proxy.example:8443",
            "http://localhost:8900",
            "http://127.0.0.1",
            "http://127.1.2.3:8080",
            "http://[::1]:8900",
            "http://sandbox.localhost",
            "https://xn--fa-hia.example",
            f"https://{'a' * 63}.example.",
            httpx.URL("https://proxy.example"),
        ],
    )
    def test_good_ones(self, client, url):
        assert client(AUTH, base_url=url).base_url.rstrip("/") == str(url).rstrip("/")

    @BOTH
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("api.victorfi.com", "base_url 'api.victorfi.com' must be absolute: write https://"),
            ("localhost:8900", "must be absolute"),
            ("//api.victorfi.com", "must be absolute"),
            ("/v2", "must be absolute"),
            ("", "must be absolute"),
            ("https://", "must be absolute"),
            ("ftp://api.victorfi.com", "must be absolute"),
            ("file:///etc/passwd", "must be absolute"),
            ("http://api.victorfi.com", "would send tokens and account numbers unencrypted: write https://"),
            ("http://127.0.0.1.evil.example", "unencrypted"),
            ("http://localhost.evil.example", "unencrypted"),
            ("http://10.0.0.7:8900", "unencrypted"),
            ("http://0.0.0.0:8900", "unencrypted"),
            ("http://[::2]", "unencrypted"),
            ("https://api.victorfi.com?x=1", "no user, query or fragment"),
            ("https://api.victorfi.com#x", "no user, query or fragment"),
            ("https://[bad", "is not a URL"),
            ("https://host:port", "is not a URL"),
            ("https://a b", "is not a URL"),
            ("https://host\n.example", "is not a URL"),
            *((f"https://{host}", "is not a URL") for host in NO_HOSTS),
            *((f"https://h.example:{port}", "or no port such a number") for port in (0, -1, 65536, 99999999999)),
            ("https://\ud800", "is not a URL"),
            ("https://h.example/\ud800", "is not a URL"),
            (7, "base_url must be text, not int"),
            (b"https://api.victorfi.com", "base_url must be text, not bytes"),
        ],
    )
    def test_bad_ones(self, client, url, words):
        with pytest.raises(ConfigurationError, match=words) as raised:
            client(AUTH, base_url=url)
        assert "base_url" in str(raised.value)

    @BOTH
    @pytest.mark.parametrize(
        "url",
        ["https://user:hunter2@api.victorfi.com", "http://u:hunter2@x.example", "u:hunter2@x", "https://u:hunter2@h:x"],
    )
    def test_a_password_in_one_is_refused_and_not_shown(self, client, url):
        with pytest.raises(ConfigurationError, match="base_url") as raised:
            client(AUTH, base_url=url)
        assert "hunter2" not in str(raised.value)

    @pytest.mark.parametrize(
        ("host", "ours"), [("localhost", True), ("127.0.0.1", True), ("::1", True), ("[::1]", True)]
    )
    def test_this_machine(self, host, ours):
        assert is_this_machine(host) is ours

    @pytest.mark.parametrize("host", ["localhost.", "127.0.0.1.example", "0.0.0.0", "10.0.0.1", "", "localhostx"])
    def test_other_machines(self, host):
        assert not is_this_machine(host)


class TestVerification:
    def test_it_cannot_be_turned_off_for_another_machine(self):
        off = ssl.create_default_context()
        off.check_hostname = False
        off.verify_mode = ssl.CERT_NONE
        for verify in (False, off, None, 0):
            with pytest.raises(ConfigurationError, match="would accept anybody as api"):
                checked_verify(verify, REMOTE)
            assert checked_verify(verify, httpx.URL("https://127.0.0.1:8900")) is verify

    def test_a_bundle_is_a_path(self):
        for verify in (certifi.where(), Path(certifi.where())):
            assert checked_verify(verify, REMOTE).verify_mode is ssl.CERT_REQUIRED
        context = ssl.create_default_context()
        assert checked_verify(context, REMOTE) is context
        assert checked_verify(True, REMOTE) is True

    @BOTH
    @pytest.mark.parametrize("verify", ["/no/such/bundle.pem", __file__, 7])
    def test_a_bundle_that_is_none(self, client, verify):
        with pytest.raises(ConfigurationError, match=r"verify=.* is not the path of a CA bundle"):
            client(AUTH, verify=verify)


class TestProxies:
    @pytest.mark.parametrize(
        ("variables", "url", "proxy"),
        [
            ({"HTTPS_PROXY": "http://proxy:3128"}, "https://api.victorfi.com", "http://proxy:3128"),
            ({"HTTPS_PROXY": "proxy:3128"}, "https://api.victorfi.com", "http://proxy:3128"),
            ({"ALL_PROXY": "http://proxy:3128"}, "https://api.victorfi.com", "http://proxy:3128"),
            ({"HTTP_PROXY": "http://proxy:3128"}, "https://api.victorfi.com", None),
            ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "victorfi.com"}, "https://api.victorfi.com", None),
            ({"ALL_PROXY": "http://proxy:3128"}, "http://127.0.0.1:8900", None),
            ({}, "https://api.victorfi.com", None),
        ],
    )
    def test_the_environments(self, monkeypatch, variables, url, proxy):
        set_variables(monkeypatch, variables)
        assert proxy_for(httpx.URL(url), None) == proxy

    def test_the_callers_wins(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "http://other:1")
        assert proxy_for(REMOTE, "http://mine:1") == "http://mine:1"

    @BOTH
    @pytest.mark.parametrize(
        "proxy", ["http://mine:3128", httpx.URL("https://mine:3128"), httpx.Proxy("http://u:p@mine:1")]
    )
    def test_good_ones(self, client, proxy):
        client(AUTH, proxy=proxy)

    @BOTH
    @pytest.mark.parametrize(
        "proxy",
        [
            *("ftp://u:hunter2@mine:1", "mine:3128", "", "http://", "http://[bad", 7, b"http://mine:1"),
            *(f"http://u:hunter2@{host}:1" for host in NO_HOSTS),
            *("http://u:hunter2@mine:0", "http://u:hunter2@mine:65536", httpx.Proxy("http://u:hunter2@a..b:1")),
        ],
        ids=repr,
    )
    def test_bad_ones_are_refused_and_not_shown(self, client, proxy):
        with pytest.raises(
            ConfigurationError, match=r"proxy .* is not a proxy that can be used: write http://host:port"
        ) as raised:
            client(AUTH, proxy=proxy)
        assert "hunter2" not in str(raised.value)

    def test_one_of_the_environment_that_is_bad(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "gopher://mine")
        with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
            Victor(AUTH)

    def test_socks_needs_nothing_besides(self):
        assert checked_proxy("socks5://mine:1080").url.scheme == "socks5"
