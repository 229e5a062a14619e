# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class CheckoutForm:
    """
    Attributes:
        entity_id (str):
        entity_type (str): MERCHANT, POS or PARTICIPATOR.
        amount (str): As of a payment.
        currency (str): ISO 4217
        payment_type (str): PA pre-authorises, DB debits.
        merchant_id (str | Unset):
        checkout_type (str | Unset): AUTHORIZE was seen; the other words are not known.
        checkout_id (str | Unset):
        merchant_transaction_id (str | Unset): The merchant's own reference.
        notification_url (str | Unset): Between 6 and 2048 characters.
        shopper_result_url (str | Unset): Between 6 and 2048 characters.
    """

    entity_id: str
    entity_type: str
    amount: str
    currency: str
    payment_type: str
    merchant_id: str | Unset = UNSET
    checkout_type: str | Unset = UNSET
    checkout_id: str | Unset = UNSET
    merchant_transaction_id: str | Unset = UNSET
    notification_url: str | Unset = UNSET
    shopper_result_url: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.entity_id, Unset):
            fields["entityId"] = self.entity_id
        if not isinstance(self.entity_type, Unset):
            fields["entityType"] = self.entity_type
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.payment_type, Unset):
            fields["paymentType"] = self.payment_type
        if not isinstance(self.merchant_id, Unset):
            fields["merchant.id"] = self.merchant_id
        if not isinstance(self.checkout_type, Unset):
            fields["checkoutType"] = self.checkout_type
        if not isinstance(self.checkout_id, Unset):
            fields["checkoutId"] = self.checkout_id
        if not isinstance(self.merchant_transaction_id, Unset):
            fields["merchantTransactionId"] = self.merchant_transaction_id
        if not isinstance(self.notification_url, Unset):
            fields["notificationUrl"] = self.notification_url
        if not isinstance(self.shopper_result_url, Unset):
            fields["shopperResultUrl"] = self.shopper_result_url
        return fields

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any], _left: int = LEVELS) -> Self:
        d = dict(src_dict) if src_dict.__class__ is dict else as_object(src_dict)
        self = cls.__new__(cls)
        take = d.pop
        v = take("entityId", None)
        self.entity_id = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "entityId")
        )
        v = take("entityType", None)
        self.entity_type = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "entityType")
        )
        v = take("amount", None)
        self.amount = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "amount")
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("paymentType", None)
        self.payment_type = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "paymentType")
        )
        v = take("merchant.id", None)
        self.merchant_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "merchant.id")
        )
        v = take("checkoutType", None)
        self.checkout_type = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "checkoutType")
        )
        v = take("checkoutId", None)
        self.checkout_id = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "checkoutId")
        )
        v = take("merchantTransactionId", None)
        self.merchant_transaction_id = (
            v
            if v.__class__ is str
            else UNSET
            if v is None
            else read(TEXT, v, _left, d, "merchantTransactionId")
        )
        v = take("notificationUrl", None)
        self.notification_url = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "notificationUrl")
        )
        v = take("shopperResultUrl", None)
        self.shopper_result_url = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "shopperResultUrl")
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
