"""Generated operations called directly: a good status that the document does not list is an error
of ours.
"""

import importlib
import json
import pickle

import httpx
import pytest

from tests.cases import cases_beside
from tests.frames import HAND_WRITTEN, locals_of
from tests.providers.running import MODES, QUICK, Script
from tests.providers.systems import called
from victor_ext import UnreadableResponse

CASES = cases_beside(__file__)
OPERATIONS = {each["name"].rpartition(".")[2]: each for each in (*CASES["writes"], *CASES["reads"])}
"""Generated operations of the systems, each with a good answer. The body is the name of a model,
with its members.
"""
ways = pytest.mark.parametrize("way", ["sync", "sync_detailed", "asyncio", "asyncio_detailed"])


def call(name, way, script):
    operation = OPERATIONS[name]
    system, arguments = operation["system"], dict(operation.get("arguments", {}))
    if "body" in operation:
        kind, members = operation["body"]
        model = getattr(importlib.import_module(f"{system}_api.models"), kind)
        arguments["body"] = model.from_dict(members)
    module = importlib.import_module(f"{system}_api.api.{operation['name']}")
    mode = MODES[way.startswith("asyncio")]
    use = lambda client: getattr(module, way)(client=client.api, **arguments)  # noqa: E731 - one expression
    return called(system, mode, use, script, retry=QUICK)


@ways
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("status", [201, 202, 205, 206, 299])
def test_a_good_status_that_is_not_documented_is_an_error_with_the_outcome_accepted(
    name, way, status
):
    good, key = OPERATIONS[name]["answer"], OPERATIONS[name].get("key")
    assert call(name, way, Script(httpx.Response(200, json=good))) is not None
    script = Script(httpx.Response(status, json=good, headers={"x-request-id": "r-77"}))
    words = f"HTTP {status}.*not in the provider's document"
    with pytest.raises(UnreadableResponse, match=words) as raised:
        call(name, way, script)
    error, [sent] = raised.value, script.requests
    assert (error.outcome, error.idempotency_key, error.request_id) == ("accepted", key, "r-77")
    assert json.loads(error.body) == good
    advice = "Repeat only with the same key" if key else "Do not send it again"
    assert advice in str(error) or sent.method == "GET"
    assert pickle.loads(pickle.dumps(error)).outcome == "accepted"
    assert error.__cause__ is error.__context__ is None
    assert "043987673645" not in repr(error) + repr([*locals_of(error, (HAND_WRITTEN,))])
