"""The examples of the README run, as they stand there, against the sandbox."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from victor_ext.providers.victor import settings
from victor_ext.sandbox import Sandbox

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def provider(victor_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox in place of both of the provider's environments."""
    here = {
        name: settings.Environment(name, victor_sandbox.url, environment.token_limit)
        for name, environment in settings.ENVIRONMENTS.items()
    }
    monkeypatch.setattr(settings, "ENVIRONMENTS", here)
    return victor_sandbox


def block_with(word: str) -> str:
    (found,) = [block for block in BLOCKS if word in block]
    return found


@pytest.mark.victor_sandbox(demo_data=True, auto=0.01)
def test_the_first_example(provider: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api_key, private_key = provider.new_api_key()
    (tmp_path / "private-key.pem").write_text(private_key)
    monkeypatch.chdir(tmp_path)
    code = block_with("with Victor(").replace('"aHeq349838"', '"acceptsRfp"')  # who needs nobody to answer
    names: dict[str, Any] = {"api_key": api_key}

    exec(compile(code, str(README), "exec"), names)

    assert names["paid"].status == "completed"
    assert provider.work_done_by_key() == {names["paid"].idempotency_key or names["request"].idempotency_key: 1}


@pytest.mark.victor_sandbox(demo_data=True)
def test_the_awaited_example(provider: Sandbox) -> None:
    client_id, client_secret = provider.add_oauth_client()
    code = block_with("async with AsyncVictor(").replace("asyncio.run(main())", "")
    names: dict[str, Any] = {"client_id": client_id, "client_secret": client_secret}
    known = [
        provider.create_inbound("120.00", notes="Invoice 7731"),
        provider.create_inbound("121.00", notes="Invoice 7731"),
    ]

    exec(compile(code, str(README), "exec"), names)
    asyncio.run(names["main"]())

    states = {request["id"]: request["status"] for request in provider.requests() if request["direction"] == "inbound"}
    assert [states.pop(each) for each in known] == ["accepted", "pending"]
    assert set(states.values()) == {"pending"}
