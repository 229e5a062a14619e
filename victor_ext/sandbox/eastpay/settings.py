"""The options of EastPay's sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from victor_ext.sandbox.server.settings import ServerSettings, option


@dataclass(frozen=True, kw_only=True, slots=True)
class EastPaySettings(ServerSettings):
    """The options of every sandbox, and those of this one."""

    documented_only: bool = option(
        False, help="answer 404 to an inquiry by merchantTransactionId, which EastPay does not document"
    )
    declined_status: int = option(400, help="status of the answer about a declined payment: 400 (as documented) or 200")
