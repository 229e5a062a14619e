"""What providers say of a key that was used, and of one whose form is wrong: their own words, and others like them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.cases import cases_beside
from victor_ext.runtime.loop.conflicts import Use, earlier_use
from victor_ext.runtime.loop.idempotency_keys import BodyKey, HeaderKey, KeyPlace, NoKey

KEY = "0d8bb6ec-7a83-46ab-8fc5-1f27c0d37e9b"
LINES = Path(__file__).with_name("words_about_keys.txt").read_text().splitlines()
"""Whose words they are, the status, where the key goes, what is said of its use, and the body."""
SAID = cases_beside(__file__, "words_of_a_use")
CASES = [
    *(pytest.param(*line.split(" | ")[1:], id=line.partition(" | ")[0]) for line in LINES),
    *(
        pytest.param(str(status), "Idempotency-Key", use, words)
        for status in (400, 403, 409, 412, 422, 423)
        for said in (SAID.values() if status == 409 else [SAID["any_status"]])
        for use in said
        for words in said[use]
    ),
]


def refusal(status: int, said: str, place: KeyPlace, method: str = "POST", **headers: str) -> httpx.Response:
    name = getattr(place, "name", "")
    body, header = ({name: KEY}, {}) if isinstance(place, BodyKey) else (None, {name: KEY} if name else {})
    request = httpx.Request(method, "https://pay.example/payments", json=body, headers=header)
    return httpx.Response(status, request=request, headers=headers, text=said.replace("<key>", KEY.upper()))


@pytest.mark.parametrize(("status", "where", "use", "said"), CASES)
def test_that_the_key_was_used_is_told_from_a_complaint_of_its_form(
    status: str, where: str, use: str, said: str
) -> None:
    name = where.removeprefix("body:")
    place: KeyPlace = NoKey() if where == "-" else BodyKey(name) if name != where else HeaderKey(name)
    read = earlier_use(refusal(int(status), said, place), place)
    assert ("-" if read is None else read.name.lower().replace("_", " ")) == use
    later = earlier_use(refusal(int(status), said, place, **{"retry-after": "1"}), place)
    assert later is (None if read is None else Use.IN_PROGRESS)
    assert earlier_use(refusal(int(status), said, place, "GET"), place) is None
