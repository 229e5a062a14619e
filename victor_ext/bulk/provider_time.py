"""The provider's time, as the responses to a client have it."""

import time
from contextlib import suppress
from typing import Any

from victor_ext import VictorError
from victor_ext.settlement.key_age import Moment, Now, Sent


def sent_now(client: Any) -> Sent:
    """Ask for the provider's time, unless it is known, and return the present time in a form that
    can be stored. If no response comes, that is the time of this machine.
    """
    if not client.provider_time().is_known:
        with suppress(VictorError):
            client.ask_time()
    moment = Moment(time.time(), time.monotonic())
    return Sent.at(moment, Now(moment, client.provider_time()), client.caller)
