"""A pytest plugin: a sandbox of the provider, clients of it, and failures on command. See
docs/testing.md.

pytest loads it by itself when the package is installed with the extra `sandbox`. The sandbox of
each test is empty. A mark sets its options:
`@pytest.mark.victor_sandbox(demo_data=True, environment="production")`. With `like="measured.json"`
it plays what `victor conform` measured.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

import pytest

import victor_ext

if TYPE_CHECKING:
    from victor_ext import AsyncVictor, RetryPolicy, Victor, VictorJwt, VictorOAuth
    from victor_ext.sandbox import Received, Sandbox, SandboxCommands
    from victor_ext.sandbox.server import ServerCommands
    from victor_ext.sandbox.server.faults import FaultOptions

__all__ = (
    "Faults",
    "TimeTravel",
    "async_victor",
    "faults",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_makereport",
    "sent_once",
    "time_travel",
    "victor",
    "victor_auth",
    "victor_key_pair",
    "victor_retry",
    "victor_sandbox",
)

_MARK = "victor_sandbox"
_LIKE = "victor_sandbox_like"
_MOST = 30
_WITH_BODIES = 8
"""The number of calls, the last ones, that are shown with their bodies: enough for the failure, and
for one screen.
"""
_SANDBOX = pytest.StashKey["Sandbox"]()
T = TypeVar("T", "Victor", "AsyncVictor")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add to pytest's `parser` the setting that names a file of `victor conform`."""
    parser.addini(_LIKE, "a file of `victor conform` that the sandbox of each test plays")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark, and have clients raise what a listener (`on_event`) raises: in production
    it is logged.
    """
    os.environ.setdefault("VICTOR_LISTENER_ERRORS", "raise")
    config.addinivalue_line(
        "markers", f"{_MARK}(**settings): settings of the `{_MARK}` fixture (SandboxSettings)"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the calls of a failed test and its fixtures to the sandbox."""
    report = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if sandbox is not None and report.when != "teardown" and report.failed:
        try:
            shown = _described(sandbox)
        except RuntimeError as error:  # the test has stopped the sandbox
            shown = f"not known: {error}"
        report.sections.append(("Victor sandbox", shown))
    return report


@pytest.fixture
def victor_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox for one test, on a free port of this machine: empty, unless the mark says
    `demo_data=True`.

    With `like=` in the mark, or `victor_sandbox_like` in pytest's configuration, it plays a file of
    `victor conform`.
    """
    try:
        from victor_ext.sandbox import Sandbox, SandboxSettings  # noqa: PLC0415 - an extra
    except ImportError as error:
        pytest.fail(f"The fixture {_MARK}: {error}", pytrace=False)
    mark = request.node.get_closest_marker(_MARK)
    options: dict[str, Any] = dict(mark.kwargs) if mark else {}
    like = options.pop("like", request.config.getini(_LIKE))
    path = request.config.rootpath / str(like) if like else None
    try:
        if mark and mark.args:
            raise TypeError("write each with its name, such as auto=0.5")
        made = SandboxSettings(**options) if path is None else SandboxSettings.like(path, **options)
    except (TypeError, ValueError) as error:
        pytest.fail(f"The settings of {_MARK}: {error}", pytrace=False)
    with Sandbox(made) as sandbox:
        # Not among the test's arguments yet when a fixture fails before the test begins.
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
    """Check that the provider has done the work under a key once; returns the calls that had the
    key.
    """

    def check(idempotency_key: str) -> list[Received]:
        __tracebackhide__ = True
        times = victor_sandbox.work_done_by_key().get(idempotency_key, 0)
        calls = [
            call for call in victor_sandbox.received() if call.idempotency_key == idempotency_key
        ]
        what = "done no work" if times == 0 else f"done the work {times} times"
        assert times == 1, (
            f"the provider has {what} under the key {idempotency_key!r}, in {len(calls)} calls"
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
    """An RSA key pair, made once for a run: the private key and the public key, as PEM."""
    from victor_ext.sandbox import new_key_pair  # noqa: PLC0415 - see above

    return new_key_pair()


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
) -> Callable[[type[T]], T]:
    """Makes a client whose waits let the time pass at the sandbox instead; those of `wait` only
    with `time_travel`.

    Without `time_travel` a test may have another thread, or another process, that moves what is
    waited for.
    """

    def make(kind: type[T]) -> T:
        waits: dict[str, Any] = {"_on_retry_wait": staticmethod(victor_sandbox.advance)}
        if "time_travel" in request.fixturenames:
            waits["_on_poll_wait"] = staticmethod(victor_sandbox.advance)
        environment, base_url = victor_sandbox.settings.environment, victor_sandbox.url
        client: Callable[..., T] = type(kind.__name__, (kind,), waits)
        return client(victor_auth, environment=environment, base_url=base_url, retry=victor_retry)

    return make


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


def _described(sandbox: SandboxCommands) -> str:
    """The last calls as the sandbox saw them, and the last payment requests, without tokens and
    whole keys.
    """
    received = sandbox.received()
    bodies = {
        call["number"]: call
        for call in sandbox.bodies(received[-1].number - _WITH_BODIES if received else 0)
    }
    calls = [
        "\n".join(
            [f"{call.number}  {call.summary()}", *_excerpts(call, bodies.get(call.number, {}))]
        )
        for call in received
    ]
    requests = [
        f"{each['id']}  {each['direction']}  {each['status']}  {each['amount']}"
        + (f"  key={each['idempotency_key'][:8]}…" if "idempotency_key" in each else "")
        for each in sandbox.requests()
    ]
    return f"{_part('calls', calls)}\n{_part('payment requests', requests)}"


def _part(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines[-_MOST:] or ["none"])])


def _excerpts(call: Received, bodies: Mapping[str, Any]) -> Iterator[str]:
    """The beginning of each body on a line of its own: the request's, then the response's."""
    for mark, body in ((">", bodies.get("request")), ("<", bodies.get("response"))):
        if body:
            yield f"       {mark} {call.excerpt(body)}"


class Faults:
    """Lets the next matching calls to a sandbox fail. Each kind of fault has a method of its name,
    which returns an id.

    Every method takes the `options` of a fault (docs/sandbox.md, "Faults"), above all `times` (1;
    None: all calls until `clear`), `operation` (such as `"create"`; any), `skip` (how many calls
    pass first) and `work` (whether the provider does the work before it fails). A wrong option is a
    `ValueError`.

    Args:
        sandbox: The sandbox of any provider, in this process or in another one.
    """

    def __init__(self, sandbox: ServerCommands) -> None:
        self._sandbox = sandbox

    def refuse(self, **options: Unpack[FaultOptions]) -> int:
        """The connection is reset once the request line was read: no work is done."""
        return self._sandbox.inject("refuse", **options)

    def cut_request(self, **options: Unpack[FaultOptions]) -> int:
        """The connection ends `after` bytes of the request; without `after`, when all of it was
        read.
        """
        return self._sandbox.inject("cut_request", **options)

    def cut_answer(self, **options: Unpack[FaultOptions]) -> int:
        """The work is done, and the connection ends `after` bytes of the response (negative:
        counted from its end).
        """
        return self._sandbox.inject("cut_answer", **options)

    def lose_answer(self, **options: Unpack[FaultOptions]) -> int:
        """The work is done, and no byte of the response arrives."""
        return self._sandbox.inject("lose_answer", **options)

    def stall(self, **options: Unpack[FaultOptions]) -> int:
        """Silence: the request is read, and nothing comes back. The client's timeout ends it."""
        return self._sandbox.inject("stall", **options)

    def delay(self, seconds: float, /, **options: Unpack[FaultOptions]) -> int:
        """The response comes `seconds` late."""
        options["delay"] = seconds
        return self._sandbox.inject("delay", **options)

    def rate_limit(self, **options: Unpack[FaultOptions]) -> int:
        """A 429 with `Retry-After`: `retry_after` seconds (1)."""
        return self._sandbox.inject("rate_limit", **options)

    def status(self, code: int, /, **options: Unpack[FaultOptions]) -> int:
        """A response with the status `code`, `body` and `headers`; no work is done, unless
        `work=True`.
        """
        options["status"] = code
        return self._sandbox.inject("status", **options)

    def truncated_json(self, **options: Unpack[FaultOptions]) -> int:
        """The work is done, and the response is half of the body, with a matching
        `Content-Length`.
        """
        return self._sandbox.inject("truncated_json", **options)

    def malformed_json(self, **options: Unpack[FaultOptions]) -> int:
        """The work is done, and the response is not JSON."""
        return self._sandbox.inject("malformed_json", **options)

    def html(self, **options: Unpack[FaultOptions]) -> int:
        """An HTML page with `status` (503); no work is done, unless `work=True`."""
        return self._sandbox.inject("html", **options)

    def down(self) -> None:
        """Refuse connections until `up`: nothing of a call leaves this machine."""
        self._sandbox.down()

    def up(self) -> None:
        """Accept connections again."""
        self._sandbox.up()

    def clear(self) -> None:
        """Remove the faults that still apply to calls."""
        self._sandbox.clear_faults()


class TimeTravel:
    """Sets the business clock of a sandbox forward. Requests that are due then have moved, such as
    to `expired`.

    The wall clock stays, by which tokens expire.

    Args:
        sandbox: The sandbox of any provider, in this process or in another one.
    """

    def __init__(self, sandbox: ServerCommands) -> None:
        self._sandbox = sandbox

    @property
    def now(self) -> datetime:
        """The time of the business clock, in UTC."""
        return datetime.fromtimestamp(self._sandbox.clock()["now"], UTC)

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> int:
        """Let `days`, `hours`, `minutes` and `seconds` pass; returns how many moves of requests
        that made.

        A negative time is a `ValueError`.
        """
        return self._sandbox.advance(
            timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        )
