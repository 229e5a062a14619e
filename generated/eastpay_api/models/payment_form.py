# Written by `make generate`; edits are lost. See openapi/README.md.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..decoding import ABSENT, LEVELS, TEXT, as_object, read
from ..types import UNSET, Unset


@_attrs_define
class PaymentForm:
    """
    Attributes:
        entity_id (str):
        entity_type (str): MERCHANT, POS or PARTICIPATOR.
        payment_type (str): PA pre-authorises, DB debits.
        amount (str): Major units, at most ten digits, a dot and two decimals, as in 92.00.
        currency (str): ISO 4217
        payment_brand (str | Unset): At most 32 characters. The gateway may find it by itself.
        merchant_transaction_id (str | Unset): The merchant's own reference.
        notification_url (str | Unset): Between 6 and 2048 characters.
        shopper_result_url (str | Unset): Between 6 and 2048 characters.
        card_holder (str | Unset): At most 128 characters.
        card_number (str | Unset): At most 19 digits.
        card_expiry_month (str | Unset): Two digits, 01 to 12.
        card_expiry_year (str | Unset): Four digits, 19.. or 20...
        card_cvv (str | Unset): At most four digits.
        card_token (str | Unset): At most 64 characters; stands for number, expiry and holder.
    """

    entity_id: str
    entity_type: str
    payment_type: str
    amount: str
    currency: str
    payment_brand: str | Unset = UNSET
    merchant_transaction_id: str | Unset = UNSET
    notification_url: str | Unset = UNSET
    shopper_result_url: str | Unset = UNSET
    card_holder: str | Unset = UNSET
    card_number: str | Unset = UNSET
    card_expiry_month: str | Unset = UNSET
    card_expiry_year: str | Unset = UNSET
    card_cvv: str | Unset = UNSET
    card_token: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fields: dict[str, Any] = dict(self.additional_properties)
        if not isinstance(self.entity_id, Unset):
            fields["entityId"] = self.entity_id
        if not isinstance(self.entity_type, Unset):
            fields["entityType"] = self.entity_type
        if not isinstance(self.payment_type, Unset):
            fields["paymentType"] = self.payment_type
        if not isinstance(self.amount, Unset):
            fields["amount"] = self.amount
        if not isinstance(self.currency, Unset):
            fields["currency"] = self.currency
        if not isinstance(self.payment_brand, Unset):
            fields["paymentBrand"] = self.payment_brand
        if not isinstance(self.merchant_transaction_id, Unset):
            fields["merchantTransactionId"] = self.merchant_transaction_id
        if not isinstance(self.notification_url, Unset):
            fields["notificationUrl"] = self.notification_url
        if not isinstance(self.shopper_result_url, Unset):
            fields["shopperResultUrl"] = self.shopper_result_url
        if not isinstance(self.card_holder, Unset):
            fields["card.holder"] = self.card_holder
        if not isinstance(self.card_number, Unset):
            fields["card.number"] = self.card_number
        if not isinstance(self.card_expiry_month, Unset):
            fields["card.expiryMonth"] = self.card_expiry_month
        if not isinstance(self.card_expiry_year, Unset):
            fields["card.expiryYear"] = self.card_expiry_year
        if not isinstance(self.card_cvv, Unset):
            fields["card.cvv"] = self.card_cvv
        if not isinstance(self.card_token, Unset):
            fields["card.token"] = self.card_token
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
        v = take("paymentType", None)
        self.payment_type = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "paymentType")
        )
        v = take("amount", None)
        self.amount = v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "amount")
        v = take("currency", None)
        self.currency = (
            v if v.__class__ is str else ABSENT if v is None else read(TEXT, v, _left, d, "currency")
        )
        v = take("paymentBrand", None)
        self.payment_brand = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "paymentBrand")
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
        v = take("card.holder", None)
        self.card_holder = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "card.holder")
        )
        v = take("card.number", None)
        self.card_number = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "card.number")
        )
        v = take("card.expiryMonth", None)
        self.card_expiry_month = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "card.expiryMonth")
        )
        v = take("card.expiryYear", None)
        self.card_expiry_year = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "card.expiryYear")
        )
        v = take("card.cvv", None)
        self.card_cvv = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "card.cvv")
        )
        v = take("card.token", None)
        self.card_token = (
            v if v.__class__ is str else UNSET if v is None else read(TEXT, v, _left, d, "card.token")
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
