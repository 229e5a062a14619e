"""`ping`: a signed read that tells whether calls can be made."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from victor_ext.response_info import ResponseInfo

from .config import ClientConfig
from .runners import Call, OperationFlow


@dataclass(frozen=True, slots=True)
class Ping:
    """The result of a signed read. It exists only where the provider accepts the credentials.

    Attributes:
        seconds: How long the whole call took, with all attempts, and with the request for a token, if it needed one.
        clock_offset: Seconds by which the provider's clock is ahead of this machine's (negative: behind); 0.0 within
            two seconds. None: the provider does not tell its time.
        response_info: Status, headers, request id and attempts of the response.
    """

    seconds: float
    clock_offset: float | None
    response_info: ResponseInfo


class _Pings:
    _pinged: tuple[ModuleType, dict[str, Any]]
    """A generated operation that needs no id, is signed and changes nothing, with its arguments: one item of a list.

    What its response has to be is the behaviour's to say.
    """
    _config: ClientConfig
    _runner: Any

    def _ping(self) -> OperationFlow[Ping]:
        clock = self._config.clock
        began = clock.monotonic()
        step = Call(*self._pinged, lambda response: response)
        yield step
        assert step.info is not None
        offset = clock.skew if clock.provider_time().is_known else None
        return Ping(clock.monotonic() - began, offset, step.info)


class BlockingPing(_Pings):
    def ping(self) -> Ping:
        """Make one signed read, which changes nothing: are the credentials accepted, and do the clocks agree?

        Use it when a service starts, and by hand. A health check that runs often costs the provider a call each time.

        Returns:
            How long it took, the difference of the clocks, and the response.

        Raises:
            AuthenticationError: The provider does not accept the credentials.
            VictorError: Any other failure.
        """
        pinged: Ping = self._runner.run(self._ping())
        return pinged


class AwaitedPing(_Pings):
    async def ping(self) -> Ping:
        """As `ping` of the client with blocking calls, awaited."""
        pinged: Ping = await self._runner.run(self._ping())
        return pinged
