"""What is paid from: source and funding accounts, and the money between them."""

from datetime import datetime
from functools import partial

from victor_ext.sandbox.engine import Asked, Refused, Result
from victor_ext.sandbox.server import JsonObject, find
from victor_ext.sandbox.velo._state import VeloState, iso, made_at

_FUNDING_TIME = 10.0
"""Seconds until requested money has arrived."""


def add_source(state: VeloState, name: str, currency: str, balance: int) -> JsonObject:
    account_id = state.new_id()
    state.sources[account_id] = {
        **_of_payor(state, account_id, name, currency),
        "balance": balance,
        "railsId": "SANDBOX",
        "fundingRef": f"REF{len(state.sources) + 1}",
        "pooled": False,
    }
    return state.sources[account_id]


def add_bank(state: VeloState, name: str, currency: str) -> JsonObject:
    """Add a funding account."""
    account_id = state.new_id()
    state.banks[account_id] = {
        **_of_payor(state, account_id, name, currency),
        "accountName": name,
        "accountNumber": "XXXXX6789",
        "routingNumber": "XXXXX0021",
    }
    return state.banks[account_id]


def _of_payor(state: VeloState, account_id: str, name: str, currency: str) -> JsonObject:
    account = {"id": account_id, "payorId": state.payor_id, "name": name, "country": "US"}
    return {**account, "type": "FBO", **({"currency": currency} if currency else {})}


def list_banks(state: VeloState, _: Asked) -> list[JsonObject]:
    return list(state.banks.values())


def list_sources(state: VeloState, _: Asked) -> list[JsonObject]:
    return list(state.sources.values())


def get_source(state: VeloState, asked: Asked) -> JsonObject:
    return find(state.sources, asked.about, "source account")


def fund(state: VeloState, asked: Asked) -> Result:
    """Put money into a source account, from a funding account."""
    account_id, body = asked.about, asked.body
    account = get_source(state, asked)
    bank = state.banks.get(body["fundingAccountId"])
    if bank is None:
        raise Refused(400, "There is no such funding account.", "fundingAccountId")
    # The sandbox's own rule. The document has no rate for funding, and no currency beside the
    # amount. A funding account may be made without a currency.
    currency = bank.get("currency", account["currency"])
    if currency != account["currency"]:
        currencies = f"{account['currency']}, the funding account's {currency}"
        raise Refused(400, f"The account's currency is {currencies}.", "fundingAccountId")
    funding_id, arrives_at = state.new_id(), state.now() + _FUNDING_TIME
    funding = state.fundings[funding_id] = {
        **body,
        "fundingId": funding_id,
        "payorId": state.payor_id,
        "sourceAccountId": account_id,
        "currency": account["currency"],
        "status": "PENDING",
        # The provider's document has it in each funding: of one under way, when it will arrive.
        "allocationDate": iso(arrives_at),
        "allocationType": "AUTOMATIC",
        "fundingAccountType": "FBO",
    }
    state.timeline.plan(arrives_at, partial(_allocate, state, funding))
    state.touch(funding_id)
    return made_at(f"/v1/fundings/{funding_id}", account_id)


def _allocate(state: VeloState, funding: JsonObject) -> bool:
    """The money of a funding has arrived."""
    funding["status"], funding["allocationDate"] = "ALLOCATED", iso(state.now())
    state.touch(funding["fundingId"])
    state.sources[funding["sourceAccountId"]]["balance"] += funding["amount"]
    return True


def get_funding(state: VeloState, asked: Asked) -> JsonObject:
    return find(state.fundings, asked.about, "funding")


def list_funding_changes(state: VeloState, asked: Asked) -> list[JsonObject]:
    """The fundings that have changed since a time."""
    try:
        since = datetime.fromisoformat(asked.query["updatedSince"]).timestamp()
    except ValueError:
        raise Refused(400, "updatedSince must be a time.", "updatedSince") from None
    return [item for name, item in state.fundings.items() if state.changed[name] >= since]
