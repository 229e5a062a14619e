"""For tests: what makes the sandbox fail, and what moves its clock.

The fixtures of pytest are in `plugin`, which pytest loads by itself. See docs/testing.md.
"""

from ._controls import Faults, TimeTravel

__all__ = ("Faults", "TimeTravel")
