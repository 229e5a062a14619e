"""The payment system that a command line chooses with `--provider`, and the help in its words.

The help of some options (`Setting`) depends on the system, but typer makes all options before it
reads the command line. So the callback of `--provider` raises `OtherHelp` where the help is in the
words of another system, and `app.py` then parses the command line once more.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from victor_ext.systems import DEFAULT, System, entry_points_of

from .failures import Misuse
from .options import KnownWords, option


def provider_of(context: Any) -> str:
    """Return the name of the system that a command line chooses, in the command or in its group.

    `context` is a context of typer, or None.
    """
    while context is not None:
        if "provider" in context.params:
            return str(context.params["provider"])
        context = context.parent
    return DEFAULT


def system_of(provider: str) -> System:
    """Return an installed system. Raises `Misuse`."""
    installed = entry_points_of()
    if provider not in installed:
        raise Misuse(f"--provider is {provider!r}: write one of {', '.join(installed)}.")
    system: System = installed[provider].load()
    return system


def environments(context: typer.Context) -> Iterable[str]:
    """Return the environments of the chosen system, for a shell to complete."""
    return system_of(provider_of(context)).environments


def _texts(environments: str, prefix: str) -> dict[str, str]:
    """Return the help of the options for settings, by their names.

    `environments` are the words for them, in a text; `prefix` is that of the variables.
    """
    return {
        "environment": f"{environments} (instead of {prefix}ENVIRONMENT).",
        "base_url": f"Another URL, such as a sandbox's (instead of {prefix}BASE_URL).",
        "profile": f"Settings in ~/.config/victor/profiles.toml (instead of {prefix}PROFILE).",
    }


# Written out, and not read from the default system: `victor --help` loads no system.
_DEFAULT_TEXTS = _texts("staging or production", f"{DEFAULT.upper()}_")
_shown_texts = ContextVar("_shown_texts", default=_DEFAULT_TEXTS)
"""The texts of the help that typer makes now."""


@dataclass(frozen=True)
class Setting:
    """An option for a setting, whose help is in the words of the system."""

    name: str
    metavar: str
    known: KnownWords | None = None

    def as_option(self) -> Any:
        """Return the option, with the help of the system that is chosen now."""
        return option(_shown_texts.get()[self.name], self.metavar, known=self.known)


class OtherHelp(Exception):
    """A command line chooses a system, and the help is in the words of another one.

    Parse the command line again in a block `with error.shown()`.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__("the help is in the words of another system")
        self._texts = dict(texts)

    @contextmanager
    def shown(self) -> Generator[None]:
        """Have the help, within the block, in the words of the chosen system."""
        token = _shown_texts.set(self._texts)
        try:
            yield
        finally:
            _shown_texts.reset(token)


def _texts_of(provider: str) -> dict[str, str]:
    """Return the help of the options for settings, by their names. Raises `Misuse`."""
    if provider == DEFAULT:
        return _DEFAULT_TEXTS
    system = system_of(provider)
    environments = " or ".join(system.environments) or "The environment"
    texts = _texts(environments, system.prefix)
    # Where the system takes no such setting, the help says what to write instead.
    refusals = {name: text for name, text in system.refuses.items() if name in texts}
    return texts | refusals


def _choose_help(context: typer.Context, provider: str) -> str:
    """Return the value of `--provider`, if the help is in the words of that system; else raise
    `OtherHelp`.
    """
    if context.resilient_parsing:  # a shell completes the command line
        return provider
    texts = _texts_of(provider)
    if texts != _shown_texts.get():
        raise OtherHelp(texts)
    return provider


Provider = Annotated[
    str,
    option(
        "The payment system.",
        "NAME",
        known=lambda _context: entry_points_of(),
        callback=_choose_help,
        is_eager=True,  # before --help
    ),
]
