"""What every sandbox is told when it starts; a provider's own settings come on top."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, TypeVar

from victor_ext.sandbox.server.guard import is_this_machine, read_authority

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_LEAST: dict[str, float] = {"keep_received": 0, "keep_alive": 0, "body_limit": 1}


def option(default: T, *, help: str, read: Callable[[str], T] | None = None) -> T:  # noqa: A002 (argparse's word)
    """A setting of a provider's own that is an option of the command line, too: a text, a number or a switch.

    `read` makes its value from a text, where the type of the default cannot.
    """
    made: T = field(default=default, metadata={"help": help, "read": read})
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerSettings:
    """The options that every sandbox has. All times are seconds. `ValueError` names an option that cannot be."""

    host: str = "127.0.0.1"
    public: bool = False
    """Whether `host` may be an address that other machines can reach: whoever reaches it can command the sandbox."""
    allowed_host: str | Sequence[str] = ()
    """Other names by which the control API may be called, such as `sandbox` (with any port) or `sandbox:8900`."""
    port: int = 0
    """0 picks a free port; `url` of the sandbox tells which."""
    control_port: int | None = None
    """A second listener for `/_sandbox/` alone, up even while the API is `down`. 0 picks a free port."""
    clock_skew: float = 0.0
    """How far the sandbox's clock and its `Date` header are ahead of this machine's (negative: behind)."""
    seed: int | None = None
    """Makes ids, and faults that have no seed of their own, the same in every run."""
    keep_received: int = 100_000
    """How many received exchanges are remembered one by one; counts by key are kept for all."""
    keep_alive: int = 75
    """Seconds after which an idle connection is closed."""
    body_limit: int = 1 << 20
    """Largest request body, in bytes; a larger one is answered 413."""

    def __post_init__(self) -> None:
        """Refuse at the start what would fail later in a stranger place."""
        self.check_least(_LEAST)
        if not self.public and not is_this_machine(self.host):
            raise ValueError(
                f"host {self.host!r} can be reached from other machines, and whoever reaches a sandbox can command it: "
                "listen on 127.0.0.1, or say public=True (--public) if that is meant"
            )
        object.__setattr__(self, "allowed_host", _names(self.allowed_host))
        for name in ("port", "control_port"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 65535:
                raise ValueError(f"{name} must be between 0 and 65535, not {value!r}")
        if not math.isfinite(self.clock_skew):
            raise ValueError(f"clock_skew must be a finite number of seconds, not {self.clock_skew!r}")

    def check_least(self, least: dict[str, float]) -> None:
        """Hold numbers against their smallest values; None passes."""
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and not bound <= value < math.inf:
                raise ValueError(f"{name} must be a number of at least {bound:g}, not {value!r}")

    def shown(self) -> dict[str, object]:
        """The options as JSON values, for the control API."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    """The names that were given; `ValueError` for one that no call could have."""
    names = (given,) if isinstance(given, str) else tuple(given)
    for name in names:
        if not isinstance(name, str) or read_authority(name) is None:
            raise ValueError(f"allowed_host must be a name such as sandbox or sandbox:8900, not {name!r}")
    return names
