# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, FLAG, INSTANT, LEVELS, TEXT, Object, as_object, odd, plain, read
from ..types import UNSET, Unset


@_attrs_define
class EvaluateRequest:
    """
    Attributes:
        is_declined (bool): True in every evaluation.
        order_id (str): The merchant's own id of the order.
        idempotency_key (str): A GUID.
        transaction (Transaction):
        payer (Payer):
        payment_method (PaymentMethod):
        mid (str | Unset): The merchant's GUID.
        site_id (str | Unset): The site's GUID.
        sense_key (str | Unset): From the script on the merchant's page.
        customer_ip (str | Unset): For transactions that the customer starts.
        billing_information (Address | Unset):
        shipping_information (Address | Unset):
        order_items (list[OrderItem] | Unset):
        additional_fields (list[AdditionalField] | Unset):
        is_mit (bool | Unset): Whether the merchant started the transaction.
        is_recurring (bool | Unset):
        subscription (Subscription | Unset): It may have a price and a currency too. The unit of the
            price is not known, so neither is described.
        expiry_date_utc (datetime.datetime | Unset): Until when it may be tried.
    """

    is_declined: bool
    order_id: str
    idempotency_key: str
    transaction: Transaction
    payer: Payer
    payment_method: PaymentMethod
    mid: str | Unset = UNSET
    site_id: str | Unset = UNSET
    sense_key: str | Unset = UNSET
    customer_ip: str | Unset = UNSET
    billing_information: Address | Unset = UNSET
    shipping_information: Address | Unset = UNSET
    order_items: list[OrderItem] | Unset = UNSET
    additional_fields: list[AdditionalField] | Unset = UNSET
    is_mit: bool | Unset = UNSET
    is_recurring: bool | Unset = UNSET
    subscription: Subscription | Unset = UNSET
    expiry_date_utc: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.is_declined, Unset):
            fields["isDeclined"] = self.is_declined
        if not isinstance(self.order_id, Unset):
            fields["orderId"] = self.order_id
        if not isinstance(self.idempotency_key, Unset):
            fields["idempotencyKey"] = self.idempotency_key
        if not isinstance(self.transaction, Unset):
            fields["transaction"] = self.transaction.to_dict()
        if not isinstance(self.payer, Unset):
            fields["payer"] = self.payer.to_dict()
        if not isinstance(self.payment_method, Unset):
            fields["paymentMethod"] = self.payment_method.to_dict()
        if not isinstance(self.mid, Unset):
            fields["mid"] = self.mid
        if not isinstance(self.site_id, Unset):
            fields["siteId"] = self.site_id
        if not isinstance(self.sense_key, Unset):
            fields["senseKey"] = self.sense_key
        if not isinstance(self.customer_ip, Unset):
            fields["customerIp"] = self.customer_ip
        if not isinstance(self.billing_information, Unset):
            fields["billingInformation"] = self.billing_information.to_dict()
        if not isinstance(self.shipping_information, Unset):
            fields["shippingInformation"] = self.shipping_information.to_dict()
        if not isinstance(self.order_items, Unset):
            fields["orderItems"] = plain(self.order_items)
        if not isinstance(self.additional_fields, Unset):
            fields["additionalFields"] = plain(self.additional_fields)
        if not isinstance(self.is_mit, Unset):
            fields["isMIT"] = self.is_mit
        if not isinstance(self.is_recurring, Unset):
            fields["isRecurring"] = self.is_recurring
        if not isinstance(self.subscription, Unset):
            fields["subscription"] = self.subscription.to_dict()
        if not isinstance(self.expiry_date_utc, Unset):
            fields["expiryDateUtc"] = plain(self.expiry_date_utc)
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("isDeclined", None)
        self.is_declined = (
            v if v.__class__ is bool else ABSENT if v is None else read(FLAG, v, _left, d, "isDeclined")
        )
        v = take("orderId", None)
        self.order_id = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "orderId")
        )
        v = take("idempotencyKey", None)
        self.idempotency_key = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "idempotencyKey")
        )
        v = take("transaction", None)
        self.transaction = (
            Transaction.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(Transaction), v, _left, d, "transaction")
        )
        v = take("payer", None)
        self.payer = (
            Payer.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(Payer), v, _left, d, "payer")
        )
        v = take("paymentMethod", None)
        self.payment_method = (
            PaymentMethod.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else ABSENT
            if v is None
            else read(Object(PaymentMethod), v, _left, d, "paymentMethod")
        )
        v = take("mid", None)
        self.mid = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "mid")
        v = take("siteId", None)
        self.site_id = v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "siteId")
        v = take("senseKey", None)
        self.sense_key = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "senseKey")
        )
        v = take("customerIp", None)
        self.customer_ip = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "customerIp")
        )
        v = take("billingInformation", None)
        self.billing_information = (
            Address.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(Address), v, _left, d, "billingInformation")
        )
        v = take("shippingInformation", None)
        self.shipping_information = (
            Address.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(Address), v, _left, d, "shippingInformation")
        )
        v = take("orderItems", None)
        self.order_items = (
            [OrderItem.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "orderItems")
        )
        v = take("additionalFields", None)
        self.additional_fields = (
            [AdditionalField.from_dict(i, _left - 1) for i in v]
            if v.__class__ is list and _left > 0
            else UNSET
            if v is None
            else odd(v, d, "additionalFields")
        )
        v = take("isMIT", None)
        self.is_mit = v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "isMIT")
        v = take("isRecurring", None)
        self.is_recurring = (
            v if v.__class__ is bool else UNSET if v is None else read(FLAG, v, _left, d, "isRecurring")
        )
        v = take("subscription", None)
        self.subscription = (
            Subscription.from_dict(v, _left - 1)
            if v.__class__ is dict and _left > 0
            else UNSET
            if v is None
            else read(Object(Subscription), v, _left, d, "subscription")
        )
        v = take("expiryDateUtc", None)
        self.expiry_date_utc = (
            UNSET if v is None else read(_read_expiry_date_utc, v, _left, d, "expiryDateUtc")
        )
        self.additional_properties = d or {}
        return self

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties


# Below the class, because models may refer to each other in a circle.
from ..models.additional_field import AdditionalField  # noqa: E402
from ..models.address import Address  # noqa: E402
from ..models.order_item import OrderItem  # noqa: E402
from ..models.payer import Payer  # noqa: E402
from ..models.payment_method import PaymentMethod  # noqa: E402
from ..models.subscription import Subscription  # noqa: E402
from ..models.transaction import Transaction  # noqa: E402

_read_expiry_date_utc = INSTANT
