"""Which bank, which token, for whom: what is taken, what is refused, and what of it is seen."""

from __future__ import annotations

from typing import Any

import pytest

from victor_ext import ConfigurationError
from victor_ext.providers.eastpay import AsyncEastPay, EastPay
from victor_ext.providers.eastpay.settings import from_process_environment

TOKEN = "token-of-the-merchant-0c1f7e55aa31"
URL = "https://pay.bank.example/gateway"
GOOD: dict[str, Any] = {"token": TOKEN, "base_url": URL, "entity_id": "EB000001"}


@pytest.mark.parametrize("kind", [EastPay, AsyncEastPay])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"token": ""}, "token is empty: copy it from the bank's back office"),
        ({"token": "short"}, "token must have 32 to 2048 characters"),
        ({"token": "x" * 2049}, "token must have 32 to 2048 characters"),
        ({"token": None}, "token must be text, not NoneType"),
        ({"token": "ü" * 40}, "beyond ASCII"),
        ({"base_url": None}, "base_url"),
        ({"entity_id": ""}, "entity_id='' must be letters and digits, such as 'EB000001'"),
        ({"entity_id": "EB-1"}, "entity_id='EB-1' must be"),
        ({"entity_id": None}, "entity_id=None must be"),
        ({"entity_type": "merchant"}, "entity_type='merchant' must be 'MERCHANT', 'POS' or 'PARTICIPATOR'"),
    ],
)
def test_what_cannot_work(kind: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as raised:
        kind(**{**GOOD, **changes})
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("length", [32, 33, 2048])
def test_a_token_is_right_under_both_readings_of_its_format_as_is_the_longer_entity_of_a_sample(length: int) -> None:
    """ "Authorization | Conditional | AN2048 [\\s\\S]32": 32 characters, or, as in `[\\s\\S]{6,2048}`, 32 to 2048."""
    longer = {"entity_id": "8a8294174b7ecb28014b9699220015ca", "entity_type": "POS"}
    assert EastPay(**{**GOOD, **longer, "token": "x" * length}).caller


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GOOD, "entity_type": "PARTICIPATOR"}.items():
        monkeypatch.setenv(f"EASTPAY_{name.upper()}", value)
    eastpay = EastPay.from_env(deadline=5)
    assert (eastpay.base_url, eastpay.payments.entity.type) == (URL, "PARTICIPATOR")
    assert eastpay.authorization() == f"Bearer {TOKEN}"
    assert TOKEN not in f"{eastpay!r} {eastpay.authorization()!r} {vars(eastpay)!r}"
    assert EastPay.from_env(entity_id="EB000002", entity_type="POS").payments.entity.id == "EB000002"


@pytest.mark.parametrize(("said", "allowed"), [("true", True), ("False", False), (" TRUE ", True), ("", False)])
def test_the_inquiry_by_reference_of_the_environment(said: str, allowed: bool) -> None:
    options = from_process_environment(dict(GOOD), {"EASTPAY_INQUIRY_BY_REFERENCE": said})
    assert EastPay(**options).payments.entity.found_by_reference is allowed


def test_what_is_no_word_for_the_inquiry_by_reference() -> None:
    values = {"EASTPAY_INQUIRY_BY_REFERENCE": TOKEN}
    with pytest.raises(ConfigurationError, match="must be true or false") as raised:
        from_process_environment(dict(GOOD), values)
    assert TOKEN not in str(raised.value)
    assert from_process_environment({**GOOD, "inquiry_by_reference": True}, values)["inquiry_by_reference"] is True
