"""What can be sent in a header, and why something cannot; without showing it."""

from __future__ import annotations

import pytest

from victor_ext.runtime.core.headers import LONGEST, header_complaint


@pytest.mark.parametrize("value", [b"Bearer t", b"t", b"a\tb", b"t" * LONGEST])
def test_what_can_be_sent(value: bytes):
    assert header_complaint(value) is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "is empty"),
        (b" secret", "has a blank at one of its ends"),
        (b"secret\t", "has a blank at one of its ends"),
        (b"sec\nret", "holds a line break or another control character"),
        (b"sec\x00ret", "holds a line break or another control character"),
        (b"s" * (LONGEST + 1), f"has {LONGEST + 1} characters"),
    ],
)
def test_why_it_cannot(value: bytes, why: str):
    assert header_complaint(value) == why
