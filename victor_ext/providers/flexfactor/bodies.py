"""From checked arguments to the generated models of the requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from victor_ext.errors import InvalidRequest, Problem
from victor_ext.money import Money
from victor_ext.redaction import kind_of
from victor_ext.runtime.client.runners import drop_none

from .amounts import cents
from .answers import is_object
from .checks import check_wire
from .inputs import Address, Card, OrderItem, Payer, Subscription, Transaction
from .settings import Merchant

if TYPE_CHECKING:
    from flexfactor_api import models

M = TypeVar("M", "models.EvaluateRequest", "models.TransmitRequest")


def common_members(
    *,
    merchant: Merchant,
    order_id: str,
    amount: Money,
    transaction: Transaction,
    payer: Payer,
    card: Card,
    billing: Address | None,
    shipping: Address | None,
    items: Sequence[OrderItem],
    fields: Mapping[str, str] | None,
    merchant_initiated: bool | None,
    recurring: bool | None,
    subscription: Subscription | None,
) -> dict[str, Any]:
    """What the bodies of `evaluate` and `transmit` have in common, by the generated models' names."""
    from flexfactor_api import models  # noqa: PLC0415 - importing the package loads no models

    extra = [models.AdditionalField(key=name, value=value) for name, value in (fields or {}).items()]
    return drop_none(
        mid=merchant.mid,
        site_id=merchant.site_id,
        order_id=order_id,
        transaction=_transaction(transaction, amount),
        payer=models.Payer(email=payer.email, **drop_none(id=payer.id, phone=payer.phone, birthdate=payer.birthdate)),
        payment_method=_payment_method(card),
        billing_information=None if billing is None else _address(billing),
        shipping_information=None if shipping is None else _address(shipping),
        order_items=[_item(item) for item in items] or None,
        additional_fields=extra or None,
        is_mit=merchant_initiated,
        is_recurring=recurring,
        subscription=None if subscription is None else _subscription(subscription),
    )


def _transaction(transaction: Transaction, amount: Money) -> models.Transaction:
    from flexfactor_api import models  # noqa: PLC0415 - see above

    return models.Transaction(
        id=transaction.id,
        timestamp_utc=transaction.occurred_at.astimezone(UTC),
        amount=cents(amount),
        currency=amount.currency,
        **drop_none(
            timezone_utc_offset=transaction.utc_offset,
            transaction_type=transaction.type,
            response_code=transaction.response_code,
            response_code_source=transaction.response_code_source,
            avs_result_code=transaction.avs_result,
            cvv_result_code=transaction.cvv_result,
            cavv_result_code=transaction.cavv_result,
            card_not_present=transaction.card_not_present,
        ),
    )


def _payment_method(card: Card) -> models.PaymentMethod:
    from flexfactor_api import models  # noqa: PLC0415 - see above

    return models.PaymentMethod(
        card_number=card.token,
        **drop_none(
            holder_name=card.holder_name,
            card_type=card.type,
            card_brand=card.brand,
            card_country=card.country,
            expiration_month=card.expiration_month,
            expiration_year=card.expiration_year,
            card_bin_number=card.bin,
            card_last_4_digits=card.last4,
        ),
    )


def _address(address: Address) -> models.Address:
    from flexfactor_api import models  # noqa: PLC0415 - see above

    return models.Address(
        **drop_none(
            first_name=address.first_name,
            last_name=address.last_name,
            address_line_1=address.line1,
            address_line_2=address.line2,
            city=address.city,
            state=address.state,
            zipcode=address.zip_code,
            country=address.country,
            country_code=address.country_code,
            phone=address.phone,
        )
    )


def _item(item: OrderItem) -> models.OrderItem:
    from flexfactor_api import models  # noqa: PLC0415 - see above

    return models.OrderItem(
        name=item.name,
        amount=cents(item.amount),
        quantity=item.quantity,
        **drop_none(
            sku=item.sku,
            description=item.description,
            discount_amount=None if item.discount is None else cents(item.discount),
            tax=None if item.tax is None else cents(item.tax),
        ),
    )


def _subscription(subscription: Subscription) -> models.Subscription:
    from flexfactor_api import models  # noqa: PLC0415 - see above

    return models.Subscription(subscription_id=subscription.id, **drop_none(interval=subscription.interval))


def in_utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC: what the provider calls so is not to be in another zone."""
    return None if moment is None else moment.astimezone(UTC)


def with_extra(body: M, extra: Mapping[str, Any] | None, *, doing: str) -> M:
    """The body with members that this package does not know; an object of a known name gets more members.

    Raises:
        InvalidRequest: A member that is there already, in whatever letter case: the provider reads names in any, so
            what this package sends could be replaced behind its back. Or a value that JSON cannot carry.
    """
    known = body.to_dict()
    if extra is None:
        check_wire(known, doing)
        return body
    problems: list[Problem] = []
    merged = _merged(known, extra, "extra_body", problems) if is_object(extra) else known
    if not is_object(extra):
        problems.append(Problem("extra_body", "type", f"extra_body must be a dict, not {kind_of(extra)}."))
    if problems:
        raise InvalidRequest.of(problems, doing=doing)
    check_wire(merged, doing)
    return type(body).from_dict(merged)


def _merged(known: dict[str, Any], extra: Mapping[str, Any], field: str, problems: list[Problem]) -> dict[str, Any]:
    merged = dict(known)
    spelled = {_folded(name): name for name in known}
    for name, value in extra.items():
        place = f"{field}.{name}"
        ours = spelled.setdefault(_folded(name), name)
        if ours not in merged:
            merged[ours] = value
        elif ours not in known:
            problems.append(Problem(place, "duplicate", f"{place} is there twice, in two spellings: write it once."))
        elif is_object(known[ours]) and is_object(value):
            merged[ours] = _merged(merged[ours], value, place, problems)
        else:
            problems.append(Problem(place, "duplicate", f"{place} is set already: use the argument for it."))
    return merged


def _folded(name: object) -> object:
    return name.casefold() if isinstance(name, str) else name
