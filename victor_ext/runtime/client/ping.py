"""`ping`: a signed read that tells whether calls can be made."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from victor_ext.response_info import ResponseInfo

from .resources import Awaited, Blocking, Mode, Resource, operation
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


class Health(Resource[Mode]):
    """Whether calls of one client can be made."""

    def __init__(self, *shared: Any, read: ModuleType, **arguments: Any) -> None:
        """Ping by a generated operation that needs no id, is signed and changes nothing: one item of a list.

        What its response has to be is the behaviour's to say.
        """
        super().__init__(*shared)
        self._read, self._arguments = read, arguments

    @operation
    def ping(self) -> OperationFlow[Ping]:
        began = self.clock.monotonic()
        step = Call(self._read, self._arguments, lambda response: response)
        yield step
        assert step.info is not None
        offset = self.clock.skew if self.clock.provider_time().is_known else None
        return Ping(self.clock.monotonic() - began, offset, step.info)


class BlockingPing:
    _health: Health[Blocking]

    def ping(self) -> Ping:
        """Make one signed read, which changes nothing: are the credentials accepted, and do the clocks agree?

        Use it when a service starts, and by hand. A health check that runs often costs the provider a call each time.

        Returns:
            How long it took, the difference of the clocks, and the response.

        Raises:
            AuthenticationError: The provider does not accept the credentials.
            VictorError: Any other failure.
        """
        return self._health.ping()


class AwaitedPing:
    _health: Health[Awaited]

    async def ping(self) -> Ping:
        """As `ping` of the client with blocking calls, awaited."""
        return await self._health.ping()
