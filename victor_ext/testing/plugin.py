"""A pytest plugin: a sandbox of the provider, clients of it, and failures on command. See
docs/testing.md.

pytest loads it by itself when the package is installed with the extra `sandbox`. The sandbox of
each test is empty. A mark sets its options:
`@pytest.mark.victor_sandbox(demo_data=True, environment="production")`. The sandboxes of the other
systems are `velo_sandbox`, `eastpay_sandbox` and `flexfactor_sandbox`.

First come the hooks of pytest, then the fixtures: the sandbox, what a test does to the sandbox, and
clients with what these are made of.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import victor_ext

from . import _failure_report
from ._controls import Faults, TimeTravel
from ._other_sandboxes import (
    OTHER_SANDBOXES,
    eastpay_sandbox,
    flexfactor_sandbox,
    velo_sandbox,
)

if TYPE_CHECKING:
    from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt, VictorOAuth
    from victor_ext.sandbox import Received, Sandbox

__all__ = (
    "async_victor",
    "eastpay_sandbox",
    "faults",
    "flexfactor_sandbox",
    "pytest_configure",
    "pytest_runtest_makereport",
    "sent_once",
    "time_travel",
    "velo_sandbox",
    "victor",
    "victor_auth",
    "victor_key_pair",
    "victor_retry",
    "victor_sandbox",
)

_MARK = "victor_sandbox"
_SANDBOX = pytest.StashKey["Sandbox"]()
C = TypeVar("C", "Victor", "AsyncVictor")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and have clients raise what a listener (`on_event`) raises: in production
    it is logged.
    """
    os.environ.setdefault("VICTOR_LISTENER_ERRORS", "raise")
    config.addinivalue_line(
        "markers", f"{_MARK}(**settings): settings of the `{_MARK}` fixture (SandboxSettings)"
    )
    for name, settings in OTHER_SANDBOXES.items():
        config.addinivalue_line(
            "markers", f"{name}(**settings): settings of the `{name}` fixture ({settings})"
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, with a failure of a test or of its fixtures, the calls that the sandbox received."""
    report = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if sandbox is not None and report.when != "teardown" and report.failed:
        try:
            text = _failure_report.describe(sandbox)
        except RuntimeError as error:  # the test has stopped the sandbox
            text = f"not known: {error}"
        report.sections.append(("Victor sandbox", text))
    return report


@pytest.fixture
def victor_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox for one test, on a free port of this machine: empty, unless the mark says
    `demo_data=True`.
    """
    try:
        from victor_ext.sandbox import Sandbox, SandboxSettings  # noqa: PLC0415 - an extra
    except ImportError as error:
        pytest.fail(f"The fixture {_MARK}: {error}", pytrace=False)
    mark = request.node.get_closest_marker(_MARK)
    options: dict[str, Any] = dict(mark.kwargs) if mark else {}
    try:
        if mark and mark.args:
            raise TypeError("write each with its name, such as auto=0.5")
        settings = SandboxSettings(**options)
    except (TypeError, ValueError) as error:
        pytest.fail(f"The settings of {_MARK}: {error}", pytrace=False)
    with Sandbox(settings) as sandbox:
        # For the report of a failure. When a fixture fails before the test begins, pytest does not
        # have the sandbox among the test's arguments yet.
        request.node.stash[_SANDBOX] = sandbox
        yield sandbox


@pytest.fixture
def faults(victor_sandbox: Sandbox) -> Faults:
    """Failures on command: `faults.lose_answer()`, `faults.status(503, times=2)`,
    `faults.cut_answer(after=10)`.
    """
    return Faults(victor_sandbox)


@pytest.fixture
def sent_once(victor_sandbox: Sandbox) -> Callable[[str], list[Received]]:
    """A function that checks that the provider has done the work under a key once, and returns the
    calls that had the key.

    It does not see work under another key: `victor_sandbox.work_done_by_key()` has every key.
    """

    def check(idempotency_key: str) -> list[Received]:
        __tracebackhide__ = True
        times = victor_sandbox.work_done_by_key().get(idempotency_key, 0)
        received = victor_sandbox.received()
        calls = [call for call in received if call.idempotency_key == idempotency_key]
        work = "done no work" if times == 0 else f"done the work {times} times"
        assert times == 1, (
            f"the provider has {work} under the key {idempotency_key!r}, in {len(calls)} calls"
        )
        return calls

    return check


@pytest.fixture
def time_travel(victor_sandbox: Sandbox) -> TimeTravel:
    """The sandbox's business clock: `time_travel.advance(days=1)`.

    In a test that asks for it, `wait` and `watch` of the clients wait for nothing: the clock moves
    on instead.
    """
    return TimeTravel(victor_sandbox)


@pytest.fixture(scope="session")
def victor_key_pair() -> tuple[str, str]:
    """The RSA key pair of the sandbox's account: the private key and the public key, as PEM."""
    from victor_ext.sandbox import KEY_PAIR  # noqa: PLC0415 - an extra

    return KEY_PAIR


@pytest.fixture
def victor_auth(
    victor_sandbox: Sandbox, victor_key_pair: tuple[str, str]
) -> VictorJwt | VictorOAuth:
    """Credentials that the sandbox accepts. Override it to test with `VictorOAuth`."""
    private, public = victor_key_pair
    return victor_ext.VictorJwt(victor_sandbox.add_api_key(public), private)


@pytest.fixture
def victor_retry() -> RetryPolicy:
    """The retry policy of the clients: the default without waiting.

    Override it to test another policy.
    """
    return victor_ext.RetryPolicy(base=0.0)


@pytest.fixture
def _victor_client(
    request: pytest.FixtureRequest,
    victor_sandbox: Sandbox,
    victor_auth: VictorJwt | VictorOAuth,
    victor_retry: RetryPolicy,
) -> Callable[[type[C]], C]:
    """A function that makes a client of the sandbox, of a class. Where the client would wait before
    a retry, the sandbox's clock is moved instead.

    The same holds for what `wait` and `watch` wait for, but only with `time_travel`: without it, a
    test may have another thread, or another process, that changes what they wait for.
    """

    def make_client(base: type[C]) -> C:
        hooks: dict[str, Any] = {"_on_retry_wait": staticmethod(victor_sandbox.advance)}
        if "time_travel" in request.fixturenames:
            hooks["_on_poll_wait"] = staticmethod(victor_sandbox.advance)
        client_class: Callable[..., C] = type(base.__name__, (base,), hooks)
        return client_class(
            victor_auth,
            environment=victor_sandbox.settings.environment,
            base_url=victor_sandbox.url,
            retry=victor_retry,
        )

    return make_client


@pytest.fixture
def victor(_victor_client: Callable[[type[Victor]], Victor]) -> Iterator[Victor]:
    """A client of the sandbox with blocking calls.

    Its retries wait for nothing, whatever `Retry-After` says.
    """
    with _victor_client(victor_ext.Victor) as client:
        yield client


@pytest.fixture
def async_victor(_victor_client: Callable[[type[AsyncVictor]], AsyncVictor]) -> AsyncVictor:
    """A client of the sandbox with awaited calls, as `victor`.

    Open it in the test: `async with async_victor: ...`.
    """
    return _victor_client(victor_ext.AsyncVictor)
