"""What is assumed of Victor where the provider's document is silent: one table for probes, report
and page. What an option of the sandbox takes is read from what is declared there.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Any


class Phase(StrEnum):
    """When an assumption is measured. Each phase comes after the one above it."""

    READ = "read"
    CREATE = "create"
    ANSWER = "answer"
    TOLERANCE = "token tolerance"
    KEY_LIFE = "key life"
    NONE = "not measurable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One assumption.

    Attributes:
        name: Its name. With `_` in place of `-`, it is that of the option of the sandbox, if that
            has one.
        topic: What it is about: a heading of the page and of the report.
        phase: When it is measured.
        sentence: What is assumed, in words.
        assumed: The value that the package and the sandbox assume: the option's default, or another
            word for it. Empty: none, so that no value differs.
        words: The document's words. Empty: it has none.
        means: What another value means for the user: the option or the limit to set, as a text or
            by value (`*`: of any other one). A measurement only tightens a limit.
        found: What a value says, in words, by value (`*`: of any other one).
        why_not: Of one that is not measurable: the reason, and what to ask the provider.
        has_option: Whether the sandbox has an option that plays the measured value.
        plays: The words that this option takes. Empty: it takes a number, or true and false.
        plays_from: The least number that it takes; None: any.
        counts: What is counted, where one observation is not enough.
        unshown: Why there is no finding where nothing failed.
        is_of_all_calls: Whether all calls together show it, and none alone.
        not_in_calls: Why no call of the file shows it. Empty: one does.
        certain_from: The number of observations from which a finding is certain.
        likely_from: The same of likely. With fewer there is none.
    """

    name: str
    topic: str
    phase: Phase
    sentence: str
    assumed: str = ""
    words: str = ""
    means: str | Mapping[str, str] = ""
    found: Mapping[str, str] = field(default_factory=dict[str, str])
    why_not: str = ""
    has_option: bool = False
    plays: Sequence[str] = ()
    plays_from: float | None = None
    counts: str = "observations"
    unshown: str = "no response shows it"
    is_of_all_calls: bool = False
    not_in_calls: str = ""
    certain_from: int = 1
    likely_from: int = 1

    @property
    def option(self) -> str | None:
        """The option of the sandbox that plays it, as `SandboxSettings` names it."""
        return self.name.replace("-", "_") if self.has_option else None

    def told(self, value: str) -> str:
        """What a value says, in words."""
        return _of_value(self.found, value).replace("{value}", value)

    def advice(self, value: str) -> str:
        """What a value other than the assumed one means for the user."""
        return self.means if isinstance(self.means, str) else _of_value(self.means, value)

    def played(self, value: object) -> object:
        """A measured value as the sandbox's option takes it; None if it does not.

        An option without words takes numbers, true and false as they are.
        """
        if self.plays:
            return value if value in self.plays else None
        if not isinstance(value, int | float) or isinstance(value, bool):
            return value if isinstance(value, bool) else None
        is_enough = self.plays_from is None or value >= self.plays_from
        return value if is_enough else None

    def too_few(self, seen: int) -> str:
        """Why there is no finding of so few observations."""
        return f"{seen} {self.counts} were seen, and it takes {self.likely_from}"


def _of_value(texts: Mapping[str, str], value: str) -> str:
    """The text of a value; that of `*` where it has none."""
    return texts.get(value) or texts.get("*", "")


def _tables(file: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("victor_ext.conform").joinpath(file).read_text(encoding="utf-8"))


def _read() -> dict[str, Assumption]:
    options = _tables("options.toml")
    assumptions: dict[str, Assumption] = {}
    for name, words in _tables("assumptions.toml").items():
        table = options.get(name, {}) | words
        phase = Phase(table.pop("phase"))
        has_option = name in options
        assumptions[name] = Assumption(name=name, phase=phase, has_option=has_option, **table)
    return assumptions


ASSUMPTIONS = _read()
"""Every assumption about Victor by its name, in the order of the report."""


_READ_OF_OTHERS = {
    **{
        f"{status}, {shape}": f"it is refused with {status}, and {words}"
        for status in range(400, 500)
        for shape, words in {
            "validation": "the body lists what is wrong",
            "api": "the body has an object error",
            "plain": "the body has a text error",
            "other": "the body has a form of the system's own",
        }.items()
    },
    "*": "it is answered with {value}",
}
"""What the value of a read of another system says: a status, and the form of a refusal."""


def assumption_of(name: str) -> Assumption:
    """The assumption with this name; for an operation of another system, one that expects
    nothing.
    """
    assumption = ASSUMPTIONS.get(name)
    if assumption is not None:
        return assumption
    return Assumption(
        name=name,
        topic="Reads",
        phase=Phase.READ,
        sentence="What this read is answered with.",
        found=_READ_OF_OTHERS,
    )


@dataclass(frozen=True, slots=True)
class Probe:
    """How assumptions are measured: with at most `sends` creates and responses, which as a rule
    make `makes`.

    What `measure` returns of a run is found of the first one. None: it has said itself what it has
    found.
    """

    names: tuple[str, ...]
    measure: Callable[[Any], object]
    sends: int = 0
    makes: int = 0

    @property
    def phase(self) -> Phase:
        return assumption_of(self.names[0]).phase


def probe(
    *names: str, sends: int = 0, makes: int = 0
) -> Callable[[Callable[[Any], object]], Probe]:
    """Make a function the probe of these assumptions."""
    return lambda measure: Probe(names, measure, sends, makes)
