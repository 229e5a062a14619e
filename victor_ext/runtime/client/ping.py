"""`ping`, for clients whose provider has a signed read that needs no id."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from victor_ext.opaque import FrozenStruct
from victor_ext.response_info import ResponseInfo
from victor_ext.runtime.core.clock import ServerClock

from .resources import HasMode, Mode, operation
from .runners import Call, OperationFlow


class Ping(FrozenStruct, frozen=True):
    """The result of a signed read. It exists only where the provider accepts the credentials.

    Attributes:
        seconds: How long the whole call took, with all attempts, and with the request for a token,
            if it needed one.
        clock_offset: Seconds by which the provider's clock is ahead of this machine's (negative:
            behind); 0.0 within two seconds. None: the provider does not tell its time.
        response_info: Status, headers, request id and attempts of the response.
    """

    seconds: float
    clock_offset: float | None
    response_info: ResponseInfo


class Pings(HasMode[Mode]):
    """Gives a client the method `ping`, where the provider has a signed read that needs no id."""

    _ping_read: tuple[ModuleType, dict[str, Any]]
    """The generated operation of that read, with its arguments: one item of a list.

    The provider's table of operations says what a good response to it is.
    """

    @operation
    def ping(self) -> OperationFlow[Ping]:
        """Make one signed read, which changes nothing: are the credentials accepted, and do the
        clocks agree?

        Use it when a service starts, and by hand. A health check that runs often costs the provider
        a call each time.

        Returns:
            How long it took, the difference of the clocks, and the response.

        Raises:
            AuthenticationError: The provider does not accept the credentials.
            VictorError: Any other failure.
        """
        clock: ServerClock = self._shared.clock
        began = clock.monotonic()
        step = Call(*self._ping_read, lambda response: response, as_json=True)
        yield step
        assert step.response is not None
        offset = clock.skew if clock.provider_time().is_known else None
        return Ping(clock.monotonic() - began, offset, step.response.info())
