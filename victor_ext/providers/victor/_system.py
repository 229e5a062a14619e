"""What the rest of the package asks about Victor: its environments, its settings, and its side of a
reconciliation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from victor_ext._flows import following
from victor_ext._runtime.auth.credentials import checked_secret
from victor_ext._systems import System
from victor_ext._values.words import Word
from victor_ext.errors import ConfigurationError
from victor_ext.providers._books import Book, Theirs, money_of
from victor_ext.providers._settings import options_from, require_variables

from ._auth import SOURCE, Credentials, VictorJwt, VictorOAuth
from ._values import Status, first_of

if TYPE_CHECKING:
    from ._records import PaymentRequest

EnvironmentWord = Literal["staging", "production"] | Word

_BOTH_KINDS = (
    "Set VICTOR_CLIENT_ID with VICTOR_CLIENT_SECRET, or set VICTOR_API_KEY with "
    "VICTOR_PRIVATE_KEY or VICTOR_PRIVATE_KEY_FILE."
)
_OAUTH = ("VICTOR_CLIENT_ID", "VICTOR_CLIENT_SECRET")
_PASSWORD = "VICTOR_PRIVATE_KEY_PASSWORD"  # noqa: S105 - the name of a variable

ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "staging": ["https://api.stage.victorfi.com"],
    "production": ["https://api.victorfi.com"],
}
VERSION = "v2"


def _credentials_of(values: Mapping[str, str]) -> Credentials:
    """The credentials in the variables of a process. Raises `ConfigurationError`."""
    jwt = [
        name
        for name in ("VICTOR_API_KEY", "VICTOR_PRIVATE_KEY", "VICTOR_PRIVATE_KEY_FILE")
        if name in values
    ]
    oauth = [name for name in _OAUTH if name in values]
    if jwt and oauth:
        raise ConfigurationError(
            f"Two kinds of credentials are set ({', '.join(jwt + oauth)}): keep VICTOR_CLIENT_ID "
            "and VICTOR_CLIENT_SECRET, or VICTOR_API_KEY with a private key, and unset the others."
        )
    if oauth or not jwt:
        require_variables(values, *_OAUTH, hint=_BOTH_KINDS)
        # Checked here, so that messages contain the variables' names.
        return VictorOAuth(*(checked_secret(name, values[name], source=SOURCE) for name in _OAUTH))
    if "VICTOR_PRIVATE_KEY" in values and "VICTOR_PRIVATE_KEY_FILE" in values:
        raise ConfigurationError(
            "VICTOR_PRIVATE_KEY and VICTOR_PRIVATE_KEY_FILE are both set: unset one of them."
        )
    is_file = "VICTOR_PRIVATE_KEY_FILE" in values
    variable = "VICTOR_PRIVATE_KEY_FILE" if is_file else "VICTOR_PRIVATE_KEY"
    require_variables(values, "VICTOR_API_KEY", variable, hint=_BOTH_KINDS)
    # Who signs loads cryptography.
    from victor_ext._runtime.auth.signed_tokens import load_rsa_key  # noqa: PLC0415 - as said

    key = load_rsa_key(
        Path(str(values[variable])) if is_file else values[variable],
        password=values.get(_PASSWORD),
        name=variable,
        opened_with=_PASSWORD,
    )
    return VictorJwt(checked_secret("VICTOR_API_KEY", values["VICTOR_API_KEY"], source=SOURCE), key)


from_process_environment = partial(
    options_from,
    "VICTOR_",
    environments=ENVIRONMENTS,
    versions=[VERSION],
    exact=[_PASSWORD],
    auth=_credentials_of,
)


def credentials_in(variables: Mapping[str, str]) -> str:
    """Which credentials the variables hold, in words: their kind, and the last four characters of
    the client id or the API key.
    """
    oauth = variables.get("VICTOR_CLIENT_ID", "").strip()
    kind = "OAuth client" if oauth else "API key with a private key that can be read,"
    name = oauth or variables.get("VICTOR_API_KEY", "").strip()
    end = f"...{name[-4:]}" if len(name) > 8 else ""  # of a short name, that would be too much
    return f"{kind} {end}".rstrip(" ,")


SYSTEM = System(
    name="victor",
    title="Victor",
    client="victor_ext.providers.victor._client:Victor",
    async_client="victor_ext.providers.victor._client:AsyncVictor",
    book="victor_ext.providers.victor._system:book_of",
    statuses=tuple(Status),
    environments=tuple(ENVIRONMENTS),
    urls=ENVIRONMENTS,
    lists="payment requests",
    credentials="victor_ext.providers.victor._system:credentials_in",
    bulk="victor_ext.bulk._payment_requests:PaymentRequests",
)

_DOLLARS = "USD"


def book_of(client: Any, *, page_size: int | None) -> Book:
    """Victor's book for a reconciliation, read with a client, blocking or awaited."""

    def read(request: PaymentRequest) -> Theirs:
        amount = request.amount
        requested = first_of(request.original_amount, amount)
        is_unreadable = request.said_amounts().unreadable is not None
        if amount is None and not is_unreadable:  # the provider says only the requested amount
            amount = requested
        # Without the flag, the payer can only agree to the whole amount: two different amounts
        # contradict each other.
        if amount != requested and not request.amount_modification_allowed:
            is_unreadable = True
        paid = money_of(amount, _DOLLARS)
        asked = money_of(requested, _DOLLARS)
        return Theirs(
            request.id,
            request.client_reference_id,
            paid,
            asked,
            _DOLLARS,
            request.status,
            request.created_at,
            is_unreadable or (requested is not None and asked is None),
        )

    return Book(
        pages=lambda window: client.payment_requests.list(
            direction="outbound",
            start_datetime=window.read_from,
            end_datetime=window.read_to,
            page_size=page_size,
        ).pages(),
        read=read,
        is_outbound=lambda request: request.direction != "inbound",
        # `get` may say "Pending" of a request that is paid. A watch begins with the status of the
        # list, if it has one.
        look_up=lambda id_: following(client.payment_requests.watch(id_, timeout=0)),
        currency=_DOLLARS,
        notes=(
            "Victor lists no idempotency keys: rows are matched by id and client_reference_id.",
            (
                "That the window of Victor's list is one of creation is taken for granted: "
                "it is not documented."
            ),
            (
                "Nor is it documented that the list has the amount of a request that was accepted "
                "with another one."
            ),
        ),
    )
