"""The payment systems that the command can be used with, and their clients from the process environment."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .failures import Misuse
from .session import Session

SYSTEMS = {
    "victor": ("victor_ext", "Victor"),
    "velo": ("victor_ext.providers.velo", "Velo"),
    "eastpay": ("victor_ext.providers.eastpay", "EastPay"),
    "flexfactor": ("victor_ext.providers.flexfactor", "FlexFactor"),
}


def client_of(session: Session, provider: str, **options: Any) -> Any:
    """Return a blocking client; what the command's options give wins over `options`, and those over the environment.

    Raises:
        Misuse: There is no such system, or it takes no environment.
        VictorError: The settings are incomplete or wrong.
    """
    if provider not in SYSTEMS:
        raise Misuse(f"--provider is {provider!r}: write one of {', '.join(SYSTEMS)}.")
    if provider == "eastpay" and session.environment is not None:
        raise Misuse("--environment is not for EastPay, whose environment is its URL: write --base-url.")
    module, name = SYSTEMS[provider]
    return getattr(import_module(module), name).from_env(**{**options, **session.given()})
