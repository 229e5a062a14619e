"""What is stored is read with its own key alone, and only as it was stored."""

import base64

import pytest

from victor_ext import ConfigurationError
from victor_ext._event_queue.vault import KEY_BYTES, MARK, Vault, new_key, secret_of, unwrapped

PLACE, OTHER_KEY = "The outbox of a test", "It is encrypted with another key."
DAMAGED = "The outbox of a test is damaged: an entry cannot be decrypted. Restore"
DATA = {"amount": "44.23", "payee_account_number": "043987673645"}


def new_vault():
    return Vault(new_key(), PLACE, OTHER_KEY)


def test_a_stored_value_is_read_back_and_is_not_visible_in_text_or_repr():
    vault = new_vault()
    text = vault.sealed(DATA)
    assert vault.opened(text) == DATA
    assert vault.sealed(DATA) != text
    assert "043987673645" not in text + repr(vault.opened(text)) + repr(vault)


@pytest.mark.parametrize("place", [0, 12, -1], ids=["nonce", "text", "tag"])
def test_a_stored_text_that_was_changed_is_refused(place):
    vault = new_vault()
    mark, key_id, body = vault.sealed(DATA).split(".")
    changed = bytearray(base64.b64decode(body))
    changed[place] ^= 1
    text = f"{mark}.{key_id}.{base64.b64encode(changed).decode()}"
    with pytest.raises(ConfigurationError, match=DAMAGED):
        vault.opened(text, "an entry")


def test_a_text_encrypted_with_another_key_is_recognised_by_the_key_id_and_not_read():
    one, other = new_vault(), new_vault()
    text = one.sealed(DATA)
    assert (one.has_sealed(text), other.has_sealed(text)) == (True, False)
    with pytest.raises(ConfigurationError, match=OTHER_KEY):
        other.opened(text)
    with pytest.raises(ConfigurationError, match=DAMAGED):
        other.opened(text.replace(f"{MARK}.{one.key_id}.", f"{MARK}.{other.key_id}."), "an entry")
    assert one.fingerprint("INV-1") != other.fingerprint("INV-1")


def test_a_key_is_unwrapped_with_its_own_secret_alone():
    secret, other = (secret_of(each * 16, "storage_key", "write more") for each in "ab")
    key = new_key()
    wrapped = Vault(key, PLACE, OTHER_KEY).wrapped(secret)
    assert len(key) == KEY_BYTES
    assert unwrapped(wrapped, secret) == key
    assert unwrapped(wrapped, other) is None


@pytest.mark.parametrize("secret", ["a" * 15, f"   {'a' * 15}   ", b"a" * 16, None])
def test_a_secret_that_is_too_short_or_no_text_is_refused(secret):
    with pytest.raises(ConfigurationError, match="storage_key"):
        secret_of(secret, "storage_key", "write more")
