"""Secrets that work as what they are, and show nothing; so do their parts."""

from __future__ import annotations

from typing import Any

import pytest

from victor_ext.redaction import Secret, SecretBytes, concealed_within


def test_a_part_of_a_secret_is_one() -> None:
    secret = Secret("visibly-fake")
    assert (secret[:7], secret[0]) == ("visibly", "v")
    assert repr([secret, secret[:7], secret[0]]) == "['[secret]', '[secret]', '[secret]']"


def test_a_part_of_secret_bytes_is_one_and_a_byte_is_a_number() -> None:
    secret = SecretBytes(b"visibly-fake")
    assert (secret[:7], secret[0]) == (b"visibly", ord("v"))
    assert repr([secret, secret[:7], secret[0]]) == "[b'[secret]', b'[secret]', 118]"


@pytest.mark.parametrize("kind", ["objects", "lists"])
def test_what_is_nested_beyond_all_measure_is_no_error_here(kind: str) -> None:
    value: Any = "visibly-fake"
    for _ in range(5_000):
        value = {"deeper": value} if kind == "objects" else [value]
    assert concealed_within({"body": value}).keys() == {"body"}
