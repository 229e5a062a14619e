"""`NaN` and `Infinity` are no numbers, in whatever a system responds; and a token's type has one
spelling.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.providers.running import MODES, ONCE, TOKEN, Exchange, Script, is_for_token
from tests.providers.running import run as run_client
from tests.providers.systems import ADAPTERS, ARGUMENTS, CLIENTS
from tests.providers.test_proven_work import Restated
from victor_ext import VictorError

NUMBER = re.compile(rb"(?<=[:\[,])\s*-?[0-9][0-9.eE+-]*(?=[,}\]])")
EXCHANGES = [
    pytest.param(system, exchange, id=f"{system}-{exchange.word}-{number}")
    for system, adapter in ADAPTERS.items()
    for number, exchange in enumerate((adapter.READ, adapter.WRITE, *adapter.MORE))
]


class Without(Restated):
    """A way to a sandbox on which each number of a response becomes a word that is none."""

    word = b"NaN"
    count = 0

    def _restated(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        content, count = NUMBER.subn(self.word, response.content)
        if is_for_token(request) or response.status_code >= 400:
            return response
        self.count += count
        headers = {k: v for k, v in response.headers.items() if k != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=content)


def floats_in(value: Any, levels: int = 6) -> Iterator[float]:
    """The floats in a record, a model or JSON, as far as they are public."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from floats_in(each, levels)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from floats_in(each, levels)
    elif hasattr(value, "to_dict") and levels:
        yield from floats_in(value.to_dict(), levels - 1)
        yield from floats_in(getattr(value, "raw", None), levels - 1)


@pytest.mark.parametrize(("system", "exchange"), EXCHANGES)
@pytest.mark.parametrize("word", [b"NaN", b"-Infinity"])
def test_no_record_has_a_number_that_json_has_not(
    system: str, exchange: Exchange, word: bytes, harness: Any
) -> None:
    subject, way = exchange.subject(harness), Without(0)
    way.word = word
    result: Any = None
    failure: VictorError | None = None
    try:
        result = harness(lambda client: exchange.call(client, subject), transport=way, retry=ONCE)
    except VictorError as error:
        failure = error
    assert failure is None or failure.outcome.value in ("unknown", "accepted")
    assert not [number for number in floats_in(result) if not math.isfinite(number)]
    assert not re.search(r"\b(nan|inf|NaN|Infinity)\b", f"{result!r} {failure}")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("word", ["bearer", "BEARER", "Bearer"])
@pytest.mark.parametrize("system", [name for name in CLIENTS if name != "eastpay"])
def test_the_type_of_a_token_is_sent_in_one_spelling(system: str, word: str, mode: str) -> None:
    script = Script(httpx.Response(503), token={**TOKEN, "token_type": word})
    settings = {**ARGUMENTS[system], "transport": script.transport, "retry": ONCE}
    with pytest.raises(VictorError):
        run_client(CLIENTS[system][mode == MODES[1]], lambda client: client.ping(), **settings)
    assert {each.headers["authorization"] for each in script.requests} == {"Bearer t"}


@pytest.mark.parametrize("mode", MODES)
def test_another_type_of_token_is_sent_as_it_is(mode: str) -> None:
    script = Script(httpx.Response(503), token={**TOKEN, "token_type": "Token"})
    settings = {**ARGUMENTS["victor"], "transport": script.transport, "retry": ONCE}
    with pytest.raises(VictorError):
        run_client(CLIENTS["victor"][mode == MODES[1]], lambda client: client.ping(), **settings)
    assert {each.headers["authorization"] for each in script.requests} == {"Token t"}
