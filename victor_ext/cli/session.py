"""One command's use of the client: settings, limits, and how whatever happens is reported."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from .failures import Doubt, Failure, Misuse, interruption, surprise, unwritten, victor_failure
from .screen import OutputLost
from .wording import spellings

if TYPE_CHECKING:
    from victor_ext import Victor


@dataclass(frozen=True, slots=True)
class Session:
    """Options of the connection; what is None comes from the environment, or is the client's default."""

    command: typer.Context
    environment: str | None = None
    base_url: str | None = None
    deadline: float | None = None
    as_json: bool = False

    @contextmanager
    def client(self, doubt: Doubt | None = None) -> Generator[Victor]:
        """A client for the block. What goes wrong in it is reported and ends the command.

        Args:
            doubt: For a command that writes: what to do when its outcome is not known.
        """
        try:
            with self._open() as victor:
                yield victor
        except KeyboardInterrupt as error:
            if doubt is None:
                raise
            self._end(interruption(error, doubt))
        except OutputLost as error:
            if doubt is None:
                raise
            self._end(unwritten(str(error), doubt))
        except (Misuse, typer.Exit):
            raise
        except Exception as error:
            from victor_ext import VictorError  # noqa: PLC0415 - `victor --help` does not need it

            if isinstance(error, VictorError):
                self._end(victor_failure(error, doubt, spellings(self.command.command.params)))
            if doubt is None:
                raise
            self._end(surprise(error, doubt))

    def options(self) -> list[str]:
        """The same options for another command line."""
        deadline = None if self.deadline is None else f"{self.deadline:g}"
        given = {"--environment": self.environment, "--base-url": self.base_url, "--deadline": deadline}
        words = [word for name, value in given.items() if value is not None for word in (name, value)]
        return [*words, "--json"] if self.as_json else words

    def place(self, victor: Victor) -> str:
        """Where the client calls: the environment, and the URL where one was given."""
        elsewhere = self.base_url is not None or os.environ.get("VICTOR_BASE_URL", "").strip()
        return f"{victor.environment}, {victor.base_url}" if elsewhere else victor.environment

    def _open(self) -> Victor:
        from victor_ext import Victor  # noqa: PLC0415 - `victor --help` does not need it

        given: dict[str, Any] = {
            "environment": self.environment,
            "base_url": self.base_url,
            "deadline": self.deadline,
        }
        return Victor.from_env(**{name: value for name, value in given.items() if value is not None})

    def _end(self, failure: Failure) -> NoReturn:
        failure.report(as_json=self.as_json)
        raise typer.Exit(failure.exit_status) from None
