"""The present time, by the clocks of this machine and by the provider's, as `settlement` takes
it.
"""

import time
from typing import Any

from victor_ext.settlement.key_age import Moment, Now


def this_moment() -> Moment:
    """The present time by the clocks of this machine."""
    return Moment(time.time(), time.monotonic())


def present(client: Any) -> Now:
    """The present time, with the provider's as far as this client knows it."""
    return Now(this_moment(), client.provider_time())
