"""The options of EastPay's sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.sandbox.server import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class EastPaySettings(ServerSettings):
    """The options of every sandbox, and one of its own."""

    declined_status: int = option(400, help="status of the answer about a declined payment: 400 (as documented) or 200")
