"""The real sandbox over a real socket, the real client, and a hand on both."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.model.faults import READ_TIMEOUT, Event, Faults
from victor_ext import AsyncVictor, AttemptStarted, RetryPolicy, Victor, VictorError, VictorJwt, VictorOAuth
from victor_ext.sandbox import Received, Sandbox, SandboxSettings

PATIENCE = 10.0
"""Seconds after which the sandbox must have come to rest."""


@cache
def key_pair() -> tuple[str, str]:
    """One for all runs: making it takes longer than a run."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Caller:
    """A sync or async client with one interface."""

    def __init__(self, mode: str, auth: VictorJwt | VictorOAuth, **options: Any) -> None:
        self._runner = asyncio.Runner() if mode == "async" else None
        self.victor: Any = Victor(auth, **options) if self._runner is None else self._runner.run(_opened(auth, options))

    def __call__(self, method: str, **arguments: Any) -> Any:
        """What a method of `payment_requests` returns, or the `VictorError` that it raises."""
        call = getattr(self.victor.payment_requests, method)
        try:
            if self._runner is None:
                return call(**arguments)
            return self._runner.run(call(**arguments))
        except VictorError as error:
            return error

    def walk(self, between_pages: Callable[[], None], **filters: Any) -> Any:
        """All that a list yields, or the `VictorError` that it raises."""
        pages = self.victor.payment_requests.list(**filters).pages()
        try:
            if self._runner is None:
                return _items(pages, between_pages)
            return self._runner.run(_awaited_items(pages, between_pages))
        except VictorError as error:
            return error

    def close(self) -> None:
        if self._runner is None:
            self.victor.close()
        else:
            self._runner.run(self.victor.close())
            self._runner.close()


async def _opened(auth: VictorJwt | VictorOAuth, options: dict[str, Any]) -> AsyncVictor:
    return AsyncVictor(auth, **options)


def _items(pages: Any, between_pages: Callable[[], None]) -> list[Any]:
    found: list[Any] = []
    for page in pages:
        found += page.items
        between_pages()
    return found


async def _awaited_items(pages: Any, between_pages: Callable[[], None]) -> list[Any]:
    found: list[Any] = []
    async for page in pages:
        found += page.items
        between_pages()
    return found


class Harness:
    """A provider that keeps its state in a file, and one client of it at a time."""

    def __init__(self, *, mode: str, credentials: str, attempts: int, settings: dict[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory()
        state = Path(self._folder.name) / "state.sqlite"
        self.sandbox = Sandbox(SandboxSettings(state=state, seed=1, **settings)).start()
        self._mode, self._attempts = mode, attempts
        self._auth: VictorJwt | VictorOAuth
        if credentials == "jwt":
            private, public = key_pair()
            self._auth = VictorJwt(self.sandbox.add_api_key(public, "model"), private)
        else:
            self._auth = VictorOAuth(*self.sandbox.add_oauth_client("model"))
        self._exchanges: list[Received] = []
        self._seen = 0
        self._events: tuple[Event, ...] = ()
        self._started = 0
        self.caller = self.new_caller()

    def new_caller(self) -> Caller:
        """The client of a process that has just started."""
        return Caller(
            self._mode,
            self._auth,
            base_url=self.sandbox.url,
            timeout=httpx.Timeout(READ_TIMEOUT, connect=5.0),
            deadline=5.0,
            retry=RetryPolicy(base=0.0, max_attempts=self._attempts, quota=10**9),
            on_event=self._on_event,
        )

    def replace_caller(self) -> None:
        """A crash of the caller's process, and its restart."""
        self.caller.close()
        self.caller = self.new_caller()

    def call(self, faults: Faults, method: str, **arguments: Any) -> tuple[Any, tuple[Received, ...]]:
        """Make a call while faults are injected. Returns the result or error, and the exchanges."""
        return self.during(faults, lambda: self.caller(method, **arguments))

    def during(self, faults: Faults, act: Callable[[], Any]) -> tuple[Any, tuple[Received, ...]]:
        """Run `act` while faults are injected, then wait until no exchange is open."""
        for fault in faults.faults:
            self.sandbox.inject(fault.kind, times=1, **fault.options)
        self._events, self._started = faults.events, 0
        observed = act()
        self._events = ()
        self.sandbox.up()
        self._settle()
        self.sandbox.clear_faults()
        exchanges, self._exchanges = tuple(self._exchanges), []
        return observed, exchanges

    def befall(self, event: Event) -> None:
        """Let something happen to the provider."""
        match event.what:
            case "restart":
                self._collect()
                self.sandbox.restart()
                self._seen = 0
            case "down":
                self.sandbox.down()
            case "up":
                self.sandbox.up()
            case "skew":
                self.sandbox.set_clock_skew(event.skew)
            case "revoke":
                self.sandbox.revoke_tokens()

    def _on_event(self, event: object) -> None:
        if isinstance(event, AttemptStarted):
            self._started += 1
            for planned in self._events:
                if planned.attempt == self._started:
                    self.befall(planned)

    def _settle(self) -> None:
        """The sandbox goes on with what it has begun when the caller leaves: wait for the end of it."""
        ends, pause = time.monotonic() + PATIENCE, threading.Event()
        while any(exchange.milliseconds is None for exchange in self.sandbox.received(self._seen)):
            assert time.monotonic() < ends, "the sandbox does not come to rest"
            pause.wait(0.005)
        self._collect()

    def _collect(self) -> None:
        found = self.sandbox.received(self._seen)
        self._exchanges += found
        self._seen = max([self._seen, *(exchange.number for exchange in found)])

    def close(self) -> None:
        self.caller.close()
        self.sandbox.stop()
        self._folder.cleanup()
