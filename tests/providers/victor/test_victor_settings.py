"""Credentials in the process environment, and what a user gets wrong there.

Each of that is a VictorError that names the argument, what was wrong and what to write, and nothing
is sent.
"""

import pytest
from cryptography.hazmat.primitives import serialization

from tests.cases import cases_beside
from tests.frames import assert_hidden
from tests.providers.victor.adapter import ARGUMENTS
from victor_ext import (
    AsyncVictor,
    ConfigurationError,
    RetryPolicy,
    Victor,
    VictorJwt,
    VictorOAuth,
)
from victor_ext.providers.victor._system import from_process_environment

pytestmark = pytest.mark.usefixtures("clean_environment")


def encrypted_pem(pem, password):
    key = serialization.load_pem_private_key(pem.encode(), None)
    encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


@pytest.mark.parametrize("client", [Victor, AsyncVictor])
def test_a_client_shows_its_environment(client):
    assert repr(client(**ARGUMENTS)).startswith(
        f"{client.__name__}(environment='staging', base_url='https://api.stage."
    )


WORDS = "s3cret words"


@pytest.fixture
def from_variables(monkeypatch):
    """The client of these variables alone."""

    def make(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"VICTOR_{name}", value)
        return Victor.from_env()

    return make


@pytest.mark.parametrize("password", ["", WORDS])
@pytest.mark.parametrize("form", ["text", "one line", "file"])
def test_a_private_key_is_in_a_variable_or_in_a_file(
    from_variables, victor_key_pair, tmp_path, password, form
):
    pem, path = victor_key_pair[0], tmp_path / "victor.pem"
    pem = encrypted_pem(pem, password) if password else pem
    path.write_text(pem)
    variable = {
        "text": {"PRIVATE_KEY": pem},
        "one line": {"PRIVATE_KEY": pem.replace("\n", "\\n")},
        "file": {"PRIVATE_KEY_FILE": str(path)},
    }[form]
    from_variables(API_KEY="key-1", PRIVATE_KEY_PASSWORD=password, **variable)
    assert isinstance(from_process_environment({})["auth"], VictorJwt)


@pytest.mark.parametrize(
    ("is_encrypted", "password", "words"),
    [
        (True, "", "is encrypted: set VICTOR_PRIVATE_KEY_PASSWORD;"),
        (True, "hunter2", "cannot be read as a private key with this password"),
        (False, "hunter2", "is not encrypted: leave VICTOR_PRIVATE_KEY_PASSWORD out;"),
    ],
)
def test_a_password_that_does_not_fit_is_refused_with_the_variable_to_set(
    from_variables, victor_key_pair, is_encrypted, password, words
):
    key = encrypted_pem(victor_key_pair[0], WORDS) if is_encrypted else victor_key_pair[0]
    with pytest.raises(ConfigurationError, match=f"VICTOR_PRIVATE_KEY.* {words}") as raised:
        from_variables(API_KEY="key-1", PRIVATE_KEY=key, PRIVATE_KEY_PASSWORD=password)
    assert "hunter2" not in str(raised.value)


def test_a_password_is_no_credential_of_its_own(from_variables):
    from_variables(CLIENT_ID="id-1", CLIENT_SECRET="s", PRIVATE_KEY_PASSWORD="left over")
    assert isinstance(from_process_environment({})["auth"], VictorOAuth)


@pytest.mark.parametrize("kind", [Victor, AsyncVictor])
@pytest.mark.parametrize("case", cases_beside(__file__)["settings"])
def test_a_missing_or_wrong_variable_is_named_and_not_shown(monkeypatch, kind, case):
    for name, value in {"SOMEBODY_ELSES": "s3cret", **case["variables"]}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=case["words"]) as raised:
        kind.from_env()
    assert_hidden(raised.value, ["s3cret"])


def test_a_proxy_of_the_environment_that_is_bad_is_named_by_its_variable(monkeypatch):
    """How one is chosen: see tests/runtime/http/test_options.py."""
    monkeypatch.setenv("HTTPS_PROXY", "socks5://mine:1080")
    with pytest.raises(
        ConfigurationError, match=r"HTTPS_PROXY.*For a SOCKS proxy, pass transport="
    ):
        Victor(**ARGUMENTS)


@pytest.mark.parametrize(
    ("words", "make"),
    [
        ("password must be text or bytes, not int", lambda: VictorJwt("k", "x", password=7)),
        (r"RetryPolicy\(cap=1000.*: give seconds", lambda: RetryPolicy(cap=10**400)),
        (r"base=10{10}\.0\): give seconds, 0 or more, up", lambda: RetryPolicy(base=1e10)),
        ("deadline=10{10}.0 must be", lambda: Victor(**ARGUMENTS).with_options(deadline=1e10)),
    ],
)
def test_a_wrong_setting_is_refused_when_it_is_given_by_its_name_and_value(words, make):
    with pytest.raises(ConfigurationError, match=words) as raised:
        make()
    assert str(raised.value).endswith((".", ".)"))
