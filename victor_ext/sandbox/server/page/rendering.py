"""The templates. Every value is escaped; `safe` stands only at fragments that a template has made."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from victor_ext.sandbox.server.page.exchange_text import masked

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_SHORT_KEY = 13


def render(template: str, **values: object) -> str:
    """One template with its values."""
    return _environment().get_template(template).render(values)


def render_block(template: str, block: str, **values: object) -> str:
    """One macro of a template, called with its values."""
    module = _environment().get_template(template).module
    return str(getattr(module, block)(**values))


def static_file(name: str) -> bytes:
    """A file of the folder `static`."""
    return (_FOLDER / "static" / name).read_bytes()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (only an open page needs it)

    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"clock": _clock, "moment": _moment, "span": _span}
    environment.filters |= {"short_key": _short_key, "masked": masked, "ticks": _ticks}
    return environment


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _span(seconds: float) -> str:
    """A length of time by its two largest units."""
    left, parts = round(seconds), list[str]()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or f"{seconds:g} s"


def _ticks(text: str) -> str:
    """A docstring whose words between backticks are code."""
    from markupsafe import Markup, escape  # noqa: PLC0415 (as above)

    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S704 (escaped first)


def _short_key(key: str) -> str:
    return key if len(key) <= _SHORT_KEY else key[:_SHORT_KEY] + "…"
