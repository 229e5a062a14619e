"""What the rest of the package asks about Velo: its environments, settings and words, its side of a
reconciliation.

A type checker refuses other words, unless one is a `Word`: Velo's document is prose, and a newer
one may have more.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, get_args

from velo_api.typed.words import PayoutStatusFilter

from victor_ext._systems import System
from victor_ext._values.words import Word
from victor_ext.providers._books import Book, Theirs
from victor_ext.providers._settings import options_from, require_variables

from ._auth import VeloAuth
from ._proofs import day_around

ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "sandbox": ["https://api.sandbox.velopayments.com"],
    "production": ["https://api.payouts.velopayments.com"],
}
"""The hosts that Velo's document names: one with simulated money, one with real money."""
VERSIONS = ("v1", "v2", "v3", "v4")


def _auth(values: Mapping[str, str]) -> VeloAuth:
    require_variables(
        values, "VELO_API_KEY", "VELO_API_SECRET", hint="Velo's back office issues both."
    )
    return VeloAuth(values["VELO_API_KEY"], values["VELO_API_SECRET"])


from_process_environment = partial(
    options_from, "VELO_", environments=ENVIRONMENTS, versions=VERSIONS, auth=_auth
)

PAYOUT_STATUSES = get_args(get_args(PayoutStatusFilter)[0])
EnvironmentWord = Literal["sandbox", "production"] | Word


SYSTEM = System(
    name="velo",
    title="Velo",
    client="victor_ext.providers.velo._client:Velo",
    async_client="victor_ext.providers.velo._client:AsyncVelo",
    book="victor_ext.providers.velo._system:book_of",
    statuses=PAYOUT_STATUSES,
    environments=tuple(ENVIRONMENTS),
    needs_payor=True,
    lists="source accounts",
    bulk="victor_ext.bulk._payouts:Payouts",
)


def book_of(client: Any, *, payor_id: str, page_size: int | None) -> Book:
    """The book of a client, blocking or awaited."""

    def read(payment: Any) -> Theirs:
        amount = payment.payment
        currency = None if amount is None else amount.currency
        return Theirs(
            payment.id or None,
            payment.payor_payment_id,
            amount,
            amount,
            currency,
            payment.status,
            payment.submitted_at,
        )

    return Book(
        pages=lambda window: client.payments.list(
            payor_id,
            submitted_from=day_around(window.read_from, -1),
            submitted_to=day_around(window.read_to, 1),
            sort="submittedDateTime:asc",
            page_size=page_size or 100,
        ).pages(),
        read=read,
        look_up=client.payments.get,
        notes=("Velo lists no idempotency keys: rows are matched by id and payor_payment_id.",),
    )
