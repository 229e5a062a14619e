"""Notifications come from anybody: of their body one id is read, or they are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from victor_ext import InvalidRequest
from victor_ext.providers.eastpay import payment_id_of


@pytest.mark.parametrize(
    "body",
    [
        b'{"id": "8ac7a4a1-7f_b.0~", "result": {"code": "000.000.000"}}',
        '{"result": null, "id": "8ac7a4a1-7f_b.0~"}',
        bytearray(b'\xef\xbb\xbf{"id": "8ac7a4a1-7f_b.0~"}'),
        '{"id": "8ac7a4a1-7f_b.0~"}'.encode("utf-16"),
    ],
)
def test_the_id_is_read(body: Any) -> None:
    assert payment_id_of(body) == "8ac7a4a1-7f_b.0~"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"id=8ac7&result.code=000.000.000", "is not JSON"),
        (b"[]", "is JSON, but no object"),
        (b'{"id": "' + b"x" * 2**20 + b'"}', "is longer than 1024 KiB"),
        (b"{}", "id is missing: it must be an id of the gateway's"),
        (b'{"id": 7}', "id must be text, not int"),
        (b'{"id": "../payments/8ac7"}', "must be an id of the gateway's"),
        ({"id": "8ac7"}, "body must be the raw bytes of the request, read before any parser, not dict"),
    ],
)
def test_what_is_no_notification(body: Any, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        payment_id_of(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "result"]) | st.text(), inner),
)


@given(st.binary() | st.text() | JSON.map(json.dumps))
def test_whatever_comes_is_an_id_or_is_refused(body: bytes | str) -> None:
    try:
        result = payment_id_of(body)
    except InvalidRequest:
        return
    assert "/" not in result
    assert result.strip(".")
    assert result.isascii()
