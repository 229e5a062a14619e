"""The connections of a client, with time that passes while one is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.faults.adapters import MODES, Operation, adapter
from tests.faults.raw_provider import CREATE, RESPOND
from tests.faults.raw_sockets import Background, background
from victor_ext import DeadlineExceeded
from victor_ext.runtime.http.connection_pool import ConnectionPool


@pytest.fixture(scope="module", name="loop")
def _loop() -> Iterator[Background]:
    with background() as made:
        yield made


@pytest.mark.parametrize("operation", ["create", "respond"])
@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_sent_where_the_deadline_passes_while_a_connection_is_opened(
    loop: Background, mode: str, operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    none_kept = httpx.Limits(max_connections=1, max_keepalive_connections=0)
    with adapter(loop, mode, direct=True, deadline=59.0, limits=none_kept) as on:
        clock: Any = on.caller.victor._config.clock  # type: ignore[attr-defined]  # each kind of caller has one
        opened = ConnectionPool._open

        def open_late(*arguments: Any) -> Any:
            yield from opened(*arguments)
            clock.skip(60.0)

        monkeypatch.setattr(ConnectionPool, "_open", open_late)
        run = on.run(operation)
        assert (run.observed.word, type(run.observed.error), run.mismatches()) == ("not_sent", DeadlineExceeded, [])
        assert on.provider.record.sent_to(CREATE if operation == "create" else RESPOND) == []
