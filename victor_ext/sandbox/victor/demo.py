"""A little world to begin with: accounts, somebody to ask for money, two requests to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from victor_ext.sandbox.victor.control import Control
    from victor_ext.sandbox.victor.core import Core

PAYEE_ACCOUNT = "043987673645"
"""The account that asks for money in the document's examples; it begins with a zero."""
PAYER_ACCOUNT = "243884643621"
"""A second account of the same owner: requests to its counterparty make inbound twins."""
COUNTERPARTY = "aHeq349838"
"""The counterparty behind `PAYER_ACCOUNT`, as in the document's examples."""


def add_demo_data(core: Core, control: Control) -> None:
    """Fill an empty sandbox; one that has accounts already is left as it is."""
    if core.directory.accounts:
        return
    control.add_account(PAYEE_ACCOUNT, name="SampleCo Billing Inc.")
    control.add_account(PAYER_ACCOUNT, name="Victor Doe")
    control.add_counterparty(COUNTERPARTY, account_number=PAYER_ACCOUNT, name="Victor Doe")
    control.add_counterparty("acme000001", name="Acme Supplies", behaviour="accept")
    control.add_counterparty("lake000002", name="Lakeside Rentals", behaviour="decline")
    common = {"payer_account": PAYEE_ACCOUNT, "payee_account": "000123456789"}
    control.create_inbound("129.95", ultimate_creditor="City Power and Light", notes="Invoice 2203", **common)
    control.create_inbound("1500.00", amount_modification_allowed=True, notes="Deposit", **common)
