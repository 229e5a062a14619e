"""What is stored is read with its own secrets alone, and only as it was stored."""

import base64

import pytest

from victor_ext import ConfigurationError
from victor_ext._event_queue.vault import Vault, secrets_of

UNREADABLE = "The outbox of a test has an entry that no secret in storage_key decrypts. Put back"
DATA = {"amount": "44.23", "payee_account_number": "043987673645"}
OLD, NEW = "the-older-secret-of-a-test", "the-newer-secret-of-a-test"


def vault_of(text, salt=""):
    return Vault(secrets_of(text, "storage_key"), "The outbox of a test", "storage_key", salt)


def test_a_stored_value_is_read_back_and_is_not_visible_in_text_or_repr():
    vault = vault_of(OLD)
    text = vault.sealed(DATA)
    assert vault.opened(text) == DATA
    assert vault.sealed(DATA) != text
    assert "043987673645" not in text + repr(vault.opened(text)) + repr(vault)


def test_the_newest_secret_encrypts_and_each_of_them_decrypts():
    old, both, new = map(vault_of, (OLD, f"{NEW}, {OLD}", NEW))
    assert both.opened(old.sealed(DATA)) == DATA
    assert new.opened(both.sealed(DATA)) == DATA
    for vault, text in ((new, old.sealed(DATA)), (old, both.sealed(DATA))):
        with pytest.raises(ConfigurationError, match=UNREADABLE):
            vault.opened_text(text, "an entry")


def test_what_is_in_clear_is_read_without_a_secret_alone():
    """With one, whoever can write to the database could add a payment."""
    assert vault_of(None).opened(vault_of(None).sealed(DATA)) == DATA
    for vault, other in ((vault_of(None), vault_of(OLD)), (vault_of(OLD), vault_of(None))):
        with pytest.raises(ConfigurationError, match=UNREADABLE):
            vault.opened_text(other.sealed(DATA), "an entry")


@pytest.mark.parametrize("place", [0, 12, -1], ids=["nonce", "text", "tag"])
def test_a_stored_text_that_was_changed_is_refused(place):
    vault = vault_of(OLD)
    mark, body = vault.sealed(DATA).split(".")
    changed = bytearray(base64.b64decode(body))
    changed[place] ^= 1
    with pytest.raises(ConfigurationError, match=UNREADABLE):
        vault.opened_text(f"{mark}.{base64.b64encode(changed).decode()}", "an entry")


def test_digests_are_equal_with_one_salt_whatever_the_secrets_are():
    digests = {vault_of(text, "a").fingerprint("INV-1") for text in (None, OLD, f"{NEW},{OLD}")}
    assert len(digests) == 1
    assert vault_of(OLD, "b").fingerprint("INV-1") not in digests


@pytest.mark.parametrize(
    "text",
    ["a" * 15, f"   {'a' * 15}   ", f"{OLD} {NEW}", f"{OLD},", f"{OLD},short", "", b"a" * 16],
)
def test_secrets_that_are_too_short_ambiguous_or_no_text_are_refused(text):
    with pytest.raises(ConfigurationError, match="storage_key"):
        secrets_of(text, "storage_key")
