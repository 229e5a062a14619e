"""Credentials in the process environment, and what a user gets wrong there.

Each of that is a VictorError that names the argument, what was wrong and what to write, and nothing
is sent.
"""

import pytest
from cryptography.hazmat.primitives import serialization

from tests.frames import assert_hidden
from victor_ext import ConfigurationError, Victor, VictorJwt
from victor_ext.providers.victor._system import from_process_environment

pytestmark = pytest.mark.usefixtures("clean_environment")


def encrypted_pem(pem, password):
    key = serialization.load_pem_private_key(pem.encode(), None)
    encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


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


def test_two_kinds_of_credentials_at_once_are_refused_by_their_names(from_variables):
    """As when the variables of another environment are still set."""
    with pytest.raises(ConfigurationError, match="Two kinds of credentials") as raised:
        from_variables(CLIENT_ID="id", CLIENT_SECRET=WORDS, API_KEY="key-1")
    assert "(VICTOR_API_KEY, VICTOR_CLIENT_ID, VICTOR_CLIENT_SECRET)" in str(raised.value)
    assert_hidden(raised.value, [WORDS])
