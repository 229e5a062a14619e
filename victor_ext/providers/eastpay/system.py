"""What the rest of the package asks about EastPay."""

from victor_ext.systems import System

SYSTEM = System(
    name="eastpay",
    title="EastPay",
    client="victor_ext.providers.eastpay.client:EastPay",
    async_client="victor_ext.providers.eastpay.client:AsyncEastPay",
    book="victor_ext.providers.eastpay.book:book_of",
    settings=("base_url", "token", "entity_id", "entity_type", "inquiry_by_reference"),
    why_no_ping="EastPay has no read without the id of a payment: try payments.inquire(id)",
    refuses={"environment": "--environment is not for EastPay, whose environment is its URL: write --base-url."},
)
