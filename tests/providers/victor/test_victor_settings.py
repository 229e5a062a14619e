"""Environments, base URLs and the process environment; and what a user gets wrong.

Each of that is a VictorError that names the argument, what was wrong and what to write, and nothing
is sent.
"""

import os

import pytest
from cryptography.hazmat.primitives import serialization

from tests.cases import cases_beside
from tests.frames import assert_hidden
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    RetryPolicy,
    Victor,
    VictorJwt,
    VictorOAuth,
)
from victor_ext.providers.victor.system import from_process_environment

AUTH = VictorOAuth("id-1", "secret-1")
OAUTH = {"VICTOR_CLIENT_ID": "id-1", "VICTOR_CLIENT_SECRET": "s3cret-1"}


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
    def test_a_password_that_does_not_fit_is_refused_with_the_variable_to_set(
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


class TestProxies:
    """How the environment's are chosen: see tests/runtime/http/test_connections.py."""

    def test_one_of_the_environment_that_is_bad_is_named_by_its_variable(self, monkeypatch):
        monkeypatch.setenv("HTTPS_PROXY", "socks5://mine:1080")
        words = r"HTTPS_PROXY.*For a SOCKS proxy, pass http_client="
        with pytest.raises(ConfigurationError, match=words):
            Victor(AUTH)


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("password must be text or bytes, not int", lambda: VictorJwt("k", "x", password=7)),
        (r"RetryPolicy\(cap=1000.*: give seconds", lambda: RetryPolicy(cap=10**400)),
        (r"base=10{10}\.0\): give seconds, 0 or more, up", lambda: RetryPolicy(base=1e10)),
        ("deadline=10{10}.0 must be", lambda: Victor(AUTH).with_options(deadline=1e10)),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_made(words, make):
    with pytest.raises(ConfigurationError, match=words) as raised:
        make()
    assert str(raised.value).endswith((".", ".)"))
